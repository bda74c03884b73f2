// Agents for Bedrock: agents with their aliases, knowledge bases with their data sources, prompts. It signs as bedrock.
import { AwsError } from "../../errors.mjs";
import { listing } from "../../paging.mjs";
import { some } from "../view.mjs";

const PAGE = { limit: 1000, max: 1000 };
const byName = ({ name }) => name;

const missing = (what, id) =>
  new AwsError("ResourceNotFoundException", `Failed to retrieve resource because it doesn't exist. ${what} ${id}`, 404);

function byId(call, kind, member, what) {
  const id = call.input[member];
  const found = call.account.resourceBy(call.region, kind, "id", id);
  if (!found) throw missing(what, id);
  return found;
}

const agentOf = (call) => byId(call, "agents", "agentId", "agent");
const baseOf = (call) => byId(call, "knowledge_bases", "knowledgeBaseId", "knowledge base");

const listed = (call, member, items, view) => listing(call, member, items, byName, view, PAGE);

const guardrail = (one) => one && { guardrailIdentifier: one.id, guardrailVersion: one.version };

const agentSummary = (one) => ({
  agentId: one.id,
  agentName: one.name,
  agentStatus: one.status,
  description: one.description,
  guardrailConfiguration: guardrail(one.guardrail),
  latestAgentVersion: one.latest,
  updatedAt: one.updated,
});

const promptOverride = (prompts) => ({
  promptConfigurations: prompts.map((basePromptTemplate) => ({
    basePromptTemplate,
    promptType: "ORCHESTRATION",
    promptCreationMode: "OVERRIDDEN",
    promptState: "ENABLED",
    parserMode: "DEFAULT",
    inferenceConfiguration: { temperature: 0, topP: 1, topK: 250, maximumLength: 2048, stopSequences: [] },
  })),
});

const agent = (one) => ({
  agentArn: one.arn,
  agentId: one.id,
  agentName: one.name,
  agentStatus: one.status,
  agentVersion: one.version,
  agentResourceRoleArn: one.role,
  foundationModel: one.model,
  description: one.description,
  customerEncryptionKeyArn: one.kms_key,
  guardrailConfiguration: guardrail(one.guardrail),
  agentCollaboration: one.collaboration ?? "DISABLED",
  orchestrationType: one.lambda ? "CUSTOM_ORCHESTRATION" : "DEFAULT",
  customOrchestration: one.lambda && { executor: { lambda: one.lambda } },
  idleSessionTTLInSeconds: 600,
  instruction: one.instruction,
  promptOverrideConfiguration: some(one.prompts) && promptOverride(one.prompts),
  createdAt: one.created,
  updatedAt: one.updated,
  preparedAt: one.updated,
  ...one.raw,
});

const routing = (routes) =>
  routes.map(({ version, provisioned }) => ({ agentVersion: version, provisionedThroughput: provisioned }));

const aliasSummary = (one) => ({
  agentAliasId: one.id,
  agentAliasName: one.name,
  agentAliasStatus: one.status,
  aliasInvocationState: one.invocation,
  description: one.description,
  routingConfiguration: routing(one.routes),
  createdAt: one.created,
  updatedAt: one.created,
});

const baseSummary = (one) => ({
  knowledgeBaseId: one.id,
  name: one.name,
  description: one.description,
  status: one.status,
  updatedAt: one.updated,
});

const FIELDS = { metadataField: "metadata", textField: "text", vectorField: "vector" };

// Each kind of store says in members of its own where it is and which secret opens it.
const STORES = {
  OPENSEARCH_SERVERLESS: (s) => ({
    opensearchServerlessConfiguration: { collectionArn: s.arn, vectorIndexName: "vectors", fieldMapping: FIELDS },
  }),
  OPENSEARCH_MANAGED_CLUSTER: (s) => ({
    opensearchManagedClusterConfiguration: { domainArn: s.arn, domainEndpoint: s.endpoint, vectorIndexName: "vectors" },
  }),
  RDS: (s) => ({
    rdsConfiguration: {
      resourceArn: s.arn,
      credentialsSecretArn: s.secret,
      databaseName: s.database ?? "vectors",
      tableName: s.table ?? "chunks",
      fieldMapping: { ...FIELDS, primaryKeyField: "id" },
    },
  }),
  PINECONE: (s) => ({
    pineconeConfiguration: {
      connectionString: s.endpoint,
      credentialsSecretArn: s.secret,
      fieldMapping: { metadataField: "metadata", textField: "text" },
    },
  }),
  NEPTUNE_ANALYTICS: (s) => ({ neptuneAnalyticsConfiguration: { graphArn: s.arn } }),
  S3_VECTORS: (s) => ({ s3VectorsConfiguration: { vectorBucketArn: s.arn, indexName: "vectors" } }),
};

const baseConfiguration = ({ kendra, embedding }) =>
  kendra
    ? { type: "KENDRA", kendraKnowledgeBaseConfiguration: { kendraIndexArn: kendra } }
    : { type: "VECTOR", vectorKnowledgeBaseConfiguration: { embeddingModelArn: embedding } };

const base = (one) => ({
  knowledgeBaseId: one.id,
  knowledgeBaseArn: one.arn,
  name: one.name,
  description: one.description,
  roleArn: one.role,
  status: one.status,
  knowledgeBaseConfiguration: baseConfiguration(one),
  storageConfiguration: one.storage && { type: one.storage.type, ...STORES[one.storage.type]?.(one.storage) },
  createdAt: one.created,
  updatedAt: one.updated,
  ...one.raw,
});

const dataSource = (owner) => (one) => ({
  knowledgeBaseId: owner.id,
  dataSourceId: one.id,
  name: one.name,
  description: one.description,
  status: one.status,
  updatedAt: owner.updated,
});

const prompt = (one) => ({
  arn: one.arn,
  id: one.id,
  name: one.name,
  description: one.description,
  version: one.version,
  createdAt: one.created,
  updatedAt: one.updated,
});

export function resourceOf({ account, region, input, operation }) {
  const arn = (resource) => `arn:${account.partition}:bedrock:${region}:${account.id}:${resource}`;
  if (input.agentAliasId) return arn(`agent-alias/${input.agentId}/${input.agentAliasId}`);
  if (input.agentId) return arn(`agent/${input.agentId}`);
  if (input.knowledgeBaseId) return arn(`knowledge-base/${input.knowledgeBaseId}`);
  return operation.name === "ListPrompts" ? arn("prompt/*") : "*";
}

export const operations = {
  ListAgents: (call) => listed(call, "agentSummaries", call.account.resources(call.region, "agents"), agentSummary),

  GetAgent: (call) => ({ agent: agent(agentOf(call)) }),

  ListAgentAliases: (call) => listed(call, "agentAliasSummaries", agentOf(call).aliases, aliasSummary),

  GetAgentAlias(call) {
    const owner = agentOf(call);
    const found = owner.aliases.find(({ id }) => id === call.input.agentAliasId);
    if (!found) throw missing("agent alias", call.input.agentAliasId);
    return { agentAlias: { ...aliasSummary(found), agentId: owner.id, agentAliasArn: found.arn } };
  },

  ListKnowledgeBases: (call) =>
    listed(call, "knowledgeBaseSummaries", call.account.resources(call.region, "knowledge_bases"), baseSummary),

  GetKnowledgeBase: (call) => ({ knowledgeBase: base(baseOf(call)) }),

  ListDataSources(call) {
    const owner = baseOf(call);
    return listed(call, "dataSourceSummaries", owner.data_sources, dataSource(owner));
  },

  ListPrompts(call) {
    if (call.input.promptIdentifier !== undefined) {
      throw new AwsError("ValidationException", "awssim does not list the versions of a prompt.", 400);
    }
    return listed(call, "promptSummaries", call.account.resources(call.region, "prompts"), prompt);
  },
};
