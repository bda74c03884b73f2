// Bedrock: AWS's models, this account's own, throughputs, profiles, guardrails.
import { AwsError } from "../../errors.mjs";
import { listing } from "../../paging.mjs";
import { foundationArn, foundationModels } from "./catalogue.mjs";

const PAGE = { limit: 1000, max: 1000 };
const byName = ({ name }) => name;

// Where the service is, but not all of it.
const ONLY_IN = {
  ListCustomModels: ["us-east-1", "us-west-2", "eu-west-1", "us-gov-west-1"],
  ListImportedModels: ["us-east-1", "us-east-2", "us-west-2", "eu-central-1"],
};

export function locate({ operation, region }) {
  const regions = ONLY_IN[operation.name];
  if (regions && !regions.includes(region)) throw new AwsError("ValidationException", "Unknown Operation", 400);
}

export const resourceOf = () => "*";

// A filter that is not simulated must not look as if nothing had been filtered out.
function unfiltered({ input, operation }, allowed = []) {
  const known = new Set(["maxResults", "nextToken", ...allowed]);
  const other = Object.keys(input).find((key) => input[key] !== undefined && !known.has(key));
  if (other) throw new AwsError("ValidationException", `awssim does not filter ${operation.name} by ${other}.`, 400);
}

const lists = (member, kind, view) => (call) => {
  unfiltered(call);
  return listing(call, member, call.account.resources(call.region, kind), byName, view(call), PAGE);
};

const foundation = (model) => ({
  modelArn: model.arn,
  modelId: model.id,
  modelName: model.name,
  providerName: model.provider,
  inputModalities: model.input,
  outputModalities: model.output,
  responseStreamingSupported: model.output.includes("TEXT"),
  customizationsSupported: model.custom,
  inferenceTypesSupported: model.types,
  modelLifecycle: { status: model.status },
});

const custom =
  ({ account, region }) =>
  (one) => ({
    modelArn: one.arn,
    modelName: one.name,
    creationTime: one.created,
    baseModelArn: foundationArn(account.partition, region, one.base),
    baseModelName: one.base,
    customizationType: one.customization,
    ownerAccountId: one.owner,
    modelStatus: one.status,
  ...one.raw,
  });

const imported = () => (one) => ({
  modelArn: one.arn,
  modelName: one.name,
  creationTime: one.created,
  instructSupported: one.instruct,
  modelArchitecture: one.architecture,
  ...one.raw,
});

const provisioned = () => (one) => ({
  provisionedModelName: one.name,
  provisionedModelArn: one.arn,
  modelArn: one.model,
  desiredModelArn: one.model,
  foundationModelArn: one.foundation,
  modelUnits: one.units,
  desiredModelUnits: one.units,
  status: one.status,
  commitmentDuration: one.commitment,
  creationTime: one.created,
  lastModifiedTime: one.updated,
  ...one.raw,
});

const profile = (one) => ({
  inferenceProfileName: one.name,
  description: one.description,
  createdAt: one.created,
  updatedAt: one.updated,
  inferenceProfileArn: one.arn,
  inferenceProfileId: one.id,
  models: one.models.map((modelArn) => ({ modelArn })),
  status: one.status,
  type: one.type,
  ...one.raw,
});

const crossRegion = ({ account, region }, id) => ({
  guardrailProfileId: id,
  guardrailProfileArn: `arn:${account.partition}:bedrock:${region}:${account.id}:guardrail-profile/${id}`,
});

const guardrail = (call) => (one) => ({
  id: one.id,
  arn: one.arn,
  status: one.status,
  name: one.name,
  description: one.description,
  version: one.version,
  createdAt: one.created,
  updatedAt: one.updated,
  crossRegionDetails: one.cross_region && crossRegion(call, one.cross_region),
  ...one.raw,
});

export const operations = {
  ListFoundationModels(call) {
    unfiltered(call);
    return { modelSummaries: foundationModels(call.account.partition, call.region).map(foundation) };
  },

  ListCustomModels: lists("modelSummaries", "custom_models", custom),
  ListImportedModels: lists("modelSummaries", "imported_models", imported),
  ListProvisionedModelThroughputs: lists("provisionedModelSummaries", "provisioned_throughputs", provisioned),

  // Without a type it shows AWS's own only.
  ListInferenceProfiles(call) {
    unfiltered(call, ["typeEquals"]);
    const { typeEquals = "SYSTEM_DEFINED" } = call.input;
    const wanted = call.account.resources(call.region, "inference_profiles").filter(({ type }) => type === typeEquals);
    return listing(call, "inferenceProfileSummaries", wanted, byName, profile, PAGE);
  },

  ListGuardrails: lists("guardrails", "guardrails", guardrail),
};
