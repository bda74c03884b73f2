// Identity Center's directory: users, groups and who is in which.
import { listing } from "../paging.mjs";
import { AwsError } from "../errors.mjs";
import { digest } from "../ids.mjs";

const PAGE = { limit: 100, max: 100 };

const notFound = (type) => new AwsError("ResourceNotFoundException", `${type} not found.`, 400, { ResourceType: type });

function storeOf({ world, account, region, input }) {
  const center = world.identityCenterOf(account.id, region);
  if (!center || center.store !== input.IdentityStoreId) throw notFound("IDENTITY_STORE");
  return center;
}

const externalIds = (one) =>
  one.external_id ? [{ Issuer: "https://scim.aws.com/1", Id: one.external_id }] : undefined;

const userView = (center) => (user) => {
  const [GivenName, FamilyName = GivenName] = (user.display ?? user.name).split(" ");
  return {
    IdentityStoreId: center.store,
    UserId: user.id,
    UserName: user.name,
    DisplayName: user.display ?? user.name,
    Title: user.title,
    Name: { GivenName, FamilyName },
    Emails: [{ Value: user.email ?? user.name, Type: "work", Primary: true }],
    ExternalIds: externalIds(user),
  };
};

const groupView = (center) => (group) => ({
  IdentityStoreId: center.store,
  GroupId: group.id,
  DisplayName: group.name,
  Description: group.description,
  ExternalIds: externalIds(group),
});

const membershipView =
  (center) =>
  ({ user, group }) => ({
    IdentityStoreId: center.store,
    GroupId: group.id,
    MemberId: { UserId: user.id },
    MembershipId: digest("membership", group.id, user.id).toString("hex").slice(0, 36),
  });

const memberships = (center) =>
  center.users.flatMap((user) =>
    (user.groups ?? []).map((name) => ({ user, group: center.groups.find((group) => group.name === name) })),
  );

const listed = (call, member, items, keyOf, view) => listing(call, member, items, keyOf, view, PAGE);

const byId = ({ id }) => id;

export const resourceOf = ({ account, input }) =>
  `arn:${account.partition}:identitystore::${account.id}:identitystore/${input.IdentityStoreId}`;

export const operations = {
  ListUsers(call) {
    const center = storeOf(call);
    return listed(call, "Users", center.users, byId, userView(center));
  },

  ListGroups(call) {
    const center = storeOf(call);
    return listed(call, "Groups", center.groups, byId, groupView(center));
  },

  ListGroupMemberships(call) {
    const center = storeOf(call);
    if (!center.groups.some(({ id }) => id === call.input.GroupId)) throw notFound("GROUP");
    const wanted = memberships(center).filter(({ group }) => group.id === call.input.GroupId);
    return listed(call, "GroupMemberships", wanted, ({ user }) => user.id, membershipView(center));
  },

  ListGroupMembershipsForMember(call) {
    const center = storeOf(call);
    const wanted = memberships(center).filter(({ user }) => user.id === call.input.MemberId.UserId);
    return listed(call, "GroupMemberships", wanted, ({ group }) => group.id, membershipView(center));
  },
};
