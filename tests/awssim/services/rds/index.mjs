// RDS: databases, their snapshots and who may restore those, and the proxies before them.
import { paginate } from "../../paging.mjs";
import { AwsError, refusal } from "../../errors.mjs";
import { tagList, visible } from "../view.mjs";
import * as views from "./views.mjs";

const LIMITS = { limit: 100, min: 20, max: 100 };

// id: the member that asks for one, by its name or, where the service takes that, its ARN.
const LISTS = {
  DescribeDBClusters: {
    kind: "db_clusters",
    member: "DBClusters",
    id: "DBClusterIdentifier",
    type: "cluster",
    missing: ["DBClusterNotFoundFault", "DBCluster"],
    filters: { "db-cluster-id": ["name", "arn"], "db-cluster-resource-id": ["resource_id"], engine: ["engine"] },
    show: views.cluster,
  },
  DescribeDBInstances: {
    kind: "db_instances",
    member: "DBInstances",
    id: "DBInstanceIdentifier",
    type: "db",
    missing: ["DBInstanceNotFound", "DBInstance"],
    filters: {
      "db-instance-id": ["name", "arn"],
      "db-cluster-id": ["cluster"],
      "dbi-resource-id": ["resource_id"],
      engine: ["engine"],
    },
    show: views.instance,
  },
  DescribeDBSnapshots: {
    kind: "db_snapshots",
    member: "DBSnapshots",
    id: "DBSnapshotIdentifier",
    of: ["DBInstanceIdentifier", "instance"],
    type: "snapshot",
    missing: ["DBSnapshotNotFound", "DBSnapshot"],
    filters: {
      "db-snapshot-id": ["name"],
      "db-instance-id": ["instance"],
      "snapshot-type": ["type"],
      engine: ["engine"],
    },
    show: views.dbSnapshot,
  },
  DescribeDBClusterSnapshots: {
    kind: "db_cluster_snapshots",
    member: "DBClusterSnapshots",
    id: "DBClusterSnapshotIdentifier",
    of: ["DBClusterIdentifier", "cluster"],
    type: "cluster-snapshot",
    missing: ["DBClusterSnapshotNotFoundFault", "DBClusterSnapshot"],
    filters: {
      "db-cluster-snapshot-id": ["name"],
      "db-cluster-id": ["cluster"],
      "snapshot-type": ["type"],
      engine: ["engine"],
    },
    show: views.clusterSnapshot,
  },
  DescribeDBProxies: {
    kind: "db_proxies",
    member: "DBProxies",
    id: "DBProxyName",
    type: "db-proxy",
    missing: ["DBProxyNotFoundFault", "DBProxy"],
    filters: {},
    show: views.proxy,
  },
};

const ATTRIBUTES = {
  DescribeDBSnapshotAttributes: { list: LISTS.DescribeDBSnapshots, name: "DBSnapshot" },
  DescribeDBClusterSnapshotAttributes: { list: LISTS.DescribeDBClusterSnapshots, name: "DBClusterSnapshot" },
};

const lower = (name) => (name.startsWith("arn:") ? name : name.toLowerCase());

// Names are kept in lower case, whatever they are asked for with.
function named(call, { kind, missing }, name) {
  const { account, region } = call;
  const found = name.startsWith("arn:")
    ? account.resourceBy(region, kind, "arn", name)
    : account.resource(region, kind, lower(name));
  if (!found) throw new AwsError(missing[0], `${missing[1]} ${name} not found.`, 404);
  return found;
}

// Whose snapshots, and of which type: without a type one's own manual and automated ones.
function ofType(call, { kind }) {
  const { account, input } = call;
  const { SnapshotType: type, IncludeShared, IncludePublic } = input;
  const open = (one) => one.owner !== account.id && one.public;
  const lent = (one) => one.owner !== account.id && one.shared_with.includes(account.id);
  const all =
    type === "shared" || type === "public" || IncludeShared || IncludePublic
      ? visible(call, kind)
      : account.resources(call.region, kind);
  if (type === "public") return all.filter((one) => one.public && one.type === "manual");
  if (type === "shared") return all.filter(lent);
  return all.filter(
    (one) =>
      (one.owner === account.id && (!type || one.type === type)) ||
      (IncludeShared && lent(one)) ||
      (IncludePublic && open(one)),
  );
}

function passes(call, list, one) {
  return (call.input.Filters ?? []).every(({ Name, Values = [] }) => {
    const fields = list.filters[Name];
    if (!fields) throw refusal("invalid_input", call.service, `Unrecognized filter name: ${Name}`);
    return fields.some((field) => Values.includes(one[field]));
  });
}

function listed(call, list) {
  const { account, region, input } = call;
  if (input[list.id]) return [named(call, list, input[list.id])];
  const all = list.of ? ofType(call, list) : account.resources(region, list.kind);
  const [member, field] = list.of ?? [];
  return all.filter((one) => (!input[member] || one[field] === lower(input[member])) && passes(call, list, one));
}

const keyOf = ({ owner = "", name }) => `${name} ${owner}`;

const lister = (list) => (call) => {
  const found = listed(call, list).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const { items, more } = paginate(call, found, keyOf, LIMITS);
  return { [list.member]: items.map((one) => list.show(call.account, one)), ...more };
};

// Automated snapshots have the attribute too, and nothing in it.
const attributes =
  ({ list, name }) =>
  (call) => {
    const one = named(call, list, call.input[`${name}Identifier`]);
    return {
      [`${name}AttributesResult`]: {
        [`${name}Identifier`]: one.name,
        [`${name}Attributes`]: [
          { AttributeName: "restore", AttributeValues: [...(one.public ? ["all"] : []), ...one.shared_with] },
        ],
      },
    };
  };

// Any of RDS's resources, by its ARN.
function tagsOf(call) {
  const { account, region, input } = call;
  for (const list of Object.values(LISTS)) {
    const one = account.resourceBy(region, list.kind, "arn", input.ResourceName);
    if (one) return { TagList: tagList(one.tags) };
  }
  const list =
    Object.values(LISTS).find(({ type }) => input.ResourceName.split(":")[5] === type) ?? LISTS.DescribeDBInstances;
  return named(call, list, input.ResourceName);
}

export function resourceOf({ account, region, operation, input }) {
  if (operation.name === "ListTagsForResource") return input.ResourceName;
  const list = LISTS[operation.name] ?? ATTRIBUTES[operation.name]?.list;
  if (!list) return "*";
  const name = input[list.id] ?? "*";
  if (name.startsWith("arn:")) return name;
  // A proxy's ARN has an ID of its own, and a snapshot can be asked for by what it is of.
  const own = account.resource(region, list.kind, lower(name))?.arn;
  return own ?? `arn:${account.partition}:rds:${region}:${account.id}:${list.type}:${lower(name)}`;
}

const made = (table, make) => Object.fromEntries(Object.entries(table).map(([name, one]) => [name, make(one)]));

export const operations = { ...made(LISTS, lister), ...made(ATTRIBUTES, attributes), ListTagsForResource: tagsOf };
