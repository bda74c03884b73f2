// Organizations: the tree and its policies, read by the management account or a delegated administrator.
import { listing } from "../paging.mjs";
import { AwsError } from "../errors.mjs";

const PAGE = { limit: 20, max: 20 };

function organizationOf({ world, account }) {
  const organization = world.organizationOf(account.id);
  if (!organization) {
    throw new AwsError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.", 400);
  }
  return organization;
}

function readable(call) {
  const organization = organizationOf(call);
  if (!organization.mayRead(call.account.id)) {
    throw new AwsError("AccessDeniedException", "You don't have permissions to access this resource.", 400);
  }
  return organization;
}

const listed = (call, member, items, keyOf, view) => listing(call, member, items, keyOf, view, PAGE);

const byId = ({ id }) => id;

// The older member, Status, has no word for the newer states.
const RETIRED_STATUS = new Set(["ACTIVE", "SUSPENDED", "PENDING_CLOSURE"]);

const accountView = (organization) => (member) => ({
  Id: member.id,
  Arn: organization.arn("account", member.id),
  Email: member.email,
  Name: member.name,
  Status: RETIRED_STATUS.has(member.state) ? member.state : undefined,
  State: member.state,
  Paths: [organization.path(member.id)],
  JoinedMethod: member.method,
  JoinedTimestamp: member.joined,
});

const ouView =
  (organization) =>
  ({ id, name }) => ({ Id: id, Arn: organization.arn("ou", id), Name: name, Path: organization.path(id) });

function policyArn(organization, policy) {
  const type = policy.type.toLowerCase();
  return policy.aws
    ? `arn:${organization.world.partition}:organizations::aws:policy/${type}/${policy.id}`
    : `arn:${organization.world.partition}:organizations::${organization.management}:policy/${organization.id}/${type}/${policy.id}`;
}

const policyView = (organization, policy) => ({
  Id: policy.id,
  Arn: policyArn(organization, policy),
  Name: policy.name,
  Description: policy.description ?? "",
  Type: policy.type,
  AwsManaged: Boolean(policy.aws),
});

function targetView(organization, id) {
  if (id === organization.root.id) {
    return { TargetId: id, Arn: organization.arn("root", id), Name: organization.root.name, Type: "ROOT" };
  }
  const ou = organization.ous.get(id);
  if (ou) return { TargetId: id, Arn: organization.arn("ou", id), Name: ou.name, Type: "ORGANIZATIONAL_UNIT" };
  return {
    TargetId: id,
    Arn: organization.arn("account", id),
    Name: organization.accounts.get(id)?.name,
    Type: "ACCOUNT",
  };
}

function parentOf(organization, id) {
  if (id !== organization.root.id && !organization.ous.has(id)) {
    throw new AwsError("ParentNotFoundException", "You specified a parent that doesn't exist.", 400);
  }
  return id;
}

function policyOf(organization, id) {
  const policy = organization.policies.get(id);
  if (!policy) throw new AwsError("PolicyNotFoundException", "You specified a policy that doesn't exist.", 400);
  return policy;
}

export const resourceOf = () => "*";

export const operations = {
  DescribeOrganization(call) {
    const organization = organizationOf(call);
    const email = organization.accounts.get(organization.management)?.email;
    return {
      Organization: {
        Id: organization.id,
        Arn: organization.arn("organization"),
        FeatureSet: organization.features,
        MasterAccountArn: organization.arn("account", organization.management),
        MasterAccountId: organization.management,
        MasterAccountEmail: email,
        AvailablePolicyTypes: [{ Type: "SERVICE_CONTROL_POLICY", Status: "ENABLED" }],
      },
    };
  },

  ListRoots(call) {
    const organization = readable(call);
    const view = ({ id, name, policyTypes }) => ({
      Id: id,
      Arn: organization.arn("root", id),
      Name: name,
      PolicyTypes: policyTypes.map((Type) => ({ Type, Status: "ENABLED" })),
    });
    return listed(call, "Roots", [organization.root], byId, view);
  },

  ListAccounts(call) {
    const organization = readable(call);
    return listed(call, "Accounts", organization.accounts.values(), byId, accountView(organization));
  },

  DescribeAccount(call) {
    const organization = readable(call);
    const member = organization.accounts.get(call.input.AccountId);
    if (!member) throw new AwsError("AccountNotFoundException", "You specified an account that doesn't exist.", 400);
    return { Account: accountView(organization)(member) };
  },

  ListAccountsForParent(call) {
    const organization = readable(call);
    const parent = parentOf(organization, call.input.ParentId);
    return listed(
      call,
      "Accounts",
      [...organization.accounts.values()].filter((one) => one.parent === parent),
      byId,
      accountView(organization),
    );
  },

  ListOrganizationalUnitsForParent(call) {
    const organization = readable(call);
    const parent = parentOf(organization, call.input.ParentId);
    return listed(
      call,
      "OrganizationalUnits",
      [...organization.ous.values()].filter((ou) => ou.parent === parent),
      byId,
      ouView(organization),
    );
  },

  ListPolicies(call) {
    const organization = readable(call);
    const wanted = [...organization.policies.values()].filter(({ type }) => type === call.input.Filter);
    return listed(call, "Policies", wanted, byId, (policy) => policyView(organization, policy));
  },

  DescribePolicy(call) {
    const organization = readable(call);
    const policy = policyOf(organization, call.input.PolicyId);
    return {
      Policy: { PolicySummary: policyView(organization, policy), Content: call.world.documents.text(policy.document) },
    };
  },

  ListTargetsForPolicy(call) {
    const organization = readable(call);
    const { targets } = policyOf(organization, call.input.PolicyId);
    return listed(
      call,
      "Targets",
      targets,
      (id) => id,
      (id) => targetView(organization, id),
    );
  },

  ListDelegatedAdministrators(call) {
    const organization = readable(call);
    const wanted = organization.delegated.filter(
      ({ services }) => !call.input.ServicePrincipal || services.includes(call.input.ServicePrincipal),
    );
    return listed(call, "DelegatedAdministrators", wanted, byId, (one) => ({
      ...accountView(organization)(organization.accounts.get(one.id)),
      State: undefined,
      Paths: undefined,
      DelegationEnabledDate: one.enabled,
    }));
  },

  ListDelegatedServicesForAccount(call) {
    const organization = readable(call);
    const found = organization.delegated.find(({ id }) => id === call.input.AccountId);
    if (!found) {
      throw new AwsError(
        "AccountNotRegisteredException",
        "The specified account is not a delegated administrator for this AWS service.",
        400,
      );
    }
    return listed(
      call,
      "DelegatedServices",
      found.services,
      (name) => name,
      (ServicePrincipal) => ({ ServicePrincipal, DelegationEnabledDate: found.enabled }),
    );
  },
};
