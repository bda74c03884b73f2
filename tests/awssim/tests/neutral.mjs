// Turns what a client read into the shape of /_sim/world/inventory, and cuts the inventory to what can be read that way.
// The client may be v3 (documents still encoded), boto3 or awscli (documents decoded): the meaning has to be the same.

const parsed = (value) => (typeof value === "string" ? JSON.parse(decodeURIComponent(value)) : value);
const when = (value) => (value ? `${new Date(value).toISOString().slice(0, 19)}Z` : null);
const by = (key) => (a, b) => (a[key] < b[key] ? -1 : 1);
const tags = (list = []) => Object.fromEntries(list.map(({ Key, Value }) => [Key, Value]));
const inline = (list = []) =>
  list
    .map(({ PolicyName, PolicyDocument }) => ({ name: PolicyName, document: parsed(PolicyDocument) }))
    .sort(by("name"));
const attached = (list = []) => list.map(({ PolicyArn }) => PolicyArn).sort();

function keysOf(read, name) {
  return (read.access_keys[name] ?? [])
    .map((key) => {
      const used = read.last_used[key.AccessKeyId];
      return {
        id: key.AccessKeyId,
        status: key.Status,
        created: when(key.CreateDate),
        last_used: used.LastUsedDate
          ? { date: when(used.LastUsedDate), service: used.ServiceName, region: used.Region }
          : null,
      };
    })
    .sort(by("id"));
}

function users(read) {
  const used = new Map(read.users.map((user) => [user.UserName, user.PasswordLastUsed]));
  return read.details.UserDetailList.map((user) => ({
    name: user.UserName,
    path: user.Path,
    id: user.UserId,
    arn: user.Arn,
    created: when(user.CreateDate),
    tags: tags(user.Tags),
    attached_policies: attached(user.AttachedManagedPolicies),
    boundary: user.PermissionsBoundary?.PermissionsBoundaryArn ?? null,
    inline_policies: inline(user.UserPolicyList),
    groups: [...user.GroupList].sort(),
    password_last_used: when(used.get(user.UserName)),
    access_keys: keysOf(read, user.UserName),
    mfa_devices: (read.mfa[user.UserName] ?? []).map(({ SerialNumber }) => SerialNumber).sort(),
  })).sort(by("name"));
}

const groups = (read) =>
  read.details.GroupDetailList.map((group) => ({
    name: group.GroupName,
    path: group.Path,
    id: group.GroupId,
    arn: group.Arn,
    created: when(group.CreateDate),
    attached_policies: attached(group.AttachedManagedPolicies),
    inline_policies: inline(group.GroupPolicyList),
  })).sort(by("name"));

function roles(read) {
  const more = new Map(read.roles.map((role) => [role.RoleName, role]));
  return read.details.RoleDetailList.map((role) => ({
    name: role.RoleName,
    path: role.Path,
    id: role.RoleId,
    arn: role.Arn,
    created: when(role.CreateDate),
    tags: tags(role.Tags),
    attached_policies: attached(role.AttachedManagedPolicies),
    boundary: role.PermissionsBoundary?.PermissionsBoundaryArn ?? null,
    inline_policies: inline(role.RolePolicyList),
    trust: parsed(role.AssumeRolePolicyDocument),
    description: more.get(role.RoleName).Description ?? null,
    max_session: more.get(role.RoleName).MaxSessionDuration,
    last_used: role.RoleLastUsed?.LastUsedDate
      ? { date: when(role.RoleLastUsed.LastUsedDate), region: role.RoleLastUsed.Region }
      : null,
  })).sort(by("name"));
}

const policies = (read) =>
  read.details.Policies.filter(({ Arn }) => !Arn.includes(":iam::aws:"))
    .map((policy) => ({
      name: policy.PolicyName,
      path: policy.Path,
      id: policy.PolicyId,
      arn: policy.Arn,
      uses: policy.AttachmentCount,
      versions: policy.PolicyVersionList.map((v) => ({
        id: v.VersionId,
        is_default: v.IsDefaultVersion,
        document: parsed(v.Document),
      })).sort(by("id")),
    }))
    .sort(by("name"));

export const fromClient = (read) => ({
  account: read.account,
  alias: read.aliases[0] ?? null,
  users: users(read),
  groups: groups(read),
  roles: roles(read),
  policies: policies(read),
  aws_policies: read.aws_policies.map(({ Arn }) => Arn).sort(),
  saml: read.saml.map(({ Arn }) => Arn).sort(),
  oidc: read.oidc.map(({ Arn }) => Arn).sort(),
  regions: read.regions
    .map(({ RegionName, OptInStatus }) => ({ name: RegionName, status: OptInStatus }))
    .sort(by("name")),
});

const documents = (list) => list.map(({ name, document }) => ({ name, document: document.parsed })).sort(by("name"));
const pick = (object, ...names) => Object.fromEntries(names.map((name) => [name, object[name]]));
const COMMON = ["name", "path", "id", "arn", "created"];

export const fromInventory = (world) => ({
  account: world.account,
  alias: world.alias,
  users: world.users.map((user) => ({
    ...pick(user, ...COMMON, "tags", "attached_policies", "boundary", "groups"),
    inline_policies: documents(user.inline_policies),
    password_last_used: user.password?.last_used ?? null,
    access_keys: [...user.access_keys].sort(by("id")),
    mfa_devices: user.mfa_devices.map(({ serial }) => serial).sort(),
  })),
  groups: world.groups.map((group) => ({
    ...pick(group, ...COMMON, "attached_policies"),
    inline_policies: documents(group.inline_policies),
  })),
  roles: world.roles.map((role) => ({
    ...pick(role, ...COMMON, "tags", "attached_policies", "boundary", "description", "max_session", "last_used"),
    inline_policies: documents(role.inline_policies),
    trust: role.trust.parsed,
  })),
  policies: world.policies.map((policy) => ({
    ...pick(policy, "name", "path", "id", "arn"),
    uses: Object.values(policy.attached_to).flat().length,
    versions: policy.versions.map((v) => ({ id: v.id, is_default: v.is_default, document: v.document.parsed })),
  })),
  aws_policies: world.aws_policies.map(({ arn }) => arn).sort(),
  saml: world.saml_providers.map(({ arn }) => arn).sort(),
  oidc: world.oidc_providers.map(({ arn }) => arn).sort(),
  regions: world.regions,
});
