// What RDS's resources are when a world file does not say. Neptune and DocumentDB are in the same lists, by their engine.
import { TEAMS, number } from "../../generate.mjs";
import * as ids from "../../ids.mjs";

const VERSIONS = { postgres: "16.4", mysql: "8.0.39", "aurora-postgresql": "16.4", neptune: "1.3.2.1", docdb: "5.0.0" };
const PORTS = { postgres: 5432, "aurora-postgresql": 5432, neptune: 8182, docdb: 27017 };

const resourceId = (prefix, where, kind, name) =>
  `${prefix}-${ids.base32(ids.digest(kind, where.account, where.region, name), 26)}`;
const arn = (type) => (where, one) => where.arn("rds", `${type}:${one.name}`);
const groupIds = (where, groups = []) => groups.map((name) => where.ref("security_groups", name));
const host = (where, name) =>
  `${name}.${ids.hex(12, "rds", where.account, where.region)}.${where.region}.rds.amazonaws.com`;

const roles = (where, list = []) =>
  list.map((one) => {
    const { role, feature, status = "ACTIVE" } = typeof one === "string" ? { role: one } : one;
    return { role: where.role(role), feature, status };
  });

// What instances and clusters have alike. pending_password: a change under way, whose value nobody may keep.
function database(where, one) {
  const engine = one.engine ?? "postgres";
  return {
    engine,
    version: one.version ?? VERSIONS[engine] ?? "1.0",
    status: one.status ?? "available",
    port: one.port ?? PORTS[engine] ?? 3306,
    master_user: one.master_user ?? "admin",
    master_secret: where.refArn("secrets", one.master_secret),
    encrypted: one.encrypted ?? Boolean(one.kms_key),
    kms_key: where.key(one.kms_key),
    performance_insights_key: where.key(one.performance_insights_key),
    activity_stream_key: where.key(one.activity_stream_key),
    iam_auth: one.iam_auth ?? false,
    roles: roles(where, one.roles),
    groups: groupIds(where, one.groups),
    monitoring_role: where.role(one.monitoring_role),
    deletion_protection: one.deletion_protection ?? false,
    domains: (one.domains ?? []).map((domain) => ({
      ...domain,
      role: where.role(domain.role),
      auth_secret: where.refArn("secrets", domain.auth_secret),
    })),
  };
}

const db_clusters = {
  arn: arn("cluster"),
  fill: (where, one) => ({
    ...database(where, { engine: "aurora-postgresql", ...one }),
    resource_id: one.resource_id ?? resourceId("cluster", where, "db_clusters", one.name),
    mode: one.mode ?? "provisioned",
    http_endpoint: one.http_endpoint ?? false,
    endpoint: host(where, `${one.name}.cluster`),
    members: [...where.resources.fields(where.region, "db_instances")]
      .filter(([, instance]) => instance?.cluster === one.name)
      .map(([name]) => name)
      .sort(),
  }),
  make: (dice, n) => [
    `${TEAMS[n % TEAMS.length]}-cluster-${number(n)}`,
    {
      engine: dice.pick(["aurora-postgresql", "aurora-postgresql", "neptune", "docdb"]),
      iam_auth: dice.chance(0.5),
      encrypted: dice.chance(0.8),
    },
  ],
};

const db_instances = {
  arn: arn("db"),
  fill: (where, one) => {
    const cluster = one.cluster && where.resources.fields(where.region, "db_clusters").get(one.cluster);
    return {
      ...database(where, { engine: cluster ? (cluster.engine ?? "aurora-postgresql") : undefined, ...one }),
      resource_id: one.resource_id ?? resourceId("db", where, "db_instances", one.name),
      class: one.class ?? "db.t4g.medium",
      endpoint: one.status === "creating" ? undefined : (one.endpoint ?? host(where, one.name)),
      public: one.public ?? false,
      multi_az: one.multi_az ?? false,
      subnet_group: one.subnet_group ?? "default",
      vpc: where.ref("vpcs", one.vpc ?? "vpc-00000000"),
      storage: one.storage ?? 20,
    };
  },
  make: (dice, n, where, peers) => [
    `${TEAMS[n % TEAMS.length]}-db-${number(n)}`,
    {
      engine: dice.pick(["postgres", "mysql"]),
      public: dice.chance(0.1),
      iam_auth: dice.chance(0.4),
      encrypted: dice.chance(0.8),
      groups: dice.some(peers("security_groups"), 2),
      ...(dice.chance(0.3) &&
        peers("db_clusters").length && { cluster: dice.pick(peers("db_clusters")), engine: undefined }),
      tags: dice.chance(0.5) ? { team: dice.pick(TEAMS) } : {},
    },
  ],
};

// public: whoever likes may restore it; shared_with: account numbers.
const snapshot = (where, one) => ({
  ...database(where, one),
  type: one.type ?? "manual",
  public: one.public ?? false,
  shared_with: (one.shared_with ?? []).map(String),
  owner: where.account,
});

const restored = (dice, source) => ({
  ...source,
  type: dice.chance(0.7) ? "manual" : "automated",
  encrypted: dice.chance(0.7),
  shared_with: dice.chance(0.1) ? ["999988887777"] : [],
});

const db_snapshots = {
  arn: arn("snapshot"),
  fill: (where, one) => ({
    ...snapshot(where, one),
    instance: one.instance ?? "a-gone-database",
    storage: one.storage ?? 20,
  }),
  make: (dice, n, where, peers) => [
    `snapshot-${number(n)}`,
    restored(dice, { instance: peers("db_instances").length ? dice.pick(peers("db_instances")) : undefined }),
  ],
};

const db_cluster_snapshots = {
  arn: arn("cluster-snapshot"),
  fill: (where, one) => ({
    ...snapshot(where, { engine: "aurora-postgresql", ...one }),
    cluster: one.cluster ?? "a-gone-cluster",
  }),
  make: (dice, n, where, peers) => [
    `cluster-snapshot-${number(n)}`,
    restored(dice, { cluster: peers("db_clusters").length ? dice.pick(peers("db_clusters")) : undefined }),
  ],
};

const db_proxies = {
  id: (where, name) => where.id("prx", name),
  arn: (where, one) => where.arn("rds", `db-proxy:${one.id}`),
  fill: (where, one) => ({
    engine_family: one.engine_family ?? "POSTGRESQL",
    status: one.status ?? "available",
    role: where.role(one.role),
    auth: (one.auth ?? []).map(({ secret, iam = false, ...rest }) => ({
      ...rest,
      secret: where.refArn("secrets", secret),
      iam,
    })),
    groups: groupIds(where, one.groups),
    subnets: (one.subnets ?? []).map((name) => where.ref("subnets", name)),
    vpc: where.ref("vpcs", one.vpc ?? "vpc-00000000"),
    require_tls: one.require_tls ?? true,
    endpoint: host(where, `${one.name}.proxy`),
  }),
  make: (dice, n, where, peers) => [
    `proxy-${number(n)}`,
    {
      role: peers("roles").length ? dice.pick(peers("roles")) : undefined,
      require_tls: dice.chance(0.8),
      groups: dice.some(peers("security_groups"), 2),
    },
  ],
};

export const kinds = { db_clusters, db_instances, db_snapshots, db_cluster_snapshots, db_proxies };
