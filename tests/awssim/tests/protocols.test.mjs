// Every protocol of the catalogue, and each partition's global regions, with boto3 as the client.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { SignatureV4 } from "@smithy/signature-v4";
import { Sha256 } from "@aws-crypto/sha256-js";
import { runBoto3 } from "./boto3.mjs";
import { CUSTOMER, Sim, callForm, exchange } from "./support.mjs";

let sim;
before(async () => {
  sim = await Sim.start("demo.yaml", "--set", "external_id=tenant-1");
  // S3 looks for the bucket before it looks at the caller.
  await sim.post("world", [
    { op: "put_resource", account: CUSTOMER, region: "eu-west-1", kind: "buckets", name: "a-bucket" },
  ]);
});
after(() => sim.stop());

const codes = (credentials) => runBoto3("boto3_codes.py", credentials, sim.endpoint);

const EXPECTED = {
  // family: [services, denied, allowed but without behaviour, wrong secret]
  rest_json: [["eks", "lambda"], "AccessDeniedException", "UnknownOperationException", "InvalidSignatureException"],
  rest_xml: [["s3"], "AccessDenied", "MethodNotAllowed", "SignatureDoesNotMatch"],
  json: [
    ["dynamodb", "dynamodbstreams", "kms", "cloudtrail", "sso-admin", "identitystore", "secretsmanager", "events"],
    "AccessDeniedException",
    "UnknownOperationException",
    "InvalidSignatureException",
  ],
  query: [["rds", "cloudformation"], "AccessDenied", "InvalidAction", "SignatureDoesNotMatch"],
  ec2: [["ec2"], "UnauthorizedOperation", "InvalidAction", "AuthFailure"],
};
const expected = (column) =>
  Object.fromEntries(
    Object.values(EXPECTED).flatMap(([services, ...wanted]) => services.map((name) => [name, wanted[column]])),
  );

test("a denied call, in every protocol", async () => {
  assert.deepEqual(await codes(await sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1" })), expected(0));
});

test("an allowed call that has no behaviour; its signature was right, whatever its path", async () => {
  const { last } = await sim.get("calls");
  assert.deepEqual(await codes(await sim.assume("ConnectordAdmin", { ExternalId: "tenant-1" })), expected(1));
  const { calls } = await sim.get(`calls?since=${last}`);
  const actions = calls.map(({ action }) => action);
  for (const action of [
    "eks:ListTagsForResource",
    "s3:GetBucketWebsite",
    "dynamodb:ListStreams",
    "sso:ListPermissionSetProvisioningStatus",
    "lambda:GetFunctionCodeSigningConfig",
  ]) {
    assert.ok(actions.includes(action), action);
  }
});

test("a wrong signature, in every protocol", async () => {
  const credentials = await sim.assume("ConnectordAdmin", { ExternalId: "tenant-1" });
  assert.deepEqual(await codes({ ...credentials, secretAccessKey: "wrong" }), expected(2));
});

// boto3 puts the account into s3control's host, which a loopback address cannot carry.
test("s3control shares its signing name with s3", async () => {
  const credentials = await sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1" });
  const { hostname, port } = new URL(sim.endpoint);
  const headers = {
    host: `${hostname}:${port}`,
    "x-amz-account-id": "111122223333",
    "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
  };
  const signer = new SignatureV4({
    service: "s3",
    region: "eu-west-1",
    credentials,
    sha256: Sha256,
    uriEscapePath: false,
  });
  const request = {
    method: "GET",
    protocol: "http:",
    hostname,
    port: Number(port),
    path: "/v20180820/configuration/publicAccessBlock",
    query: {},
    headers,
  };
  const answer = await exchange(await signer.sign(request));
  assert.equal(answer.status, 403);
  assert.match(answer.body, /<Code>AccessDenied<\/Code>.*s3:GetAccountPublicAccessBlock/);
});

test("China's IAM signs for its own region, and its ARNs are its own", async () => {
  const home = mkdtempSync(path.join(tmpdir(), "awssim-"));
  const file = path.join(home, "cn.yaml");
  writeFileSync(
    file,
    JSON.stringify({
      partition: "aws-cn",
      accounts: {
        123456789012: {
          users: { li: { keys: [{ id: "AKIACHINA00000000000", secret: "s" }], attached: ["aws:ReadOnlyAccess"] } },
        },
      },
    }),
  );
  const china = await Sim.start(file, "--call-log", path.join(home, "calls"));
  const credentials = { accessKeyId: "AKIACHINA00000000000", secretAccessKey: "s" };
  const list = (region) => callForm(china, { Action: "ListUsers" }, { region, credentials });
  assert.match((await list("cn-north-1")).body, /<Arn>arn:aws-cn:iam::123456789012:user\/li<\/Arn>/);
  assert.match((await list("us-east-1")).body, /<Code>SignatureDoesNotMatch<\/Code>/);
  assert.equal(
    (await callForm(china, { Action: "GetCallerIdentity" }, { service: "sts", region: "cn-northwest-1", credentials }))
      .status,
    200,
  );
  await china.stop();
  const log = readFileSync(path.join(home, "calls"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    log.map(({ operation, status }) => [operation, status]),
    [
      ["ListUsers", 200],
      ["ListUsers", 403],
      ["GetCallerIdentity", 200],
    ],
  );
  rmSync(home, { recursive: true });
});

test("a body of another shape is the client's mistake", async () => {
  const answer = await callForm(sim, { Action: "ListUsers", "MaxItems.member.1": "x", Marker: "" });
  assert.equal(answer.status, 400);
});
