// What is S3's own: redirects, strangers' buckets, absent settings, and its rules for signatures.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import * as s3 from "@aws-sdk/client-s3";
import { SignatureV4 } from "@smithy/signature-v4";
import { Sha256 } from "@aws-crypto/sha256-js";
import { CUSTOMER, Sim, codeOf, exchange } from "./support.mjs";

const HOME = "eu-central-1";
const NEIGHBOUR = "444455556666";
let sim, credentials;

before(async () => {
  sim = await Sim.start("resources-data.yaml", "--set", "external_id=tenant-1");
  credentials = await sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1" });
});
after(() => sim.stop());

const client = (region, of = credentials) => sim.client(s3.S3Client, of, region, { forcePathStyle: true });
const acl = (Bucket, more) => new s3.GetBucketAclCommand({ Bucket, ...more });
const put = (name, fields) =>
  sim.post("world", [{ op: "put_resource", account: CUSTOMER, region: HOME, kind: "buckets", name, ...fields }]);

// A request that no client has touched: signed, sent, and not followed anywhere.
async function raw(path, { method = "GET", region = HOME, query = {}, headers = {}, host, tamper = (r) => r } = {}) {
  const { hostname, port } = new URL(sim.endpoint);
  const signer = new SignatureV4({
    service: "s3",
    region,
    credentials,
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  });
  const request = {
    method,
    protocol: "http:",
    hostname,
    port: Number(port),
    path,
    query,
    headers: { host: host ?? `${hostname}:${port}`, "x-amz-content-sha256": "UNSIGNED-PAYLOAD", ...headers },
  };
  const signed = tamper(await signer.sign(request));
  const text = Object.entries(query)
    .map(([key, value]) => (value ? `${key}=${encodeURIComponent(value)}` : key))
    .join("&");
  return exchange({ ...signed, path: text ? `${path}?${text}` : path });
}

test("a region's own host sends a caller to the bucket's region, and says which in header and body", async () => {
  const answer = await raw("/alpine-orders", { region: "us-east-1", query: { acl: "" } });
  assert.deepEqual([answer.status, answer.headers["x-amz-bucket-region"]], [301, HOME]);
  assert.deepEqual([Boolean(answer.headers["x-amz-request-id"]), answer.headers["x-amzn-requestid"]], [true, undefined]);
  assert.match(
    answer.body,
    /<Error><Code>PermanentRedirect<\/Code>.*<Endpoint>alpine-orders\.s3\.eu-central-1\.amazonaws\.com<\/Endpoint><Bucket>alpine-orders</,
  );
  const head = await raw("/alpine-orders", { method: "HEAD", region: "us-east-1" });
  assert.deepEqual([head.status, head.headers["x-amz-bucket-region"], head.body], [301, HOME, ""]);
});

test("a host with the bucket in it leads to the region, where the signature is for another one", async () => {
  const host = "alpine-orders.s3.eu-central-1.amazonaws.com";
  assert.match((await raw("/", { host, query: { acl: "" } })).body, /<AccessControlPolicy /);
  const answer = await raw("/", { host, region: "us-east-1", query: { acl: "" } });
  assert.deepEqual([answer.status, answer.headers["x-amz-bucket-region"]], [400, undefined]);
  assert.match(answer.body, /<Code>AuthorizationHeaderMalformed<\/Code>.*<Region>eu-central-1<\/Region>/);
});

test("the v3 client finds a bucket by the host alone", async () => {
  const lookup = (_, options, done) => done(null, [{ address: "127.0.0.1", family: 4 }]);
  const byHost = new s3.S3Client({
    endpoint: sim.endpoint.replace("127.0.0.1", "localhost"),
    region: HOME,
    credentials,
    maxAttempts: 1,
    requestHandler: { httpAgent: new http.Agent({ lookup }) },
  });
  const { Grants } = await byHost.send(acl("alpine-logs"));
  assert.equal(Grants.length, 2);
});

test("a young bucket, and the other ways to say where one is", async () => {
  const expected = {
    temporary: [307, "TemporaryRedirect"],
    illegal: [400, "IllegalLocationConstraintException"],
    malformed: [400, "AuthorizationHeaderMalformed"],
  };
  for (const [redirect, [status, code]] of Object.entries(expected)) {
    await put("young", { redirect });
    const answer = await raw("/young", { region: "us-east-1", query: { acl: "" } });
    assert.equal(answer.status, status);
    assert.match(answer.body, new RegExp(`<Code>${code}<`));
  }
  assert.equal((await raw("/young", { query: { acl: "" } })).status, 200);
});

test("an owner that is not the expected one is nobody's business", async () => {
  const ask = (Bucket, ExpectedBucketOwner) => codeOf(client(HOME).send(acl(Bucket, { ExpectedBucketOwner })));
  assert.equal(await ask("alpine-orders", CUSTOMER), "ok");
  assert.equal(await ask("alpine-orders", NEIGHBOUR), "AccessDenied");
  assert.equal(await ask("summit-reports", CUSTOMER), "AccessDenied");
});

test("a neighbour's bucket is as open as its policy, and the policy is its owner's to read", async () => {
  const admin = client(HOME, await sim.assume("ConnectordAdmin", { ExternalId: "tenant-1" }));
  assert.equal(await codeOf(admin.send(acl("summit-reports"))), "ok");
  const policy = admin.send(new s3.GetBucketPolicyCommand({ Bucket: "summit-reports" }));
  await assert.rejects(
    policy,
    ({ name, $metadata }) => name === "MethodNotAllowed" && $metadata.httpStatusCode === 405,
  );
  await assert.rejects(
    admin.send(acl("summit-private")),
    /because no resource-based policy allows the s3:GetBucketAcl action/,
  );
});

test("a bucket's own policy can lock its own account out", async () => {
  const document = (Effect) => ({
    Version: "2012-10-17",
    Statement: [{ Effect, Principal: "*", Action: "s3:GetBucketAcl", Resource: "arn:aws:s3:::shut" }],
  });
  await put("shut", { policy: document("Deny") });
  await assert.rejects(
    client(HOME).send(acl("shut")),
    /not authorized to perform: s3:GetBucketAcl on resource: "arn:aws:s3:::shut" with an explicit deny in a resource-based policy/,
  );
  assert.equal(await codeOf(client(HOME).send(new s3.GetBucketTaggingCommand({ Bucket: "shut" }))), "NoSuchTagSet");
});

test("a bucket that is gone, and one that is denied but tells its region", async () => {
  await assert.rejects(client(HOME).send(acl("no-such-bucket")), {
    name: "NoSuchBucket",
    BucketName: "no-such-bucket",
  });
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "s3:GetBucketAcl", Resource: "*" }],
  });
  const narrow = await sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1", Policy });
  const head = client(HOME, narrow).send(new s3.HeadBucketCommand({ Bucket: "alpine-orders" }));
  await assert.rejects(head, ({ $metadata, $response }) => {
    assert.deepEqual([$metadata.httpStatusCode, $response.headers["x-amz-bucket-region"]], [403, HOME]);
    return true;
  });
  assert.equal(await codeOf(client("us-east-1", narrow).send(new s3.ListBucketsCommand({}))), "AccessDenied");
});

test("the list without parameters has no regions, and dates are the first region's alone", async () => {
  const list = async (region, input) => (await client(region).send(new s3.ListBucketsCommand(input))).Buckets;
  const pick = (buckets) =>
    buckets.filter(({ Name }) => Name === "alpine-orders").map((b) => [b.BucketRegion, b.CreationDate.toISOString()]);
  assert.deepEqual(pick(await list("us-east-1", {})), [[undefined, "2021-03-01T08:00:00.000Z"]]);
  assert.deepEqual(pick(await list(HOME, { MaxBuckets: 1000 })), [[HOME, "2024-07-01T09:30:00.000Z"]]);
  assert.deepEqual(
    (await list("us-east-1", { BucketRegion: "us-east-1" })).map(({ Name }) => Name),
    ["alpine-models"],
  );
});

test("the first region says where a bucket is, in a document of its own kind", async () => {
  const answer = await raw("/alpine-orders", { region: "us-east-1", query: { location: "" } });
  assert.match(answer.body, /^<\?xml [^>]*>\n<LocationConstraint xmlns="[^"]*">eu-central-1<\/LocationConstraint>$/);
  await put("aged", { location: "EU" });
  const { LocationConstraint } = await client(HOME).send(new s3.GetBucketLocationCommand({ Bucket: "aged" }));
  assert.equal(LocationConstraint, "EU");
});

test("S3's hash of the body must be there and be right", async () => {
  const without = await raw("/alpine-logs", {
    tamper: ({ headers: { "x-amz-content-sha256": gone, ...headers }, ...r }) => ({ ...r, headers }),
  });
  assert.match(without.body, /<Code>InvalidRequest<\/Code>.*x-amz-content-sha256/);
  const wrong = await raw("/alpine-logs", { headers: { "x-amz-content-sha256": "0".repeat(64) } });
  assert.match(wrong.body, /<Code>XAmzContentSHA256Mismatch</);
});

test("a resource control policy stands before everything that is kept in a member account", async () => {
  const home = mkdtempSync(path.join(tmpdir(), "awssim-"));
  const user = (id) => ({ keys: [{ id, secret: "s" }], attached: ["aws:AdministratorAccess"] });
  const held = { "eu-central-1": { buckets: { [`kept-${CUSTOMER}`]: {} } } };
  const document = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Deny", Principal: "*", Action: "s3:GetBucketAcl", Resource: "*" }],
  };
  writeFileSync(
    path.join(home, "world.yaml"),
    JSON.stringify({
      accounts: {
        [CUSTOMER]: { users: { ann: user("AKIAMEMBER0000000000") }, resources: held },
        [NEIGHBOUR]: {
          users: { max: user("AKIAMANAGEMENT000000") },
          resources: { "eu-central-1": { buckets: { head: {} } } },
        },
      },
      organizations: [
        {
          id: "o-abcdefghij",
          management: NEIGHBOUR,
          accounts: { [CUSTOMER]: {}, [NEIGHBOUR]: {} },
          policies: { "p-rcp": { name: "no lists", type: "RESOURCE_CONTROL_POLICY", targets: ["r-ab12"], document } },
        },
      ],
    }),
  );
  const other = await Sim.start(path.join(home, "world.yaml"));
  const ask = (accessKeyId, Bucket) =>
    other
      .client(s3.S3Client, { accessKeyId, secretAccessKey: "s" }, HOME)
      .send(acl(Bucket))
      .then(
        () => "ok",
        ({ message }) => message,
      );
  assert.match(
    await ask("AKIAMEMBER0000000000", `kept-${CUSTOMER}`),
    /with an explicit deny in a resource control policy$/,
  );
  assert.equal(await ask("AKIAMANAGEMENT000000", "head"), "ok");
  await other.stop();
  rmSync(home, { recursive: true });
});
