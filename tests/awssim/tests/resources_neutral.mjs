// Turns the resources that a client read into the shape of /_sim/world/inventory. What a client does not know of its
// own accord (Debian's boto3 is older than some members) is left out on both sides by the test.

const when = (value) => (value === undefined ? undefined : `${new Date(value).toISOString().slice(0, 19)}Z`);
const tags = (list = []) => Object.fromEntries(list.map(({ Key, Value }) => [Key, Value]));
const decoded = (text) => text && Buffer.from(text, "base64").toString();
const operator = (one) => (one ? { principal: one.Principal, hidden: one.HiddenByDefault } : undefined);
const metadata = (one) =>
  one && { tokens: one.HttpTokens, endpoint: one.HttpEndpoint, hop_limit: one.HttpPutResponseHopLimit };

const rule = (one) => ({
  protocol: one.IpProtocol,
  from: one.FromPort,
  to: one.ToPort,
  cidrs: one.IpRanges.map(({ CidrIp }) => CidrIp),
  cidrs6: one.Ipv6Ranges.map(({ CidrIpv6 }) => CidrIpv6),
  prefix_lists: one.PrefixListIds.map(({ PrefixListId }) => PrefixListId),
  groups: one.UserIdGroupPairs.map(({ GroupId, UserId }) => ({ group: GroupId, account: UserId })),
});

const rdsRoles = (list) =>
  list.map(({ RoleArn, FeatureName, Status }) => ({ role: RoleArn, feature: FeatureName, status: Status }));

const database = (one) => ({
  engine: one.Engine,
  version: one.EngineVersion,
  master_user: one.MasterUsername,
  master_secret: one.MasterUserSecret?.SecretArn,
  encrypted: one.StorageEncrypted,
  kms_key: one.KmsKeyId,
  iam_auth: one.IAMDatabaseAuthenticationEnabled,
  roles: rdsRoles(one.AssociatedRoles),
  groups: one.VpcSecurityGroups.map(({ VpcSecurityGroupId }) => VpcSecurityGroupId),
  monitoring_role: one.MonitoringRoleArn,
  domains: one.DomainMemberships.map(({ Domain, IAMRoleName, AuthSecretArn }) => ({
    id: Domain,
    role: IAMRoleName,
    auth_secret: AuthSecretArn,
  })),
  pending_password: one.PendingModifiedValues?.MasterUserPassword,
  tags: tags(one.TagList),
});

function restored(read, one, name) {
  const [{ AttributeName, AttributeValues }] = read.shares[name];
  return {
    name,
    engine: one.Engine,
    type: one.SnapshotType,
    created: when(one.SnapshotCreateTime),
    kms_key: one.KmsKeyId,
    attribute: AttributeName,
    public: AttributeValues.includes("all"),
    shared_with: AttributeValues.filter((value) => value !== "all"),
  };
}

const accessEntry = (one) => ({
  principal: one.principalArn,
  arn: one.accessEntryArn,
  groups: one.kubernetesGroups,
  username: one.username,
  type: one.type,
  policies: one.policies
    .map(({ policyArn, accessScope }) => ({
      policy: policyArn,
      scope: accessScope.type === "cluster" ? "cluster" : accessScope.namespaces,
    }))
    .sort((a, b) => (a.policy < b.policy ? -1 : 1)),
});

const podIdentity = (one) => ({
  id: one.associationId,
  arn: one.associationArn,
  namespace: one.namespace,
  service_account: one.serviceAccount,
  role: one.roleArn,
  target_role: one.targetRoleArn,
  external_id: one.externalId,
  disable_session_tags: one.disableSessionTags,
});

const connected = ({ cluster }) => ({
  name: cluster.name,
  arn: cluster.arn,
  created: when(cluster.createdAt),
  connector: {
    id: cluster.connectorConfig.activationId,
    provider: cluster.connectorConfig.provider,
    role: cluster.connectorConfig.roleArn,
    activation_code: cluster.connectorConfig.activationCode,
  },
});

function cluster({ cluster: one, ...inside }) {
  const { resourcesVpcConfig: network } = one;
  return {
    name: one.name,
    arn: one.arn,
    created: when(one.createdAt),
    version: one.version,
    role: one.roleArn,
    compute_role: one.computeConfig?.nodeRoleArn,
    auth_mode: one.accessConfig?.authenticationMode,
    issuer: one.identity.oidc.issuer,
    secrets_key: one.encryptionConfig?.[0].provider.keyArn,
    logging: one.logging.clusterLogging.filter(({ enabled }) => enabled).flatMap(({ types }) => types),
    network: {
      public: network.endpointPublicAccess,
      private: network.endpointPrivateAccess,
      cidrs: network.publicAccessCidrs,
      vpc: network.vpcId,
      subnets: network.subnetIds,
      groups: network.securityGroupIds,
      cluster_group: network.clusterSecurityGroupId,
    },
    tags: one.tags,
    access_entries: inside.access_entries?.map(accessEntry),
    pod_identities: inside.pod_identities?.map(podIdentity),
    nodegroups: inside.nodegroups.map((group) => ({
      name: group.nodegroupName,
      arn: group.nodegroupArn,
      role: group.nodeRole,
      template: group.launchTemplate,
      ssh_key: group.remoteAccess?.ec2SshKey,
      subnets: group.subnets,
    })),
    fargate_profiles: inside.fargate_profiles.map((profile) => ({
      name: profile.fargateProfileName,
      arn: profile.fargateProfileArn,
      role: profile.podExecutionRoleArn,
      selectors: profile.selectors,
    })),
    addons: inside.addons.map((addon) => ({
      name: addon.addonName,
      arn: addon.addonArn,
      version: addon.addonVersion,
      role: addon.serviceAccountRoleArn,
      pod_identities: addon.podIdentityAssociations ?? [],
    })),
    identity_providers: inside.identity_providers.map(({ oidc }) => ({
      name: oidc.identityProviderConfigName,
      arn: oidc.identityProviderConfigArn,
      issuer: oidc.issuerUrl,
      client_id: oidc.clientId,
      username_claim: oidc.usernameClaim,
      groups_claim: oidc.groupsClaim,
    })),
  };
}

const address = (one) => one && { url: one.FunctionUrl, auth: one.AuthType, cors: one.Cors?.AllowOrigins };

function lambdaFunction(one) {
  const urlOf = (arn) => address(one.urls.find(({ FunctionArn }) => FunctionArn === arn));
  const policyOf = (name) => (one.policies[name] ? JSON.parse(one.policies[name]) : undefined);
  return {
    name: one.FunctionName,
    arn: one.FunctionArn,
    created: when(one.LastModified.replace("+0000", "Z")),
    role: one.Role,
    runtime: one.Runtime,
    package: one.PackageType,
    env: one.Environment?.Variables ?? {},
    kms_key: one.KMSKeyArn,
    network: one.VpcConfig && {
      vpc: one.VpcConfig.VpcId,
      subnets: one.VpcConfig.SubnetIds,
      groups: one.VpcConfig.SecurityGroupIds,
    },
    dead_letter: one.DeadLetterConfig?.TargetArn,
    layers: (one.Layers ?? []).map(({ Arn }) => Arn),
    code_sha256: one.CodeSha256,
    revision: one.RevisionId,
    policy: policyOf(""),
    url: urlOf(one.FunctionArn),
    aliases: one.aliases.map(({ Name, AliasArn, FunctionVersion }) => ({
      name: Name,
      arn: AliasArn,
      version: FunctionVersion,
      url: urlOf(AliasArn),
      policy: policyOf(Name),
    })),
    tags: one.Tags,
  };
}

const KINDS = {
  instances: (one) => ({
    id: one.InstanceId,
    created: when(one.LaunchTime),
    owner: one.OwnerId,
    reservation: one.ReservationId,
    type: one.InstanceType,
    state: one.State.Name,
    image: one.ImageId,
    vpc: one.VpcId,
    subnet: one.SubnetId,
    private_ip: one.PrivateIpAddress,
    public_ip: one.PublicIpAddress,
    key_pair: one.KeyName,
    profile: one.IamInstanceProfile && { arn: one.IamInstanceProfile.Arn, id: one.IamInstanceProfile.Id },
    groups: one.SecurityGroups.map(({ GroupId }) => GroupId),
    metadata: metadata(one.MetadataOptions),
    volumes: one.BlockDeviceMappings.map(({ Ebs }) => Ebs.VolumeId),
    operator: operator(one.Operator),
    tags: tags(one.Tags),
  }),
  security_groups: (one) => ({
    id: one.GroupId,
    name: one.GroupName,
    vpc: one.VpcId,
    owner: one.OwnerId,
    description: one.Description,
    ingress: one.IpPermissions.map(rule),
    egress: one.IpPermissionsEgress.map(rule),
    tags: tags(one.Tags),
  }),
  vpcs: (one) => ({
    id: one.VpcId,
    cidr: one.CidrBlock,
    default: one.IsDefault,
    owner: one.OwnerId,
    tags: tags(one.Tags),
  }),
  subnets: (one) => ({
    id: one.SubnetId,
    arn: one.SubnetArn,
    vpc: one.VpcId,
    cidr: one.CidrBlock,
    zone: one.AvailabilityZone,
    public: one.MapPublicIpOnLaunch,
    owner: one.OwnerId,
  }),
  volumes: (one) => ({
    id: one.VolumeId,
    created: when(one.CreateTime),
    size: one.Size,
    type: one.VolumeType,
    zone: one.AvailabilityZone,
    state: one.State,
    encrypted: one.Encrypted,
    kms_key: one.KmsKeyId,
    attached_to: one.Attachments[0]?.InstanceId,
    operator: operator(one.Operator),
  }),
  snapshots: (one, read) => ({
    id: one.SnapshotId,
    created: when(one.StartTime),
    owner: one.OwnerId,
    volume: one.VolumeId,
    size: one.VolumeSize,
    encrypted: one.Encrypted,
    kms_key: one.KmsKeyId,
    tier: one.StorageTier,
    state: one.State,
    public: read.public_snapshots.includes(one.SnapshotId),
    tags: tags(one.Tags),
  }),
  images: (one) => ({
    id: one.ImageId,
    name: one.Name,
    created: when(one.CreationDate),
    owner: one.OwnerId,
    public: one.Public,
    state: one.State,
    deprecated: one.DeprecationTime,
    snapshots: one.BlockDeviceMappings.map(({ Ebs }) => Ebs.SnapshotId),
  }),
  key_pairs: (one) => ({
    id: one.KeyPairId,
    name: one.KeyName,
    type: one.KeyType,
    fingerprint: one.KeyFingerprint,
    created: when(one.CreateTime),
  }),
  launch_templates: (one, read) => ({
    id: one.LaunchTemplateId,
    name: one.LaunchTemplateName,
    created: when(one.CreateTime),
    created_by: one.CreatedBy,
    default_version: one.DefaultVersionNumber,
    versions: read.template_versions
      .filter(({ LaunchTemplateId }) => LaunchTemplateId === one.LaunchTemplateId)
      .map(({ VersionNumber, LaunchTemplateData: data }) => ({
        number: VersionNumber,
        type: data.InstanceType,
        image: data.ImageId,
        profile: data.IamInstanceProfile && { arn: data.IamInstanceProfile.Arn },
        groups: data.SecurityGroupIds ?? [],
        metadata: metadata(data.MetadataOptions),
        user_data: decoded(data.UserData),
      })),
  }),
  db_clusters: (one) => ({
    ...database(one),
    name: one.DBClusterIdentifier,
    arn: one.DBClusterArn,
    created: when(one.ClusterCreateTime),
    resource_id: one.DbClusterResourceId,
    status: one.Status,
    mode: one.EngineMode,
    http_endpoint: one.HttpEndpointEnabled,
    members: one.DBClusterMembers.map(({ DBInstanceIdentifier }) => DBInstanceIdentifier),
  }),
  db_instances: (one) => ({
    ...database(one),
    name: one.DBInstanceIdentifier,
    arn: one.DBInstanceArn,
    resource_id: one.DbiResourceId,
    class: one.DBInstanceClass,
    status: one.DBInstanceStatus,
    endpoint: one.Endpoint?.Address,
    public: one.PubliclyAccessible,
    cluster: one.DBClusterIdentifier,
    vpc: one.DBSubnetGroup.VpcId,
  }),
  db_snapshots: (one, read) => ({
    ...restored(read, one, one.DBSnapshotIdentifier),
    arn: one.DBSnapshotArn,
    instance: one.DBInstanceIdentifier,
    encrypted: one.Encrypted,
  }),
  db_cluster_snapshots: (one, read) => ({
    ...restored(read, one, one.DBClusterSnapshotIdentifier),
    arn: one.DBClusterSnapshotArn,
    cluster: one.DBClusterIdentifier,
    encrypted: one.StorageEncrypted,
  }),
  db_proxies: (one) => ({
    name: one.DBProxyName,
    arn: one.DBProxyArn,
    created: when(one.CreatedDate),
    engine_family: one.EngineFamily,
    role: one.RoleArn,
    auth: one.Auth.map(({ SecretArn, IAMAuth }) => ({ secret: SecretArn, iam: IAMAuth === "REQUIRED" })),
    groups: one.VpcSecurityGroupIds,
    subnets: one.VpcSubnetIds,
    vpc: one.VpcId,
    require_tls: one.RequireTLS,
  }),
  eks_clusters: (one) => (one.cluster.connectorConfig ? connected(one) : cluster(one)),
  functions: lambdaFunction,
  event_source_mappings: (one) => ({
    id: one.UUID,
    created: when(one.LastModified),
    function: one.FunctionArn,
    source: one.EventSourceArn,
    state: one.State,
    batch_size: one.BatchSize,
    on_failure: one.DestinationConfig?.OnFailure.Destination,
    secrets: (one.SourceAccessConfigurations ?? []).map(({ Type, URI }) => ({ type: Type, secret: URI })),
  }),
};

export const kinds = Object.keys(KINDS);

// Lists have the order in which each of AWS's calls gives them; here all have one. "arn" is the key of what is in a cluster.
const keyOf = (one) => one.id ?? one.arn ?? one.name;
const sorted = (list) => [...list].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));

function ordered(value) {
  if (Array.isArray(value)) {
    const list = value.map(ordered);
    return list.every((one) => one?.arn) ? sorted(list) : list;
  }
  if (!value || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, ordered(one)]));
}

// What is undefined on one side is absent on the other.
const clean = (value) => JSON.parse(JSON.stringify(value));

const without = (value, members) => {
  if (Array.isArray(value)) return value.map((one) => without(one, members));
  if (!value || typeof value !== "object") return value;
  const kept = Object.entries(value).filter(([key]) => !members.includes(key));
  return Object.fromEntries(kept.map(([key, one]) => [key, without(one, members)]));
};

// These have the world's own keys.
const MAPS = new Set(["tags", "env", "labels", "policy"]);

// The members of value that the sample names, also where the client found nothing for them.
function like(sample, value) {
  if (Array.isArray(sample) && Array.isArray(value)) return value.map((one, n) => like(sample[n] ?? sample[0], one));
  if (!sample || !value || typeof sample !== "object" || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.keys(sample).map((key) => [key, MAPS.has(key) ? value[key] : like(sample[key], value[key])]),
  );
}

// Only two versions of a template can be read in bulk, and the name of an attribute is not in the world.
const asRead = {
  launch_templates: (one) => ({
    ...one,
    versions: one.versions.filter(({ number }) => number === one.default_version || number === one.versions.length),
  }),
  db_snapshots: (one) => ({ ...one, attribute: "restore" }),
  db_cluster_snapshots: (one) => ({ ...one, attribute: "restore" }),
};

// Returns [what the client saw, what it had to see], without what it is too old for: members, and whole resources.
export function compare(read, held, { members = [], hides = () => false } = {}) {
  const seen = Object.fromEntries(
    kinds.map((kind) => [kind, sorted(read[kind].map((one) => ordered(KINDS[kind](one, read))))]),
  );
  const wanted = kinds.map((kind) => {
    const list = (held[kind] ?? [])
      .filter((one) => !hides(one))
      .map((one) => ordered((asRead[kind] ?? ((same) => same))(one)));
    return [kind, sorted(list).map((one, n) => like(seen[kind][n] ?? seen[kind][0], one))];
  });
  return [seen, Object.fromEntries(wanted)].map((side) => clean(without(side, members)));
}
