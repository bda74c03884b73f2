// Finds a bucket: one name space for all accounts, and one region that may be asked about each.
import { AwsError } from "../../errors.mjs";
import { partitionOf, regionList, signingRegion } from "../../regions.mjs";

function bucketsOf(account) {
  return account.world.derived(account, "buckets", () => {
    const each = regionList(account).flatMap(({ name: region }) =>
      account.resources(region, "buckets").map((bucket) => [bucket.name, { bucket, region, account }]),
    );
    return new Map(each);
  });
}

export const ownBuckets = (account) => [...bucketsOf(account).values()];

function anyBucket(call, name) {
  const own = bucketsOf(call.account).get(name);
  if (own) return own;
  for (const account of call.world.accounts.values()) {
    const found = bucketsOf(account).get(name);
    if (found) return found;
  }
  return undefined;
}

const error = (code, message, status, extra) => new AwsError(code, message, status, extra);

const REDIRECTS = {
  permanent: (host, { bucket }) =>
    error(
      "PermanentRedirect",
      "The bucket you are attempting to access must be addressed using the specified endpoint. " +
        "Please send all future requests to this endpoint.",
      301,
      { Endpoint: host, Bucket: bucket.name },
    ),
  // A bucket so young that not everybody knows yet where it is.
  temporary: (host, { bucket }) =>
    error("TemporaryRedirect", "Please re-send this request to the specified temporary endpoint.", 307, {
      Endpoint: host,
      Bucket: bucket.name,
    }),
  malformed: (_, { region }, call) =>
    error(
      "AuthorizationHeaderMalformed",
      `The authorization header is malformed; the region '${call.region}' is wrong; expecting '${region}'`,
      400,
      { Region: region },
    ),
  illegal: (_, { region }, call) =>
    error(
      "IllegalLocationConstraintException",
      `The ${region} location constraint is incompatible for the region specific endpoint this request was sent to.`,
      400,
      { Region: call.region },
    ),
};

export const firstRegion = (world) => signingRegion(world, { name: "organizations" });

// A host that has the bucket in it leads to the bucket's region, where the signature is for the wrong one; a region's own
// host sends the caller away. "redirect" in the world file chooses another one.
function redirect(call, found) {
  const kind = found.bucket.redirect ?? (call.virtualHosted ? "malformed" : "permanent");
  const host = `${found.bucket.name}.s3.${found.region}.${partitionOf(call.world).suffix}`;
  return REDIRECTS[kind](host, found, call);
}

// Sets call.found, or answers what S3 answers before it looks at anybody's rights.
export function locate(call) {
  const { Bucket: name, ExpectedBucketOwner: expected } = call.input;
  if (name === undefined) return;
  const found = anyBucket(call, name);
  if (!found) throw error("NoSuchBucket", "The specified bucket does not exist", 404, { BucketName: name });
  // The first region knows where each bucket is, and says so to whoever asks for just that.
  const told = call.operation.name === "GetBucketLocation" && call.region === firstRegion(call.world);
  const away = found.region !== call.region && !told;
  const answer = away && redirect(call, found);
  // A GET that is malformed tells the region in its body alone.
  if (!answer || answer.status !== 400 || call.operation.http.method === "HEAD") {
    call.headers = { "x-amz-bucket-region": found.region };
  }
  if (answer) throw answer;
  if (expected !== undefined && expected !== found.account.id) throw error("AccessDenied", "Access Denied", 403);
  call.found = found;
}
