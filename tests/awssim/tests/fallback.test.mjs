// The long way round: what the per-entity operations tell must add up to what GetAccountAuthorizationDetails tells.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as iam from "@aws-sdk/client-iam";
import * as orgs from "@aws-sdk/client-organizations";
import { CUSTOMER, Sim } from "./support.mjs";
import { fromInventory } from "./neutral.mjs";

let sim;
let client;
let world;
let expected;
before(async () => {
  sim = await Sim.start("demo.yaml", "--set", "external_id=tenant-1", "--page-size", "2");
  client = sim.client(iam.IAMClient, await sim.assume("ConnectordAdmin", { ExternalId: "tenant-1" }));
  world = await sim.get(`world/inventory?account=${CUSTOMER}`);
  expected = fromInventory(world);
});
after(() => sim.stop());

async function all(paginate, input, member, from = client) {
  const rows = [];
  for await (const page of paginate({ client: from }, input)) rows.push(...(page[member] ?? []));
  return rows;
}

const send = (Command, input = {}) => client.send(new Command(input));
const parsed = (text) => JSON.parse(decodeURIComponent(text));
const tagMap = (tags) => Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));

// The three kinds differ in the noun alone.
async function policiesOf(noun, name) {
  const input = { [`${noun}Name`]: name };
  const names = await all(iam[`paginateList${noun}Policies`], input, "PolicyNames");
  const inline = await Promise.all(
    names.map(async (PolicyName) => ({
      name: PolicyName,
      document: parsed((await send(iam[`Get${noun}PolicyCommand`], { ...input, PolicyName })).PolicyDocument),
    })),
  );
  const attached = await all(iam[`paginateListAttached${noun}Policies`], input, "AttachedPolicies");
  return { inline_policies: inline, attached_policies: attached.map(({ PolicyArn }) => PolicyArn).sort() };
}

test("users", async () => {
  for (const user of expected.users) {
    const UserName = user.name;
    const { User } = await send(iam.GetUserCommand, { UserName });
    const groups = (await all(iam.paginateListGroupsForUser, { UserName }, "Groups")).map(({ GroupName }) => GroupName);
    const tags = tagMap(await all(iam.paginateListUserTags, { UserName }, "Tags"));
    const seen = {
      arn: User.Arn,
      boundary: User.PermissionsBoundary?.PermissionsBoundaryArn ?? null,
      groups,
      tags,
      ...(await policiesOf("User", UserName)),
    };
    assert.deepEqual(seen, Object.fromEntries(Object.keys(seen).map((key) => [key, user[key]])), UserName);
  }
});

test("groups, with their members page by page", async () => {
  for (const group of world.groups) {
    const members = await all(iam.paginateGetGroup, { GroupName: group.name }, "Users");
    assert.deepEqual(
      members.map(({ UserName }) => UserName),
      group.members,
    );
    const { attached_policies: attached } = await policiesOf("Group", group.name);
    assert.deepEqual(attached, group.attached_policies);
  }
});

test("roles", async () => {
  for (const role of expected.roles) {
    const { Role } = await send(iam.GetRoleCommand, { RoleName: role.name });
    const tags = tagMap(await all(iam.paginateListRoleTags, { RoleName: role.name }, "Tags"));
    const seen = {
      arn: Role.Arn,
      trust: parsed(Role.AssumeRolePolicyDocument),
      max_session: Role.MaxSessionDuration,
      description: Role.Description ?? null,
      tags,
      boundary: Role.PermissionsBoundary?.PermissionsBoundaryArn ?? null,
      ...(await policiesOf("Role", role.name)),
    };
    assert.deepEqual(seen, Object.fromEntries(Object.keys(seen).map((key) => [key, role[key]])), role.name);
  }
});

test("policies, their versions, tags and holders", async () => {
  for (const policy of world.policies) {
    const { Policy } = await send(iam.GetPolicyCommand, { PolicyArn: policy.arn });
    assert.deepEqual([Policy.Description ?? null, tagMap(Policy.Tags ?? [])], [policy.description, policy.tags]);
    const versions = await all(iam.paginateListPolicyVersions, { PolicyArn: policy.arn }, "Versions");
    assert.deepEqual(
      versions.map(({ VersionId, IsDefaultVersion }) => [VersionId, IsDefaultVersion]),
      policy.versions.map((v) => [v.id, v.is_default]),
    );
    const { PolicyVersion } = await send(iam.GetPolicyVersionCommand, {
      PolicyArn: policy.arn,
      VersionId: Policy.DefaultVersionId,
    });
    assert.deepEqual(parsed(PolicyVersion.Document), policy.versions.find((v) => v.is_default).document.parsed);
    const holders = async (member, name) =>
      (await all(iam.paginateListEntitiesForPolicy, { PolicyArn: policy.arn }, member)).map((one) => one[name]);
    assert.deepEqual(
      {
        users: await holders("PolicyUsers", "UserName"),
        groups: await holders("PolicyGroups", "GroupName"),
        roles: await holders("PolicyRoles", "RoleName"),
      },
      policy.attached_to,
    );
  }
});

test("the summary agrees with the lists", async () => {
  const { SummaryMap: sums } = await send(iam.GetAccountSummaryCommand);
  assert.deepEqual(
    [sums.Users, sums.Groups, sums.Roles, sums.Policies],
    ["users", "groups", "roles", "policies"].map((kind) => world[kind].length),
  );
  const devices = await all(iam.paginateListVirtualMFADevices, { AssignmentStatus: "Any" }, "VirtualMFADevices");
  assert.ok(devices.some(({ SerialNumber }) => SerialNumber.endsWith(":mfa/root-account-mfa-device")));
  const virtual = world.users.flatMap(({ mfa_devices: mfa }) => mfa).filter(({ type }) => type === "virtual");
  assert.equal(devices.length, virtual.length + 1);
});

test("the organization's tree, policies and targets", async () => {
  const credentials = await sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1" }, { account: "777788889999" });
  const organizations = sim.client(orgs.OrganizationsClient, credentials);
  const list = (paginate, input, member) => all(paginate, input, member, organizations);
  const { organization } = world;
  const walk = async (ParentId) => {
    const accounts = await list(orgs.paginateListAccountsForParent, { ParentId }, "Accounts");
    const units = await list(orgs.paginateListOrganizationalUnitsForParent, { ParentId }, "OrganizationalUnits");
    const below = await Promise.all(units.map(({ Id }) => walk(Id)));
    return [...accounts.map(({ Id, Paths: [path] }) => [Id, ParentId, path]), ...below.flat()];
  };
  const [root] = await list(orgs.paginateListRoots, {}, "Roots");
  assert.deepEqual(
    (await walk(root.Id)).sort(),
    organization.accounts.map(({ id, parent, path }) => [id, parent, path]).sort(),
  );
  const policies = await list(orgs.paginateListPolicies, { Filter: "SERVICE_CONTROL_POLICY" }, "Policies");
  assert.deepEqual(policies.map(({ Id }) => Id).sort(), organization.policies.map(({ id }) => id).sort());
  for (const { id, targets, document } of organization.policies) {
    const { Policy } = await organizations.send(new orgs.DescribePolicyCommand({ PolicyId: id }));
    assert.deepEqual(JSON.parse(Policy.Content), document);
    const seen = await list(orgs.paginateListTargetsForPolicy, { PolicyId: id }, "Targets");
    assert.deepEqual(seen.map(({ TargetId }) => TargetId).sort(), [...targets].sort());
  }
  const admins = await list(orgs.paginateListDelegatedAdministrators, {}, "DelegatedAdministrators");
  assert.deepEqual(
    admins.map(({ Id }) => Id),
    organization.delegated.map(({ id }) => id),
  );
});
