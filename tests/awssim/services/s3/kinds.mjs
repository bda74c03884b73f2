// What a bucket is when a world file does not say. What is left out is not set, and the reads of it say so with AWS's codes.
import { hex } from "../../ids.mjs";
import { kmsKey } from "../kms/kinds.mjs";

export const canonicalId = (account) => hex(64, "canonical user", account);

// kms_key is a key's name here, or an ARN, an ID or an alias as AWS would keep it.
const encryption = (where, { kms_key, ...rest }) => ({
  algorithm: kms_key === undefined ? "AES256" : "aws:kms",
  bucket_key: false,
  ...rest,
  kms_key: kmsKey(where, kms_key),
});

// The short form { all: true } is how nearly every block looks.
export const publicAccessBlock = ({ all = false, acls = all, ignore_acls = all, policy = all, restrict = all }) => ({
  acls,
  ignore_acls,
  policy,
  restrict,
});

export const kinds = {
  buckets: {
    arn: ({ partition }, { name }) => `arn:${partition}:s3:::${name}`,
    fill: (where, one) => ({
      owner: canonicalId(where.account),
      // What regions other than the first one take for the date of creation.
      modified: one.modified ?? one.created,
      acl: one.acl ?? [{ to: "owner", permission: "FULL_CONTROL" }],
      public_access_block: one.public_access_block && publicAccessBlock(one.public_access_block),
      encryption: one.encryption && encryption(where, one.encryption),
    }),
    make: (dice, n, where, peers) => [
      `${where.account}-${where.region}-bucket-${String(n).padStart(4, "0")}`,
      {
        encryption: peers("kms_keys").length && dice.chance(0.4) ? { kms_key: dice.pick(peers("kms_keys")) } : {},
        public_access_block: dice.chance(0.8) ? { all: true } : undefined,
        ownership: dice.chance(0.8) ? "BucketOwnerEnforced" : undefined,
        versioning: dice.chance(0.5) ? { status: "Enabled" } : undefined,
        policy: dice.chance(0.3)
          ? {
              Version: "2012-10-17",
              Statement: [
                {
                  Effect: "Allow",
                  Principal: { AWS: `arn:${where.partition}:iam::${where.account}:root` },
                  Action: "s3:GetObject",
                  Resource: "*",
                },
              ],
            }
          : undefined,
        tags: dice.chance(0.5) ? { app: `app-${n % 7}` } : {},
      },
    ],
  },
};
