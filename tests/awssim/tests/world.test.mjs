// The world itself: the same at every start, changed as told, and shown by IAM with IAM's gaps.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as iam from "@aws-sdk/client-iam";
import { CUSTOMER, Sim } from "./support.mjs";
import { COLUMNS } from "../services/iam/report.mjs";

let sim;
let client;
before(async () => {
  sim = await Sim.start("demo.yaml", "--set", "external_id=tenant-1");
  client = sim.client(iam.IAMClient, await sim.assume("ConnectordAdmin", { ExternalId: "tenant-1" }));
});
after(() => sim.stop());

const send = (Command, input = {}) => client.send(new Command(input));
const inventory = (of = sim, account = CUSTOMER) => of.get(`world/inventory?account=${account}`);
const change = (...operations) =>
  sim.post(
    "world",
    operations.map((op) => ({ account: CUSTOMER, ...op })),
  );

test("a generated account has the asked size and is the same each time", async () => {
  const [one, two] = await Promise.all([Sim.start("bench.yaml"), Sim.start("bench.yaml")]);
  const [first, second] = await Promise.all([inventory(one), inventory(two)]);
  assert.deepEqual(first, second);
  assert.deepEqual(
    [first.users.length, first.roles.length, first.groups.length, first.policies.length],
    [2000, 501, 300, 400],
  );
  assert.equal(first.users.filter(({ access_keys: keys }) => keys.length > 0).length, 1000);
  assert.equal(
    new Set(first.users.flatMap(({ access_keys: keys }) => keys.map(({ id }) => id))).size,
    first.users.flatMap(({ access_keys: k }) => k).length,
  );
  assert.equal((await inventory(one, "200000000099")).users.length, 20);
  await Promise.all([one.stop(), two.stop()]);
});

test("stops at once when told to", async () => {
  const other = await Sim.start("demo.yaml");
  const started = Date.now();
  assert.deepEqual(await other.stop(), { code: 0, signal: null });
  assert.ok(Date.now() - started < 15000);
});

test("listings leave out what AWS leaves out", async () => {
  const user = (await send(iam.ListUsersCommand)).Users.find(({ UserName }) => UserName === "bob");
  assert.deepEqual([user.Tags, user.PermissionsBoundary], [undefined, undefined]);
  assert.ok((await send(iam.GetUserCommand, { UserName: "bob" })).User.PermissionsBoundary);
  const role = (await send(iam.ListRolesCommand)).Roles.find(({ RoleName }) => RoleName === "web-server");
  assert.deepEqual([role.RoleLastUsed, role.Description], [undefined, "EC2 web tier"]);
  const {
    RoleDetailList: [detail],
  } = await send(iam.GetAccountAuthorizationDetailsCommand, { Filter: ["Role"] });
  assert.deepEqual([detail.Description, detail.MaxSessionDuration], [undefined, undefined]);
});

test("documents are percent-encoded to RFC 3986", async () => {
  const { PolicyDocument } = await send(iam.GetUserPolicyCommand, {
    UserName: "unicode.test+tag@alpine.example",
    PolicyName: "odd",
  });
  assert.match(PolicyDocument, /^[A-Za-z0-9%._~-]+$/);
  assert.match(PolicyDocument, /%281%29%2A%2B%27%21/);
  assert.equal(
    JSON.parse(decodeURIComponent(PolicyDocument)).Statement[0].Resource,
    "arn:aws:s3:::a-bucket/weird path/(1)*+'!.txt",
  );
});

test("the credential report is made in steps, kept four hours, and quotes names", async () => {
  await assert.rejects(send(iam.GetCredentialReportCommand), { name: "CredentialReportNotPresentException" });
  await sim.post("config", { report_polls: 3 });
  assert.equal((await send(iam.GenerateCredentialReportCommand)).State, "STARTED");
  await assert.rejects(send(iam.GetCredentialReportCommand), { name: "CredentialReportNotReadyException" });
  assert.equal((await send(iam.GenerateCredentialReportCommand)).State, "INPROGRESS");
  assert.equal((await send(iam.GenerateCredentialReportCommand)).State, "COMPLETE");
  const text = Buffer.from((await send(iam.GetCredentialReportCommand)).Content).toString();
  const lines = text.split("\n");
  assert.equal(lines[0], COLUMNS.join(","));
  assert.equal(lines.length, 14);
  assert.match(lines[1], /^<root_account>,/);
  assert.ok(
    lines.some((line) => line.startsWith('"frank,contractor","arn:aws:iam::111122223333:user/frank,contractor",')),
  );
  assert.doesNotMatch(text, /AKIA/);
  await change({ op: "put_user", name: "zoe" });
  assert.equal(
    Buffer.from((await send(iam.GetCredentialReportCommand)).Content).toString(),
    text,
    "it does not follow the world",
  );
});

test("a change between two pages loses none of those that stay", async () => {
  const first = await send(iam.ListUsersCommand, { MaxItems: 5 });
  await change(
    { op: "delete_user", name: first.Users[0].UserName },
    { op: "delete_user", name: first.Users[4].UserName },
  );
  const second = await send(iam.ListUsersCommand, { MaxItems: 1000, Marker: first.Marker });
  const left = (await inventory()).users.map(({ name }) => name);
  const seen = [...first.Users, ...second.Users].map(({ UserName }) => UserName);
  assert.deepEqual(
    left.filter((name) => !seen.includes(name)),
    [],
  );
});

test("entities, keys, memberships and attachments are put and deleted", async () => {
  await change(
    { op: "put_group", name: "night-shift" },
    { op: "put_policy", name: "Night", document: { Version: "2012-10-17", Statement: [] } },
    { op: "put_user", name: "nora", path: "/ops/", tags: { a: "b" } },
    { op: "put_membership", user: "nora", group: "night-shift" },
    { op: "put_attachment", group: "night-shift", policy: "Night" },
    { op: "put_key", user: "nora" },
  );
  const nora = (await inventory()).users.find(({ name }) => name === "nora");
  assert.deepEqual([nora.groups, nora.access_keys.length, nora.path], [["night-shift"], 1, "/ops/"]);
  assert.deepEqual(
    (await send(iam.GetGroupCommand, { GroupName: "night-shift" })).Users.map(({ UserName }) => UserName),
    ["nora"],
  );
  assert.equal(
    (await send(iam.GetPolicyCommand, { PolicyArn: `arn:aws:iam::${CUSTOMER}:policy/Night` })).Policy.AttachmentCount,
    1,
  );
  await change(
    { op: "delete_key", user: "nora", id: nora.access_keys[0].id },
    { op: "delete_membership", user: "nora", group: "night-shift" },
  );
  const later = (await inventory()).users.find(({ name }) => name === "nora");
  assert.deepEqual([later.groups, later.access_keys], [[], []]);
  await change({ op: "delete_user", name: "nora" });
  await assert.rejects(send(iam.GetUserCommand, { UserName: "nora" }), { name: "NoSuchEntityException" });
  await change({ op: "put_user", name: "nora", path: "/ops/" });
  assert.equal(
    (await inventory()).users.find(({ name }) => name === "nora").id,
    nora.id,
    "back with the same identity",
  );
});

test("a fraction is deleted, always the same one", async () => {
  const count = (await inventory()).roles.length;
  const {
    results: [{ deleted }],
  } = await change({ op: "delete_fraction", kind: "roles", fraction: 0.5, except: ["ConnectordAdmin"] });
  assert.equal(deleted.length, Math.round((count - 1) / 2));
  assert.equal((await inventory()).roles.length, count - deleted.length);
});

test("an operation on what is not there is an error", async () => {
  await assert.rejects(change({ op: "delete_user", name: "no-such-user" }), /no users "no-such-user"/);
  await assert.rejects(change({ op: "no_such_op" }), /unknown op/);
});

test("markers and limits are checked", async () => {
  await assert.rejects(send(iam.ListUsersCommand, { Marker: "not-a-marker" }), { name: "ValidationError" });
  await assert.rejects(send(iam.ListUsersCommand, { MaxItems: 1001 }), { name: "ValidationError" });
  const { Marker } = await send(iam.ListRolesCommand, { MaxItems: 1 });
  await assert.rejects(send(iam.ListUsersCommand, { Marker }), { name: "ValidationError" });
});
