// What Lambda's functions and their event sources are when a world file does not say.
import { TEAMS, number } from "../../generate.mjs";
import * as ids from "../../ids.mjs";

const url = (where, name, alias, given) =>
  given && {
    url: `https://${ids.hex(32, "url", where.account, where.region, name, alias)}.lambda-url.${where.region}.on.aws/`,
    auth: "AWS_IAM",
    ...given,
  };

// An alias is a function of its own to who calls it: with a policy and an address of its own.
const alias = (where, name, key, given) => ({
  name: key,
  version: "1",
  ...given,
  arn: where.arn("lambda", `function:${name}:${key}`),
  url: url(where, name, key, given?.url),
});

const network = (where, given) =>
  given && {
    vpc: where.ref("vpcs", given.vpc ?? "vpc-00000000"),
    subnets: (given.subnets ?? []).map((one) => where.ref("subnets", one)),
    groups: (given.groups ?? []).map((one) => where.ref("security_groups", one)),
  };

// env: name -> value, shown in clear by AWS; policy: a document, with "versions" for those of published versions.
const functions = {
  arn: (where, one) => where.arn("lambda", `function:${one.name}`),
  fill: (where, one) => ({
    role: where.role(one.role ?? "lambda-default"),
    runtime: one.package === "Image" ? undefined : (one.runtime ?? "python3.12"),
    package: one.package ?? "Zip",
    env: one.env ?? {},
    kms_key: where.key(one.kms_key),
    network: network(where, one.network),
    dead_letter: one.dead_letter,
    layers: one.layers ?? [],
    file_systems: one.file_systems ?? [],
    log_group: one.log_group ?? `/aws/lambda/${one.name}`,
    versions: one.versions ?? {},
    aliases: Object.entries(one.aliases ?? {}).map(([key, given]) => alias(where, one.name, key, given)),
    url: url(where, one.name, "", one.url),
    code_sha256: one.code_sha256 ?? ids.digest("code", one.name).toString("base64"),
    revision: one.revision ?? where.uuid("revision", one.name),
  }),
  make: (dice, n, where, peers) => {
    const name = `${TEAMS[n % TEAMS.length]}-function-${number(n)}`;
    const statement = {
      Sid: "caller",
      Effect: "Allow",
      Principal: { Service: dice.pick(["events", "s3", "sns"]) + ".amazonaws.com" },
      Action: "lambda:InvokeFunction",
      Resource: where.arn("lambda", `function:${name}`),
    };
    return [
      name,
      {
        role: peers("roles").length ? dice.pick(peers("roles")) : undefined,
        runtime: dice.pick(["python3.12", "nodejs22.x", "java21"]),
        env: dice.chance(0.6) ? { STAGE: "prod", API_TOKEN: `generated-${dice.below(1e6)}` } : {},
        ...(dice.chance(0.5) && { policy: { Version: "2012-10-17", Statement: [statement] } }),
        ...(dice.chance(0.2) && { aliases: { live: {} } }),
        ...(dice.chance(0.1) && { url: { auth: dice.pick(["AWS_IAM", "NONE"]) } }),
      },
    ];
  },
};

// Of one function, or of its alias: "name" or "name:alias". What is read from is given by its ARN.
const event_source_mappings = {
  id: (where, name) => where.uuid("mapping", name),
  arn: (where, one) => where.arn("lambda", `event-source-mapping:${one.id}`),
  fill: (where, one) => ({
    function: one.function?.startsWith("arn:")
      ? one.function
      : where.arn("lambda", `function:${one.function ?? "gone"}`),
    state: one.state ?? "Enabled",
    secrets: (one.secrets ?? []).map(({ type, secret }) => ({ type, secret: where.refArn("secrets", secret) })),
    kms_key: where.key(one.kms_key),
    batch_size: one.batch_size ?? 10,
  }),
  make: (dice, n, where, peers) => [
    `mapping-${number(n)}`,
    {
      function: peers("functions").length ? dice.pick(peers("functions")) : undefined,
      source: where.arn("sqs", `${dice.pick(TEAMS)}-queue-${number(n)}`),
    },
  ],
};

export const kinds = { functions, event_source_mappings };
