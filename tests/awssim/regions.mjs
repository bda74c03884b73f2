// Regions of each partition, and where its global services sign.
const DEFAULT = (
  "us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 sa-east-1 eu-west-1 eu-west-2 eu-west-3 eu-central-1 eu-north-1 " +
  "ap-south-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-southeast-1 ap-southeast-2"
).split(" ");
const OPT_IN = (
  "af-south-1 ap-east-1 ap-east-2 ap-south-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7 " +
  "ca-west-1 eu-central-2 eu-south-1 eu-south-2 il-central-1 me-central-1 me-south-1 mx-central-1"
).split(" ");

const PARTITIONS = {
  aws: { regions: DEFAULT, optIn: OPT_IN, suffix: "amazonaws.com", signing: { "*": "us-east-1" } },
  "aws-cn": {
    regions: ["cn-north-1", "cn-northwest-1"],
    optIn: [],
    suffix: "amazonaws.com.cn",
    signing: { "*": "cn-northwest-1", iam: "cn-north-1" },
  },
  "aws-us-gov": {
    regions: ["us-gov-west-1", "us-gov-east-1"],
    optIn: [],
    suffix: "amazonaws.com",
    signing: { "*": "us-gov-west-1" },
  },
  "aws-eusc": { regions: ["eusc-de-east-1"], optIn: [], suffix: "amazonaws.eu", signing: { "*": "eusc-de-east-1" } },
};

export function checkPartition(name) {
  if (!Object.hasOwn(PARTITIONS, name)) {
    throw new Error(`unknown partition "${name}"; known: ${Object.keys(PARTITIONS).join(", ")}`);
  }
  return name;
}

const GLOBAL = new Set(["iam", "organizations", "account"]);

export const partitionOf = (world) => PARTITIONS[world.partition];

// The one region a global service's signature may name; undefined for regional services.
export function signingRegion(world, service) {
  if (!GLOBAL.has(service.name)) return undefined;
  const { signing } = partitionOf(world);
  return signing[service.name] ?? signing["*"];
}

export function isKnown(world, region) {
  const { regions, optIn } = partitionOf(world);
  return regions.includes(region) || optIn.includes(region);
}

export function isEnabled(account, region) {
  return partitionOf(account.world).regions.includes(region) || account.optedIn.includes(region);
}

// Where a service has no host. Ours is the same host for all, so what a client meets here is an unknown operation.
const NOT_OFFERED = {
  bedrock: new Set(["ap-east-1", "ap-east-2", "cn-north-1", "cn-northwest-1"]),
  "bedrock-agent": new Set(
    [
      "us-west-1 ap-northeast-3 eu-north-1 af-south-1 ap-east-1 ap-east-2 ap-south-2 ap-southeast-3 ap-southeast-4",
      "ap-southeast-5 ap-southeast-6 ap-southeast-7 ca-west-1 eu-south-1 eu-south-2 il-central-1 me-central-1 me-south-1",
      "mx-central-1 us-gov-east-1 cn-north-1 cn-northwest-1 eusc-de-east-1",
    ]
      .join(" ")
      .split(" "),
  ),
};

export const isOffered = (service, region) => !NOT_OFFERED[service.name]?.has(region);

export function regionList(account) {
  const { regions, optIn } = partitionOf(account.world);
  return [
    ...regions.map((name) => ({ name, status: "opt-in-not-required" })),
    ...optIn.map((name) => ({ name, status: account.optedIn.includes(name) ? "opted-in" : "not-opted-in" })),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
}
