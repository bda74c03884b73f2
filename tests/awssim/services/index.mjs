// Which service has behaviour. All others are known from their models alone: they check and refuse, but do nothing.
import * as account from "./account.mjs";
import * as bedrock from "./bedrock/index.mjs";
import * as bedrockAgent from "./bedrock/agents.mjs";
import * as dynamodb from "./dynamodb/index.mjs";
import * as dynamodbStreams from "./dynamodb/streams.mjs";
import * as ec2 from "./ec2/index.mjs";
import * as eks from "./eks/index.mjs";
import * as iam from "./iam/index.mjs";
import * as identitystore from "./identitystore.mjs";
import * as kms from "./kms/index.mjs";
import * as lambda from "./lambda/index.mjs";
import * as organizations from "./organizations.mjs";
import * as rds from "./rds/index.mjs";
import * as s3 from "./s3/index.mjs";
import * as s3control from "./s3control.mjs";
import * as secretsmanager from "./secretsmanager/index.mjs";
import * as ssoAdmin from "./sso_admin.mjs";
import * as sts from "./sts.mjs";

export const behaviours = {
  account,
  bedrock,
  "bedrock-agent": bedrockAgent,
  dynamodb,
  ec2,
  eks,
  iam,
  identitystore,
  kms,
  lambda,
  organizations,
  rds,
  s3,
  s3control,
  secretsmanager,
  "sso-admin": ssoAdmin,
  "streams.dynamodb": dynamodbStreams,
  sts,
};

const NOTHING = { operations: {}, resourceOf: () => "*" };

export const behaviourOf = (service) => behaviours[service.name] ?? NOTHING;
