// Lambda: functions, what calls them, and who may. The code itself is never served.
import { paginate } from "../../paging.mjs";
import { AwsError, refusal } from "../../errors.mjs";
import { view } from "../view.mjs";

const missing = (message) => new AwsError("ResourceNotFoundException", message, 404, { Type: "User" });
// Lambda writes its dates in a way of its own.
const stamp = (iso) => iso.replace("Z", ".000+0000");

const configuration = view(function configuration(account, one) {
  return {
    FunctionName: one.name,
    FunctionArn: one.arn,
    Architectures: ["x86_64"],
    CodeSha256: one.code_sha256,
    CodeSize: 1024,
    DeadLetterConfig: one.dead_letter && { TargetArn: one.dead_letter },
    Description: one.description ?? "",
    Environment: Object.keys(one.env).length ? { Variables: one.env } : undefined,
    EphemeralStorage: { Size: 512 },
    FileSystemConfigs: one.file_systems.length
      ? one.file_systems.map((Arn) => ({ Arn, LocalMountPath: "/mnt/data" }))
      : undefined,
    Handler: one.runtime && "index.handler",
    KMSKeyArn: one.kms_key,
    LastModified: stamp(one.created),
    Layers: one.layers.length ? one.layers.map((Arn) => ({ Arn, CodeSize: 512 })) : undefined,
    LoggingConfig: { LogFormat: "Text", LogGroup: one.log_group },
    MasterArn: one.master,
    MemorySize: 128,
    PackageType: one.package,
    RevisionId: one.revision,
    Role: one.role,
    Runtime: one.runtime,
    Timeout: 3,
    TracingConfig: { Mode: "PassThrough" },
    Version: "$LATEST",
    VpcConfig: one.network && {
      VpcId: one.network.vpc,
      SubnetIds: one.network.subnets,
      SecurityGroupIds: one.network.groups,
    },
  };
});

const mapping = view(function mapping(account, one) {
  return {
    UUID: one.id,
    BatchSize: one.batch_size,
    DestinationConfig: one.on_failure && { OnSuccess: {}, OnFailure: { Destination: one.on_failure } },
    EventSourceArn: one.source,
    FunctionArn: one.function,
    KMSKeyArn: one.kms_key,
    LastModified: one.created,
    SourceAccessConfigurations: one.secrets.length
      ? one.secrets.map(({ type, secret }) => ({ Type: type, URI: secret }))
      : undefined,
    State: one.state,
    StateTransitionReason: "User action",
  };
});

const functionUrl = (one, arn, { url, auth, cors }) => ({
  AuthType: auth,
  Cors: cors && { AllowOrigins: cors },
  CreationTime: one.created.replace("Z", ".000000Z"),
  FunctionArn: arn,
  FunctionUrl: url,
  InvokeMode: "BUFFERED",
  LastModifiedTime: one.created.replace("Z", ".000000Z"),
});

// A name, "account:function:name", or a whole ARN; each with or without ":qualifier".
const NAME = /^(?:(?:arn:[^:]+:lambda:[^:]+:)?\d{12}:)?(?:function:)?(?<name>[\w-]+)(?::(?<qualifier>[\w$-]+))?$/;

function asked({ input, service }) {
  const found = NAME.exec(input.FunctionName ?? "")?.groups;
  if (!found)
    throw refusal(
      "invalid_input",
      service,
      `1 validation error detected: Value '${input.FunctionName}' at 'functionName' failed to satisfy constraint`,
    );
  return { name: found.name, qualifier: input.Qualifier ?? found.qualifier };
}

const arnOf = ({ account, region }, { name, qualifier }) =>
  `arn:${account.partition}:lambda:${region}:${account.id}:function:${name}${qualifier ? `:${qualifier}` : ""}`;

function functionOf(call) {
  const want = asked(call);
  const one = call.account.resource(call.region, "functions", want.name);
  if (!one) throw missing(`Function not found: ${arnOf(call, want)}`);
  return { one, ...want };
}

// Each alias and version has a policy of its own, which the function's does not stand for.
function holder(call) {
  const { one, qualifier } = functionOf(call);
  if (!qualifier || qualifier === "$LATEST") return one;
  const found = one.aliases.find(({ name }) => name === qualifier) ?? one.versions[qualifier];
  if (!found) throw missing(`Function not found: ${arnOf(call, { name: one.name, qualifier })}`);
  return found;
}

function page(call, member, list, keyOf, show, cap = 50) {
  const sorted = [...list].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const { items, more } = paginate(call, sorted, keyOf, { limit: cap, max: 10_000, cap });
  return { [member]: items.map(show), ...more };
}

const nameOf = ({ name }) => name;

const urlsOf = (one) =>
  [{ arn: one.arn, url: one.url }, ...one.aliases.map(({ arn, url }) => ({ arn, url }))].filter(({ url }) => url);

export function resourceOf(call) {
  const { input, operation } = call;
  if (operation.name === "ListTags") return input.Resource;
  if (operation.name === "ListFunctions" || operation.name === "ListEventSourceMappings") return "*";
  const want = NAME.exec(input.FunctionName ?? "")?.groups;
  if (!want) return "*";
  return arnOf(call, { name: want.name, qualifier: input.Qualifier ?? want.qualifier });
}

export const operations = {
  ListFunctions(call) {
    const { account, region } = call;
    return page(call, "Functions", account.resources(region, "functions"), nameOf, (one) =>
      configuration(account, one),
    );
  },

  // What a list leaves out: the state of the function.
  GetFunctionConfiguration(call) {
    const { one } = functionOf(call);
    return { ...configuration(call.account, one), State: one.state ?? "Active", LastUpdateStatus: "Successful" };
  },

  ListEventSourceMappings(call) {
    const { account, region, input } = call;
    const arn = input.FunctionName && arnOf(call, asked(call));
    const wanted = account
      .resources(region, "event_source_mappings")
      .filter(
        (one) => (!arn || one.function === arn) && (!input.EventSourceArn || one.source === input.EventSourceArn),
      );
    return page(
      call,
      "EventSourceMappings",
      wanted,
      ({ id }) => id,
      (one) => mapping(account, one),
      100,
    );
  },

  GetPolicy(call) {
    const { world } = call;
    const { policy, revision } = holder(call);
    if (policy === undefined) throw missing("The resource you requested does not exist.");
    return { Policy: world.documents.text(policy), RevisionId: revision };
  },

  ListAliases: (call) =>
    page(call, "Aliases", functionOf(call).one.aliases, nameOf, ({ arn, name, version }) => ({
      AliasArn: arn,
      Name: name,
      FunctionVersion: version,
      Description: "",
    })),

  ListFunctionUrlConfigs(call) {
    const { one } = functionOf(call);
    return page(
      call,
      "FunctionUrlConfigs",
      urlsOf(one),
      ({ arn }) => arn,
      ({ arn, url }) => functionUrl(one, arn, url),
    );
  },

  ListTags(call) {
    const { account, region, input } = call;
    const one = account.resourceBy(region, "functions", "arn", input.Resource);
    if (!one) throw missing(`Function not found: ${input.Resource}`);
    return { Tags: one.tags };
  },
};
