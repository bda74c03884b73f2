// Reads what an account keeps with the v3 clients and their own paginators, as the clients give it.
import * as bedrock from "@aws-sdk/client-bedrock";
import * as agents from "@aws-sdk/client-bedrock-agent";
import * as dynamodb from "@aws-sdk/client-dynamodb";
import * as streams from "@aws-sdk/client-dynamodb-streams";
import * as kms from "@aws-sdk/client-kms";
import * as s3 from "@aws-sdk/client-s3";
import * as secrets from "@aws-sdk/client-secrets-manager";

export async function all(paginate, client, input, member, pageSize) {
  const rows = [];
  for await (const page of paginate({ client, pageSize }, input)) rows.push(...(page[member] ?? []));
  return rows;
}

// What a call says, or the code of its refusal: "not set" and "may not" are answers too.
export const orCode = (promise, member) =>
  promise.then(
    (answer) => (member ? answer[member] : answer),
    (error) => ({ code: error.name }),
  );

const BUCKET_READS = {
  policy: ["GetBucketPolicy", "Policy"],
  status: ["GetBucketPolicyStatus", "PolicyStatus"],
  acl: ["GetBucketAcl", "Grants"],
  block: ["GetPublicAccessBlock", "PublicAccessBlockConfiguration"],
  ownership: ["GetBucketOwnershipControls", "OwnershipControls"],
  encryption: ["GetBucketEncryption", "ServerSideEncryptionConfiguration"],
  tags: ["GetBucketTagging", "TagSet"],
  versioning: ["GetBucketVersioning", undefined],
  logging: ["GetBucketLogging", "LoggingEnabled"],
  location: ["GetBucketLocation", "LocationConstraint"],
};

export async function readBuckets(sim, credentials, account, pageSize) {
  // A name with a dot cannot be put before a number.
  const client = (region) => sim.client(s3.S3Client, credentials, region, { forcePathStyle: true });
  const list = await all(
    s3.paginateListBuckets,
    client("us-east-1"),
    { MaxBuckets: pageSize ?? 1000 },
    "Buckets",
    pageSize,
  );
  return Promise.all(
    list.map(async (bucket) => {
      const from = client(bucket.BucketRegion);
      const input = { Bucket: bucket.Name, ExpectedBucketOwner: account };
      const read = async ([key, [name, member]]) => [
        key,
        await orCode(from.send(new s3[`${name}Command`](input)), member),
      ];
      return { ...bucket, ...Object.fromEntries(await Promise.all(Object.entries(BUCKET_READS).map(read))) };
    }),
  );
}

export async function readSecrets(sim, credentials, region, pageSize) {
  const client = sim.client(secrets.SecretsManagerClient, credentials, region);
  const list = await all(secrets.paginateListSecrets, client, { IncludePlannedDeletion: true }, "SecretList", pageSize);
  const policy = ({ ARN: SecretId }) =>
    orCode(client.send(new secrets.GetResourcePolicyCommand({ SecretId })), "ResourcePolicy");
  const replicas = async ({ ARN: SecretId }) =>
    (await client.send(new secrets.DescribeSecretCommand({ SecretId }))).ReplicationStatus?.map(({ Region }) => Region);
  return Promise.all(list.map(async (one) => ({ ...one, policy: await policy(one), replicas: await replicas(one) })));
}

export async function readKeys(sim, credentials, region, pageSize) {
  const client = sim.client(kms.KMSClient, credentials, region);
  const send = (name, input, member) => orCode(client.send(new kms[`${name}Command`](input)), member);
  const keys = await all(kms.paginateListKeys, client, {}, "Keys", pageSize);
  const aliases = await all(kms.paginateListAliases, client, {}, "Aliases", pageSize);
  const details = async ({ KeyId }) => ({
    KeyId,
    metadata: await send("DescribeKey", { KeyId }, "KeyMetadata"),
    policy: await send("GetKeyPolicy", { KeyId }, "Policy"),
    grants: await all(kms.paginateListGrants, client, { KeyId }, "Grants", pageSize).catch(({ name }) => ({
      code: name,
    })),
    rotation: await send("GetKeyRotationStatus", { KeyId }),
    tags: await all(kms.paginateListResourceTags, client, { KeyId }, "Tags", pageSize).catch(({ name }) => ({
      code: name,
    })),
  });
  return { aliases, keys: await Promise.all(keys.map(details)) };
}

export async function readTables(sim, credentials, region, pageSize) {
  const client = sim.client(dynamodb.DynamoDBClient, credentials, region);
  const streaming = sim.client(streams.DynamoDBStreamsClient, credentials, region);
  const send = (name, input, member) => orCode(client.send(new dynamodb[`${name}Command`](input)), member);
  const names = await all(dynamodb.paginateListTables, client, {}, "TableNames", pageSize);
  const tagPages = async (ResourceArn) => {
    const rows = [];
    for (let NextToken; ; ) {
      const page = await client.send(new dynamodb.ListTagsOfResourceCommand({ ResourceArn, NextToken }));
      rows.push(...(page.Tags ?? []));
      NextToken = page.NextToken;
      if (!NextToken) return rows;
    }
  };
  const details = async (TableName) => {
    const table = await send("DescribeTable", { TableName }, "Table");
    const { TableArn, LatestStreamArn } = table;
    const stream = LatestStreamArn && {
      description: await orCode(
        streaming.send(new streams.DescribeStreamCommand({ StreamArn: LatestStreamArn, Limit: 1 })),
        "StreamDescription",
      ),
      policy: await send("GetResourcePolicy", { ResourceArn: LatestStreamArn }, "Policy"),
    };
    return {
      table,
      backups: await send("DescribeContinuousBackups", { TableName }, "ContinuousBackupsDescription"),
      tags: await tagPages(TableArn),
      policy: await send("GetResourcePolicy", { ResourceArn: TableArn }, "Policy"),
      stream,
    };
  };
  return Promise.all(names.map(details));
}

export async function readBedrock(sim, credentials, region, pageSize) {
  const client = sim.client(bedrock.BedrockClient, credentials, region);
  const list = (name, member, input = {}) =>
    all(bedrock[`paginateList${name}`], client, input, member, pageSize).catch((error) => ({ code: error.name }));
  return {
    foundation: (await client.send(new bedrock.ListFoundationModelsCommand({}))).modelSummaries,
    custom: await list("CustomModels", "modelSummaries"),
    imported: await list("ImportedModels", "modelSummaries"),
    provisioned: await list("ProvisionedModelThroughputs", "provisionedModelSummaries"),
    system: await list("InferenceProfiles", "inferenceProfileSummaries", { typeEquals: "SYSTEM_DEFINED" }),
    application: await list("InferenceProfiles", "inferenceProfileSummaries", { typeEquals: "APPLICATION" }),
    guardrails: await list("Guardrails", "guardrails"),
  };
}

export async function readAgents(sim, credentials, region, pageSize) {
  const client = sim.client(agents.BedrockAgentClient, credentials, region);
  const list = (name, member, input = {}) => all(agents[`paginateList${name}`], client, input, member, pageSize);
  const get = async (name, member, input) => (await client.send(new agents[`Get${name}Command`](input)))[member];
  const agent = async ({ agentId }) => {
    const aliases = await list("AgentAliases", "agentAliasSummaries", { agentId });
    const alias = ({ agentAliasId }) => get("AgentAlias", "agentAlias", { agentId, agentAliasId });
    return { ...(await get("Agent", "agent", { agentId })), aliases: await Promise.all(aliases.map(alias)) };
  };
  const base = async ({ knowledgeBaseId }) => ({
    ...(await get("KnowledgeBase", "knowledgeBase", { knowledgeBaseId })),
    sources: await list("DataSources", "dataSourceSummaries", { knowledgeBaseId }),
  });
  return {
    agents: await Promise.all((await list("Agents", "agentSummaries")).map(agent)),
    bases: await Promise.all((await list("KnowledgeBases", "knowledgeBaseSummaries")).map(base)),
    prompts: await list("Prompts", "promptSummaries"),
  };
}
