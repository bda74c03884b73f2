// Request rates as AWS limits them: token buckets for each account, region and service, or group of operations.

// First row that fits. "per: account" ignores the region, as the global services do; "each" is a bucket for each operation;
// "unpaged" is for lists that are asked for whole.
export const DEFAULT_QUOTAS = [
  { service: "iam", rate: 10, burst: 20, per: "account" },
  { service: "sts", rate: 600, burst: 600, per: "region" },
  { service: "ec2", rate: 10, burst: 50, per: "region", each: true, unpaged: true },
  { service: "ec2", rate: 20, burst: 100, per: "region", each: true },
  { service: "lambda", operations: ["GetPolicy"], rate: 15, burst: 15, per: "region" },
  { service: "lambda", operations: ["GetFunction"], rate: 100, burst: 100, per: "region" },
  { service: "lambda", rate: 15, burst: 15, per: "region" },
  { service: "organizations", rate: 8, burst: 16, per: "account" },
  { service: "account", operations: ["ListRegions"], rate: 5, burst: 5, per: "account" },
  { service: "account", operations: ["GetRegionOptStatus"], rate: 5, burst: 5, per: "account" },
  { service: "account", operations: ["GetAlternateContact"], rate: 10, burst: 15, per: "account" },
  { service: "sso-admin", group: "identity-center", rate: 20, burst: 20, per: "account" },
  { service: "identitystore", group: "identity-center", rate: 20, burst: 20, per: "account" },
  { service: "secretsmanager", operations: ["ListSecrets"], rate: 100, burst: 100, per: "region" },
  { service: "secretsmanager", operations: ["GetResourcePolicy"], rate: 50, burst: 50, per: "region" },
  { service: "kms", operations: ["GetKeyPolicy"], rate: 30, burst: 30, per: "region" },
  { service: "kms", operations: ["GetKeyRotationStatus"], rate: 30, burst: 30, per: "region" },
  { service: "kms", operations: ["ListKeys"], rate: 100, burst: 100, per: "region" },
  { service: "kms", operations: ["ListAliases"], rate: 100, burst: 100, per: "region" },
  { service: "kms", operations: ["DescribeKey"], rate: 100, burst: 100, per: "region" },
  { service: "kms", operations: ["ListGrants"], rate: 100, burst: 100, per: "region" },
  { service: "dynamodb", operations: ["DescribeContinuousBackups"], rate: 10, burst: 10, per: "region" },
  { service: "dynamodb", operations: ["ListTagsOfResource"], rate: 10, burst: 10, per: "account" },
  { service: "streams.dynamodb", operations: ["DescribeStream"], rate: 10, burst: 10, per: "region" },
  { service: "streams.dynamodb", operations: ["ListStreams"], rate: 5, burst: 5, per: "region" },
  // Not published, as for IAM above: twice what a careful client starts with, and what was measured of RDS.
  {
    service: "rds",
    operations: ["DescribeDBSnapshotAttributes", "DescribeDBClusterSnapshotAttributes"],
    rate: 3,
    burst: 6,
    per: "region",
  },
  { service: "rds", rate: 10, burst: 20, per: "region" },
  { service: "eks", rate: 10, burst: 20, per: "region" },
  { service: "dynamodb", rate: 10, burst: 20, per: "region" },
  { service: "s3", rate: 60, burst: 120, per: "region" },
  { service: "s3control", rate: 60, burst: 120, per: "region" },
  { service: "bedrock", rate: 6, burst: 12, per: "region" },
  { service: "bedrock-agent", rate: 6, burst: 12, per: "region" },
  { service: "cloudtrail", operations: ["LookupEvents"], rate: 2, burst: 2, per: "region" },
  { service: "cloudtrail", rate: 10, burst: 10, per: "region" },
];

export class Quotas {
  constructor(rows = []) {
    this.set(rows);
  }

  set(rows) {
    this.rows = rows === "default" ? DEFAULT_QUOTAS : (rows ?? []);
    this.buckets = new Map();
  }

  // False when the call is over the rate.
  take(service, operation, account, region, unpaged = false) {
    const row = this.rows.find(
      (one) =>
        one.service === service && (!one.operations || one.operations.includes(operation)) && (!one.unpaged || unpaged),
    );
    if (!row) return true;
    const bucket = this.bucket(row, operation, account, row.per === "account" ? "global" : region);
    this.refill(bucket);
    if (bucket.tokens < 1) {
      bucket.throttled += 1;
      return false;
    }
    bucket.tokens -= 1;
    bucket.used += 1;
    return true;
  }

  bucket(row, operation, account, region) {
    const parts = [
      row.service,
      ...(row.each ? [operation] : (row.operations ?? [])),
      ...(row.unpaged ? ["unpaged"] : []),
    ];
    const group = row.group ?? parts.join(".");
    const key = [account, region, group].join("|");
    if (!this.buckets.has(key)) {
      const now = performance.now();
      this.buckets.set(key, {
        account,
        region,
        group,
        rate: row.rate,
        burst: row.burst,
        tokens: row.burst,
        at: now,
        since: now,
        used: 0,
        throttled: 0,
      });
    }
    return this.buckets.get(key);
  }

  refill(bucket) {
    const now = performance.now();
    bucket.tokens = Math.min(bucket.burst, bucket.tokens + ((now - bucket.at) / 1000) * bucket.rate);
    bucket.at = now;
  }

  // capacity: what could have been served since the bucket was first asked.
  report() {
    return [...this.buckets.values()].map(({ tokens, at, since, ...bucket }) => {
      const seconds = (performance.now() - since) / 1000;
      return { ...bucket, window_s: seconds, capacity: bucket.burst + bucket.rate * seconds };
    });
  }
}
