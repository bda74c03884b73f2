// What a KMS key is when a world file does not say. Children: aliases (names), grants (by name). An entry that is
// "predefined" is one of AWS's aliases that has no key yet. A name that begins with "mrk-" has the same ID in every region.
import * as ids from "../../ids.mjs";

const root = ({ partition, account }) => `arn:${partition}:iam::${account}:root`;

// A customer's key leaves it to IAM unless its policy says otherwise.
const customerPolicy = (where) => ({
  Version: "2012-10-17",
  Id: "key-default-1",
  Statement: [
    {
      Sid: "Enable IAM User Permissions",
      Effect: "Allow",
      Principal: { AWS: root(where) },
      Action: "kms:*",
      Resource: "*",
    },
  ],
});

const USE = [
  "kms:Encrypt",
  "kms:Decrypt",
  "kms:ReEncrypt*",
  "kms:GenerateDataKey*",
  "kms:CreateGrant",
  "kms:DescribeKey",
];

const awsPolicy = (where, service) => ({
  Version: "2012-10-17",
  Id: `auto-${service}-2`,
  Statement: [
    {
      Sid: `Allow access through ${service} for all principals in the account`,
      Effect: "Allow",
      Principal: { AWS: "*" },
      Action: USE,
      Resource: "*",
      Condition: {
        StringEquals: {
          "kms:CallerAccount": where.account,
          "kms:ViaService": `${service}.${where.region}.amazonaws.com`,
        },
      },
    },
    {
      Sid: "Allow direct access to key metadata to the account",
      Effect: "Allow",
      Principal: { AWS: root(where) },
      Action: ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
      Resource: "*",
    },
  ],
});

const id = (where, name) =>
  name.startsWith("mrk-") ? `mrk-${ids.hex(32, "mrk", where.account, name)}` : where.uuid("kms", name);

// A key by its name in this region; ARNs, aliases and IDs are themselves.
export function kmsKey(where, ref) {
  if (ref === undefined) return undefined;
  const found = where.ref("kms_keys", ref);
  return found === ref ? ref : where.arn("kms", `key/${found}`);
}

// A role's name, an ARN, or a service of AWS's.
const grantee = (where, name) => (name?.includes(".") ? name : where.role(name));

const grant = (where, key, name, given) => ({
  name,
  id: ids.hex(64, "grant", where.account, where.region, key, name),
  created: "2024-05-01T00:00:00Z",
  ...given,
  grantee: grantee(where, given.grantee),
  retiring: where.role(given.retiring),
  issuer: given.issuer ?? root(where),
});

function multiRegion(where, id, { primary, replicas = [] }) {
  const arn = (region) => ({ region, arn: where.arn("kms", `key/${id}`, { region }) });
  return {
    type: where.region === primary ? "PRIMARY" : "REPLICA",
    primary: arn(primary),
    replicas: replicas.map(arn),
  };
}

export const kinds = {
  kms_keys: {
    id,
    arn: (where, { id: keyId }) => where.arn("kms", `key/${keyId}`),
    fill: (where, one) => {
      const aliases = one.aliases ?? [];
      const aws = aliases.find((alias) => alias.startsWith("aws/"));
      return {
        aliases,
        manager: aws ? "AWS" : "CUSTOMER",
        state: one.state ?? "Enabled",
        usage: one.usage ?? "ENCRYPT_DECRYPT",
        spec: one.spec ?? "SYMMETRIC_DEFAULT",
        origin: one.origin ?? "AWS_KMS",
        description: one.description ?? "",
        policy: one.policy ?? (aws ? awsPolicy(where, aws.slice("aws/".length)) : customerPolicy(where)),
        rotation: one.rotation ?? (aws ? { days: 365 } : undefined),
        multi_region: one.multi_region && multiRegion(where, one.id, one.multi_region),
        grants: Object.entries(one.grants ?? {}).map(([name, given]) => grant(where, one.id, name, given)),
      };
    },
    make: (dice, n, where, peers) => [
      `key-${String(n).padStart(4, "0")}`,
      {
        aliases: dice.chance(0.8) ? [`app/${n}`] : [],
        rotation: dice.chance(0.5) ? { days: 365 } : undefined,
        state: dice.chance(0.95) ? "Enabled" : "Disabled",
        grants:
          peers("roles").length && dice.chance(0.3)
            ? { "auto scaling": { grantee: dice.pick(peers("roles")), operations: ["Decrypt", "CreateGrant"] } }
            : {},
      },
    ],
  },
};
