// The reads of one account by AWS's JavaScript clients, with their own paginators.
import * as iam from "@aws-sdk/client-iam";
import { EC2Client, DescribeRegionsCommand } from "@aws-sdk/client-ec2";
import { STSClient, GetCallerIdentityCommand } from "@aws-sdk/client-sts";

async function all(pages, ...members) {
  const result = Object.fromEntries(members.map((member) => [member, []]));
  for await (const page of pages) for (const member of members) result[member].push(...(page[member] ?? []));
  return members.length === 1 ? result[members[0]] : result;
}

export async function readAccount(sim, credentials, pageSize) {
  const client = sim.client(iam.IAMClient, credentials);
  const config = { client, pageSize };
  const read = { access_keys: {}, last_used: {}, mfa: {} };
  read.account = (await sim.client(STSClient, credentials).send(new GetCallerIdentityCommand({}))).Account;
  read.details = await all(
    iam.paginateGetAccountAuthorizationDetails(config, {}),
    "UserDetailList",
    "GroupDetailList",
    "RoleDetailList",
    "Policies",
  );
  read.users = await all(iam.paginateListUsers(config, {}), "Users");
  read.roles = await all(iam.paginateListRoles(config, {}), "Roles");
  read.aws_policies = await all(iam.paginateListPolicies(config, { Scope: "AWS", OnlyAttached: true }), "Policies");
  read.aliases = await all(iam.paginateListAccountAliases(config, {}), "AccountAliases");
  for (const { UserName } of read.users) {
    read.access_keys[UserName] = await all(iam.paginateListAccessKeys(config, { UserName }), "AccessKeyMetadata");
    read.mfa[UserName] = await all(iam.paginateListMFADevices(config, { UserName }), "MFADevices");
    for (const { AccessKeyId } of read.access_keys[UserName]) {
      read.last_used[AccessKeyId] = (
        await client.send(new iam.GetAccessKeyLastUsedCommand({ AccessKeyId }))
      ).AccessKeyLastUsed;
    }
  }
  read.saml = (await client.send(new iam.ListSAMLProvidersCommand({}))).SAMLProviderList;
  read.oidc = (await client.send(new iam.ListOpenIDConnectProvidersCommand({}))).OpenIDConnectProviderList;
  read.regions = (
    await sim.client(EC2Client, credentials).send(new DescribeRegionsCommand({ AllRegions: true }))
  ).Regions;
  return read;
}
