// Identity Center's administration: instances, permission sets, assignments.
import { listing } from "../paging.mjs";
import { AwsError } from "../errors.mjs";

const PAGE = { limit: 100, max: 100 };

const notFound = (what) => new AwsError("ResourceNotFoundException", `${what} not found`, 400);

function centerOf(call) {
  const { world, account, region, input } = call;
  const center = world.identityCenterOf(account.id, region);
  if (!center || center.arn !== input.InstanceArn) throw notFound("Instance");
  return center;
}

// Members see that there is an instance; only its owner and the delegated administrators see into it.
function openedTo(call) {
  const center = centerOf(call);
  const organization = call.world.organizationOf(call.account.id);
  if (center.owner !== call.account.id && !organization?.mayRead(call.account.id)) {
    throw new AwsError("AccessDeniedException", "You do not have sufficient access to perform this action.", 400);
  }
  return center;
}

function setOf(call) {
  const set = openedTo(call).sets.find(({ arn }) => arn === call.input.PermissionSetArn);
  if (!set) throw notFound("PermissionSet");
  return set;
}

const listed = (call, member, items, keyOf, view) => listing(call, member, items, keyOf, view, PAGE);

const instanceView = (center) => ({
  InstanceArn: center.arn,
  IdentityStoreId: center.store,
  OwnerAccountId: center.owner,
  Status: "ACTIVE",
  CreatedDate: center.created,
});

const managedArn = ({ account }, ref) => account.policyArn(ref);

const assignmentView = ({ account, set, type, principal }) => ({
  AccountId: account,
  PermissionSetArn: set.arn,
  PrincipalType: type,
  PrincipalId: principal.id,
});

// A principal's assignments include those of its groups, and each row says whose it is.
function held(center, { PrincipalId, PrincipalType }) {
  const user = PrincipalType === "USER" ? center.users.find(({ id }) => id === PrincipalId) : undefined;
  return center.assignments.filter(
    ({ principal }) => principal.id === PrincipalId || user?.groups?.includes(principal.name),
  );
}

export const resourceOf = ({ input }) => input.PermissionSetArn ?? input.InstanceArn ?? "*";

export const operations = {
  ListInstances(call) {
    const center = call.world.identityCenterOf(call.account.id, call.region);
    return listed(call, "Instances", center ? [center] : [], ({ arn }) => arn, instanceView);
  },

  DescribeInstance: (call) => instanceView(centerOf(call)),

  ListPermissionSets: (call) =>
    listed(
      call,
      "PermissionSets",
      openedTo(call).sets.map(({ arn }) => arn),
      (arn) => arn,
    ),

  DescribePermissionSet(call) {
    const { name, arn, description, session = "PT1H", relay_state: RelayState } = setOf(call);
    const CreatedDate = centerOf(call).created;
    return {
      PermissionSet: {
        Name: name,
        PermissionSetArn: arn,
        Description: description,
        SessionDuration: session,
        RelayState,
        CreatedDate,
      },
    };
  },

  ListManagedPoliciesInPermissionSet(call) {
    const arns = (setOf(call).managed ?? []).map((ref) => managedArn(call, ref));
    return listed(
      call,
      "AttachedManagedPolicies",
      arns,
      (arn) => arn,
      (Arn) => ({ Name: Arn.split("/").at(-1), Arn }),
    );
  },

  ListCustomerManagedPolicyReferencesInPermissionSet(call) {
    const view = ({ name, path = "/" }) => ({ Name: name, Path: path });
    return listed(call, "CustomerManagedPolicyReferences", setOf(call).customer ?? [], ({ name }) => name, view);
  },

  GetInlinePolicyForPermissionSet(call) {
    const { inline } = setOf(call);
    return { InlinePolicy: inline ? call.world.documents.text(inline) : "" };
  },

  GetPermissionsBoundaryForPermissionSet(call) {
    const { boundary } = setOf(call);
    if (!boundary) throw notFound("PermissionsBoundary");
    if (boundary.managed) return { PermissionsBoundary: { ManagedPolicyArn: managedArn(call, boundary.managed) } };
    const { name, path = "/" } = boundary.customer;
    return { PermissionsBoundary: { CustomerManagedPolicyReference: { Name: name, Path: path } } };
  },

  ListAccountsForProvisionedPermissionSet(call) {
    const set = setOf(call);
    const accounts = centerOf(call)
      .assignments.filter((one) => one.set === set)
      .map(({ account }) => account);
    return listed(call, "AccountIds", new Set(accounts), (id) => id);
  },

  ListAccountAssignments(call) {
    const set = setOf(call);
    const wanted = centerOf(call).assignments.filter((one) => one.set === set && one.account === call.input.AccountId);
    return listed(call, "AccountAssignments", wanted, ({ key }) => key, assignmentView);
  },

  ListAccountAssignmentsForPrincipal: (call) =>
    listed(call, "AccountAssignments", held(openedTo(call), call.input), ({ key }) => key, assignmentView),

  ListTagsForResource(call) {
    const set = openedTo(call).sets.find(({ arn }) => arn === call.input.ResourceArn);
    const tags = Object.entries(set?.tags ?? {}).map(([Key, Value]) => ({ Key, Value: String(Value) }));
    return listed(call, "Tags", tags, ({ Key }) => Key);
  },
};
