// Looks an entity up or answers NoSuchEntity in AWS's words, and names the resource that a call is about.
import { AwsError } from "../../errors.mjs";

const NOUN = { users: "user", groups: "group", roles: "role", instance_profiles: "Instance Profile" };

export const missing = (message) => new AwsError("NoSuchEntity", message, 404);

export function find(account, kind, name) {
  const entity = account.get(kind, name);
  if (!entity) throw missing(`The ${NOUN[kind]} with name ${name} cannot be found.`);
  return entity;
}

export function findPolicy(account, arn) {
  const policy = account.policy(arn);
  if (!policy) throw missing(`Policy ${arn} was not found.`);
  return policy;
}

export function findByArn(account, kind, arn, what) {
  const entity = account.sorted(kind).find((one) => one.arn === arn);
  if (!entity) throw missing(`${what} not found for arn ${arn}`);
  return entity;
}

// A call without UserName is about the caller, which only a user can be.
export function subject(call) {
  const name = call.input.UserName ?? (call.principal.kind === "user" ? call.principal.name : undefined);
  if (name === undefined) {
    throw new AwsError("ValidationError", "Must specify userName when calling with non-User credentials", 400);
  }
  return find(call.account, "users", name);
}

const BY_MEMBER = [
  ["UserName", "users", "user"],
  ["RoleName", "roles", "role"],
  ["GroupName", "groups", "group"],
  ["InstanceProfileName", "instance_profiles", "instance-profile"],
];
const BY_LISTING = {
  ListUsers: "user/",
  ListRoles: "role/",
  ListGroups: "group/",
  ListInstanceProfiles: "instance-profile/",
  ListServerCertificates: "server-certificate/",
  ListSAMLProviders: "*",
  ListVirtualMFADevices: "mfa/",
  ListPolicies: "policy/",
  ListOpenIDConnectProviders: "oidc-provider/",
};

export function resourceOf({ account, input, operation, principal }) {
  const arn = input.PolicyArn ?? input.SAMLProviderArn ?? input.OpenIDConnectProviderArn;
  if (arn) return arn;
  if (operation.name === "GetAccessKeyLastUsed") return ownerOfKey(account, input.AccessKeyId)?.arn ?? "*";
  for (const [member, kind, type] of BY_MEMBER) {
    if (input[member]) return account.get(kind, input[member])?.arn ?? account.arn(type, input[member]);
  }
  const listing = BY_LISTING[operation.name];
  if (listing) return listing === "*" ? "*" : account.arn(listing.slice(0, -1), "");
  return operation.input?.members?.UserName && principal.kind === "user" ? principal.arn : "*";
}

export function ownerOfKey(account, id) {
  const owner = account.world.keyOwner(id);
  return owner?.account === account ? owner.user : undefined;
}
