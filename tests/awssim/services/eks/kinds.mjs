// What an EKS cluster and the things in it are when a world file does not say.
import { TEAMS, number } from "../../generate.mjs";
import * as ids from "../../ids.mjs";

const PRINCIPAL = /^arn:[^:]+:iam::(?<account>\d+):(?<type>user|role)\/(?:.*\/)?(?<name>[^/]+)$/;

const accessPolicy = (where, name) =>
  name.startsWith("arn:") ? name : `arn:${where.partition}:eks::aws:cluster-access-policy/${name}`;

// A user or role by its ARN, or a role of this account by its name.
function entry(where, cluster, principal, given) {
  const arn = where.role(principal);
  const { type, account, name } = PRINCIPAL.exec(arn)?.groups ?? { type: "role", account: where.account, name: arn };
  return {
    principal: arn,
    arn: where.arn(
      "eks",
      `access-entry/${cluster}/${type}/${account}/${name}/${where.uuid("access-entry", cluster, arn)}`,
    ),
    groups: [],
    username: type === "role" ? `arn:${where.partition}:sts::${account}:assumed-role/${name}/{{SessionName}}` : arn,
    type: "STANDARD",
    ...given,
    // scope: "cluster", or the namespaces it is for.
    policies: (given?.policies ?? []).map(({ policy, scope = "cluster" }) => ({
      policy: accessPolicy(where, policy),
      scope,
    })),
  };
}

function podIdentity(where, cluster, account, given) {
  const [namespace, service_account] = account.split("/");
  const id = given?.id ?? `a-${ids.hex(17, "pod", where.account, where.region, cluster, account)}`;
  return {
    id,
    arn: where.arn("eks", `podidentityassociation/${cluster}/${id}`),
    namespace,
    service_account,
    disable_session_tags: false,
    ...given,
    role: where.role(given?.role),
    target_role: where.role(given?.target_role),
  };
}

const nodegroup = (where, cluster, name, given) => ({
  name,
  arn: where.arn("eks", `nodegroup/${cluster}/${name}/${where.uuid("nodegroup", cluster, name)}`),
  type: "t3.large",
  status: "ACTIVE",
  ...given,
  role: where.role(given?.role),
  template: given?.template && {
    name: given.template,
    id: where.ref("launch_templates", given.template),
    version: "1",
  },
  subnets: (given?.subnets ?? []).map((one) => where.ref("subnets", one)),
});

const fargateProfile = (where, cluster, name, given) => ({
  name,
  arn: where.arn("eks", `fargateprofile/${cluster}/${name}/${where.uuid("fargate", cluster, name)}`),
  selectors: [{ namespace: "default" }],
  ...given,
  role: where.role(given?.role),
});

// pod_identities: the workloads, as the cluster names them, whose associations the addon manages.
const addon = (where, cluster, name, given, pods) => ({
  name,
  arn: where.arn("eks", `addon/${cluster}/${name}/${where.uuid("addon", cluster, name)}`),
  version: "v1.0.0-eksbuild.1",
  status: "ACTIVE",
  ...given,
  role: where.role(given?.role),
  pod_identities: (given?.pod_identities ?? []).map((key) => podIdentity(where, cluster, key, pods?.[key]).arn),
});

const identityProvider = (where, cluster, name, given) => ({
  name,
  arn: where.arn("eks", `identityproviderconfig/${cluster}/oidc/${name}/${where.uuid("idp", cluster, name)}`),
  issuer: `https://id.example.com/${name}`,
  client_id: "kubernetes",
  username_claim: "email",
  groups_claim: "groups",
  ...given,
});

const each = (where, one, given, build) =>
  Object.entries(given ?? {}).map(([key, fields]) => build(where, one.name, key, fields, one.pod_identities));
const byArn = (a, b) => (a.arn < b.arn ? -1 : 1);

function network(where, one) {
  const given = one.network ?? {};
  return {
    public: given.public ?? true,
    private: given.private ?? false,
    cidrs: given.cidrs ?? ["0.0.0.0/0"],
    vpc: where.ref("vpcs", given.vpc ?? "vpc-00000000"),
    subnets: (given.subnets ?? []).map((name) => where.ref("subnets", name)),
    groups: (given.groups ?? []).map((name) => where.ref("security_groups", name)),
    cluster_group: given.cluster_group
      ? where.ref("security_groups", given.cluster_group)
      : where.id("sg", `eks ${one.name}`),
  };
}

// connector: a cluster that runs elsewhere and is only shown here; it has nothing of what follows.
const connected = (where, one) => ({
  status: one.status ?? "ACTIVE",
  connector: {
    id: where.uuid("connector", one.name),
    provider: "OTHER",
    activation_code: `activation-${ids.hex(12, "activation", one.name)}`,
    ...one.connector,
    role: where.role(one.connector.role),
  },
});

const eks_clusters = {
  arn: (where, one) => where.arn("eks", `cluster/${one.name}`),
  fill: (where, one) =>
    one.connector
      ? connected(where, one)
      : {
          status: one.status ?? "ACTIVE",
          version: one.version ?? "1.31",
          role: where.role(one.role),
          compute_role: where.role(one.compute_role),
          auth_mode: one.auth_mode ?? "API_AND_CONFIG_MAP",
          issuer:
            one.issuer ??
            `https://oidc.eks.${where.region}.amazonaws.com/id/${ids.hex(32, "oidc", where.account, where.region, one.name).toUpperCase()}`,
          secrets_key: where.key(one.secrets_key),
          logging: one.logging ?? [],
          network: network(where, one),
          access_entries: each(where, one, one.access_entries, entry),
          pod_identities: each(where, one, one.pod_identities, podIdentity).sort(byArn),
          nodegroups: each(where, one, one.nodegroups, nodegroup),
          fargate_profiles: each(where, one, one.fargate_profiles, fargateProfile),
          addons: each(where, one, one.addons, addon),
          identity_providers: each(where, one, one.identity_providers, identityProvider),
        },
  make: (dice, n, where, peers) => {
    const role = () => dice.pick(peers("roles"));
    const some = (count, build) =>
      peers("roles").length ? Object.fromEntries(Array.from({ length: count }, (_, i) => build(i))) : {};
    return [
      `${TEAMS[n % TEAMS.length]}-eks-${number(n)}`,
      {
        role: peers("roles").length ? role() : undefined,
        auth_mode: dice.chance(0.2) ? "CONFIG_MAP" : "API",
        network: { public: dice.chance(0.5), vpc: peers("vpcs").length ? dice.pick(peers("vpcs")) : undefined },
        access_entries: some(1 + dice.below(3), () => [
          role(),
          { policies: [{ policy: dice.pick(["AmazonEKSViewPolicy", "AmazonEKSClusterAdminPolicy"]) }] },
        ]),
        pod_identities: some(dice.below(4), (i) => [`apps/worker-${i}`, { role: role() }]),
        nodegroups: some(1 + dice.below(2), (i) => [`nodes-${i}`, { role: role() }]),
        fargate_profiles: some(dice.below(2), (i) => [`fargate-${i}`, { role: role() }]),
        addons: some(1, () => ["vpc-cni", { role: role() }]),
      },
    ];
  },
};

export const kinds = { eks_clusters };
