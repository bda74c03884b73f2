// A signature that is wrong in any way is refused, in the words of the service's protocol.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { EC2Client, DescribeRegionsCommand } from "@aws-sdk/client-ec2";
import { IAMClient, ListUsersCommand } from "@aws-sdk/client-iam";
import { OrganizationsClient, ListRootsCommand } from "@aws-sdk/client-organizations";
import { STSClient, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { Sim, VENDOR, callForm, codeOf } from "./support.mjs";

let sim;
before(async () => {
  sim = await Sim.start("demo.yaml", "--set", "external_id=tenant-1");
});
after(() => sim.stop());
afterEach(() => sim.post("clock", { offset_s: 0 }));

const WHO = { Action: "GetCallerIdentity" };
const who = (options) => callForm(sim, WHO, { service: "sts", region: "eu-west-1", ...options });
const wrongSecret = { ...VENDOR, secretAccessKey: "not/the/secret" };
const unknownKey = { ...VENDOR, accessKeyId: "AKIAUNKNOWN000000000" };

async function refused(call, status, code, message = /./) {
  const answer = await call;
  assert.match(answer.body, new RegExp(`<Code>${code}</Code>`));
  assert.match(answer.body, message);
  assert.equal(answer.status, status);
  return answer;
}

test("a right signature is accepted", async () => {
  const answer = await who();
  assert.equal(answer.status, 200);
  assert.match(answer.body, /<Arn>arn:aws:iam::469725248735:user\/connectord<\/Arn>/);
  assert.ok(answer.headers["x-amzn-requestid"] && answer.headers.date);
});

test("wrong secret", () => refused(who({ credentials: wrongSecret }), 403, "SignatureDoesNotMatch"));
test("unknown key", () => refused(who({ credentials: unknownKey }), 403, "InvalidClientTokenId"));
test("altered body", () =>
  refused(who({ tamper: (r) => ({ ...r, body: `${r.body}&X=1` }) }), 403, "SignatureDoesNotMatch"));
test("altered header", () =>
  refused(
    who({ tamper: (r) => ({ ...r, headers: { ...r.headers, "content-type": "application/x-www-form-urlencoded" } }) }),
    403,
    "SignatureDoesNotMatch",
  ));
test("altered path", () => refused(who({ tamper: (r) => ({ ...r, path: "/other" }) }), 403, "SignatureDoesNotMatch"));
test("an x-amz header that is not signed", () =>
  refused(
    who({ tamper: (r) => ({ ...r, headers: { ...r.headers, "x-amz-security-policy": "all" } }) }),
    403,
    "SignatureDoesNotMatch",
  ));
test("no signature", () =>
  refused(
    who({ tamper: ({ headers: { authorization, ...headers }, ...r }) => ({ ...r, headers }) }),
    403,
    "MissingAuthenticationToken",
  ));
test("half a signature", () =>
  refused(
    who({ tamper: (r) => ({ ...r, headers: { ...r.headers, authorization: "AWS4-HMAC-SHA256 Credential=x" } }) }),
    400,
    "IncompleteSignature",
  ));

test("inactive key", async () => {
  const {
    results: [key],
  } = await sim.post("world", [{ op: "put_key", account: "469725248735", user: "nobody", status: "Inactive" }]);
  await refused(
    who({ credentials: { accessKeyId: key.id, secretAccessKey: key.secret } }),
    403,
    "InvalidClientTokenId",
  );
});

test("skew is told with both times, and the Date header follows the simulator's clock", async () => {
  await sim.post("clock", { offset_s: 3600 });
  const answer = await refused(
    who(),
    403,
    "SignatureDoesNotMatch",
    /Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)/,
  );
  assert.ok(Math.abs(Date.parse(answer.headers.date) - Date.now() - 3_600_000) < 60_000);
  await sim.post("clock", { offset_s: -3600 });
  await refused(
    who(),
    403,
    "SignatureDoesNotMatch",
    /Signature not yet current: .* is still later than .* \+ 5 min\.\)/,
  );
  await sim.post("clock", { offset_s: 290 });
  assert.equal((await who()).status, 200);
});

test("skew in the other protocols", async () => {
  await sim.post("clock", { offset_s: 3600 });
  const wire = (service, Action, region) => callForm(sim, { Action }, { service, region });
  await refused(wire("ec2", "DescribeRegions", "eu-west-1"), 400, "RequestExpired");
  assert.equal(
    await codeOf(sim.client(OrganizationsClient).send(new ListRootsCommand({}))),
    "InvalidSignatureException",
  );
});

test("an expired session", async () => {
  const credentials = await sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1", DurationSeconds: 900 });
  const later = (seconds) => ({ credentials, date: new Date(Date.now() + seconds * 1000) });
  await sim.post("clock", { offset_s: 890 });
  assert.equal((await who(later(890))).status, 200);
  await sim.post("clock", { offset_s: 910 });
  await refused(who(later(910)), 403, "ExpiredToken");
  await refused(callForm(sim, { Action: "DescribeRegions" }, { service: "ec2", ...later(910) }), 400, "RequestExpired");
});

test("a session without its token", async () => {
  const { sessionToken, ...credentials } = await sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1" });
  assert.ok(sessionToken.length > 300);
  await refused(who({ credentials }), 403, "InvalidClientTokenId");
});

test("global services sign for their one region", async () => {
  await refused(
    callForm(sim, { Action: "ListUsers" }, { region: "eu-west-1" }),
    403,
    "SignatureDoesNotMatch",
    /Credential should be scoped to a valid region, not 'eu-west-1'/,
  );
});

test("a region that the account has not switched on", async () => {
  const credentials = await sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1" });
  assert.equal(
    await codeOf(sim.client(STSClient, credentials, "eu-south-1").send(new GetCallerIdentityCommand({}))),
    "ok",
  );
  assert.equal(
    await codeOf(sim.client(STSClient, credentials, "af-south-1").send(new GetCallerIdentityCommand({}))),
    "InvalidClientTokenId",
  );
  assert.equal(
    await codeOf(sim.client(EC2Client, credentials, "af-south-1").send(new DescribeRegionsCommand({}))),
    "AuthFailure",
  );
});

test("the clients name the same causes in each protocol", async () => {
  const codes = (credentials) =>
    Promise.all([
      codeOf(sim.client(IAMClient, credentials).send(new ListUsersCommand({}))),
      codeOf(sim.client(OrganizationsClient, credentials).send(new ListRootsCommand({}))),
      codeOf(sim.client(EC2Client, credentials).send(new DescribeRegionsCommand({}))),
    ]);
  assert.deepEqual(await codes(wrongSecret), ["SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure"]);
  assert.deepEqual(await codes(unknownKey), ["InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure"]);
});
