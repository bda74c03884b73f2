// EKS: clusters, who may enter them, and which workloads act as which role.
import { paginate } from "../../paging.mjs";
import { AwsError, refusal } from "../../errors.mjs";
import * as views from "./views.mjs";

const missing = (message) => new AwsError("ResourceNotFoundException", message, 404);
const invalid = (message) => new AwsError("InvalidRequestException", message, 400);

const LIMITS = { limit: 100, max: 100 };

// A connected cluster can be described and has nothing that EKS could list.
function clusterOf({ account, region, input }, own = true) {
  const name = input.clusterName ?? input.name;
  const found = account.resource(region, "eks_clusters", name);
  if (!found) throw missing(`No cluster found for name: ${name}.`);
  if (own && found.connector) throw invalid(`The operation is not supported for the connected cluster ${name}.`);
  return found;
}

// Who may enter is only kept outside of the cluster when its mode says so.
function withEntries(call) {
  const cluster = clusterOf(call);
  if (cluster.auth_mode !== "CONFIG_MAP") return cluster;
  throw invalid(
    "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.",
  );
}

function entryOf(call) {
  const found = withEntries(call).access_entries.find(({ principal }) => principal === call.input.principalArn);
  if (!found) {
    throw missing(
      `The specified principalArn could not be found: ${call.input.principalArn}. You can view your available access entries with 'list-access-entries'.`,
    );
  }
  return found;
}

function page(call, member, list, keyOf, show) {
  const sorted = [...list].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const { items, more } = paginate(call, sorted, keyOf, LIMITS);
  return { [member]: items.map(show), ...more };
}

const nameOf = ({ name }) => name;

// The kinds of things in a cluster that are listed by name and described one by one.
const INSIDE = {
  Nodegroup: {
    list: "ListNodegroups",
    names: "nodegroups",
    field: "nodegroups",
    id: "nodegroupName",
    member: "nodegroup",
    show: views.nodegroup,
    words: "node group",
  },
  FargateProfile: {
    list: "ListFargateProfiles",
    names: "fargateProfileNames",
    field: "fargate_profiles",
    id: "fargateProfileName",
    member: "fargateProfile",
    show: views.fargateProfile,
    words: "Fargate Profile",
  },
  Addon: {
    list: "ListAddons",
    names: "addons",
    field: "addons",
    id: "addonName",
    member: "addon",
    show: views.addon,
    words: "addon",
  },
};

const inside = Object.entries(INSIDE).flatMap(([noun, { list, names, field, id, member, show, words }]) => [
  [list, (call) => page(call, names, clusterOf(call)[field], nameOf, nameOf)],
  [
    `Describe${noun}`,
    (call) => {
      const cluster = clusterOf(call);
      const found = cluster[field].find(({ name }) => name === call.input[id]);
      if (!found) throw missing(`No ${words} found for name: ${call.input[id]}.`);
      return { [member]: show(cluster, found) };
    },
  ],
]);

const clusterArn = ({ account, region }, name) =>
  `arn:${account.partition}:eks:${region}:${account.id}:cluster/${name}`;

// What is in a cluster has an ARN of its own, with an ID that a caller cannot know before it is described.
const OWN_ARN = {
  DescribeAccessEntry: ({ access_entries: list }, input) =>
    list.find(({ principal }) => principal === input.principalArn),
  DescribePodIdentityAssociation: ({ pod_identities: list }, input) =>
    list.find(({ id }) => id === input.associationId),
  DescribeIdentityProviderConfig: ({ identity_providers: list }, input) =>
    list.find(({ name }) => name === input.identityProviderConfig.name),
  ...Object.fromEntries(
    Object.entries(INSIDE).map(([noun, { field, id }]) => [
      `Describe${noun}`,
      (cluster, input) => cluster[field].find(({ name }) => name === input[id]),
    ]),
  ),
};
OWN_ARN.ListAssociatedAccessPolicies = OWN_ARN.DescribeAccessEntry;

export function resourceOf(call) {
  const { account, region, operation, input } = call;
  const name = input.clusterName ?? input.name;
  const cluster = account.resource(region, "eks_clusters", name);
  const own = cluster && !cluster.connector && OWN_ARN[operation.name]?.(cluster, input);
  return own?.arn ?? clusterArn(call, name ?? "*");
}

export const operations = {
  // Connected clusters are only listed to who asks for "all".
  ListClusters(call) {
    const { account, region, input } = call;
    const all = account
      .resources(region, "eks_clusters")
      .filter((one) => !one.connector || input.include?.includes("all"));
    return page(call, "clusters", all, nameOf, nameOf);
  },

  DescribeCluster: (call) => ({ cluster: views.cluster(call.account, clusterOf(call, false)) }),

  ListAccessEntries: (call) => {
    const { associatedPolicyArn: policy } = call.input;
    const entries = withEntries(call).access_entries;
    const wanted = policy ? entries.filter(({ policies }) => policies.some((one) => one.policy === policy)) : entries;
    return page(
      call,
      "accessEntries",
      wanted,
      ({ principal }) => principal,
      ({ principal }) => principal,
    );
  },

  DescribeAccessEntry: (call) => ({ accessEntry: views.accessEntry(clusterOf(call), entryOf(call)) }),

  ListAssociatedAccessPolicies: (call) => ({
    clusterName: call.input.clusterName,
    principalArn: call.input.principalArn,
    ...page(
      call,
      "associatedAccessPolicies",
      entryOf(call).policies,
      ({ policy }) => policy,
      (one) => views.accessPolicy(clusterOf(call), one),
    ),
  }),

  ListPodIdentityAssociations(call) {
    const cluster = clusterOf(call);
    const { namespace, serviceAccount } = call.input;
    const wanted = cluster.pod_identities.filter(
      (one) =>
        (!namespace || one.namespace === namespace) && (!serviceAccount || one.service_account === serviceAccount),
    );
    return page(
      call,
      "associations",
      wanted,
      ({ id }) => id,
      (one) => views.podIdentitySummary(cluster, one),
    );
  },

  DescribePodIdentityAssociation(call) {
    const cluster = clusterOf(call);
    const found = cluster.pod_identities.find(({ id }) => id === call.input.associationId);
    if (!found) throw missing(`No association found with ID: ${call.input.associationId}.`);
    return { association: views.podIdentity(cluster, found) };
  },

  ListIdentityProviderConfigs: (call) =>
    page(call, "identityProviderConfigs", clusterOf(call).identity_providers, nameOf, ({ name }) => ({
      type: "oidc",
      name,
    })),

  DescribeIdentityProviderConfig(call) {
    const cluster = clusterOf(call);
    const { type, name } = call.input.identityProviderConfig;
    if (type !== "oidc")
      throw refusal("invalid_input", call.service, `Identity provider config type ${type} is not supported.`);
    const found = cluster.identity_providers.find((one) => one.name === name);
    if (!found) throw missing(`Identity provider config not found: ${name}.`);
    return { identityProviderConfig: views.identityProvider(cluster, found) };
  },

  ...Object.fromEntries(inside),
};
