// Buckets, secrets, keys and tables: the v3 clients and boto3 must see the world that the inventory tells.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { S3ControlClient, GetPublicAccessBlockCommand } from "@aws-sdk/client-s3-control";
import { CUSTOMER, Sim } from "./support.mjs";
import { runBoto3 } from "./boto3.mjs";
import * as read from "./data_v3.mjs";
import * as neutral from "./data_neutral.mjs";

const REGIONS = ["eu-central-1", "us-east-1"];
const NEIGHBOUR = "444455556666";

let sim, credentials, resources, expected;

// What the keys' own policies keep from the reader.
const DENIED = "AccessDeniedException";
const HIDDEN = {
  locked: { metadata: DENIED, policy: DENIED, grants: DENIED, rotation: DENIED },
  forbidden: { policy: DENIED },
};

function keysAsSeen(region) {
  const { aliases, keys } = neutral.keysOf(resources[region]);
  const names = new Map(resources[region].kms_keys.map(({ id, name }) => [id, name]));
  return { aliases, keys: keys.map((key) => ({ ...key, ...HIDDEN[names.get(key.id)] })) };
}

before(async () => {
  sim = await Sim.start("resources-data.yaml", "--set", "external_id=tenant-1");
  credentials = await sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1" });
  ({ resources } = await sim.get(`world/inventory?account=${CUSTOMER}`));
  const { resources: others } = await sim.get(`world/inventory?account=${NEIGHBOUR}`);
  const canonical = { [NEIGHBOUR]: others["eu-central-1"].buckets[0].owner };
  expected = { buckets: neutral.bucketsOf(resources, canonical) };
});
after(() => sim.stop());

for (const size of [1, undefined]) {
  test(`v3 clients, page size ${size ?? "as it is"}`, async () => {
    const { last } = await sim.get("calls");
    assert.deepEqual(neutral.buckets(await read.readBuckets(sim, credentials, CUSTOMER, size)), expected.buckets);
    for (const region of REGIONS) {
      assert.deepEqual(
        neutral.secrets(await read.readSecrets(sim, credentials, region, size)),
        neutral.secretsOf(resources[region]),
      );
      assert.deepEqual(neutral.keys(await read.readKeys(sim, credentials, region, size)), keysAsSeen(region));
      assert.deepEqual(
        neutral.tables(await read.readTables(sim, credentials, region, size)),
        neutral.tablesOf(resources[region]),
      );
    }
    const { counts } = await sim.get(`calls?since=${last}`);
    assert.equal(counts.by_operation["s3.ListBuckets"], size ? expected.buckets.length : 1);
  });
}

// Members that Debian's boto3 is too old to know.
const LATER = ["arn", "blocked", "days", "protected", "policy", "stream_policy"];
const without = (names, value) =>
  Array.isArray(value)
    ? value.map((one) => without(names, one))
    : value && typeof value === "object"
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([key]) => !names.includes(key))
            .map(([key, one]) => [key, without(names, one)]),
        )
      : value;

test("boto3, one to a page and as many as it likes", async () => {
  const seen = await runBoto3("boto3_data.py", credentials, sim.endpoint, CUSTOMER, REGIONS.join());
  const old = (value) => without(LATER, value);
  assert.deepEqual(old(neutral.buckets(seen.buckets)), old(expected.buckets));
  assert.deepEqual(neutral.publicAccessBlock(seen.account_block), [true, true, true, true]);
  for (const page of seen.pages) {
    for (const region of REGIONS) {
      const { secrets, kms, tables } = page[region];
      // It cannot ask for those that are to be deleted.
      const kept = neutral.secretsOf(resources[region]).filter(({ policy }) => policy !== "InvalidRequestException");
      assert.deepEqual(neutral.secrets(secrets), kept);
      assert.deepEqual(without(["days", "service"], neutral.keys(kms)), without(["days", "service"], keysAsSeen(region)));
      assert.deepEqual(old(neutral.tables(tables)), old(neutral.tablesOf(resources[region])));
    }
  }
});

// A name that ends in ".localhost" is this machine's; not every resolver knows.
const hereOnly = () => ({
  requestHandler: { httpAgent: new http.Agent({ lookup: (_, options, done) => done(null, [{ address: "127.0.0.1", family: 4 }]) }) },
});

test("the account's own public access block, whose account stands in the host", async () => {
  const client = new S3ControlClient({
    endpoint: sim.endpoint.replace("127.0.0.1", "localhost"),
    region: "us-east-1",
    credentials,
    maxAttempts: 1,
    ...hereOnly(),
  });
  const ask = (AccountId) => read.orCode(client.send(new GetPublicAccessBlockCommand({ AccountId })), "PublicAccessBlockConfiguration");
  assert.deepEqual(neutral.publicAccessBlock(await ask(CUSTOMER)), [true, true, true, true]);
  assert.equal((await ask(NEIGHBOUR)).code, "AccessDenied");
  await sim.post("world", [{ op: "set_account", account: CUSTOMER, s3_public_access_block: null }]);
  assert.equal((await ask(CUSTOMER)).code, "NoSuchPublicAccessBlockConfiguration");
  await sim.post("world", [{ op: "set_account", account: CUSTOMER, s3_public_access_block: { all: true } }]);
});
