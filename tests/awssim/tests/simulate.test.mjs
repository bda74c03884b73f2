// SimulatePrincipalPolicy over the wire: every layer that can deny, told apart, as three clients read it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { IAMClient, paginateSimulatePrincipalPolicy } from "@aws-sdk/client-iam";
import { CUSTOMER, Sim, codeOf } from "./support.mjs";
import { runAwscli } from "./boto3.mjs";

const MEMBER = "444455556666";
const document = (...statements) => ({ Version: "2012-10-17", Statement: statements });
const allow = (Action, more) => ({ Effect: "Allow", Action, Resource: "*", ...more });

let sim, mine, member;
before(async () => {
  sim = await Sim.start("demo.yaml", "--set", "external_id=tenant-1");
  const policy = document(
    allow("*"),
    { Effect: "Deny", Action: "iam:ListGroups", Resource: "*" },
    allow("s3:GetObject", { Condition: { StringEquals: { "aws:SourceVpc": "vpc-1" } } }),
  );
  for (const account of [CUSTOMER, MEMBER]) {
    const op = { op: "set_role_policy", account, role: "ConnectordReadOnly", name: "wide", document: policy };
    await sim.post("world", [op]);
  }
  mine = await sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1" });
  member = await sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1" }, { account: MEMBER });
});
after(() => sim.stop());

const role = (name, account = CUSTOMER) => `arn:aws:iam::${account}:role/${name}`;

async function simulate(credentials, source, actions, more = {}) {
  const client = sim.client(IAMClient, credentials);
  const found = {};
  const input = { PolicySourceArn: source, ActionNames: actions, ...more };
  for await (const page of paginateSimulatePrincipalPolicy({ client, pageSize: 1 }, input)) {
    for (const one of page.EvaluationResults) found[one.EvalActionName] = one;
  }
  return found;
}

test("allowed, not allowed, forbidden", async () => {
  const found = await simulate(mine, role("ConnectordReadOnly"), ["iam:ListUsers", "iam:ListGroups"]);
  assert.equal(found["iam:ListUsers"].EvalDecision, "allowed");
  assert.equal(found["iam:ListGroups"].EvalDecision, "explicitDeny");
  assert.equal(found["iam:ListUsers"].PermissionsBoundaryDecisionDetail, undefined);
  assert.equal(found["iam:ListUsers"].OrganizationsDecisionDetail.AllowedByOrganizations, true);
  const nobody = await simulate(mine, `arn:aws:iam::${CUSTOMER}:user/engineering/alice`, ["kms:Decrypt"]);
  assert.equal(nobody["kms:Decrypt"].EvalDecision, "allowed");
});

test("a boundary", async () => {
  const found = await simulate(mine, role("ConnectordBounded"), ["iam:ListUsers", "iam:GetUser"]);
  assert.equal(found["iam:ListUsers"].PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary, true);
  assert.equal(found["iam:GetUser"].EvalDecision, "implicitDeny");
  assert.equal(found["iam:GetUser"].PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary, false);
});

test("a service control policy, and what a simulation cannot know", async () => {
  const entries = (region) => ({
    ContextEntries: [{ ContextKeyName: "aws:RequestedRegion", ContextKeyValues: [region], ContextKeyType: "string" }],
  });
  const there = async (region) =>
    (await simulate(member, role("ConnectordReadOnly", MEMBER), ["ec2:DescribeRegions"], entries(region)))[
      "ec2:DescribeRegions"
    ];
  assert.equal((await there("eu-west-1")).EvalDecision, "allowed");
  const off = await there("ap-south-1");
  assert.equal(off.EvalDecision, "explicitDeny");
  assert.equal(off.OrganizationsDecisionDetail.AllowedByOrganizations, false);
  const object = (await simulate(mine, role("ConnectordReadOnly"), ["s3:GetObject"]))["s3:GetObject"];
  assert.deepEqual(object.MissingContextValues, ["aws:SourceVpc"]);
});

test("awscli reads the same", async () => {
  const { EvaluationResults } = await runAwscli(
    mine,
    ...["iam", "simulate-principal-policy", "--endpoint-url", sim.endpoint],
    ...["--policy-source-arn", role("ConnectordBounded"), "--action-names", "iam:GetUser", "iam:ListUsers"],
  );
  assert.deepEqual(
    EvaluationResults.map((one) => [one.EvalActionName, one.EvalDecision]),
    [
      ["iam:GetUser", "implicitDeny"],
      ["iam:ListUsers", "allowed"],
    ],
  );
});

test("who may ask, and about whom", async () => {
  const reader = await sim.assume("ConnectordBounded", { ExternalId: "tenant-1" });
  assert.equal(await codeOf(simulate(reader, role("ConnectordBounded"), ["iam:ListUsers"])), "AccessDenied");
  assert.equal(await codeOf(simulate(mine, role("Nobody"), ["iam:ListUsers"])), "NoSuchEntityException");
  const group = `arn:aws:iam::${CUSTOMER}:group/x`;
  assert.equal(await codeOf(simulate(mine, group, ["iam:ListUsers"])), "InvalidInputException");
});
