// What a table is when a world file does not say. Child: stream.
import * as ids from "../../ids.mjs";
import { isoMillis } from "../../time.mjs";
import { kmsKey } from "../kms/kinds.mjs";

const tableArn = (where, name, region) => where.arn("dynamodb", `table/${name}`, { region });

// status: ENABLED, DISABLED (readable for another day, and no longer in the table's specification) or GONE.
function stream(where, table, given) {
  const label = given.label ?? isoMillis(given.created ?? table.created).slice(0, -1);
  return {
    view: "NEW_AND_OLD_IMAGES",
    status: "ENABLED",
    shards: 1,
    created: table.created,
    ...given,
    label,
    arn: `${tableArn(where, table.name)}/stream/${label}`,
  };
}

const replica = (where, table) => (given) => ({
  status: "ACTIVE",
  ...given,
  arn: tableArn(where, table.name, given.region),
});

export const kinds = {
  tables: {
    id: (where, name) => where.uuid("table", name),
    arn: (where, { name }) => tableArn(where, name),
    fill: (where, one) => ({
      status: one.status ?? "ACTIVE",
      key: one.key ?? ["id"],
      billing: one.billing ?? "PAY_PER_REQUEST",
      indexes: one.indexes ?? [],
      items: one.items ?? 0,
      bytes: one.bytes ?? 0,
      deletion_protection: one.deletion_protection ?? false,
      // Absent: encrypted with a key that AWS owns and nobody sees.
      kms_key: kmsKey(where, one.kms_key),
      stream: one.stream && stream(where, one, one.stream),
      replicas: (one.replicas ?? []).map(replica(where, one)),
      revision: String(ids.createdAt("revision", JSON.stringify(one.policy ?? ""))),
    }),
    make: (dice, n, where, peers) => [
      `table-${String(n).padStart(4, "0")}`,
      {
        kms_key: peers("kms_keys").length && dice.chance(0.3) ? dice.pick(peers("kms_keys")) : undefined,
        stream: dice.chance(0.3) ? {} : undefined,
        point_in_time_recovery: dice.chance(0.5) ? { days: 35 } : undefined,
        deletion_protection: dice.chance(0.3),
        items: dice.below(100_000),
        tags: dice.chance(0.5) ? { app: `app-${n % 7}` } : {},
      },
    ],
  },
};
