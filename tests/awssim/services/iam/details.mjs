// GetAccountAuthorizationDetails: pages run over one sequence of users, groups, roles and policies.
import { paginate } from "../../paging.mjs";
import { AwsError } from "../../errors.mjs";
import * as views from "./views.mjs";

const KINDS = [
  { filter: "User", list: "UserDetailList", read: (account) => account.sorted("users"), view: views.userDetail },
  { filter: "Group", list: "GroupDetailList", read: (account) => account.sorted("groups"), view: views.groupDetail },
  { filter: "Role", list: "RoleDetailList", read: (account) => account.sorted("roles"), view: views.roleDetail },
  {
    filter: "LocalManagedPolicy",
    list: "Policies",
    read: (account) => account.sorted("policies"),
    view: views.policyDetail,
  },
  {
    filter: "AWSManagedPolicy",
    list: "Policies",
    view: views.policyDetail,
    read: (account) => account.world.managed.sorted.filter((policy) => views.isUsed(account, policy)),
  },
];

function sequence(account, wanted) {
  const key = `details:${KINDS.map(({ filter }) => Number(!wanted || wanted.includes(filter))).join("")}`;
  return account.world.derived(account, key, () =>
    KINDS.flatMap((kind, rank) => {
      if (wanted && !wanted.includes(kind.filter)) return [];
      return kind.read(account).map((entity) => ({ kind, entity, key: `${rank}${entity.name}` }));
    }),
  );
}

export const operations = {
  GetAccountAuthorizationDetails(call) {
    const { account, input } = call;
    const unknown = input.Filter?.find((name) => !KINDS.some(({ filter }) => filter === name));
    if (unknown !== undefined) {
      throw new AwsError(
        "ValidationError",
        `1 validation error detected: Value '[${unknown}]' at 'filter' failed to satisfy constraint: ` +
          `Member must satisfy constraint: [Member must satisfy enum value set: [${KINDS.map(({ filter }) => filter).join(", ")}]]`,
        400,
      );
    }
    const wanted = input.Filter?.length ? input.Filter : undefined;
    const { items, more } = paginate(call, sequence(account, wanted), (item) => item.key);
    const output = { UserDetailList: [], GroupDetailList: [], RoleDetailList: [], Policies: [], ...more };
    for (const { kind, entity } of items) output[kind.list].push(kind.view(account, entity));
    return output;
  },
};
