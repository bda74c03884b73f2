// KMS: keys, aliases, policies, grants. Who may read a key is up to the key's own policy, and to IAM only if that says so.
import { AwsError } from "../../errors.mjs";
import { listing } from "../../paging.mjs";
import { tagList } from "../view.mjs";

const keysOf = ({ account, region }) => account.resources(region, "kms_keys").filter(({ predefined }) => !predefined);

const aliasArn = ({ account, region }, name) => `arn:${account.partition}:kms:${region}:${account.id}:alias/${name}`;

// By ID, ARN, alias or the alias's ARN; two operations take the first two alone.
function lookUp(call, byAlias) {
  const { account, region, input } = call;
  const id = input.KeyId;
  const alias = /^(?:arn:[^:]+:kms:[^:]*:[^:]*:)?alias\/(.+)$/.exec(id ?? "")?.[1];
  if (alias !== undefined && byAlias) return keysOf(call).find(({ aliases }) => aliases.includes(alias));
  const key = account.resourceBy(region, "kms_keys", "id", id) ?? account.resourceBy(region, "kms_keys", "arn", id);
  return key?.predefined ? undefined : key;
}

const BY_ALIAS = new Set(["DescribeKey"]);

const asked = (call) => lookUp(call, BY_ALIAS.has(call.operation.name));

const arnOf = ({ account, region, input: { KeyId } }) => {
  if (KeyId.startsWith("arn:")) return KeyId;
  const type = KeyId.startsWith("alias/") ? "" : "key/";
  return `arn:${account.partition}:kms:${region}:${account.id}:${type}${KeyId}`;
};

function keyOf(call) {
  const key = asked(call);
  if (key) return key;
  const what = call.input.KeyId.includes("alias/") ? "Alias" : "Key";
  throw new AwsError(
    "NotFoundException",
    `${what} '${arnOf(call)}' ${what === "Key" ? "does not exist" : "is not found."}`,
    400,
  );
}

const symmetric = ({ spec }) => spec === "SYMMETRIC_DEFAULT";
const SIGNING = { RSA: ["RSASSA_PSS_SHA_256", "RSASSA_PKCS1_V1_5_SHA_256"], ECC: ["ECDSA_SHA_256"] };

function algorithms({ usage, spec }) {
  if (usage === "SIGN_VERIFY") return { SigningAlgorithms: SIGNING[spec.slice(0, 3)] ?? ["ECDSA_SHA_256"] };
  if (usage === "GENERATE_VERIFY_MAC") return { MacAlgorithms: [spec] };
  return { EncryptionAlgorithms: [symmetric({ spec }) ? "SYMMETRIC_DEFAULT" : "RSAES_OAEP_SHA_256"] };
}

const multiRegion = ({ type, primary, replicas }) => ({
  MultiRegionKeyType: type,
  PrimaryKey: { Arn: primary.arn, Region: primary.region },
  ReplicaKeys: replicas.map(({ arn, region }) => ({ Arn: arn, Region: region })),
});

const metadata = (key, account) => ({
  AWSAccountId: account.id,
  KeyId: key.id,
  Arn: key.arn,
  CreationDate: key.created,
  Enabled: key.state === "Enabled",
  Description: key.description,
  KeyUsage: key.usage,
  KeyState: key.state,
  DeletionDate: key.deletion_date,
  Origin: key.origin,
  KeyManager: key.manager,
  CustomerMasterKeySpec: key.spec,
  KeySpec: key.spec,
  ...algorithms(key),
  MultiRegion: Boolean(key.multi_region),
  MultiRegionConfiguration: key.multi_region && multiRegion(key.multi_region),
  ...key.raw,
});

const grantView = (key) => (grant) => ({
  KeyId: key.arn,
  GrantId: grant.id,
  Name: grant.name,
  CreationDate: grant.created,
  GranteePrincipal: grant.grantee,
  GranteeServicePrincipal: grant.service,
  RetiringPrincipal: grant.retiring,
  IssuingAccount: grant.issuer,
  Operations: grant.operations,
  Constraints: grant.constraints && {
    EncryptionContextEquals: grant.constraints.equals,
    EncryptionContextSubset: grant.constraints.subset,
  },
});

export const resourceOf = (call) => (call.input.KeyId === undefined ? "*" : (asked(call)?.arn ?? arnOf(call)));

export const contextOf = ({ account }) => ({ "kms:calleraccount": account.id });

// The lists of a region are IAM's alone.
export function guardOf(call) {
  if (call.input.KeyId === undefined || call.operation.name === "ListAliases") return undefined;
  const key = asked(call);
  return key && { document: key.policy, owner: call.account.id, sole: true };
}

export const operations = {
  ListKeys: (call) =>
    listing(
      call,
      "Keys",
      keysOf(call),
      ({ id }) => id,
      ({ id, arn }) => ({ KeyId: id, KeyArn: arn }),
    ),

  ListAliases(call) {
    const { account, region, input } = call;
    const wanted = input.KeyId === undefined ? account.resources(region, "kms_keys") : [keyOf(call)];
    const all = wanted.flatMap((key) => key.aliases.map((name) => ({ name, key })));
    const view = ({ name, key }) => ({
      AliasName: `alias/${name}`,
      AliasArn: aliasArn(call, name),
      TargetKeyId: key.predefined ? undefined : key.id,
      CreationDate: key.predefined ? undefined : key.created,
      LastUpdatedDate: key.predefined ? undefined : key.created,
    });
    return listing(call, "Aliases", all, ({ name }) => name, view, { limit: 50, max: 100 });
  },

  DescribeKey: (call) => ({ KeyMetadata: metadata(keyOf(call), call.account) }),

  GetKeyPolicy(call) {
    const key = keyOf(call);
    const { PolicyName = "default" } = call.input;
    if (PolicyName !== "default") throw new AwsError("NotFoundException", `No such policy exists`, 400);
    return { Policy: call.world.documents.text(key.policy), PolicyName };
  },

  ListGrants(call) {
    const key = keyOf(call);
    const { GrantId, GranteePrincipal } = call.input;
    const wanted = key.grants.filter(
      ({ id, grantee }) => (GrantId ?? id) === id && (GranteePrincipal ?? grantee) === grantee,
    );
    return listing(call, "Grants", wanted, ({ id }) => id, grantView(key), { limit: 50, max: 100 });
  },

  ListResourceTags(call) {
    const view = ({ Key, Value }) => ({ TagKey: Key, TagValue: Value });
    return listing(call, "Tags", tagList(keyOf(call).tags), ({ Key }) => Key, view, { limit: 50, max: 50 });
  },

  GetKeyRotationStatus(call) {
    const key = keyOf(call);
    if (!symmetric(key) || key.origin !== "AWS_KMS") {
      throw new AwsError("UnsupportedOperationException", `${key.arn} does not support automatic rotation.`, 400);
    }
    if (key.state === "PendingDeletion" || !key.rotation) return { KeyId: key.arn, KeyRotationEnabled: false };
    const { days, next } = key.rotation;
    return { KeyId: key.arn, KeyRotationEnabled: true, RotationPeriodInDays: days, NextRotationDate: next };
  },
};
