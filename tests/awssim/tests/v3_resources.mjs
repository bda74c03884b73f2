// The resources of one account and region, read by AWS's JavaScript clients with their own paginators.
import * as ec2 from "@aws-sdk/client-ec2";
import * as eks from "@aws-sdk/client-eks";
import * as lambda from "@aws-sdk/client-lambda";
import * as rds from "@aws-sdk/client-rds";

async function all(pages, member) {
  const found = [];
  for await (const page of pages) found.push(...(page[member] ?? []));
  return found;
}

const inTurn = async (list, read) => {
  const made = [];
  for (const one of list) made.push(await read(one));
  return made;
};

// A thing that is not there is no error here: what it is missing is told by undefined.
const unless = (names, promise) =>
  promise.catch((error) => {
    if (names.includes(error.name)) return undefined;
    throw error;
  });

async function readEc2(client) {
  const config = { client };
  // A new one for each call: the paginators write their tokens into it.
  const managed = () => ({ IncludeManagedResources: true });
  const snapshots = (more) => all(ec2.paginateDescribeSnapshots(config, { OwnerIds: ["self"], ...more }), "Snapshots");
  const reservations = await all(ec2.paginateDescribeInstances(config, managed()), "Reservations");
  return {
    instances: reservations.flatMap(({ OwnerId, ReservationId, Instances }) =>
      Instances.map((one) => ({ ...one, OwnerId, ReservationId })),
    ),
    security_groups: await all(ec2.paginateDescribeSecurityGroups(config, {}), "SecurityGroups"),
    vpcs: await all(ec2.paginateDescribeVpcs(config, {}), "Vpcs"),
    subnets: await all(ec2.paginateDescribeSubnets(config, {}), "Subnets"),
    volumes: await all(ec2.paginateDescribeVolumes(config, managed()), "Volumes"),
    snapshots: await snapshots({}),
    public_snapshots: (await snapshots({ RestorableByUserIds: ["all"] })).map(({ SnapshotId }) => SnapshotId),
    images: await all(
      ec2.paginateDescribeImages(config, { Owners: ["self"], IncludeDeprecated: true, IncludeDisabled: true }),
      "Images",
    ),
    key_pairs: (await client.send(new ec2.DescribeKeyPairsCommand({}))).KeyPairs,
    launch_templates: await all(ec2.paginateDescribeLaunchTemplates(config, {}), "LaunchTemplates"),
    template_versions: await all(
      ec2.paginateDescribeLaunchTemplateVersions(config, { Versions: ["$Default", "$Latest"] }),
      "LaunchTemplateVersions",
    ),
  };
}

async function readRds(client) {
  const config = { client };
  const ofTypes = async (read) => [
    ...(await read({ SnapshotType: "manual" })),
    ...(await read({ SnapshotType: "automated" })),
  ];
  const snapshots = await ofTypes((input) => all(rds.paginateDescribeDBSnapshots(config, input), "DBSnapshots"));
  const clusterSnapshots = await ofTypes((input) =>
    all(rds.paginateDescribeDBClusterSnapshots(config, input), "DBClusterSnapshots"),
  );
  const shares = {};
  for (const { DBSnapshotIdentifier } of snapshots) {
    const answer = await client.send(new rds.DescribeDBSnapshotAttributesCommand({ DBSnapshotIdentifier }));
    shares[DBSnapshotIdentifier] = answer.DBSnapshotAttributesResult.DBSnapshotAttributes;
  }
  for (const { DBClusterSnapshotIdentifier } of clusterSnapshots) {
    const answer = await client.send(
      new rds.DescribeDBClusterSnapshotAttributesCommand({ DBClusterSnapshotIdentifier }),
    );
    shares[DBClusterSnapshotIdentifier] = answer.DBClusterSnapshotAttributesResult.DBClusterSnapshotAttributes;
  }
  return {
    db_clusters: await all(rds.paginateDescribeDBClusters(config, {}), "DBClusters"),
    db_instances: await all(rds.paginateDescribeDBInstances(config, {}), "DBInstances"),
    db_snapshots: snapshots,
    db_cluster_snapshots: clusterSnapshots,
    db_proxies: await all(rds.paginateDescribeDBProxies(config, {}), "DBProxies"),
    shares,
  };
}

async function readEntries(client, clusterName) {
  const config = { client };
  const principals = await unless(
    ["InvalidRequestException"],
    all(eks.paginateListAccessEntries(config, { clusterName }), "accessEntries"),
  );
  return inTurn(principals ?? [], async (principalArn) => ({
    ...(await client.send(new eks.DescribeAccessEntryCommand({ clusterName, principalArn }))).accessEntry,
    policies: await all(
      eks.paginateListAssociatedAccessPolicies(config, { clusterName, principalArn }),
      "associatedAccessPolicies",
    ),
  }));
}

async function readCluster(client, name) {
  const clusterName = name;
  const config = { client };
  const send = async (Command, input, member) => (await client.send(new Command({ clusterName, ...input })))[member];
  const { cluster } = await client.send(new eks.DescribeClusterCommand({ name }));
  if (cluster.connectorConfig) return { cluster };
  const list = (pages, member) => all(pages(config, { clusterName }), member);
  return {
    cluster,
    access_entries: await readEntries(client, clusterName),
    pod_identities: await inTurn(
      await list(eks.paginateListPodIdentityAssociations, "associations"),
      ({ associationId }) => send(eks.DescribePodIdentityAssociationCommand, { associationId }, "association"),
    ),
    nodegroups: await inTurn(await list(eks.paginateListNodegroups, "nodegroups"), (nodegroupName) =>
      send(eks.DescribeNodegroupCommand, { nodegroupName }, "nodegroup"),
    ),
    fargate_profiles: await inTurn(
      await list(eks.paginateListFargateProfiles, "fargateProfileNames"),
      (fargateProfileName) => send(eks.DescribeFargateProfileCommand, { fargateProfileName }, "fargateProfile"),
    ),
    addons: await inTurn(await list(eks.paginateListAddons, "addons"), (addonName) =>
      send(eks.DescribeAddonCommand, { addonName }, "addon"),
    ),
    identity_providers: await inTurn(
      await list(eks.paginateListIdentityProviderConfigs, "identityProviderConfigs"),
      (identityProviderConfig) =>
        send(eks.DescribeIdentityProviderConfigCommand, { identityProviderConfig }, "identityProviderConfig"),
    ),
  };
}

async function readFunction(client, one) {
  const { FunctionName } = one;
  const config = { client };
  const policy = async (Qualifier) =>
    (await unless(["ResourceNotFoundException"], client.send(new lambda.GetPolicyCommand({ FunctionName, Qualifier }))))
      ?.Policy;
  const aliases = await all(lambda.paginateListAliases(config, { FunctionName }), "Aliases");
  const policies = { "": await policy() };
  for (const { Name } of aliases) policies[Name] = await policy(Name);
  const urls = await all(lambda.paginateListFunctionUrlConfigs(config, { FunctionName }), "FunctionUrlConfigs");
  const { Tags } = await client.send(new lambda.ListTagsCommand({ Resource: one.FunctionArn }));
  return { ...one, aliases, policies, urls, Tags };
}

export async function readResources(sim, credentials, region) {
  const [ofEc2, ofRds, ofEks, ofLambda] = [ec2.EC2Client, rds.RDSClient, eks.EKSClient, lambda.LambdaClient].map(
    (Client) => sim.client(Client, credentials, region),
  );
  const clusters = await all(eks.paginateListClusters({ client: ofEks }, { include: ["all"] }), "clusters");
  const functions = await all(lambda.paginateListFunctions({ client: ofLambda }, {}), "Functions");
  const read = {
    ...(await readEc2(ofEc2)),
    ...(await readRds(ofRds)),
    eks_clusters: await inTurn(clusters, (name) => readCluster(ofEks, name)),
    functions: await inTurn(functions, (one) => readFunction(ofLambda, one)),
    event_source_mappings: await all(
      lambda.paginateListEventSourceMappings({ client: ofLambda }, {}),
      "EventSourceMappings",
    ),
  };
  // Dates as text, as the other client has them.
  return JSON.parse(JSON.stringify(read));
}
