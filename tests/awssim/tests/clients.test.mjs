// Three independent clients must see one world: the one that /_sim/world/inventory tells.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CUSTOMER, Sim } from "./support.mjs";
import { runAwscli, runBoto3 } from "./boto3.mjs";
import { fromClient, fromInventory } from "./neutral.mjs";
import { readAccount } from "./v3_reads.mjs";

const PAGE_SIZES = [1, 3, 1000];

let sim, credentials, expected;

before(async () => {
  sim = await Sim.start("demo.yaml", "--set", "external_id=tenant-1");
  credentials = await sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1" });
  expected = fromInventory(await sim.get(`world/inventory?account=${CUSTOMER}`));
});
after(() => sim.stop());

for (const size of PAGE_SIZES) {
  test(`v3 clients, page size ${size}`, async () => {
    assert.deepEqual(fromClient(await readAccount(sim, credentials, size)), expected);
  });

  test(`boto3, page size ${size}`, async () => {
    assert.deepEqual(fromClient(await runBoto3("boto3_reads.py", credentials, sim.endpoint, size)), expected);
  });

  test(`awscli, page size ${size}`, async () => {
    const aws = (...args) => runAwscli(credentials, ...args, "--endpoint-url", sim.endpoint, "--page-size", size);
    const [details, { Users: users }, { Roles: roles }, { AccountAliases: aliases }, { Policies: aws_policies }] =
      await Promise.all([
        aws("iam", "get-account-authorization-details"),
        aws("iam", "list-users"),
        aws("iam", "list-roles"),
        aws("iam", "list-account-aliases"),
        aws("iam", "list-policies", "--scope", "AWS", "--only-attached"),
      ]);
    const nothing = { access_keys: {}, last_used: {}, mfa: {}, saml: [], oidc: [], regions: [] };
    const seen = fromClient({ ...nothing, account: CUSTOMER, details, users, roles, aliases, aws_policies });
    const withoutKeys = expected.users.map((user) => ({ ...user, access_keys: [], mfa_devices: [] }));
    assert.deepEqual(seen, { ...expected, users: withoutKeys, saml: [], oidc: [], regions: [] });
  });
}

test("a page size cap of the simulator does not lose anything", async () => {
  await sim.post("config", { page_size: 2 });
  const { last } = await sim.get("calls");
  assert.deepEqual(fromClient(await readAccount(sim, credentials, undefined)), expected);
  const { calls } = await sim.get(`calls?since=${last}`);
  const pages = calls.filter(({ operation }) => operation === "ListUsers").map(({ page }) => page);
  assert.deepEqual(pages, [1, 2, 3, 4, 5, 6]);
  await sim.post("config", { page_size: null });
});
