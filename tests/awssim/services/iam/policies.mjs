// Managed policies, an account's own and AWS's.
import { paginate } from "../../paging.mjs";
import { findPolicy, missing } from "./find.mjs";
import * as views from "./views.mjs";

function inScope(account, scope) {
  const own = scope === "AWS" ? [] : account.sorted("policies");
  const aws = scope === "Local" ? [] : account.world.managed.sorted;
  return [
    ...own.map((policy) => ({ policy, key: `0${policy.name}` })),
    ...aws.map((policy) => ({ policy, key: `1${policy.name}` })),
  ];
}

const ENTITIES = [
  { filter: "Group", kind: "groups", list: "PolicyGroups", view: (g) => ({ GroupName: g.name, GroupId: g.id }) },
  { filter: "Role", kind: "roles", list: "PolicyRoles", view: (r) => ({ RoleName: r.name, RoleId: r.id }) },
  { filter: "User", kind: "users", list: "PolicyUsers", view: (u) => ({ UserName: u.name, UserId: u.id }) },
];

const USAGE = {
  PermissionsPolicy: ({ users, groups, roles }) => users.length + groups.length + roles.length > 0,
  PermissionsBoundary: ({ boundaries }) => boundaries > 0,
};

function isWanted(account, policy, { OnlyAttached, PathPrefix = "/", PolicyUsageFilter }) {
  if (!policy.path.startsWith(PathPrefix)) return false;
  if (OnlyAttached && !views.isUsed(account, policy)) return false;
  return !PolicyUsageFilter || USAGE[PolicyUsageFilter](views.attachmentsOf(account, policy));
}

export const operations = {
  ListPolicies(call) {
    const { account, input } = call;
    const wanted = inScope(account, input.Scope ?? "All").filter(({ policy }) => isWanted(account, policy, input));
    const { items, more } = paginate(call, wanted, (item) => item.key);
    return { Policies: items.map(({ policy }) => views.policySummary(account, policy)), ...more };
  },

  GetPolicy: ({ account, input }) => ({ Policy: views.policyFull(account, findPolicy(account, input.PolicyArn)) }),

  GetPolicyVersion({ account, input }) {
    const version = findPolicy(account, input.PolicyArn).versions.find(({ id }) => id === input.VersionId);
    if (!version) {
      throw missing(`Policy ${input.PolicyArn} version ${input.VersionId} does not exist or is not attachable.`);
    }
    return { PolicyVersion: views.versionView(account, version) };
  },

  ListPolicyVersions(call) {
    const versions = findPolicy(call.account, call.input.PolicyArn).versions;
    const { items, more } = paginate(call, versions, ({ id }) => id);
    return { Versions: items.map((version) => views.versionView(call.account, version, false)), ...more };
  },

  ListPolicyTags(call) {
    const tags = views
      .tagList(findPolicy(call.account, call.input.PolicyArn).tags)
      .sort((a, b) => (a.Key < b.Key ? -1 : 1));
    const { items, more } = paginate(call, tags, ({ Key }) => Key);
    return { Tags: items, ...more };
  },

  ListEntitiesForPolicy(call) {
    const { account, input } = call;
    const used = views.attachmentsOf(account, findPolicy(account, input.PolicyArn));
    const wanted = ENTITIES.filter(({ filter }) => !input.EntityFilter || input.EntityFilter === filter).flatMap(
      (one) => used[one.kind].map((entity) => ({ one, entity, key: one.filter + entity.name })),
    );
    const { items, more } = paginate(call, wanted, (item) => item.key);
    const output = { PolicyGroups: [], PolicyUsers: [], PolicyRoles: [], ...more };
    for (const { one, entity } of items) output[one.list].push(one.view(entity));
    return output;
  },
};
