// What a secret is when a world file does not say. There is no value in any world: what GetSecretValue answers is a mark.
import { base32, digest } from "../../ids.mjs";
import { kmsKey } from "../kms/kinds.mjs";

const versionId = (where, name) => where.uuid("secret version", name);

const rotation = (where, { lambda, ...rest }) => ({
  ...rest,
  lambda: lambda && (lambda.startsWith("arn:") ? lambda : where.arn("lambda", `function:${lambda}`)),
});

export const kinds = {
  secrets: {
    // The six letters that tell a secret from its predecessor of the same name.
    arn: (where, { name, suffix }) => where.arn("secretsmanager", `secret:${name}-${suffix}`),
    fill: (where, one) => ({
      suffix: one.suffix ?? base32(digest("secret", where.account, where.region, one.name), 6),
      kms_key: kmsKey(where, one.kms_key),
      rotation: one.rotation && rotation(where, one.rotation),
      last_changed: one.last_changed ?? one.created,
      versions: one.versions ?? { [versionId(where, one.name)]: ["AWSCURRENT"] },
    }),
    make: (dice, n, where, peers) => [
      `app/secret-${String(n).padStart(4, "0")}`,
      {
        kms_key: peers("kms_keys").length && dice.chance(0.4) ? dice.pick(peers("kms_keys")) : undefined,
        rotation: dice.chance(0.3) ? { lambda: "rotator", days: 30 } : undefined,
        last_accessed: dice.chance(0.7) ? `${dice.recent().slice(0, 10)}T00:00:00Z` : undefined,
        tags: dice.chance(0.5) ? { app: `app-${n % 7}` } : {},
      },
    ],
  },
};
