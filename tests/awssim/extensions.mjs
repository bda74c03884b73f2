// What AWS added after aws-sdk v2 was frozen and a test world needs. tests/operations.test.mjs holds each
// addition against the current v3 client's own schema, so that none of it is our opinion.

const TEXT = {};
const list = (member, more) => ({ type: "list", member, ...more });
// A structure that the frozen model does not have at all, under the name that the current client gives it.
const structure = (named, members) => ({ type: "structure", named, members });

const itemOf = (m, ref) => (deref(m, ref).type === "list" ? deref(m, deref(m, ref).member) : deref(m, ref));
const step = (m, at, name) => itemOf(m, at).members[name];
const input = (operation) => (m) => m.operations[operation].input;
const output =
  (operation, ...path) =>
  (m) =>
    path.reduce((at, name) => step(m, at, name), m.operations[operation].output);

const BOOLEAN = { type: "boolean" };

// Who runs a thing for the customer. EC2's names on the wire begin small.
const operator = () => ({
  ...structure("OperatorResponse", {
    Managed: { type: "boolean", locationName: "managed" },
    Principal: { locationName: "principal" },
    HiddenByDefault: { type: "boolean", locationName: "hiddenByDefault" },
  }),
  locationName: "operator",
});

// service: { shape's name: { find: where the frozen model has it or a list of it, members: those it lacks } }
const ADDED = {
  organizations: {
    Account: { find: output("ListAccounts", "Accounts"), members: { State: TEXT, Paths: list(TEXT) } },
    OrganizationalUnit: {
      find: output("ListOrganizationalUnitsForParent", "OrganizationalUnits"),
      members: { Path: TEXT },
    },
  },
  ec2: {
    DescribeInstancesRequest: { find: input("DescribeInstances"), members: { IncludeManagedResources: BOOLEAN } },
    DescribeVolumesRequest: { find: input("DescribeVolumes"), members: { IncludeManagedResources: BOOLEAN } },
    Instance: { find: output("DescribeInstances", "Reservations", "Instances"), members: { Operator: operator() } },
    Volume: {
      find: output("DescribeVolumes", "Volumes"),
      members: { Operator: operator(), VolumeArn: { locationName: "volumeArn" } },
    },
    SecurityGroup: {
      find: output("DescribeSecurityGroups", "SecurityGroups"),
      members: { SecurityGroupArn: { locationName: "securityGroupArn" } },
    },
  },
  eks: {
    Cluster: {
      find: output("DescribeCluster", "cluster"),
      members: {
        computeConfig: structure("ComputeConfigResponse", {
          enabled: BOOLEAN,
          nodePools: list(TEXT),
          nodeRoleArn: TEXT,
        }),
      },
    },
    PodIdentityAssociation: {
      find: output("DescribePodIdentityAssociation", "association"),
      members: { disableSessionTags: BOOLEAN, targetRoleArn: TEXT, externalId: TEXT, policy: TEXT },
    },
  },
  s3: {
    Bucket: { find: output("ListBuckets", "Buckets"), members: { BucketArn: TEXT } },
    ServerSideEncryptionRule: {
      find: output("GetBucketEncryption", "ServerSideEncryptionConfiguration", "Rules"),
      members: {
        BlockedEncryptionTypes: structure("BlockedEncryptionTypes", {
          EncryptionType: list(TEXT, { flattened: true }),
        }),
      },
    },
  },
  secretsmanager: {
    SecretListEntry: {
      find: output("ListSecrets", "SecretList"),
      members: { Type: TEXT, ExternalSecretRotationRoleArn: TEXT },
    },
  },
  kms: {
    GrantListEntry: { find: output("ListGrants", "Grants"), members: { GranteeServicePrincipal: TEXT } },
  },
  dynamodb: {
    PointInTimeRecoveryDescription: {
      find: output("DescribeContinuousBackups", "ContinuousBackupsDescription", "PointInTimeRecoveryDescription"),
      members: { RecoveryPeriodInDays: { type: "integer" } },
    },
    ReplicaDescription: { find: output("DescribeTable", "Table", "Replicas"), members: { ReplicaArn: TEXT } },
  },
  bedrock: {
    CustomModelSummary: { find: output("ListCustomModels", "modelSummaries"), members: { modelStatus: TEXT } },
    ImportedModelSummary: {
      find: output("ListImportedModels", "modelSummaries"),
      members: { instructSupported: { type: "boolean" }, modelArchitecture: TEXT },
    },
    ListInferenceProfilesRequest: {
      find: (m) => m.operations.ListInferenceProfiles.input,
      members: { typeEquals: { location: "querystring", locationName: "type" } },
    },
    GuardrailSummary: {
      find: output("ListGuardrails", "guardrails"),
      members: {
        crossRegionDetails: structure("GuardrailCrossRegionDetails", {
          guardrailProfileId: TEXT,
          guardrailProfileArn: TEXT,
        }),
      },
    },
  },
  "bedrock-agent": {
    Agent: {
      find: output("GetAgent", "agent"),
      members: {
        agentCollaboration: TEXT,
        orchestrationType: TEXT,
        customOrchestration: structure("CustomOrchestration", {
          executor: structure("OrchestrationExecutor", { lambda: TEXT }),
        }),
      },
    },
    AgentAliasSummary: {
      find: output("ListAgentAliases", "agentAliasSummaries"),
      members: { aliasInvocationState: TEXT },
    },
    AgentAlias: { find: output("GetAgentAlias", "agentAlias"), members: { aliasInvocationState: TEXT } },
    KnowledgeBaseConfiguration: {
      find: output("GetKnowledgeBase", "knowledgeBase", "knowledgeBaseConfiguration"),
      members: {
        kendraKnowledgeBaseConfiguration: structure("KendraKnowledgeBaseConfiguration", { kendraIndexArn: TEXT }),
      },
    },
    StorageConfiguration: {
      find: output("GetKnowledgeBase", "knowledgeBase", "storageConfiguration"),
      members: {
        opensearchManagedClusterConfiguration: structure("OpenSearchManagedClusterConfiguration", {
          domainArn: TEXT,
          domainEndpoint: TEXT,
          vectorIndexName: TEXT,
        }),
        neptuneAnalyticsConfiguration: structure("NeptuneAnalyticsConfiguration", { graphArn: TEXT }),
        s3VectorsConfiguration: structure("S3VectorsConfiguration", {
          vectorBucketArn: TEXT,
          indexArn: TEXT,
          indexName: TEXT,
        }),
      },
    },
  },
};

// The frozen paginators leave these out or do not say what their items are.
export const PAGES = {
  dynamodb: { ListTagsOfResource: { input_token: "NextToken", output_token: "NextToken", result_key: "Tags" } },
  secretsmanager: {
    ListSecrets: {
      input_token: "NextToken",
      output_token: "NextToken",
      limit_key: "MaxResults",
      result_key: "SecretList",
    },
  },
};

function withInner(service, shape, members) {
  const inner = Object.values(members).filter(({ named }) => named);
  return [{ service, shape, members }, ...inner.flatMap((one) => withInner(service, one.named, one.members))];
}

export const additions = () =>
  Object.entries(ADDED).flatMap(([service, shapes]) =>
    Object.entries(shapes).flatMap(([shape, { members }]) => withInner(service, shape, members)),
  );

export function extend(name, model) {
  for (const { find, members } of Object.values(ADDED[name] ?? {})) {
    const shape = itemOf(model, find(model));
    shape.members = { ...shape.members, ...members };
  }
  return model;
}

const deref = (model, ref) => (ref.shape ? model.shapes[ref.shape] : ref);
