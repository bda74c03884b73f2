// Buckets, secrets, keys and tables: the v3 clients and boto3 must see the world that the inventory tells.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { BedrockClient, ListGuardrailsCommand } from "@aws-sdk/client-bedrock";
import { BedrockAgentClient, ListAgentsCommand } from "@aws-sdk/client-bedrock-agent";
import {
  DynamoDBClient,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  GetResourcePolicyCommand,
  ListTablesCommand,
} from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient, DescribeStreamCommand } from "@aws-sdk/client-dynamodb-streams";
import {
  KMSClient,
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  ListAliasesCommand,
  ListKeysCommand,
} from "@aws-sdk/client-kms";
import { S3Client, ListBucketsCommand } from "@aws-sdk/client-s3";
import { S3ControlClient, GetPublicAccessBlockCommand } from "@aws-sdk/client-s3-control";
import {
  SecretsManagerClient,
  GetResourcePolicyCommand as GetSecretPolicy,
  GetSecretValueCommand,
  ListSecretsCommand,
} from "@aws-sdk/client-secrets-manager";
import { CUSTOMER, Sim, codeOf } from "./support.mjs";
import { runBoto3 } from "./boto3.mjs";
import * as read from "./data_v3.mjs";
import * as neutral from "./data_neutral.mjs";

const REGIONS = ["eu-central-1", "us-east-1"];
const NEIGHBOUR = "444455556666";

let sim, credentials, resources, expected;

// What the keys' own policies keep from the reader.
const DENIED = "AccessDeniedException";
const HIDDEN = {
  locked: { metadata: DENIED, policy: DENIED, grants: DENIED, rotation: DENIED, tags: DENIED },
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
      assert.deepEqual(
        without(["days", "service"], neutral.keys(kms)),
        without(["days", "service"], keysAsSeen(region)),
      );
      assert.deepEqual(old(neutral.tables(tables)), old(neutral.tablesOf(resources[region])));
    }
  }
});

// A name that ends in ".localhost" is this machine's; not every resolver knows.
const hereOnly = () => ({
  requestHandler: {
    httpAgent: new http.Agent({ lookup: (_, options, done) => done(null, [{ address: "127.0.0.1", family: 4 }]) }),
  },
});

test("the account's own public access block, whose account stands in the host", async () => {
  const client = new S3ControlClient({
    endpoint: sim.endpoint.replace("127.0.0.1", "localhost"),
    region: "us-east-1",
    credentials,
    maxAttempts: 1,
    ...hereOnly(),
  });
  const ask = (AccountId) =>
    read.orCode(client.send(new GetPublicAccessBlockCommand({ AccountId })), "PublicAccessBlockConfiguration");
  assert.deepEqual(neutral.publicAccessBlock(await ask(CUSTOMER)), [true, true, true, true]);
  assert.equal((await ask(NEIGHBOUR)).code, "AccessDenied");
  await sim.post("world", [{ op: "set_account", account: CUSTOMER, s3_public_access_block: null }]);
  assert.equal((await ask(CUSTOMER)).code, "NoSuchPublicAccessBlockConfiguration");
  await sim.post("world", [{ op: "set_account", account: CUSTOMER, s3_public_access_block: { all: true } }]);
});

const HOME = "eu-central-1";
const client = (Client, of = credentials) => sim.client(Client, of, HOME);
const allow = (...Action) => ({ Effect: "Allow", Action, Resource: "*" });
const deny = (...Action) => ({ Effect: "Deny", Action, Resource: "*" });
const session = (role, ...Statement) =>
  sim.assume(role, {
    ExternalId: "tenant-1",
    ...(Statement.length && { Policy: JSON.stringify({ Version: "2012-10-17", Statement }) }),
  });
const world = (...ops) =>
  sim.post(
    "world",
    ops.map((op) => ({ account: CUSTOMER, region: HOME, ...op })),
  );
const keyNamed = (name) => resources[HOME].kms_keys.find((key) => key.name === name);

test("a key's policy decides, and the refusal says so in AWS's words", async () => {
  const said = (credentialsOf, name, Command = DescribeKeyCommand) =>
    client(KMSClient, credentialsOf)
      .send(new Command({ KeyId: keyNamed(name).id }))
      .then(
        () => "ok",
        ({ name: code, message, $metadata }) => [code, $metadata.httpStatusCode, message],
      );
  const user = (role) => `User: arn:aws:sts::${CUSTOMER}:assumed-role/${role}/test is not authorized to perform`;
  assert.deepEqual(await said(await session("ConnectordAdmin"), "locked"), [
    "AccessDeniedException",
    400,
    `${user("ConnectordAdmin")}: kms:DescribeKey on resource: ${keyNamed("locked").arn} because no resource-based policy allows the kms:DescribeKey action`,
  ]);
  assert.equal(
    (await said(credentials, "forbidden", GetKeyPolicyCommand))[2],
    `${user("ConnectordReadOnly")}: kms:GetKeyPolicy on resource: ${keyNamed("forbidden").arn} with an explicit deny in a resource-based policy`,
  );
  assert.equal(await said(credentials, "forbidden"), "ok");
  // Named in the key's policy, a role needs no policy of its own; a session's policy still holds it down.
  const policy = {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${CUSTOMER}:role/bare` },
        Action: "kms:DescribeKey",
        Resource: "*",
      },
    ],
  };
  const { roles } = await sim.get(`world/inventory?account=${CUSTOMER}`);
  const trust = roles.find(({ name }) => name === "ConnectordReadOnly").trust.parsed;
  await world(
    { op: "put_role", name: "bare", trust },
    { op: "put_resource", kind: "kms_keys", name: "locked", policy },
  );
  assert.equal(await said(await session("bare"), "locked"), "ok");
  assert.match((await said(await session("bare"), "orders"))[2], /because no identity-based policy allows/);
  assert.match(
    (await said(await session("bare", allow("kms:ListKeys")), "locked"))[2],
    /because no session policy allows/,
  );
});

test("denied lists, in each service", async () => {
  const nobody = await session("ConnectordReadOnly", allow("iam:ListUsers"));
  const calls = [
    [KMSClient, new ListKeysCommand({}), "kms:ListKeys on resource: *"],
    [SecretsManagerClient, new ListSecretsCommand({}), "secretsmanager:ListSecrets on resource: *"],
    [
      DynamoDBClient,
      new ListTablesCommand({}),
      `dynamodb:ListTables on resource: arn:aws:dynamodb:${HOME}:${CUSTOMER}:table/*`,
    ],
    [
      DynamoDBClient,
      new DescribeTableCommand({ TableName: "orders" }),
      `dynamodb:DescribeTable on resource: arn:aws:dynamodb:${HOME}:${CUSTOMER}:table/orders`,
    ],
    [
      DynamoDBStreamsClient,
      new DescribeStreamCommand({ StreamArn: resources[HOME].tables.find(({ name }) => name === "orders").stream.arn }),
      "dynamodb:DescribeStream on resource: arn:",
    ],
  ];
  for (const [Client, command, words] of calls) {
    await assert.rejects(client(Client, nobody).send(command), ({ name, message }) => {
      assert.equal(name, "AccessDeniedException");
      return (
        message.includes(`is not authorized to perform: ${words}`) &&
        message.includes("because no session policy allows")
      );
    });
  }
});

test("what has gone in between, and tokens that nobody gave out", async () => {
  await world(
    { op: "put_resource", kind: "tables", name: "brief" },
    { op: "delete_resource", kind: "tables", name: "brief" },
  );
  const arn = `arn:aws:dynamodb:${HOME}:${CUSTOMER}:table/brief`;
  const cases = [
    [DynamoDBClient, new DescribeTableCommand({ TableName: "brief" }), "ResourceNotFoundException"],
    [DynamoDBClient, new DescribeContinuousBackupsCommand({ TableName: "brief" }), "TableNotFoundException"],
    [DynamoDBClient, new GetResourcePolicyCommand({ ResourceArn: arn }), "ResourceNotFoundException"],
    [DynamoDBStreamsClient, new DescribeStreamCommand({ StreamArn: `${arn}/stream/x` }), "ResourceNotFoundException"],
    [KMSClient, new DescribeKeyCommand({ KeyId: "1234abcd-12ab-34cd-56ef-1234567890ab" }), "NotFoundException"],
    [KMSClient, new ListKeysCommand({ Marker: "no-marker" }), "InvalidMarkerException"],
    [KMSClient, new ListAliasesCommand({ Limit: 101 }), "ValidationException"],
    [SecretsManagerClient, new GetSecretPolicy({ SecretId: "gone" }), "ResourceNotFoundException"],
    [SecretsManagerClient, new ListSecretsCommand({ NextToken: "no-token" }), "InvalidNextTokenException"],
  ];
  for (const [Client, command, code] of cases) assert.equal(await codeOf(client(Client).send(command)), code);
});

test("secrets to be deleted are listed when asked for, and a value that is read is seen to be read", async () => {
  const list = async (input) =>
    (await client(SecretsManagerClient).send(new ListSecretsCommand(input))).SecretList.map(({ Name }) => Name);
  assert.ok(!(await list({})).includes("shop/old"));
  assert.ok((await list({ IncludePlannedDeletion: true })).includes("shop/old"));
  const { last } = await sim.get("calls");
  const value = new GetSecretValueCommand({ SecretId: "shop/payments" });
  const guarded = await session("ConnectordAdmin", allow("*"), deny("secretsmanager:GetSecretValue"));
  assert.equal(await codeOf(client(SecretsManagerClient, guarded).send(value)), "AccessDeniedException");
  const { SecretString } = await client(SecretsManagerClient, await session("ConnectordAdmin")).send(value);
  assert.equal(SecretString, "canary-secret-value-of-shop/payments");
  const { calls } = await sim.get(`calls?since=${last}`);
  assert.deepEqual(
    calls
      .filter(({ operation }) => operation === "GetSecretValue")
      .map(({ status, secret_read: read }) => [status, Boolean(read)]),
    [
      [400, false],
      [200, true],
    ],
  );
});

test("a page size cap of the simulator, tags included, loses nothing", async () => {
  await sim.post("config", { page_size: 1 });
  assert.deepEqual(neutral.tables(await read.readTables(sim, credentials, HOME)), neutral.tablesOf(resources[HOME]));
  await sim.post("config", { page_size: null });
});

test("values that nobody knows yet go through", async () => {
  await world({ op: "put_resource", kind: "tables", name: "tomorrow", raw: { TableStatus: "DREAMING" } });
  const { Table } = await client(DynamoDBClient).send(new DescribeTableCommand({ TableName: "tomorrow" }));
  assert.equal(Table.TableStatus, "DREAMING");
  await world({ op: "delete_resource", kind: "tables", name: "tomorrow" });
});

test("generated accounts have them too, the same each time", async () => {
  const generate = {
    resources: {
      seed: 7,
      regions: [HOME],
      buckets: 4,
      secrets: 4,
      kms_keys: 3,
      tables: 4,
      agents: 2,
      knowledge_bases: 1,
    },
  };
  const account = "123412341234";
  await sim.post("world", [{ op: "put_account", account, generate }]);
  const { resources: made } = await sim.get(`world/inventory?account=${account}`);
  assert.deepEqual(
    Object.entries(made[HOME])
      .map(([kind, { length }]) => [kind, length])
      .sort(),
    [
      ["agents", 2],
      ["buckets", 4],
      ["kms_keys", 3],
      ["knowledge_bases", 1],
      ["secrets", 4],
      ["tables", 4],
    ],
  );
  assert.equal(made[HOME].buckets[0].name, `${account}-${HOME}-bucket-0000`);
});

test("pages that are empty, in every list, and more to come", async () => {
  const lists = {
    s3: ["ListBuckets"],
    secretsmanager: ["ListSecrets"],
    kms: ["ListKeys", "ListAliases", "ListGrants", "ListResourceTags"],
    dynamodb: ["ListTables", "ListTagsOfResource"],
  };
  const faults = Object.entries(lists).flatMap(([service, operations]) =>
    operations.map((operation) => ({ match: { service, operation }, times: 1, fault: "empty_pages" })),
  );
  const { faults: set } = await sim.post("faults", faults);
  const found = await read.readBuckets(sim, credentials, CUSTOMER, 2);
  assert.deepEqual(neutral.buckets(found), expected.buckets);
  assert.deepEqual(
    neutral.secrets(await read.readSecrets(sim, credentials, HOME, 2)),
    neutral.secretsOf(resources[HOME]),
  );
  await read.readKeys(sim, credentials, HOME, 2);
  assert.deepEqual(neutral.tables(await read.readTables(sim, credentials, HOME, 2)), neutral.tablesOf(resources[HOME]));
  const { faults: struck } = await sim.get("faults");
  assert.deepEqual(
    struck.map(({ hits }) => hits),
    set.map(() => 1),
  );
  await sim.post("reset", { faults: true });
});

test("failures in each service's own words", async () => {
  const lists = {
    secretsmanager: [SecretsManagerClient, ListSecretsCommand, "ThrottlingException 400", "InternalServiceError 500"],
    kms: [KMSClient, ListKeysCommand, "ThrottlingException 400", "KMSInternalException 500"],
    dynamodb: [DynamoDBClient, ListTablesCommand, "ThrottlingException 400", "InternalServerError 500"],
    s3: [S3Client, ListBucketsCommand, "SlowDown 503", "InternalError 500"],
    bedrock: [BedrockClient, ListGuardrailsCommand, "ThrottlingException 429", "InternalServerException 500"],
    "bedrock-agent": [BedrockAgentClient, ListAgentsCommand, "ThrottlingException 429", "InternalServerException 500"],
  };
  for (const [service, [Client, Command, ...expectedWords]] of Object.entries(lists)) {
    for (const [n, fault] of ["throttle", "http_500"].entries()) {
      await sim.post("faults", { match: { service }, times: 1, fault });
      const said = client(Client)
        .send(new Command({}))
        .then(
          () => "ok",
          ({ name, $metadata }) => `${name} ${$metadata.httpStatusCode}`,
        );
      assert.equal(await said, expectedWords[n], service);
    }
  }
  await sim.post("reset", { faults: true });
});
