// Every operation that the product reads in Tier 1 has behaviour here, and everything else refuses like AWS.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFileSync } from "node:fs";
import { OrganizationsClient, ListHandshakesForAccountCommand } from "@aws-sdk/client-organizations";
import { IAMClient, ListSSHPublicKeysCommand } from "@aws-sdk/client-iam";
import { Sim, callForm, codeOf } from "./support.mjs";
import { additions } from "../extensions.mjs";
import { behaviours } from "../services/index.mjs";
import { service } from "../models.mjs";

const NEEDED = JSON.parse(readFileSync(new URL("./operations.json", import.meta.url), "utf8"));

test("every needed operation has behaviour", () => {
  const missing = Object.entries(NEEDED).flatMap(([name, operations]) =>
    operations
      .filter((operation) => !behaviours[name]?.operations[operation])
      .map((operation) => `${name}:${operation}`),
  );
  assert.deepEqual(missing, []);
});

test("every behaviour is of an operation that AWS's model knows", () => {
  for (const [name, { operations }] of Object.entries(behaviours)) {
    const unknown = Object.keys(operations).filter((operation) => !service(name).operation(operation));
    assert.deepEqual(unknown, [], name);
  }
});

test("the read-only role's policy is the Tier 1 action list", async () => {
  const sim = await Sim.start("demo.yaml");
  const { roles } = await sim.get("world/inventory?account=111122223333");
  const role = roles.find(({ name }) => name === "ConnectordReadOnly");
  const [statement] = role.inline_policies[0].document.parsed.Statement;
  const known = statement.Action.filter((action) => NEEDED[action.split(":")[0]].includes(action.split(":")[1]));
  assert.deepEqual(known, statement.Action);
  await sim.stop();
});

test("known but without behaviour, and not known at all", async () => {
  const sim = await Sim.start("demo.yaml", "--set", "external_id=tenant-1");
  const admin = await sim.assume("ConnectordAdmin", { ExternalId: "tenant-1" });
  const reader = await sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1" });
  const keys = (credentials) =>
    codeOf(sim.client(IAMClient, credentials).send(new ListSSHPublicKeysCommand({ UserName: "alice" })));
  assert.equal(await keys(admin), "InvalidAction");
  assert.equal(await keys(reader), "AccessDenied");
  assert.match(
    (await callForm(sim, { Action: "NoSuchThing" }, { credentials: admin })).body,
    /<Code>InvalidAction<\/Code>.*Could not find operation NoSuchThing for version 2010-05-08/,
  );
  assert.match(
    (await callForm(sim, { Action: "constructor" }, { credentials: admin })).body,
    /<Code>InvalidAction<\/Code>/,
  );
  const handshakes = (credentials) =>
    codeOf(sim.client(OrganizationsClient, credentials).send(new ListHandshakesForAccountCommand({})));
  assert.equal(await handshakes(admin), "UnknownOperationException");
  assert.equal(await handshakes(reader), "AccessDeniedException");
  await sim.stop();
});

const CLIENT = { secretsmanager: "secrets-manager", "streams.dynamodb": "dynamodb-streams", s3control: "s3-control" };

// A v3 schema is an array: [kind, namespace, name, traits, member names, member types]; a type with traits is [type, traits].
test("what was added to the frozen models is in the current client's schema", async () => {
  for (const { service: name, shape, members } of additions()) {
    const client = await import(`@aws-sdk/client-${CLIENT[name] ?? name}`);
    const schema = client[`${shape}$`];
    assert.ok(schema, `${name} has ${shape}`);
    for (const [member, { location, locationName }] of Object.entries(members)) {
      const at = schema[4].indexOf(member);
      assert.ok(at >= 0, `${name} ${shape} has ${member}`);
      if (!locationName) continue;
      const traits = schema[5][at][1];
      assert.equal(
        location === "querystring" ? traits.httpQuery : traits.xmlName,
        locationName,
        `${name} ${shape} ${member}`,
      );
    }
  }
});
