// Rates: over them AWS throttles, and accounts do not pay for each other.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { IAMClient, ListUsersCommand } from "@aws-sdk/client-iam";
import { OrganizationsClient, ListRootsCommand } from "@aws-sdk/client-organizations";
import { CUSTOMER, Sim, codeOf, until } from "./support.mjs";

let sim;
before(async () => {
  sim = await Sim.start("demo.yaml", "--quotas", "default", "--set", "external_id=tenant-1");
});
after(() => sim.stop());

const readOnly = (account) => sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1" }, { account });
const burst = (n, credentials) =>
  Promise.all(
    Array.from({ length: n }, () => codeOf(sim.client(IAMClient, credentials).send(new ListUsersCommand({})))),
  );

test("a burst over the bucket is throttled, by account", async () => {
  const [one, other] = [await readOnly(CUSTOMER), await readOnly("444455556666")];
  const codes = await burst(60, one);
  const { quotas } = await sim.get("quotas");
  const bucket = quotas.find(({ account, group }) => account === CUSTOMER && group === "iam");
  assert.equal(bucket.used + bucket.throttled, 60);
  assert.ok(bucket.used >= 20 && bucket.used <= bucket.capacity, `${bucket.used} served, capacity ${bucket.capacity}`);
  assert.equal(codes.filter((code) => code === "Throttling").length, bucket.throttled);
  assert.deepEqual(new Set(await burst(15, other)), new Set(["ok"]));
});

test("the bucket fills again", async () => {
  const credentials = await readOnly(CUSTOMER);
  await burst(40, credentials);
  await until(async () => (await burst(1, credentials))[0] === "ok", "a call is served again");
});

test("each protocol has its own word, and quotas can be set at run time", async () => {
  await sim.post("config", { quotas: [{ service: "organizations", rate: 0.001, burst: 1, per: "account" }] });
  const client = sim.client(OrganizationsClient, await readOnly("777788889999"));
  assert.equal(await codeOf(client.send(new ListRootsCommand({}))), "ok");
  assert.equal(await codeOf(client.send(new ListRootsCommand({}))), "TooManyRequestsException");
  await sim.post("config", { quotas: [] });
  assert.equal(await codeOf(client.send(new ListRootsCommand({}))), "ok");
});

test("latency is added to every call, and calls overlap", async () => {
  await sim.post("config", { latency_ms: 200 });
  const { last } = await sim.get("calls");
  const credentials = await readOnly(CUSTOMER);
  await burst(10, credentials);
  const { calls, counts } = await sim.get(`calls?since=${last}`);
  assert.ok(calls.every(({ latency_ms }) => latency_ms >= 199));
  assert.ok(counts.max_in_flight >= 5, `${counts.max_in_flight} at once`);
  await sim.post("config", { latency_ms: 0 });
});
