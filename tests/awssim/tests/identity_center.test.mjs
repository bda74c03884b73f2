// Identity Center as boto3 reads it, and the roles that it makes in the accounts.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CUSTOMER, Sim } from "./support.mjs";
import { runBoto3 } from "./boto3.mjs";

const OWNER = "777788889999";
let sim;
let center;
before(async () => {
  sim = await Sim.start("demo.yaml", "--set", "external_id=tenant-1");
  center = (await sim.get(`world/inventory?account=${OWNER}`)).identity_center;
});
after(() => sim.stop());

async function read(account, role, region = "eu-central-1") {
  const credentials = await sim.assume(role, { ExternalId: "tenant-1" }, { account });
  return runBoto3("boto3_identity_center.py", credentials, sim.endpoint, region);
}

test("the owner reads users, groups and assignments, page by page", async () => {
  assert.deepEqual(await read(OWNER, "ConnectordReadOnly"), {
    users: center.users.map(({ name, id, groups }) => [name, id, [...groups].sort()]),
    groups: center.groups.map(({ name, id }) => [name, id]),
    assignments: center.assignments.map(({ account, set, type, principal }) => [account, set, type, principal]).sort(),
  });
});

test("elsewhere than in its home region there is none", async () => {
  assert.equal(await read(OWNER, "ConnectordReadOnly", "eu-west-1"), null);
});

test("a delegated administrator reads it, another member only sees that it is there", async () => {
  assert.equal((await read(CUSTOMER, "ConnectordAdmin")).users.length, center.users.length);
  await sim.post("world", [
    { op: "put_attachment", account: "444455556666", role: "ConnectordReadOnly", policy: "aws:AdministratorAccess" },
  ]);
  await assert.rejects(read("444455556666", "ConnectordReadOnly"), /AccessDeniedException/);
});

test("every set in use has its reserved role in the account", async () => {
  const { roles } = await sim.get(`world/inventory?account=${CUSTOMER}`);
  const reserved = roles.filter(({ path }) => path === "/aws-reserved/sso.amazonaws.com/eu-central-1/");
  const sets = reserved.map(({ name }) => /^AWSReservedSSO_(.+)_[0-9a-f]{16}$/.exec(name)[1]);
  assert.deepEqual(sets.sort(), ["Auditor", "Platform", "PlatformAdmin"]);
});
