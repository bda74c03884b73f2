// Users, groups and roles: lists, getters, their policies, tags and memberships.
import { paginate } from "../../paging.mjs";
import { find, missing, subject } from "./find.mjs";
import * as views from "./views.mjs";

const byName = (entity) => entity.name;
const under = (prefix) => (entity) => prefix === undefined || entity.path.startsWith(prefix);

const listing = (kind, member, view) => (call) => {
  const { account, input } = call;
  const all = account.sorted(kind);
  const { items, more } = paginate(call, input.PathPrefix ? all.filter(under(input.PathPrefix)) : all, byName);
  return { [member]: items.map((entity) => view(account, entity)), ...more };
};

// The three kinds of principal have the same operations under different member names.
const PRINCIPALS = [
  { kind: "users", noun: "User" },
  { kind: "groups", noun: "Group" },
  { kind: "roles", noun: "Role" },
];

function policyOperations({ kind, noun }) {
  const named = (call) => find(call.account, kind, call.input[`${noun}Name`]);
  return {
    [`List${noun}Policies`](call) {
      const names = Object.keys(named(call).inline).sort();
      const { items, more } = paginate(call, names, (name) => name);
      return { PolicyNames: items, ...more };
    },
    [`Get${noun}Policy`](call) {
      const { account, input } = call;
      const document = named(call).inline[input.PolicyName];
      if (document === undefined) {
        throw missing(`The ${noun.toLowerCase()} policy with name ${input.PolicyName} cannot be found.`);
      }
      return {
        [`${noun}Name`]: input[`${noun}Name`],
        PolicyName: input.PolicyName,
        PolicyDocument: account.world.documents.encoded(document),
      };
    },
    [`ListAttached${noun}Policies`](call) {
      const { account, input } = call;
      const attached = views
        .attachedList(account, named(call))
        .filter(
          ({ PolicyArn }) =>
            input.PathPrefix === undefined || account.policy(PolicyArn)?.path.startsWith(input.PathPrefix),
        );
      const { items, more } = paginate(call, attached, ({ PolicyName }) => PolicyName);
      return { AttachedPolicies: items, ...more };
    },
  };
}

function tagged(kind, noun) {
  return (call) => {
    const tags = views.tagList(find(call.account, kind, call.input[`${noun}Name`]).tags);
    const { items, more } = paginate(
      call,
      tags.sort((a, b) => (a.Key < b.Key ? -1 : 1)),
      ({ Key }) => Key,
    );
    return { Tags: items, ...more };
  };
}

export const operations = {
  ListUsers: listing("users", "Users", views.userSummary),
  ListGroups: listing("groups", "Groups", views.groupSummary),
  ListRoles: listing("roles", "Roles", views.roleSummary),
  ListInstanceProfiles: listing("instance_profiles", "InstanceProfiles", views.instanceProfile),
  GetUser: (call) => ({ User: views.userFull(call.account, subject(call)) }),
  GetRole: (call) => ({ Role: views.roleFull(call.account, find(call.account, "roles", call.input.RoleName)) }),
  GetInstanceProfile: (call) => ({
    InstanceProfile: views.instanceProfile(
      call.account,
      find(call.account, "instance_profiles", call.input.InstanceProfileName),
    ),
  }),

  GetGroup(call) {
    const { account, input } = call;
    const group = find(account, "groups", input.GroupName);
    const { items, more } = paginate(call, account.membersOf(group), byName);
    return {
      Group: views.groupSummary(account, group),
      Users: items.map((user) => views.userSummary(account, user)),
      ...more,
    };
  },

  ListGroupsForUser(call) {
    const { account, input } = call;
    const groups = account.groupsOf(find(account, "users", input.UserName)).sort((a, b) => (a.name < b.name ? -1 : 1));
    const { items, more } = paginate(call, groups, byName);
    return { Groups: items.map((group) => views.groupSummary(account, group)), ...more };
  },

  ListInstanceProfilesForRole(call) {
    const { account, input } = call;
    const { items, more } = paginate(call, views.profilesOf(account, find(account, "roles", input.RoleName)), byName);
    return { InstanceProfiles: items.map((profile) => views.instanceProfile(account, profile)), ...more };
  },

  ListUserTags: tagged("users", "User"),
  ListRoleTags: tagged("roles", "Role"),
  ...Object.assign({}, ...PRINCIPALS.map(policyOperations)),
};
