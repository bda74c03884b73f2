// What runs in an account's regions: two clients see the world that /_sim/world/inventory tells, whatever the page size,
// and who may not see it or asks for what is gone is told so in AWS's words.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as ec2 from "@aws-sdk/client-ec2";
import * as eks from "@aws-sdk/client-eks";
import * as lambda from "@aws-sdk/client-lambda";
import * as rds from "@aws-sdk/client-rds";
import { CUSTOMER, Sim, codeOf } from "./support.mjs";
import { runBoto3 } from "./boto3.mjs";
import { compare, kinds } from "./resources_neutral.mjs";
import { readResources } from "./v3_resources.mjs";

const REGIONS = ["us-east-1", "eu-west-1"];
// What Debian's boto3 is too old for.
const OLD = {
  members: [
    "operator",
    "access_entries",
    "pod_identities",
    "compute_role",
    "auth_mode",
    "master_secret",
    "auth_secret",
  ],
  hides: ({ operator, state }) => operator?.hidden || state === "disabled",
};

let sim, credentials, held;

before(async () => {
  sim = await Sim.start("resources.yaml", "--set", "external_id=tenant-1");
  credentials = await sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1" });
  held = (await sim.get(`world/inventory?account=${CUSTOMER}`)).resources;
});
after(() => sim.stop());

const narrow = () => sim.assume("ConnectordNarrow", { ExternalId: "tenant-1" });

test("the world has one of every kind", () => {
  assert.deepEqual(
    kinds.filter((kind) => !held["us-east-1"][kind]?.length),
    [],
  );
});

for (const [size, page_size] of [
  ["AWS's own", null],
  ["1", 1],
]) {
  test(`v3 clients, page size ${size}`, async () => {
    await sim.post("config", { page_size });
    for (const region of REGIONS) {
      const [seen, wanted] = compare(await readResources(sim, credentials, region), held[region]);
      assert.deepEqual(seen, wanted, region);
    }
  });

  test(`boto3, page size ${size}`, async () => {
    await sim.post("config", { page_size });
    const read = await runBoto3("boto3_resources.py", credentials, sim.endpoint, ...REGIONS);
    for (const region of REGIONS) {
      const [seen, wanted] = compare(read[region], held[region], OLD);
      assert.deepEqual(seen, wanted, region);
    }
    await sim.post("config", { page_size: null });
  });
}

test("empty pages, and pages in between, lose nothing", async () => {
  await sim.post("config", { page_size: 2 });
  const services = ["ec2", "rds", "eks", "lambda"];
  await sim.post(
    "faults",
    services.map((service) => ({ match: { service }, fault: "empty_pages", share: 0.4 })),
  );
  const [seen, wanted] = compare(await readResources(sim, credentials, "us-east-1"), held["us-east-1"]);
  const { faults } = await sim.get("faults");
  await sim.post("reset", { faults: true });
  await sim.post("config", { page_size: null });
  assert.deepEqual(seen, wanted);
  for (const { match, hits } of faults) assert.ok(hits >= 2, `${match.service}: ${hits} empty pages`);
});

const client = (Client, more = {}) => sim.client(Client, more.credentials ?? credentials, more.region ?? "us-east-1");
const named = (error) => [error.name, error.$metadata?.httpStatusCode];
const refused = (promise) => promise.then(() => "ok", named);

test("values that must not be kept are served, so that a client that keeps them is caught", async () => {
  const text = JSON.stringify(await readResources(sim, credentials, "us-east-1"));
  const template = Buffer.from("#!/bin/sh\nexport TOKEN=secret-in-version-3\n").toString("base64");
  for (const secret of ["secret-token-of-checkout", "secret-activation-code", "secret-new-password", template]) {
    assert.ok(text.includes(secret), secret);
  }
  assert.ok(!text.includes("secret-of-web-1"), "an instance's user data is in no list");
});

test("without an owner, EC2 lists what everybody shows too", async () => {
  const names = async (input) =>
    (await client(ec2.EC2Client).send(new ec2.DescribeSnapshotsCommand(input))).Snapshots.map(
      ({ OwnerId }) => OwnerId,
    ).sort();
  const [own, other] = [CUSTOMER, "444455556666"];
  assert.deepEqual(await names({}), [own, own, own, other, other]);
  assert.deepEqual(await names({ OwnerIds: ["self"] }), [own, own, own]);
  assert.deepEqual(await names({ RestorableByUserIds: ["all"] }), [own, other]);
  const images = await client(ec2.EC2Client).send(new ec2.DescribeImagesCommand({}));
  assert.deepEqual(images.Images.map(({ OwnerId }) => OwnerId).sort(), [own, own, other]);
  const { DBSnapshots: shared } = await client(rds.RDSClient).send(
    new rds.DescribeDBSnapshotsCommand({ SnapshotType: "shared" }),
  );
  assert.deepEqual(
    shared.map(({ DBSnapshotIdentifier }) => DBSnapshotIdentifier),
    ["for-production"],
  );
});

test("what an AWS service runs may be hidden, and connected clusters are only in the list of all", async () => {
  const count = async (input) =>
    (await client(ec2.EC2Client).send(new ec2.DescribeInstancesCommand(input))).Reservations.flatMap(
      (one) => one.Instances,
    ).length;
  assert.deepEqual([await count({}), await count({ IncludeManagedResources: true })], [3, 4]);
  const clusters = async (input) => (await client(eks.EKSClient).send(new eks.ListClustersCommand(input))).clusters;
  assert.deepEqual(await clusters({}), ["legacy", "shop"]);
  assert.deepEqual(await clusters({ include: ["all"] }), ["legacy", "on-premises", "shop"]);
});

test("EC2's filters, IDs, limits and dry runs", async () => {
  const send = (input) => client(ec2.EC2Client).send(new ec2.DescribeInstancesCommand(input));
  const filter = (Name, ...Values) => send({ Filters: [{ Name, Values }] });
  const ids = async (answer) =>
    (await answer).Reservations.flatMap(({ Instances }) => Instances.map(({ InstanceId }) => InstanceId));
  assert.equal((await ids(filter("instance-state-name", "running"))).length, 2);
  const [tagged] = await ids(filter("tag:team", "sh*"));
  assert.deepEqual(await ids(send({ InstanceIds: [tagged] })), [tagged]);
  assert.equal(await codeOf(send({ InstanceIds: [tagged], MaxResults: 5 })), "InvalidParameterCombination");
  assert.equal(await codeOf(send({ InstanceIds: ["i-0000"] })), "InvalidInstanceID.NotFound");
  assert.equal(await codeOf(filter("no-such-filter", "x")), "InvalidParameterValue");
  assert.equal(await codeOf(send({ MaxResults: 4 })), "InvalidParameterValue");
  assert.deepEqual(await refused(send({ DryRun: true })), ["DryRunOperation", 412]);
  const nobody = client(ec2.EC2Client, { credentials: await narrow() });
  assert.deepEqual(await refused(nobody.send(new ec2.DescribeInstancesCommand({ DryRun: true }))), [
    "UnauthorizedOperation",
    403,
  ]);
  const versions = (input) => client(ec2.EC2Client).send(new ec2.DescribeLaunchTemplateVersionsCommand(input));
  assert.equal(await codeOf(versions({ Versions: ["1"] })), "MissingParameter");
  assert.equal((await versions({ LaunchTemplateName: "web" })).LaunchTemplateVersions.length, 3);
});

test("a policy on one resource opens that resource and no list", async () => {
  const credentials = await narrow();
  const [ofRds, ofEks, ofLambda] = [rds.RDSClient, eks.EKSClient, lambda.LambdaClient].map((Client) =>
    client(Client, { credentials }),
  );
  const database = (DBInstanceIdentifier) => ofRds.send(new rds.DescribeDBInstancesCommand({ DBInstanceIdentifier }));
  assert.equal((await database("Orders")).DBInstances.length, 1);
  await assert.rejects(
    database("ledger-1"),
    /rds:DescribeDBInstances on resource: arn:aws:rds:us-east-1:111122223333:db:ledger-1 /,
  );
  await assert.rejects(
    database(),
    /on resource: arn:aws:rds:us-east-1:111122223333:db:\* because no identity-based policy allows/,
  );
  const cluster = (name) => ofEks.send(new eks.DescribeClusterCommand({ name }));
  assert.equal((await cluster("shop")).cluster.name, "shop");
  assert.deepEqual(await refused(cluster("legacy")), ["AccessDeniedException", 403]);
  const clusterName = "shop";
  const [principalArn] = (await ofEks.send(new eks.ListAccessEntriesCommand({ clusterName }))).accessEntries;
  await assert.rejects(
    ofEks.send(new eks.DescribeAccessEntryCommand({ clusterName, principalArn })),
    /eks:DescribeAccessEntry on resource: arn:aws:eks:us-east-1:111122223333:access-entry\/shop\/role\/111122223333\/node\//,
  );
  const policy = (FunctionName, Qualifier) => ofLambda.send(new lambda.GetPolicyCommand({ FunctionName, Qualifier }));
  assert.match((await policy("checkout")).Policy, /"Sid":"bus"/);
  assert.match((await policy("checkout", "live")).Policy, /"Sid":"everybody"/);
  assert.deepEqual(await refused(policy("checkout", "quiet")), ["AccessDeniedException", 403]);
  assert.deepEqual(await refused(ofLambda.send(new lambda.ListFunctionsCommand({}))), ["AccessDeniedException", 403]);
});

test("what is not there, or not of that kind, is told in each service's words", async () => {
  const [ofRds, ofEks, ofLambda] = [rds.RDSClient, eks.EKSClient, lambda.LambdaClient].map((Client) => client(Client));
  const none = "no-such-thing";
  const cases = [
    [ofRds, new rds.DescribeDBInstancesCommand({ DBInstanceIdentifier: none }), "DBInstanceNotFoundFault", 404],
    [ofRds, new rds.DescribeDBClustersCommand({ DBClusterIdentifier: none }), "DBClusterNotFoundFault", 404],
    [
      ofRds,
      new rds.DescribeDBSnapshotAttributesCommand({ DBSnapshotIdentifier: none }),
      "DBSnapshotNotFoundFault",
      404,
    ],
    [ofRds, new rds.DescribeDBProxiesCommand({ DBProxyName: none }), "DBProxyNotFoundFault", 404],
    [ofRds, new rds.DescribeDBInstancesCommand({ MaxRecords: 10 }), "InvalidParameterValue", 400],
    [ofEks, new eks.DescribeClusterCommand({ name: none }), "ResourceNotFoundException", 404],
    [
      ofEks,
      new eks.DescribeNodegroupCommand({ clusterName: "shop", nodegroupName: none }),
      "ResourceNotFoundException",
      404,
    ],
    [ofEks, new eks.DescribeAddonCommand({ clusterName: "shop", addonName: none }), "ResourceNotFoundException", 404],
    [
      ofEks,
      new eks.DescribePodIdentityAssociationCommand({ clusterName: "shop", associationId: none }),
      "ResourceNotFoundException",
      404,
    ],
    [
      ofEks,
      new eks.DescribeAccessEntryCommand({ clusterName: "shop", principalArn: none }),
      "ResourceNotFoundException",
      404,
    ],
    [ofEks, new eks.ListAccessEntriesCommand({ clusterName: "legacy" }), "InvalidRequestException", 400],
    [ofEks, new eks.ListNodegroupsCommand({ clusterName: "on-premises" }), "InvalidRequestException", 400],
    [ofLambda, new lambda.GetPolicyCommand({ FunctionName: none }), "ResourceNotFoundException", 404],
    [ofLambda, new lambda.GetPolicyCommand({ FunctionName: "thumbnails" }), "ResourceNotFoundException", 404],
    [
      ofLambda,
      new lambda.GetPolicyCommand({ FunctionName: "checkout", Qualifier: none }),
      "ResourceNotFoundException",
      404,
    ],
    [ofLambda, new lambda.ListAliasesCommand({ FunctionName: "a b" }), "InvalidParameterValueException", 400],
  ];
  for (const [to, command, ...expected] of cases) {
    assert.deepEqual(
      await refused(to.send(command)),
      expected,
      `${command.constructor.name} ${JSON.stringify(command.input)}`,
    );
  }
});

test("what AWS has not invented yet can be served", async () => {
  const raw = { State: { Code: 99, Name: "floating" }, InstanceType: "q1.quantum" };
  const op = { op: "put_resource", account: CUSTOMER, region: "eu-west-1", kind: "instances", name: "web-1", raw };
  await sim.post("world", [op]);
  const { Reservations } = await client(ec2.EC2Client, { region: "eu-west-1" }).send(
    new ec2.DescribeInstancesCommand({}),
  );
  const [{ State, InstanceType }] = Reservations[0].Instances;
  assert.deepEqual({ State, InstanceType }, raw);
});

test("each service throttles in its own words, EC2 by operation", async () => {
  const quotas = ["ec2", "rds", "eks", "lambda"].map((service) => ({
    service,
    rate: 0.001,
    burst: 1,
    per: "region",
    each: true,
  }));
  await sim.post("config", { quotas });
  const twice = async (Client, Command) => {
    const to = client(Client);
    assert.equal(await codeOf(to.send(new Command({}))), "ok");
    return refused(to.send(new Command({})));
  };
  assert.deepEqual(await twice(ec2.EC2Client, ec2.DescribeVpcsCommand), ["RequestLimitExceeded", 503]);
  assert.deepEqual(await twice(ec2.EC2Client, ec2.DescribeSubnetsCommand), ["RequestLimitExceeded", 503]);
  assert.deepEqual(await twice(rds.RDSClient, rds.DescribeDBClustersCommand), ["Throttling", 400]);
  assert.deepEqual(await twice(eks.EKSClient, eks.ListClustersCommand), ["ThrottlingException", 429]);
  assert.deepEqual(await twice(lambda.LambdaClient, lambda.ListFunctionsCommand), ["TooManyRequestsException", 429]);
  await sim.post("config", { quotas: [] });
});

test("EC2 has less patience with a list that is asked for whole", async () => {
  const row = { service: "ec2", rate: 0.001, per: "region", each: true };
  await sim.post("config", {
    quotas: [
      { ...row, burst: 1, unpaged: true },
      { ...row, burst: 2 },
    ],
  });
  const vpcs = (input) => codeOf(client(ec2.EC2Client).send(new ec2.DescribeVpcsCommand(input)));
  assert.deepEqual([await vpcs({}), await vpcs({})], ["ok", "RequestLimitExceeded"]);
  const paged = [await vpcs({ MaxResults: 100 }), await vpcs({ MaxResults: 100 }), await vpcs({ MaxResults: 100 })];
  assert.deepEqual(paged, ["ok", "ok", "RequestLimitExceeded"]);
  await sim.post("config", { quotas: [] });
});

test("a region that is off knows nobody, whatever the service", async () => {
  const off = { region: "eu-south-1" };
  assert.equal(await codeOf(client(ec2.EC2Client, off).send(new ec2.DescribeVpcsCommand({}))), "AuthFailure");
  assert.equal(
    await codeOf(client(rds.RDSClient, off).send(new rds.DescribeDBInstancesCommand({}))),
    "InvalidClientTokenId",
  );
  assert.equal(
    await codeOf(client(eks.EKSClient, off).send(new eks.ListClustersCommand({}))),
    "UnrecognizedClientException",
  );
});

test("resources are put and deleted, keep what is not said, and come back as the same", async () => {
  const change = (...ops) =>
    sim.post(
      "world",
      ops.map((op) => ({ account: CUSTOMER, region: "us-east-1", ...op })),
    );
  const read = async () => (await client(lambda.LambdaClient).send(new lambda.ListFunctionsCommand({}))).Functions;
  const { results } = await change(
    { op: "put_resource", kind: "functions", name: "new", role: "checkout", env: { A: "b" } },
    { op: "put_resource", kind: "functions", name: "new", runtime: "nodejs22.x" },
  );
  const made = (await read()).find(({ FunctionName }) => FunctionName === "new");
  assert.deepEqual(
    [made.FunctionArn, made.Runtime, made.Environment.Variables],
    [results[1].arn, "nodejs22.x", { A: "b" }],
  );
  await change({ op: "delete_resource", kind: "functions", name: "new" });
  assert.equal((await read()).length, 2);
  await assert.rejects(change({ op: "delete_resource", kind: "functions", name: "new" }), /no functions "new"/);
  await assert.rejects(change({ op: "put_resource", kind: "no_such", name: "x" }), /unknown kind of resource/);
  await change({ op: "put_resource", kind: "functions", name: "new", role: "checkout" });
  assert.equal((await read()).find(({ FunctionName }) => FunctionName === "new").RevisionId, made.RevisionId);
  await change({ op: "delete_resource", kind: "functions", name: "new" });
});
