// Which service has behaviour. All others are known from their models alone: they check and refuse, but do nothing.
import * as account from "./account.mjs";
import * as ec2 from "./ec2/index.mjs";
import * as eks from "./eks/index.mjs";
import * as iam from "./iam/index.mjs";
import * as identitystore from "./identitystore.mjs";
import * as lambda from "./lambda/index.mjs";
import * as organizations from "./organizations.mjs";
import * as rds from "./rds/index.mjs";
import * as ssoAdmin from "./sso_admin.mjs";
import * as sts from "./sts.mjs";

export const behaviours = {
  account,
  ec2,
  eks,
  iam,
  identitystore,
  lambda,
  organizations,
  rds,
  "sso-admin": ssoAdmin,
  sts,
};

const NOTHING = { operations: {}, resourceOf: () => "*" };

export const behaviourOf = (service) => behaviours[service.name] ?? NOTHING;
