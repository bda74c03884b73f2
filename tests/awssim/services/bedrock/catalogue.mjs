// The models that AWS itself offers, and where. The same for every account; a handful stands for the hundred there are.

const US = ["us-east-1", "us-east-2", "us-west-2"];
const EU = ["eu-central-1", "eu-west-1", "eu-west-3", "eu-north-1"];
const ASIA = ["ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2"];
const EVERYWHERE = [...US, ...EU, ...ASIA, "ca-central-1", "sa-east-1", "us-gov-west-1"];

const text = { input: ["TEXT"], output: ["TEXT"] };
const embedding = { input: ["TEXT"], output: ["EMBEDDING"] };

const MODELS = {
  "amazon.titan-text-express-v1": {
    ...text,
    name: "Titan Text G1 - Express",
    provider: "Amazon",
    regions: US,
    status: "LEGACY",
    custom: ["FINE_TUNING", "CONTINUED_PRE_TRAINING"],
    types: ["ON_DEMAND", "PROVISIONED"],
  },
  "amazon.titan-embed-text-v2:0": {
    ...embedding,
    name: "Titan Text Embeddings V2",
    provider: "Amazon",
    regions: EVERYWHERE,
  },
  "amazon.nova-lite-v1:0": {
    ...text,
    input: ["TEXT", "IMAGE", "VIDEO"],
    name: "Nova Lite",
    provider: "Amazon",
    regions: [...US, ...EU],
    types: ["ON_DEMAND", "INFERENCE_PROFILE"],
    custom: ["FINE_TUNING"],
  },
  "anthropic.claude-3-haiku-20240307-v1:0": {
    ...text,
    name: "Claude 3 Haiku",
    provider: "Anthropic",
    regions: EVERYWHERE,
  },
  "anthropic.claude-sonnet-4-20250514-v1:0": {
    ...text,
    name: "Claude Sonnet 4",
    provider: "Anthropic",
    regions: [...US, ...EU, ...ASIA],
    types: ["INFERENCE_PROFILE"],
  },
  "cohere.embed-multilingual-v3": { ...embedding, name: "Embed Multilingual", provider: "Cohere", regions: EVERYWHERE },
  "meta.llama3-8b-instruct-v1:0": { ...text, name: "Llama 3 8B Instruct", provider: "Meta", regions: US },
};

export const foundationArn = (partition, region, id) => `arn:${partition}:bedrock:${region}::foundation-model/${id}`;

// In the order of their IDs.
export const foundationModels = (partition, region) =>
  Object.entries(MODELS)
    .filter(([, { regions }]) => regions.includes(region))
    .map(([id, { custom = [], types = ["ON_DEMAND"], status = "ACTIVE", ...rest }]) => ({
      id,
      arn: foundationArn(partition, region, id),
      custom,
      types,
      status,
      ...rest,
    }));
