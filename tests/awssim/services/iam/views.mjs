// Turns the world's neutral entities into the members that IAM's shapes name. Every list and getter shows its own
// subset, as AWS does: what a listing leaves out must not be found there by a client that relies on it.

const tagList = (tags) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value: String(Value) }));

const some = (list) => (list.length ? list : undefined);

// Views are frozen and kept until the world changes; the XML writer keeps the text of frozen views.
const view = (build) => {
  const key = Symbol(build.name);
  return (account, entity) => account.world.derived(entity, key, () => Object.freeze(build(account, entity)));
};

const basics = (account, entity) => ({ Path: entity.path, Arn: entity.arn, CreateDate: entity.created });

const boundaryOf = (account, entity) =>
  entity.boundary && {
    PermissionsBoundaryType: "Policy",
    PermissionsBoundaryArn: account.policyArn(entity.boundary),
  };

export const attachedList = (account, entity) =>
  entity.attached
    .map((ref) => {
      const arn = account.policyArn(ref);
      return { PolicyName: arn.split("/").at(-1), PolicyArn: arn };
    })
    .sort((a, b) => (a.PolicyName < b.PolicyName ? -1 : 1));

const inlineList = (account, entity) =>
  Object.entries(entity.inline)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([PolicyName, document]) => ({ PolicyName, PolicyDocument: account.world.documents.encoded(document) }));

export const userSummary = view(function userSummary(account, user) {
  return { ...basics(account, user), UserName: user.name, UserId: user.id, PasswordLastUsed: user.password?.last_used };
});

export const userFull = view(function userFull(account, user) {
  return {
    ...userSummary(account, user),
    PermissionsBoundary: boundaryOf(account, user),
    Tags: some(tagList(user.tags)),
  };
});

export const userDetail = view(function userDetail(account, user) {
  return {
    ...basics(account, user),
    UserName: user.name,
    UserId: user.id,
    UserPolicyList: some(inlineList(account, user)),
    // ghost_groups: named here and listed nowhere, as between two pages of a group that goes.
    GroupList: [...account.groupsOf(user).map((group) => group.name), ...user.ghost_groups],
    AttachedManagedPolicies: attachedList(account, user),
    PermissionsBoundary: boundaryOf(account, user),
    Tags: tagList(user.tags),
  };
});

export const groupSummary = view(function groupSummary(account, group) {
  return { ...basics(account, group), GroupName: group.name, GroupId: group.id };
});

export const groupDetail = view(function groupDetail(account, group) {
  return {
    ...groupSummary(account, group),
    GroupPolicyList: inlineList(account, group),
    AttachedManagedPolicies: attachedList(account, group),
  };
});

const roleBasics = (account, role) => ({
  ...basics(account, role),
  RoleName: role.name,
  RoleId: role.id,
  AssumeRolePolicyDocument: account.world.documents.encoded(role.trust),
});

export const roleSummary = view(function roleSummary(account, role) {
  return { ...roleBasics(account, role), Description: role.description, MaxSessionDuration: role.max_session };
});

const lastUsed = (role) => (role.last_used ? { LastUsedDate: role.last_used.date, Region: role.last_used.region } : {});

export const roleFull = view(function roleFull(account, role) {
  return {
    ...roleSummary(account, role),
    PermissionsBoundary: boundaryOf(account, role),
    Tags: some(tagList(role.tags)),
    RoleLastUsed: lastUsed(role),
  };
});

export const roleDetail = view(function roleDetail(account, role) {
  return {
    ...roleBasics(account, role),
    InstanceProfileList: profilesOf(account, role).map((profile) => instanceProfile(account, profile)),
    RolePolicyList: inlineList(account, role),
    AttachedManagedPolicies: attachedList(account, role),
    PermissionsBoundary: boundaryOf(account, role),
    Tags: tagList(role.tags),
    RoleLastUsed: lastUsed(role),
  };
});

export const profilesOf = (account, role) =>
  account.sorted("instance_profiles").filter((profile) => profile.roles.includes(role.name));

export const instanceProfile = view(function instanceProfile(account, profile) {
  return {
    ...basics(account, profile),
    InstanceProfileName: profile.name,
    InstanceProfileId: profile.id,
    Roles: profile.roles
      .map((name) => account.get("roles", name))
      .filter(Boolean)
      .map((role) => roleSummary(account, role)),
  };
});

const NOBODY = { users: [], groups: [], roles: [], boundaries: 0 };
export const attachmentsOf = (account, policy) => account.attachments().get(policy.arn) ?? NOBODY;

const attachmentCount = ({ users, groups, roles }) => users.length + groups.length + roles.length;

// AWS's policies are shared by all accounts but their counts are not, so only an account's own are kept.
function policyBasics(account, policy) {
  const used = attachmentsOf(account, policy);
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.versions.find((version) => version.is_default).id,
    AttachmentCount: attachmentCount(used),
    PermissionsBoundaryUsageCount: used.boundaries,
    IsAttachable: true,
    CreateDate: policy.created,
    UpdateDate: policy.updated,
  };
}

export const policySummary = policyBasics;

export const policyFull = (account, policy) => ({
  ...policyBasics(account, policy),
  Description: policy.description,
  Tags: tagList(policy.tags),
});

export const versionView = (account, version, withDocument = true) => ({
  Document: withDocument ? account.world.documents.encoded(version.document) : undefined,
  VersionId: version.id,
  IsDefaultVersion: version.is_default,
  CreateDate: version.created,
});

const newestFirst = (policy) => [...policy.versions].reverse();

const buildPolicyDetail = (account, policy) => ({
  ...policyBasics(account, policy),
  PolicyVersionList: newestFirst(policy).map((version) => versionView(account, version)),
});
const ownPolicyDetail = view(function policyDetail(account, policy) {
  return buildPolicyDetail(account, policy);
});
export const policyDetail = (account, policy) => (policy.aws ? buildPolicyDetail : ownPolicyDetail)(account, policy);

export const isUsed = (account, policy) => {
  const used = attachmentsOf(account, policy);
  return attachmentCount(used) + used.boundaries > 0;
};

export { tagList };
