// What clients read and what the inventory tells, brought into one shape. Both sides pass through JSON at the end, which
// drops what is undefined.

const json = (value) => JSON.parse(JSON.stringify(value));
const time = (value) => value && new Date(value).toISOString();
const tagMap = (tags) => tags && Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
const code = (value) => value?.code;
// boto3 has None where the v3 clients have nothing.
const parsed = (text) => (typeof text === "string" ? JSON.parse(text) : code(text));
const meaning = (document) => (typeof document === "string" ? JSON.parse(document) : document);
const byKey = (key) => (a, b) => (a[key] < b[key] ? -1 : 1);
const sorted = (list, key) => [...list].sort(byKey(key));

const block = (b) =>
  b && (code(b) ?? [b.BlockPublicAcls, b.IgnorePublicAcls, b.BlockPublicPolicy, b.RestrictPublicBuckets]);
const blockOf = (b) => (b ? [b.acls, b.ignore_acls, b.policy, b.restrict] : "NoSuchPublicAccessBlockConfiguration");

function encryption(found) {
  if (code(found)) return code(found);
  const [{ ApplyServerSideEncryptionByDefault: by, BucketKeyEnabled, BlockedEncryptionTypes }] = found.Rules;
  return {
    algorithm: by.SSEAlgorithm,
    kms_key: by.KMSMasterKeyID,
    bucket_key: BucketKeyEnabled,
    blocked: BlockedEncryptionTypes?.EncryptionType,
  };
}

const bucket = (b) => ({
  name: b.Name,
  region: b.BucketRegion,
  created: time(b.CreationDate),
  arn: b.BucketArn,
  policy: parsed(b.policy),
  public: code(b.status) ?? b.status.IsPublic,
  acl: b.acl.map(({ Grantee: g, Permission }) => [g.Type, g.ID ?? g.URI, Permission]),
  block: block(b.block),
  ownership: code(b.ownership) ?? b.ownership.Rules[0].ObjectOwnership,
  encryption: encryption(b.encryption),
  tags: code(b.tags) ?? tagMap(b.tags),
  versioning: [b.versioning.Status, b.versioning.MFADelete],
  logging: b.logging ? [b.logging.TargetBucket, b.logging.TargetPrefix] : undefined,
  // Nothing is the first region.
  location: b.location || "us-east-1",
});

const GROUPS = { everyone: "global/AllUsers", "log-delivery": "s3/LogDelivery" };

// others: the canonical IDs of other accounts.
function aclOf({ acl, owner }, others) {
  return acl.map(({ to, permission }) =>
    GROUPS[to]
      ? ["Group", `http://acs.amazonaws.com/groups/${GROUPS[to]}`, permission]
      : ["CanonicalUser", to === "owner" ? owner : others[to], permission],
  );
}

const isPublic = (policy) => policy.Statement.some(({ Principal }) => Principal === "*");

const bucketOf = (region, others) => (b) => ({
  name: b.name,
  region,
  created: time(b.created),
  arn: b.arn,
  policy: b.policy ? meaning(b.policy) : "NoSuchBucketPolicy",
  public: b.policy ? isPublic(meaning(b.policy)) : "NoSuchBucketPolicy",
  acl: aclOf(b, others),
  block: blockOf(b.public_access_block),
  ownership: b.ownership ?? "OwnershipControlsNotFoundError",
  encryption: b.encryption ?? "ServerSideEncryptionConfigurationNotFoundError",
  tags: Object.keys(b.tags).length ? b.tags : "NoSuchTagSet",
  versioning: [b.versioning?.status, b.versioning?.mfa_delete],
  logging: b.logging && [b.logging.bucket, b.logging.prefix],
  location: b.location ?? region,
});

const secret = (s) => ({
  arn: s.ARN,
  name: s.Name,
  description: s.Description,
  kms_key: s.KmsKeyId,
  lambda: s.RotationEnabled && s.RotationLambdaARN,
  days: s.RotationRules?.AutomaticallyAfterDays,
  dates: [s.CreatedDate, s.LastChangedDate, s.LastRotatedDate, s.LastAccessedDate, s.DeletedDate].map(time),
  service: s.OwningService,
  primary: s.PrimaryRegion,
  tags: tagMap(s.Tags ?? []),
  versions: s.SecretVersionsToStages,
  policy: parsed(s.policy),
  replicas: s.replicas ?? [],
});

const secretOf = (s) => ({
  arn: s.arn,
  name: s.name,
  description: s.description,
  kms_key: s.kms_key,
  lambda: s.rotation?.lambda,
  days: s.rotation?.days,
  dates: [s.created, s.last_changed, s.last_rotated, s.last_accessed, s.deleted].map(time),
  service: s.owning_service,
  primary: s.primary_region,
  tags: s.tags,
  versions: s.versions,
  policy: s.deleted ? "InvalidRequestException" : s.policy,
  replicas: s.replicas ?? [],
});

const multiRegion = (m) => m && [m.MultiRegionKeyType, m.PrimaryKey.Arn, m.ReplicaKeys.map(({ Arn }) => Arn)];

const metadata = (m) =>
  code(m) ?? {
    arn: m.Arn,
    manager: m.KeyManager,
    state: m.KeyState,
    enabled: m.Enabled,
    usage: m.KeyUsage,
    spec: m.KeySpec,
    origin: m.Origin,
    description: m.Description,
    dates: [m.CreationDate, m.DeletionDate].map(time),
    multi_region: multiRegion(m.MultiRegionConfiguration),
  };

const grant = (g) => ({
  id: g.GrantId,
  name: g.Name,
  grantee: g.GranteePrincipal,
  service: g.GranteeServicePrincipal,
  retiring: g.RetiringPrincipal,
  issuer: g.IssuingAccount,
  operations: g.Operations,
  equals: g.Constraints?.EncryptionContextEquals,
});

const kmsKey = (k) => ({
  id: k.KeyId,
  metadata: metadata(k.metadata),
  policy: parsed(k.policy),
  grants: code(k.grants) ?? k.grants.map(grant),
  rotation: code(k.rotation) ?? k.rotation.KeyRotationEnabled,
  days: k.rotation.RotationPeriodInDays,
  tags: code(k.tags) ?? Object.fromEntries(k.tags.map(({ TagKey, TagValue }) => [TagKey, TagValue])),
});

function rotationOf({ spec, origin, rotation, state }) {
  if (spec !== "SYMMETRIC_DEFAULT" || origin !== "AWS_KMS") return "UnsupportedOperationException";
  return Boolean(rotation) && state !== "PendingDeletion";
}

const metadataOf = (k) => ({
  arn: k.arn,
  manager: k.manager,
  state: k.state,
  enabled: k.state === "Enabled",
  usage: k.usage,
  spec: k.spec,
  origin: k.origin,
  description: k.description,
  dates: [k.created, k.deletion_date].map(time),
  multi_region: k.multi_region && [
    k.multi_region.type,
    k.multi_region.primary.arn,
    k.multi_region.replicas.map(({ arn }) => arn),
  ],
});

const grantsOf = (k) =>
  sorted(k.grants, "id").map(({ id, name, grantee, service, retiring, issuer, operations, constraints }) => ({
    id,
    name,
    grantee,
    service,
    retiring,
    issuer,
    operations,
    equals: constraints?.equals,
  }));

const kmsKeyOf = (k) => ({
  id: k.id,
  metadata: metadataOf(k),
  policy: k.policy,
  grants: grantsOf(k),
  rotation: rotationOf(k),
  days: rotationOf(k) === true ? k.rotation.days : undefined,
  tags: k.tags,
});

const table = ({ table: t, backups, tags, policy, stream }) => ({
  arn: t.TableArn,
  id: t.TableId,
  name: t.TableName,
  status: t.TableStatus,
  created: time(t.CreationDateTime),
  kms_key: t.SSEDescription?.KMSMasterKeyArn,
  key: t.KeySchema.map(({ AttributeName }) => AttributeName),
  indexes: (t.GlobalSecondaryIndexes ?? []).map(({ IndexName, IndexArn }) => [IndexName, IndexArn]),
  billing: t.BillingModeSummary?.BillingMode,
  protected: t.DeletionProtectionEnabled,
  class: t.TableClassSummary?.TableClass,
  replicas: (t.Replicas ?? []).map(({ RegionName }) => RegionName),
  restored: t.RestoreSummary?.SourceTableArn,
  size: [t.ItemCount, t.TableSizeBytes],
  recovery: backups.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus,
  days: backups.PointInTimeRecoveryDescription.RecoveryPeriodInDays,
  tags: tagMap(tags),
  policy: parsed(policy),
  streaming: t.StreamSpecification?.StreamViewType,
  stream: stream
    ? {
        arn: t.LatestStreamArn,
        status: code(stream.description) ?? stream.description.StreamStatus,
        view: stream.description.StreamViewType,
        shards: stream.description.Shards?.length,
        more: Boolean(stream.description.LastEvaluatedShardId),
      }
    : undefined,
  stream_policy: stream ? parsed(stream.policy) : undefined,
});

const NO_POLICY = "PolicyNotFoundException";

function streamOf(s) {
  if (s.status === "GONE") return { arn: s.arn, status: "ResourceNotFoundException", more: false };
  return { arn: s.arn, status: s.status, view: s.view, shards: 1, more: s.shards > 1 };
}

const tableOf = (t) => ({
  arn: t.arn,
  id: t.id,
  name: t.name,
  status: t.status,
  created: time(t.created),
  kms_key: t.kms_key,
  key: t.key,
  indexes: t.indexes.map((name) => [name, `${t.arn}/index/${name}`]),
  billing: t.billing === "PAY_PER_REQUEST" ? t.billing : undefined,
  protected: t.deletion_protection,
  class: t.class,
  replicas: t.replicas.map(({ region }) => region),
  restored: t.restored?.table,
  size: [t.items, t.bytes],
  recovery: t.point_in_time_recovery ? "ENABLED" : "DISABLED",
  days: t.point_in_time_recovery?.days,
  tags: t.tags,
  policy: t.policy ?? NO_POLICY,
  streaming: t.stream?.status === "ENABLED" ? t.stream.view : undefined,
  stream: t.stream && streamOf(t.stream),
  stream_policy:
    t.stream && (t.stream.status === "GONE" ? "ResourceNotFoundException" : (t.stream.policy ?? NO_POLICY)),
});

const aliasRow = ({ AliasName, TargetKeyId }) => [AliasName, TargetKeyId];
const aliasesOf = (keys) =>
  keys
    .flatMap(({ aliases, id, predefined }) => aliases.map((name) => [`alias/${name}`, predefined ? undefined : id]))
    .sort(([a], [b]) => (a < b ? -1 : 1));

export const buckets = (list) => json(list.map(bucket));
export const secrets = (list) => json(list.map(secret));
export const keys = ({ aliases, keys: list }) => json({ aliases: aliases.map(aliasRow), keys: list.map(kmsKey) });
export const tables = (list) => json(list.map(table));
export { block as publicAccessBlock };

export const bucketsOf = (resources, others) =>
  json(
    sorted(
      Object.entries(resources).flatMap(([region, { buckets: list = [] }]) => list.map(bucketOf(region, others))),
      "name",
    ),
  );
export const secretsOf = ({ secrets: list = [] }) => json(list.map(secretOf));
export const keysOf = ({ kms_keys: list = [] }) =>
  json({
    aliases: aliasesOf(list),
    keys: sorted(
      list.filter(({ predefined }) => !predefined),
      "id",
    ).map(kmsKeyOf),
  });
export const tablesOf = ({ tables: list = [] }) => json(list.map(tableOf));
