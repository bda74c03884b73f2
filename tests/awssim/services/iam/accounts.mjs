// What belongs to the account as a whole: aliases, summary, password policy, identity providers, certificates.
import { paginate } from "../../paging.mjs";
import { findByArn, missing } from "./find.mjs";
import * as views from "./views.mjs";

const QUOTAS = {
  UsersQuota: 5000,
  GroupsQuota: 300,
  RolesQuota: 1000,
  PoliciesQuota: 1500,
  InstanceProfilesQuota: 1000,
  ServerCertificatesQuota: 20,
  UserPolicySizeQuota: 2048,
  GroupPolicySizeQuota: 5120,
  PolicySizeQuota: 6144,
  AssumeRolePolicySizeQuota: 2048,
  AccessKeysPerUserQuota: 2,
  SigningCertificatesPerUserQuota: 2,
  GroupsPerUserQuota: 10,
  VersionsPerPolicyQuota: 5,
  AttachedPoliciesPerUserQuota: 10,
  AttachedPoliciesPerGroupQuota: 10,
  AttachedPoliciesPerRoleQuota: 10,
  PolicyVersionsInUseQuota: 10000,
  GlobalEndpointTokenVersion: 1,
  AccountSigningCertificatesPresent: 0,
};

function summary(account) {
  const users = account.sorted("users");
  const devices = users.flatMap(({ mfa }) => mfa).length + (account.root.mfa ? 1 : 0);
  return {
    ...QUOTAS,
    Users: account.users.size,
    Groups: account.groups.size,
    Roles: account.roles.size,
    Policies: account.policies.size,
    InstanceProfiles: account.instance_profiles.size,
    ServerCertificates: account.server_certificates.size,
    Providers: account.saml_providers.size + account.oidc_providers.size,
    MFADevices: devices,
    MFADevicesInUse: devices,
    PolicyVersionsInUse: account.sorted("policies").reduce((sum, policy) => sum + policy.versions.length, 0),
    AccountMFAEnabled: account.root.mfa ? 1 : 0,
    AccountAccessKeysPresent: account.root.keys ? 1 : 0,
    AccountPasswordPresent: 1,
  };
}

const PASSWORD_POLICY = {
  minimum_length: "MinimumPasswordLength",
  require_symbols: "RequireSymbols",
  require_numbers: "RequireNumbers",
  require_uppercase: "RequireUppercaseCharacters",
  require_lowercase: "RequireLowercaseCharacters",
  allow_change: "AllowUsersToChangePassword",
  max_age: "MaxPasswordAge",
  reuse_prevention: "PasswordReusePrevention",
  hard_expiry: "HardExpiry",
};

function passwordPolicy(policy) {
  const members = Object.entries(PASSWORD_POLICY)
    .filter(([name]) => policy[name] !== undefined)
    .map(([name, member]) => [member, policy[name]]);
  return { ExpirePasswords: Boolean(policy.max_age), ...Object.fromEntries(members) };
}

export const operations = {
  ListAccountAliases(call) {
    const { items, more } = paginate(call, call.account.alias ? [call.account.alias] : [], (alias) => alias);
    return { AccountAliases: items, ...more };
  },

  GetAccountSummary: ({ account }) => ({
    SummaryMap: account.world.derived(account, "summary", () => summary(account)),
  }),

  GetAccountPasswordPolicy({ account }) {
    if (!account.passwordPolicy) throw missing(`The Password Policy with domain name ${account.id} cannot be found.`);
    return { PasswordPolicy: passwordPolicy(account.passwordPolicy) };
  },

  ListSAMLProviders: ({ account }) => ({
    SAMLProviderList: account
      .sorted("saml_providers")
      .map((one) => ({ Arn: one.arn, ValidUntil: one.valid_until, CreateDate: one.created })),
  }),

  GetSAMLProvider({ account, input }) {
    const one = findByArn(account, "saml_providers", input.SAMLProviderArn, "Manifest");
    return {
      SAMLMetadataDocument: one.document,
      ValidUntil: one.valid_until,
      CreateDate: one.created,
      Tags: views.tagList(one.tags),
    };
  },

  ListOpenIDConnectProviders: ({ account }) => ({
    OpenIDConnectProviderList: account.sorted("oidc_providers").map(({ arn }) => ({ Arn: arn })),
  }),

  GetOpenIDConnectProvider({ account, input }) {
    const one = findByArn(account, "oidc_providers", input.OpenIDConnectProviderArn, "OpenIDConnect Provider");
    return {
      Url: one.url,
      ClientIDList: one.client_ids,
      ThumbprintList: one.thumbprints,
      CreateDate: one.created,
      Tags: views.tagList(one.tags),
    };
  },

  ListServerCertificates(call) {
    const { items, more } = paginate(call, call.account.sorted("server_certificates"), (one) => one.name);
    const view = (one) => ({
      Path: one.path,
      ServerCertificateName: one.name,
      ServerCertificateId: one.id,
      Arn: one.arn,
      UploadDate: one.created,
      Expiration: one.expires,
    });
    return { ServerCertificateMetadataList: items.map(view), ...more };
  },
};
