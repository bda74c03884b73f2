// Who may do what: the four layers over the wire, and the language of policies by itself.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EC2Client, DescribeRegionsCommand } from "@aws-sdk/client-ec2";
import { IAMClient, GetUserCommand, ListGroupsCommand, ListUsersCommand } from "@aws-sdk/client-iam";
import { OrganizationsClient, ListAccountsCommand } from "@aws-sdk/client-organizations";
import { CUSTOMER, Sim } from "./support.mjs";
import { decide } from "../policy.mjs";

let sim;
before(async () => {
  sim = await Sim.start("demo.yaml", "--set", "external_id=tenant-1");
});
after(() => sim.stop());

const document = (...statements) => ({ Version: "2012-10-17", Statement: statements });
const allow = (Action, more) => ({ Effect: "Allow", Action, Resource: "*", ...more });
const deny = (Action, more) => ({ Effect: "Deny", Action, Resource: "*", ...more });
const session = (role, input) => sim.assume(role, { ExternalId: "tenant-1", ...input });
const said = (promise) =>
  promise.then(
    () => "ok",
    (error) => `${error.name}: ${error.message}`,
  );

async function listUsers(credentials) {
  return said(sim.client(IAMClient, credentials).send(new ListUsersCommand({})));
}

const USER = (role) =>
  `AccessDenied: User: arn:aws:sts::${CUSTOMER}:assumed-role/${role}/test is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::${CUSTOMER}:user/`;

test("identity policy: what is not allowed is denied, and says so as AWS does", async () => {
  const credentials = await session("ConnectordReadOnly");
  assert.equal(await listUsers(credentials), "ok");
  await sim.post("world", [
    {
      op: "set_role_policy",
      account: CUSTOMER,
      role: "ConnectordReadOnly",
      name: "tier1",
      document: document(allow("iam:GetUser")),
    },
  ]);
  assert.equal(
    await listUsers(credentials),
    `${USER("ConnectordReadOnly")} because no identity-based policy allows the iam:ListUsers action`,
  );
  await sim.post("world", [
    {
      op: "set_role_policy",
      account: CUSTOMER,
      role: "ConnectordReadOnly",
      name: "more",
      document: document(allow("*"), deny("iam:List*")),
    },
  ]);
  assert.equal(
    await listUsers(credentials),
    `${USER("ConnectordReadOnly")} with an explicit deny in an identity-based policy`,
  );
});

test("session policy holds an administrator down", async () => {
  const wide = await session("ConnectordAdmin");
  const narrow = await session("ConnectordAdmin", { Policy: JSON.stringify(document(allow("iam:ListGroups"))) });
  assert.equal(await listUsers(wide), "ok");
  assert.equal(
    await listUsers(narrow),
    `${USER("ConnectordAdmin")} because no session policy allows the iam:ListUsers action`,
  );
  assert.equal(await said(sim.client(IAMClient, narrow).send(new ListGroupsCommand({}))), "ok");
  const denied = await session("ConnectordAdmin", {
    Policy: JSON.stringify(document(allow("*"), deny("iam:ListUsers"))),
  });
  assert.equal(await listUsers(denied), `${USER("ConnectordAdmin")} with an explicit deny in a session policy`);
});

test("permissions boundary", async () => {
  const credentials = await session("ConnectordBounded");
  assert.equal(await listUsers(credentials), "ok");
  assert.match(
    await said(sim.client(IAMClient, credentials).send(new GetUserCommand({ UserName: "alice" }))),
    /iam:GetUser on resource: arn:aws:iam::111122223333:user\/engineering\/alice because no permissions boundary allows the iam:GetUser action$/,
  );
});

test("service control policy", async () => {
  const credentials = await sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1" }, { account: "444455556666" });
  const regions = (region) => said(sim.client(EC2Client, credentials, region).send(new DescribeRegionsCommand({})));
  assert.equal(await regions("eu-west-1"), "ok");
  assert.match(
    await regions("ap-south-1"),
    /^UnauthorizedOperation: You are not authorized to perform this operation\. User: .* with an explicit deny in a service control policy$/,
  );
});

test("organizations answer the management account and delegated administrators only", async () => {
  const accounts = async (account, role) => {
    const credentials = await sim.assume(role, { ExternalId: "tenant-1" }, { account });
    return sim.client(OrganizationsClient, credentials).send(new ListAccountsCommand({}));
  };
  const { Accounts } = await accounts("777788889999", "ConnectordReadOnly");
  assert.deepEqual(
    Accounts.map(({ Id, Status }) => [Id, Status]),
    [
      ["111122223333", "ACTIVE"],
      ["222233334444", "SUSPENDED"],
      ["444455556666", "ACTIVE"],
      ["777788889999", "ACTIVE"],
    ],
  );
  assert.equal((await accounts(CUSTOMER, "ConnectordAdmin")).Accounts.length, 4);
  await assert.rejects(accounts("444455556666", "ConnectordReadOnly"), { name: "AccessDeniedException" });
});

const verdict = (statement, request) =>
  decide([document(statement)], {
    action: "iam:GetUser",
    resource: "arn:aws:iam::1:user/a/b",
    context: {},
    ...request,
  });

test("actions and resources", () => {
  assert.equal(verdict(allow("IAM:getuser")), "allow");
  assert.equal(verdict(allow("iam:Get?ser")), "allow");
  assert.equal(verdict(allow("iam:Get")), undefined);
  assert.equal(verdict({ Effect: "Allow", NotAction: "iam:*", Resource: "*" }), undefined);
  assert.equal(verdict({ Effect: "Allow", NotAction: ["s3:*"], Resource: "*" }), "allow");
  assert.equal(verdict({ Effect: "Allow", Action: "*", Resource: "arn:aws:iam::*:user/*" }), "allow");
  assert.equal(verdict({ Effect: "Allow", Action: "*", NotResource: "arn:aws:iam::1:user/a/*" }), undefined);
  assert.equal(
    decide([document(allow("*")), document(deny("*"))], { action: "a:b", resource: "r", context: {} }),
    "deny",
  );
});

// [operator, wanted, what the context has, does it hold]
const CONDITIONS = [
  ["StringEquals", "x", "x", true],
  ["StringEquals", ["y", "x"], "x", true],
  ["StringEquals", "x", "X", false],
  ["StringEquals", "x", undefined, false],
  ["StringEqualsIfExists", "x", undefined, true],
  ["StringEqualsIfExists", "x", "y", false],
  ["StringNotEquals", "x", "y", true],
  ["StringNotEquals", ["x", "y"], "y", false],
  ["StringNotEquals", "x", undefined, true],
  ["StringEqualsIgnoreCase", "x", "X", true],
  ["StringLike", "a*c?", "abbcd", true],
  ["StringLike", "a.c", "abc", false],
  ["StringNotLike", "a*", "b", true],
  ["Null", "true", undefined, true],
  ["Null", "false", "x", true],
  ["Null", true, "x", false],
  ["Bool", "true", "true", true],
  ["ArnLike", "arn:aws:iam::*:role/x*", "arn:aws:iam::12:role/xy", true],
  ["ArnEquals", "arn:aws:*:role/x", "arn:aws:iam::12:role/x", false],
  ["ForAnyValue:StringEquals", "b", ["a", "b"], true],
  ["ForAllValues:StringEquals", ["a", "b"], ["a", "b"], true],
  ["ForAllValues:StringEquals", ["a"], ["a", "b"], false],
  ["ForAllValues:StringEquals", "a", undefined, true],
  ["ForAnyValue:StringEquals", "a", undefined, false],
  ["NoSuchOperator", "x", "x", false],
];

for (const [operator, wanted, have, holds] of CONDITIONS) {
  test(`${operator} ${JSON.stringify(wanted)} against ${JSON.stringify(have)}: ${holds}`, () => {
    const statement = allow("*", { Condition: { [operator]: { "aws:Key": wanted } } });
    const context = have === undefined ? {} : { "aws:key": have };
    assert.equal(verdict(statement, { context }), holds ? "allow" : undefined);
  });
}
