// AssumeRole: which trust policies open with which external ID, and what else it checks.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { STSClient, AssumeRoleCommand, GetAccessKeyInfoCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { CUSTOMER, Sim, codeOf } from "./support.mjs";

const PROBES = {
  none: undefined,
  wrong: "a-random-wrong-one",
  right: "tenant-one",
  other: "tenant-two",
  folded: "TENANT-ONE",
};

// role: the probes that get in.
const CASES = {
  right: ["right"],
  none: ["none", "wrong", "right", "other", "folded"],
  "not-null": ["wrong", "right", "other", "folded"],
  "like-any": ["wrong", "right", "other", "folded"],
  "if-exists": ["none", "right"],
  "two-tenants": ["right", "other"],
  "case-folded": ["right", "folded"],
  "deny-and-allow": ["wrong", "right", "other", "folded"],
  "own-account": ["none", "wrong", "right", "other", "folded"],
  anyone: ["none", "wrong", "right", "other", "folded"],
  "wrong-then-right": [],
  "right-then-none": ["right"],
};

let sim;
let demo;
before(async () => {
  [sim, demo] = await Promise.all([
    Sim.start("external-id.yaml"),
    Sim.start("demo.yaml", "--set", "external_id=tenant-1"),
  ]);
});
after(() => Promise.all([sim.stop(), demo.stop()]));

async function opens(role) {
  const account = role === "own-account" ? "469725248735" : CUSTOMER;
  const tried = await Promise.all(
    Object.entries(PROBES).map(async ([name, ExternalId]) => [
      name,
      await codeOf(sim.assume(role, { ExternalId }, { account })),
    ]),
  );
  assert.ok(tried.every(([, code]) => code === "ok" || code === "AccessDenied"));
  return tried.filter(([, code]) => code === "ok").map(([name]) => name);
}

for (const [role, probes] of Object.entries(CASES)) {
  test(`trust "${role}" opens with: ${probes.join(", ") || "nothing"}`, async () =>
    assert.deepEqual(await opens(role), probes));
}

test("a trust policy put right, and one loosened, act at once", async () => {
  const { roles } = await sim.get(`world/inventory?account=${CUSTOMER}`);
  const trustOf = (name) => roles.find((role) => role.name === name).trust.parsed;
  await sim.post("world", [
    { op: "set_trust", account: CUSTOMER, role: "wrong-then-right", document: trustOf("right") },
    { op: "set_trust", account: CUSTOMER, role: "right-then-none", document: trustOf("none") },
  ]);
  assert.deepEqual(await opens("wrong-then-right"), ["right"]);
  assert.deepEqual(await opens("right-then-none"), Object.keys(PROBES));
});

test("the external ID may be told later", async () => {
  await sim.post("set", { external_id: "told-later" });
  assert.equal(await codeOf(sim.assume("right", { ExternalId: "told-later" })), "ok");
  assert.equal(await codeOf(sim.assume("right", { ExternalId: "tenant-one" })), "AccessDenied");
});

test("each AssumeRole is recorded with its external ID", async () => {
  const { last } = await sim.get("calls");
  await codeOf(sim.assume("none", { ExternalId: "seen", RoleSessionName: "who-it-is" }));
  const {
    calls: [call],
  } = await sim.get(`calls?since=${last}`);
  assert.equal(call.external_id, "seen");
  assert.equal(call.session_name, "who-it-is");
  assert.equal(call.action, "sts:AssumeRole");
});

const assume = (input, from) => codeOf(demo.assume("ConnectordReadOnly", { ExternalId: "tenant-1", ...input }, from));
const allow = (Action) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource: "*" }] });

test("inputs are checked", async () => {
  const results = {
    "short name": await assume({ RoleSessionName: "x" }),
    "odd name": await assume({ RoleSessionName: "a b" }),
    "long name": await assume({ RoleSessionName: "x".repeat(65) }),
    "short id": await assume({ ExternalId: "x" }),
    "odd id": await assume({ ExternalId: "a b" }),
    brief: await assume({ DurationSeconds: 899 }),
    endless: await assume({ DurationSeconds: 43_201 }),
    "above the role's": await assume({ DurationSeconds: 3601 }),
  };
  assert.deepEqual([...new Set(Object.values(results))], ["ValidationError"]);
  assert.equal(await assume({ DurationSeconds: 900 }), "ok");
});

test("session policies are checked", async () => {
  assert.equal(await assume({ Policy: "{" }), "MalformedPolicyDocumentException");
  assert.equal(await assume({ Policy: '{"Version":"2012-10-17"}' }), "MalformedPolicyDocumentException");
  assert.equal(await assume({ Policy: allow(["x:".padEnd(2100, "y")]) }), "PackedPolicyTooLargeException");
  assert.equal(await assume({ Policy: allow("iam:*") }), "ok");
});

test("a chained role lasts an hour at most", async () => {
  const base = await demo.assume("ConnectordBase", { DurationSeconds: 43_200 }, { account: "469725248735" });
  const chained = (DurationSeconds) =>
    codeOf(demo.assume("ConnectordLong", { ExternalId: "tenant-1", DurationSeconds }, { credentials: base }));
  assert.equal(await chained(3600), "ok");
  assert.equal(await chained(3601), "ValidationError");
  assert.equal(await codeOf(demo.assume("ConnectordLong", { ExternalId: "tenant-1", DurationSeconds: 43_200 })), "ok");
});

test("sessions can be made shorter than AWS's shortest", async () => {
  await demo.post("config", { longest_session_s: 20 });
  const { Credentials } = await demo.client(STSClient).send(
    new AssumeRoleCommand({
      RoleArn: `arn:aws:iam::${CUSTOMER}:role/ConnectordReadOnly`,
      RoleSessionName: "test",
      ExternalId: "tenant-1",
      DurationSeconds: 3600,
    }),
  );
  const seconds = (Credentials.Expiration - Date.now()) / 1000;
  assert.ok(seconds > 10 && seconds <= 21, `${seconds} s`);
  await demo.post("config", { longest_session_s: null });
});

test("the caller needs permission too", async () => {
  const {
    results: [key],
  } = await demo.post("world", [{ op: "put_key", account: "469725248735", user: "nobody" }]);
  const credentials = { accessKeyId: key.id, secretAccessKey: key.secret };
  assert.equal(await assume({}, { credentials }), "AccessDenied");
});

test("a role that was just made is not seen for a minute", async () => {
  const fresh = () => codeOf(demo.assume("ConnectordNew", { ExternalId: "tenant-1" }));
  assert.equal(await fresh(), "AccessDenied");
  await demo.post("clock", { offset_s: 61 });
  const send = demo.client(STSClient);
  send.config.systemClockOffset = 61_000;
  assert.equal(
    await codeOf(
      send.send(
        new AssumeRoleCommand({
          RoleArn: `arn:aws:iam::${CUSTOMER}:role/ConnectordNew`,
          RoleSessionName: "test",
          ExternalId: "tenant-1",
        }),
      ),
    ),
    "ok",
  );
  await demo.post("clock", { offset_s: 0 });
});

test("who am I needs no permission, and keys tell their account", async () => {
  const credentials = await demo.assume("ConnectordShort", {
    ExternalId: "tenant-1",
    Policy: allow("s3:ListAllMyBuckets"),
  });
  const me = await demo.client(STSClient, credentials).send(new GetCallerIdentityCommand({}));
  assert.equal(me.Arn, `arn:aws:sts::${CUSTOMER}:assumed-role/ConnectordShort/test`);
  assert.match(me.UserId, /^AROA[A-Z2-7]{17}:test$/);
  const admin = await demo.assume("ConnectordAdmin", { ExternalId: "tenant-1" });
  const info = await demo
    .client(STSClient, admin)
    .send(new GetAccessKeyInfoCommand({ AccessKeyId: "AKIACONNECTORDVENDOR" }));
  assert.equal(info.Account, "469725248735");
});
