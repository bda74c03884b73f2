// EKS's resources in the members that its shapes name.
import { view } from "../view.mjs";

const LOG_TYPES = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

const logging = (on) => ({
  clusterLogging: [
    { types: LOG_TYPES.filter((type) => on.includes(type)), enabled: true },
    { types: LOG_TYPES.filter((type) => !on.includes(type)), enabled: false },
  ].filter(({ types }) => types.length),
});

function connected(one) {
  const { id, provider, role, activation_code } = one.connector;
  return {
    name: one.name,
    arn: one.arn,
    createdAt: one.created,
    status: one.status,
    connectorConfig: {
      activationId: id,
      activationCode: activation_code,
      activationExpiry: one.created,
      provider,
      roleArn: role,
    },
    tags: one.tags,
  };
}

export const cluster = view(function cluster(account, one) {
  if (one.connector) return connected(one);
  const { network } = one;
  return {
    name: one.name,
    arn: one.arn,
    createdAt: one.created,
    version: one.version,
    status: one.status,
    roleArn: one.role,
    endpoint: `https://${one.issuer.split("/").at(-1)}.gr7.eks.amazonaws.com`,
    identity: { oidc: { issuer: one.issuer } },
    accessConfig: { authenticationMode: one.auth_mode },
    computeConfig: { enabled: Boolean(one.compute_role), nodePools: [], nodeRoleArn: one.compute_role },
    encryptionConfig: one.secrets_key ? [{ resources: ["secrets"], provider: { keyArn: one.secrets_key } }] : undefined,
    logging: logging(one.logging),
    platformVersion: "eks.1",
    resourcesVpcConfig: {
      endpointPublicAccess: network.public,
      endpointPrivateAccess: network.private,
      publicAccessCidrs: network.cidrs,
      vpcId: network.vpc,
      subnetIds: network.subnets,
      securityGroupIds: network.groups,
      clusterSecurityGroupId: network.cluster_group,
    },
    tags: one.tags,
  };
});

const dates = ({ created }) => ({ createdAt: created, modifiedAt: created });

export const accessEntry = (cluster, one) => ({
  ...dates(cluster),
  clusterName: cluster.name,
  principalArn: one.principal,
  accessEntryArn: one.arn,
  kubernetesGroups: one.groups,
  username: one.username,
  type: one.type,
  tags: {},
});

export const accessPolicy = (cluster, { policy, scope }) => ({
  policyArn: policy,
  accessScope: scope === "cluster" ? { type: "cluster", namespaces: [] } : { type: "namespace", namespaces: scope },
  associatedAt: cluster.created,
  modifiedAt: cluster.created,
});

export const podIdentitySummary = (cluster, one) => ({
  clusterName: cluster.name,
  namespace: one.namespace,
  serviceAccount: one.service_account,
  associationArn: one.arn,
  associationId: one.id,
  ownerArn: cluster.addons.find(({ pod_identities: arns }) => arns.includes(one.arn))?.arn,
});

export const podIdentity = (cluster, one) => ({
  ...podIdentitySummary(cluster, one),
  ...dates(cluster),
  roleArn: one.role,
  targetRoleArn: one.target_role,
  externalId: one.external_id,
  disableSessionTags: one.disable_session_tags,
  policy: one.policy,
  tags: {},
});

export const nodegroup = (cluster, one) => ({
  ...dates(cluster),
  nodegroupName: one.name,
  nodegroupArn: one.arn,
  clusterName: cluster.name,
  version: cluster.version,
  status: one.status,
  nodeRole: one.role,
  instanceTypes: [one.type],
  subnets: one.subnets,
  launchTemplate: one.template,
  remoteAccess: one.ssh_key && { ec2SshKey: one.ssh_key, sourceSecurityGroups: [] },
  tags: one.tags ?? {},
});

export const fargateProfile = (cluster, one) => ({
  fargateProfileName: one.name,
  fargateProfileArn: one.arn,
  clusterName: cluster.name,
  createdAt: cluster.created,
  podExecutionRoleArn: one.role,
  selectors: one.selectors,
  status: "ACTIVE",
  subnets: [],
  tags: one.tags ?? {},
});

export const addon = (cluster, one) => ({
  ...dates(cluster),
  addonName: one.name,
  addonArn: one.arn,
  clusterName: cluster.name,
  addonVersion: one.version,
  status: one.status,
  serviceAccountRoleArn: one.role,
  podIdentityAssociations: one.pod_identities.length ? one.pod_identities : undefined,
  tags: one.tags ?? {},
});

export const identityProvider = (cluster, one) => ({
  oidc: {
    identityProviderConfigName: one.name,
    identityProviderConfigArn: one.arn,
    clusterName: cluster.name,
    issuerUrl: one.issuer,
    clientId: one.client_id,
    usernameClaim: one.username_claim,
    groupsClaim: one.groups_claim,
    requiredClaims: {},
    status: "ACTIVE",
    tags: one.tags ?? {},
  },
});
