// RDS's resources in the members that its shapes name.
import { tagList, view } from "../view.mjs";

const securityGroups = ({ groups }) => groups.map((VpcSecurityGroupId) => ({ VpcSecurityGroupId, Status: "active" }));

const roles = (one) =>
  one.roles.map(({ role, feature, status }) => ({ RoleArn: role, FeatureName: feature, Status: status }));

const secret = ({ master_secret: arn, kms_key }) =>
  arn && { SecretArn: arn, SecretStatus: "active", KmsKeyId: kms_key };

const domains = (one) =>
  one.domains.map(({ id, role, auth_secret }) => ({
    Domain: id,
    Status: "joined",
    IAMRoleName: role,
    AuthSecretArn: auth_secret,
  }));

const pending = ({ pending_password: password }) => password && { MasterUserPassword: password };

const database = (one) => ({
  ActivityStreamKmsKeyId: one.activity_stream_key,
  ActivityStreamStatus: one.activity_stream_key ? "started" : "stopped",
  AssociatedRoles: roles(one),
  DeletionProtection: one.deletion_protection,
  DomainMemberships: domains(one),
  Engine: one.engine,
  EngineVersion: one.version,
  IAMDatabaseAuthenticationEnabled: one.iam_auth,
  KmsKeyId: one.kms_key,
  MasterUsername: one.master_user,
  MasterUserSecret: secret(one),
  MonitoringRoleArn: one.monitoring_role,
  PendingModifiedValues: pending(one),
  PerformanceInsightsKMSKeyId: one.performance_insights_key,
  StorageEncrypted: one.encrypted,
  TagList: tagList(one.tags),
  VpcSecurityGroups: securityGroups(one),
});

export const cluster = view(function cluster(account, one) {
  return {
    ...database(one),
    ClusterCreateTime: one.created,
    CrossAccountClone: one.cross_account_clone ?? false,
    DBClusterArn: one.arn,
    DBClusterIdentifier: one.name,
    DBClusterMembers: one.members.map((name, n) => ({
      DBInstanceIdentifier: name,
      IsClusterWriter: n === 0,
      PromotionTier: 1,
    })),
    DbClusterResourceId: one.resource_id,
    Endpoint: one.endpoint,
    EngineMode: one.mode,
    HttpEndpointEnabled: one.http_endpoint,
    Port: one.port,
    PubliclyAccessible: one.public,
    Status: one.status,
  };
});

export const instance = view(function instance(account, one) {
  return {
    ...database(one),
    AllocatedStorage: one.storage,
    CustomIamInstanceProfile: one.custom_profile,
    DBClusterIdentifier: one.cluster,
    DBInstanceArn: one.arn,
    DBInstanceClass: one.class,
    DBInstanceIdentifier: one.name,
    DBInstanceStatus: one.status,
    DbiResourceId: one.resource_id,
    DBSubnetGroup: { DBSubnetGroupName: one.subnet_group, VpcId: one.vpc, SubnetGroupStatus: "Complete", Subnets: [] },
    Endpoint: one.endpoint && { Address: one.endpoint, Port: one.port, HostedZoneId: "Z000000000000" },
    InstanceCreateTime: one.endpoint && one.created,
    MultiAZ: one.multi_az,
    PubliclyAccessible: one.public,
  };
});

const snapshot = (one) => ({
  Engine: one.engine,
  EngineVersion: one.version,
  IAMDatabaseAuthenticationEnabled: one.iam_auth,
  KmsKeyId: one.kms_key,
  MasterUsername: one.master_user,
  PercentProgress: 100,
  Port: one.port,
  SnapshotCreateTime: one.created,
  SnapshotType: one.type,
  Status: one.status,
  TagList: tagList(one.tags),
});

export const dbSnapshot = view(function dbSnapshot(account, one) {
  return {
    ...snapshot(one),
    AllocatedStorage: one.storage,
    DBInstanceIdentifier: one.instance,
    DBSnapshotArn: one.arn,
    DBSnapshotIdentifier: one.name,
    Encrypted: one.encrypted,
  };
});

export const clusterSnapshot = view(function clusterSnapshot(account, one) {
  return {
    ...snapshot(one),
    DBClusterIdentifier: one.cluster,
    DBClusterSnapshotArn: one.arn,
    DBClusterSnapshotIdentifier: one.name,
    StorageEncrypted: one.encrypted,
  };
});

export const proxy = view(function proxy(account, one) {
  return {
    Auth: one.auth.map(({ description, user, secret: SecretArn, iam }) => ({
      AuthScheme: "SECRETS",
      Description: description,
      IAMAuth: iam ? "REQUIRED" : "DISABLED",
      SecretArn,
      UserName: user,
    })),
    CreatedDate: one.created,
    DBProxyArn: one.arn,
    DBProxyName: one.name,
    Endpoint: one.endpoint,
    EngineFamily: one.engine_family,
    RequireTLS: one.require_tls,
    RoleArn: one.role,
    Status: one.status,
    VpcId: one.vpc,
    VpcSecurityGroupIds: one.groups,
    VpcSubnetIds: one.subnets,
  };
});
