// Which service has behaviour. All others are known from their models alone: they check and refuse, but do nothing.
import * as account from "./account.mjs";
import * as ec2 from "./ec2/index.mjs";
import * as iam from "./iam/index.mjs";
import * as identitystore from "./identitystore.mjs";
import * as organizations from "./organizations.mjs";
import * as ssoAdmin from "./sso_admin.mjs";
import * as sts from "./sts.mjs";

export const behaviours = { account, ec2, iam, identitystore, organizations, "sso-admin": ssoAdmin, sts };

const NOTHING = { operations: {}, resourceOf: () => "*" };

export const behaviourOf = (service) => behaviours[service.name] ?? NOTHING;
