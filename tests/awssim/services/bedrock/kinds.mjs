// What Bedrock resources are when a world file does not say. Children: an agent's aliases, a knowledge base's data sources.
import * as ids from "../../ids.mjs";
import { kmsKey } from "../kms/kinds.mjs";
import { foundationArn } from "./catalogue.mjs";

const lower = (type) => (where, name) => ids.hex(12, type, where.account, where.region, name);
const upper = (type) => (where, name) => ids.base32(ids.digest(type, where.account, where.region, name), 10);
const bedrockArn =
  (type) =>
  (where, { id }) =>
    where.arn("bedrock", `${type}/${id}`);

const updated = ({ updated: given, created }) => given ?? created;

// A bare model ID is AWS's own model; ARNs and this account's own are as they are.
const modelArn = (where, model) =>
  model === undefined || model.startsWith("arn:") ? model : foundationArn(where.partition, where.region, model);

// This account's own by its name, as an ARN.
function ownArn(where, kind, type, name) {
  if (name === undefined || name.startsWith("arn:")) return name;
  const id = where.ref(kind, name);
  return id === name ? modelArn(where, name) : where.arn("bedrock", `${type}/${id}`);
}

const custom_models = {
  id: lower("custom model"),
  arn: (where, { base, id }) => where.arn("bedrock", `custom-model/${base}/${id}`),
  fill: (where, one) => ({
    base: one.base ?? "amazon.titan-text-express-v1",
    customization: one.customization ?? "FINE_TUNING",
    status: one.status ?? "Active",
    owner: one.owner ?? where.account,
  }),
};

const imported_models = {
  id: lower("imported model"),
  arn: bedrockArn("imported-model"),
  fill: (_, one) => ({ architecture: one.architecture ?? "llama3", instruct: one.instruct ?? true }),
};

const provisioned_throughputs = {
  id: lower("provisioned model"),
  arn: bedrockArn("provisioned-model"),
  fill: (where, one) => ({
    // A custom model's ARN has its base in it, so that one is named by its ARN or by its name in the same region.
    model: where.resources.by(where.region, "custom_models", "name").get(one.model)?.arn ?? modelArn(where, one.model),
    foundation: foundationArn(where.partition, where.region, one.foundation ?? "amazon.titan-text-express-v1"),
    units: one.units ?? 1,
    status: one.status ?? "InService",
  }),
};

const inference_profiles = {
  id: (where, name) => lower("inference profile")(where, name),
  arn: (where, { type, id }) =>
    where.arn("bedrock", `${type === "APPLICATION" ? "application-inference-profile" : "inference-profile"}/${id}`),
  fill: (where, one) => {
    const type = one.type ?? "APPLICATION";
    return {
      type,
      // AWS's own have a name for an ID, and models in several regions.
      id: type === "APPLICATION" ? one.id : one.name,
      status: one.status ?? "ACTIVE",
      models: (one.models ?? []).map((model) => modelArn(where, model)),
    };
  },
};

const guardrails = {
  id: lower("guardrail"),
  arn: bedrockArn("guardrail"),
  fill: (_, one) => ({ status: one.status ?? "READY", version: one.version ?? "DRAFT" }),
};

const alias = (where, agent, name, given) => {
  const id = upper("agent alias")(where, `${agent}/${name}`);
  const routes = [given.routes ?? { version: given.version ?? "DRAFT", provisioned: given.provisioned }].flat();
  return {
    name,
    status: "PREPARED",
    invocation: "ACCEPT_INVOCATIONS",
    created: "2025-02-01T00:00:00Z",
    ...given,
    id,
    arn: where.arn("bedrock", `agent-alias/${agent}/${id}`),
    routes: routes.map(({ version, provisioned }) => ({
      version,
      provisioned: ownArn(where, "provisioned_throughputs", "provisioned-model", provisioned),
    })),
  };
};

const agents = {
  id: upper("agent"),
  arn: bedrockArn("agent"),
  fill: (where, one) => ({
    role: where.role(one.role),
    // A bare ID, or the ARN of anything that can be spoken to.
    model: one.model ?? "anthropic.claude-3-haiku-20240307-v1:0",
    status: one.status ?? "PREPARED",
    version: one.version ?? "DRAFT",
    latest: one.latest ?? "1",
    // Nobody under test may keep this.
    instruction: one.instruction ?? `canary-instruction-of-${one.name}`,
    prompts: one.prompts ?? [`canary-prompt-of-${one.name}`],
    kms_key: kmsKey(where, one.kms_key),
    guardrail: one.guardrail && {
      id: where.ref("guardrails", one.guardrail),
      version: one.guardrail_version ?? "DRAFT",
    },
    aliases: Object.entries(one.aliases ?? {}).map(([name, given]) => alias(where, one.id, name, given ?? {})),
  }),
};

function secretArn(where, name) {
  if (name === undefined || name.startsWith("arn:")) return name;
  return where.resources.by(where.region, "secrets", "name").get(name)?.arn ?? name;
}

const source = (where, base, name, given) => ({
  name,
  status: "AVAILABLE",
  ...given,
  id: upper("data source")(where, `${base}/${name}`),
});

const knowledge_bases = {
  id: upper("knowledge base"),
  arn: bedrockArn("knowledge-base"),
  fill: (where, one) => ({
    role: where.role(one.role),
    status: one.status ?? "ACTIVE",
    embedding: one.kendra ? undefined : modelArn(where, one.embedding ?? "amazon.titan-embed-text-v2:0"),
    storage: one.storage && { ...one.storage, secret: secretArn(where, one.storage.secret) },
    data_sources: Object.entries(one.data_sources ?? {}).map(([name, given]) =>
      source(where, one.id, name, given ?? {}),
    ),
  }),
};

const prompts = {
  id: upper("prompt"),
  arn: bedrockArn("prompt"),
  fill: (_, one) => ({ version: one.version ?? "DRAFT" }),
};

// Names in a row, each with what "make" says.
const MADE = {
  custom_models: () => ({}),
  imported_models: () => ({}),
  provisioned_throughputs: () => ({ model: "amazon.titan-text-express-v1" }),
  inference_profiles: () => ({ models: ["anthropic.claude-3-haiku-20240307-v1:0"] }),
  guardrails: (dice) => ({ status: dice.chance(0.9) ? "READY" : "FAILED" }),
  agents: (dice, one) => ({
    role: one("roles"),
    guardrail: dice.chance(0.4) ? one("guardrails") : undefined,
    kms_key: dice.chance(0.3) ? one("kms_keys") : undefined,
    aliases: { live: {} },
  }),
  knowledge_bases: (dice, one, where) => ({
    role: one("roles"),
    storage: { type: "S3_VECTORS", arn: where.arn("s3vectors", `bucket/v-${dice.below(100)}`) },
    data_sources: { documents: {} },
  }),
  prompts: () => ({}),
};

const make = (kind) => (dice, n, where, peers) => {
  const one = (other) => (peers(other).length ? dice.pick(peers(other)) : undefined);
  return [`${kind.replaceAll("_", "-").replace(/s$/, "")}-${String(n).padStart(4, "0")}`, MADE[kind](dice, one, where)];
};

const dated = (kind) => ({ ...kind, fill: (where, one) => ({ updated: updated(one), ...kind.fill(where, one) }) });

export const kinds = Object.fromEntries(
  Object.entries({
    custom_models,
    imported_models,
    provisioned_throughputs,
    inference_profiles,
    guardrails,
    agents,
    knowledge_bases,
    prompts,
  }).map(([name, kind]) => [name, { ...dated(kind), make: make(name) }]),
);
