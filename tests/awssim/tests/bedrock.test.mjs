// Bedrock and its agents as the v3 clients read them; Debian's boto3 does not know them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BedrockClient, ListCustomModelsCommand, ListInferenceProfilesCommand } from "@aws-sdk/client-bedrock";
import {
  BedrockAgentClient,
  GetAgentAliasCommand,
  GetAgentCommand,
  ListAgentsCommand,
} from "@aws-sdk/client-bedrock-agent";
import { CUSTOMER, Sim, codeOf } from "./support.mjs";
import { readAgents, readBedrock } from "./data_v3.mjs";

const REGION = "us-east-1";
let sim, credentials, world;

before(async () => {
  sim = await Sim.start("resources-data.yaml", "--set", "external_id=tenant-1");
  credentials = await sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1" });
  world = (await sim.get(`world/inventory?account=${CUSTOMER}`)).resources[REGION];
});
after(() => sim.stop());

// Through JSON, which drops what is undefined on either side.
const json = (value) => JSON.parse(JSON.stringify(value));
const same = (seen, expected) => assert.deepEqual(json(seen), json(expected));
const time = (value) => new Date(value).toISOString();

const guardrailOf = ({ guardrail: g }) => (g ? [g.id, g.version] : undefined);
const seenGuardrail = (g) => (g ? [g.guardrailIdentifier, g.guardrailVersion] : undefined);

const aliasSeen = (a) => ({
  arn: a.agentAliasArn,
  id: a.agentAliasId,
  name: a.agentAliasName,
  status: [a.agentAliasStatus, a.aliasInvocationState],
  routes: a.routingConfiguration.map(({ agentVersion, provisionedThroughput }) => [
    agentVersion,
    provisionedThroughput,
  ]),
});
const aliasTold = (a) => ({
  arn: a.arn,
  id: a.id,
  name: a.name,
  status: [a.status, a.invocation],
  routes: a.routes.map(({ version, provisioned }) => [version, provisioned]),
});

const agentSeen = (a) => ({
  arn: a.agentArn,
  id: a.agentId,
  name: a.agentName,
  status: a.agentStatus,
  role: a.agentResourceRoleArn,
  model: a.foundationModel,
  kms_key: a.customerEncryptionKeyArn,
  guardrail: seenGuardrail(a.guardrailConfiguration),
  collaboration: a.agentCollaboration,
  lambda: a.customOrchestration?.executor.lambda,
  created: a.createdAt,
  aliases: a.aliases.map(aliasSeen),
});
const agentTold = (a) => ({
  arn: a.arn,
  id: a.id,
  name: a.name,
  status: a.status,
  role: a.role,
  model: a.model,
  kms_key: a.kms_key,
  guardrail: guardrailOf(a),
  collaboration: a.collaboration ?? "DISABLED",
  lambda: a.lambda,
  created: time(a.created),
  aliases: a.aliases.map(aliasTold),
});

const CONFIGURATIONS = ["opensearchServerlessConfiguration", "rdsConfiguration"];
function storageSeen(s) {
  const c = s && CONFIGURATIONS.map((name) => s[name]).find(Boolean);
  return s && [s.type, c.collectionArn ?? c.resourceArn, c.credentialsSecretArn];
}

const baseSeen = (b) => ({
  arn: b.knowledgeBaseArn,
  id: b.knowledgeBaseId,
  name: b.name,
  role: b.roleArn,
  embedding: b.knowledgeBaseConfiguration.vectorKnowledgeBaseConfiguration?.embeddingModelArn,
  kendra: b.knowledgeBaseConfiguration.kendraKnowledgeBaseConfiguration?.kendraIndexArn,
  storage: storageSeen(b.storageConfiguration),
  sources: b.sources.map(({ dataSourceId, name, status }) => [dataSourceId, name, status]),
});
const baseTold = (b) => ({
  arn: b.arn,
  id: b.id,
  name: b.name,
  role: b.role,
  embedding: b.embedding,
  kendra: b.kendra,
  storage: b.storage && [b.storage.type, b.storage.arn, b.storage.secret],
  sources: b.data_sources.map(({ id, name, status }) => [id, name, status]),
});

for (const size of [1, undefined]) {
  test(`agents, knowledge bases and prompts, page size ${size ?? "as it is"}`, async () => {
    const { agents, bases, prompts } = await readAgents(sim, credentials, REGION, size);
    same(agents.map(agentSeen), world.agents.map(agentTold));
    same(bases.map(baseSeen), world.knowledge_bases.map(baseTold));
    same(
      prompts.map(({ arn, id, name, version }) => ({ arn, id, name, version })),
      world.prompts.map(({ arn, id, name, version }) => ({ arn, id, name, version })),
    );
    // What a reader must not keep is there to be kept.
    assert.equal(agents[0].instruction, world.agents[0].instruction);
    assert.equal(
      agents[0].promptOverrideConfiguration.promptConfigurations[0].basePromptTemplate,
      world.agents[0].prompts[0],
    );
  });

  test(`models, throughputs, profiles and guardrails, page size ${size ?? "as it is"}`, async () => {
    const seen = await readBedrock(sim, credentials, REGION, size);
    same(
      seen.custom.map((m) => [
        m.modelArn,
        m.modelName,
        m.baseModelName,
        m.customizationType,
        m.ownerAccountId,
        m.modelStatus,
      ]),
      world.custom_models.map((m) => [m.arn, m.name, m.base, m.customization, m.owner, m.status]),
    );
    same(
      seen.provisioned.map((p) => [p.provisionedModelArn, p.modelArn, p.foundationModelArn, p.modelUnits, p.status]),
      world.provisioned_throughputs.map((p) => [p.arn, world.custom_models[0].arn, p.foundation, p.units, p.status]),
    );
    for (const [list, type] of [
      [seen.system, "SYSTEM_DEFINED"],
      [seen.application, "APPLICATION"],
    ]) {
      same(
        list.map((p) => [
          p.inferenceProfileArn,
          p.inferenceProfileId,
          p.type,
          p.models.map(({ modelArn }) => modelArn),
        ]),
        world.inference_profiles.filter((p) => p.type === type).map((p) => [p.arn, p.id, p.type, p.models]),
      );
    }
    const [guardrail] = seen.guardrails;
    const [told] = world.guardrails;
    same(
      [guardrail.arn, guardrail.id, guardrail.version, guardrail.crossRegionDetails.guardrailProfileId],
      [told.arn, told.id, told.version, told.cross_region],
    );
    assert.ok(seen.foundation.some(({ modelId }) => modelId === "meta.llama3-8b-instruct-v1:0"));
  });
}

test("each region has its own models, and not every region every list", async () => {
  const { foundation, custom, imported } = await readBedrock(sim, credentials, "eu-central-1");
  assert.ok(foundation.every(({ modelArn }) => modelArn.startsWith("arn:aws:bedrock:eu-central-1::foundation-model/")));
  assert.ok(!foundation.some(({ modelId }) => modelId.startsWith("meta.")));
  assert.equal(custom.code, "ValidationException");
  same(
    imported.map(({ modelName, modelArchitecture }) => [modelName, modelArchitecture]),
    [["bicycle-names", "llama3"]],
  );
  const unknown = sim.client(BedrockClient, credentials, "eu-central-1").send(new ListCustomModelsCommand({}));
  await assert.rejects(unknown, /Unknown Operation/);
});

test("the world tells which models there are where", async () => {
  const { foundation_models: told } = await sim.get("world");
  const { foundation } = await readBedrock(sim, credentials, REGION);
  same(
    foundation.map(({ modelArn }) => modelArn),
    told[REGION],
  );
});

test("a region without agents does not know their operations", async () => {
  const list = (region) => codeOf(sim.client(BedrockAgentClient, credentials, region).send(new ListAgentsCommand({})));
  assert.deepEqual([await list("us-west-1"), await list("us-west-2")], ["UnknownOperationException", "ok"]);
});

test("without a type the list of profiles is AWS's own", async () => {
  const { inferenceProfileSummaries: list } = await sim
    .client(BedrockClient, credentials, REGION)
    .send(new ListInferenceProfilesCommand({}));
  assert.deepEqual(
    list.map(({ type }) => type),
    ["SYSTEM_DEFINED"],
  );
});

test("what is gone, and what is denied", async () => {
  const agents = sim.client(BedrockAgentClient, credentials, REGION);
  const get = (agentId) => codeOf(agents.send(new GetAgentCommand({ agentId })));
  const [clerk, planner] = world.agents.map(({ id }) => id);
  const alias = agents.send(new GetAgentAliasCommand({ agentId: clerk, agentAliasId: "NOSUCHALIA" }));
  assert.equal(await codeOf(alias), "ResourceNotFoundException");
  await sim.post("world", [
    { op: "delete_resource", account: CUSTOMER, region: REGION, kind: "agents", name: "planner" },
  ]);
  assert.deepEqual([await get(clerk), await get(planner)], ["ok", "ResourceNotFoundException"]);
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: "bedrock:*", Resource: "*" },
      { Effect: "Deny", Action: "bedrock:GetAgent", Resource: `arn:aws:bedrock:${REGION}:${CUSTOMER}:agent/${clerk}` },
    ],
  });
  const narrow = await sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1", Policy });
  const refused = sim.client(BedrockAgentClient, narrow, REGION).send(new GetAgentCommand({ agentId: clerk }));
  await assert.rejects(refused, ({ name, message, $metadata }) => {
    assert.deepEqual([name, $metadata.httpStatusCode], ["AccessDeniedException", 403]);
    return message.endsWith("with an explicit deny in a session policy");
  });
});
