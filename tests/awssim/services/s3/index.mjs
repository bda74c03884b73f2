// S3: buckets and how they are set up. Objects are never shown: no world has any.
import { AwsError } from "../../errors.mjs";
import { listing } from "../../paging.mjs";
import { statementsOf } from "../../policy.mjs";
import { tagList } from "../view.mjs";
import { firstRegion, locate, ownBuckets } from "./find.mjs";
import { canonicalId } from "./kinds.mjs";

export { locate };

const list = (value) => (value === undefined ? [] : [value].flat());

// What is not set has a code of its own for each thing that can be set.
const ABSENT = {
  policy: ["NoSuchBucketPolicy", "The bucket policy does not exist"],
  public_access_block: ["NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"],
  ownership: ["OwnershipControlsNotFoundError", "The bucket ownership controls were not found"],
  encryption: [
    "ServerSideEncryptionConfigurationNotFoundError",
    "The server side encryption configuration was not found",
  ],
  tags: ["NoSuchTagSet", "The TagSet does not exist"],
};

function setting({ found: { bucket } }, field) {
  const value = bucket[field];
  if (value !== undefined && value !== null && (field !== "tags" || Object.keys(value).length)) return value;
  const [code, message] = ABSENT[field];
  throw new AwsError(code, message, 404, { BucketName: bucket.name });
}

export const blockView = ({ acls, ignore_acls, policy, restrict }) => ({
  BlockPublicAcls: acls,
  IgnorePublicAcls: ignore_acls,
  BlockPublicPolicy: policy,
  RestrictPublicBuckets: restrict,
});

const GROUPS = {
  everyone: "http://acs.amazonaws.com/groups/global/AllUsers",
  authenticated: "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
  "log-delivery": "http://acs.amazonaws.com/groups/s3/LogDelivery",
};

function grantee(to, owner) {
  if (GROUPS[to]) return { Type: "Group", URI: GROUPS[to] };
  if (to.includes("@")) return { Type: "AmazonCustomerByEmail", EmailAddress: to };
  const account = /^\d{12}$/.test(to) && canonicalId(to);
  return { Type: "CanonicalUser", ID: to === "owner" ? owner : account || to };
}

const everybody = ({ Principal }) => Principal === "*" || list(Principal?.AWS).includes("*");

const isPublic = (document) =>
  statementsOf(document).some((one) => one.Effect === "Allow" && !one.Condition && everybody(one));

// The policy of a bucket is its owner's to read, whomever it lets in.
function ownersOnly({ account, found }) {
  if (found.account !== account) {
    throw new AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", 405);
  }
}

export const resourceOf = ({ account, input, found }) =>
  found?.bucket.arn ?? `arn:${account.partition}:s3:::${input.Bucket ?? "*"}`;

export const guardOf = ({ found }) => found && { document: found.bucket.policy, owner: found.account.id };

// The date of creation is kept in the partition's first region only.
function bucketView(call, told) {
  const first = firstRegion(call.world) === call.region;
  return ({ bucket, region }) => ({
    Name: bucket.name,
    CreationDate: first ? bucket.created : bucket.modified,
    BucketRegion: told ? region : undefined,
    BucketArn: told ? bucket.arn : undefined,
  });
}

const owner = (bucket) => ({ ID: bucket.owner });

export const operations = {
  // Without a single parameter it answers as it did before there were pages: all, and no regions.
  ListBuckets(call) {
    const { account, input } = call;
    const modern = Object.values(input).some((value) => value !== undefined);
    if (!modern) call.pageSize = undefined;
    const wanted = ownBuckets(account).filter(
      ({ bucket, region }) => bucket.name.startsWith(input.Prefix ?? "") && (input.BucketRegion ?? region) === region,
    );
    const key = ({ bucket }) => bucket.name;
    const paging = { limit: 10_000, max: 10_000 };
    const page = listing(call, "Buckets", wanted, key, bucketView(call, modern), paging);
    return { Owner: { ID: canonicalId(account.id) }, Prefix: input.Prefix, ...page };
  },

  HeadBucket: () => ({}),

  // The first region has no name here, and old buckets have another one: "location" in the world file.
  GetBucketLocation: ({ world, found: { bucket, region } }) => ({
    LocationConstraint: bucket.location ?? (region === firstRegion(world) ? "" : region),
  }),

  GetBucketPolicy(call) {
    ownersOnly(call);
    return { Policy: call.world.documents.text(setting(call, "policy")) };
  },

  GetBucketPolicyStatus: (call) => ({
    PolicyStatus: { IsPublic: isPublic(call.world.documents.parsed(setting(call, "policy"))) },
  }),

  GetBucketAcl({ found: { bucket } }) {
    const grants = bucket.acl.map(({ to, permission }) => ({
      Grantee: grantee(String(to), bucket.owner),
      Permission: permission,
    }));
    return { Owner: owner(bucket), Grants: grants };
  },

  GetPublicAccessBlock: (call) => ({
    PublicAccessBlockConfiguration: blockView(setting(call, "public_access_block")),
  }),

  GetBucketOwnershipControls: (call) => ({
    OwnershipControls: { Rules: [{ ObjectOwnership: setting(call, "ownership") }] },
  }),

  GetBucketEncryption(call) {
    const { algorithm, kms_key, bucket_key, blocked } = setting(call, "encryption");
    const rule = {
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm: algorithm, KMSMasterKeyID: kms_key },
      BucketKeyEnabled: bucket_key,
      BlockedEncryptionTypes: blocked && { EncryptionType: blocked },
    };
    return { ServerSideEncryptionConfiguration: { Rules: [rule] } };
  },

  GetBucketTagging: (call) => ({ TagSet: tagList(setting(call, "tags")) }),

  GetBucketVersioning: ({ found: { bucket } }) => ({
    Status: bucket.versioning?.status,
    MFADelete: bucket.versioning?.mfa_delete,
  }),

  GetBucketLogging({ found: { bucket } }) {
    const { logging } = bucket;
    return { LoggingEnabled: logging && { TargetBucket: logging.bucket, TargetPrefix: logging.prefix ?? "" } };
  },
};
