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
  ListUsers: "user",
  ListRoles: "role",
  ListGroups: "group",
  ListPolicies: "policy",
  ListInstanceProfiles: "instance-profile",
  ListServerCertificates: "server-certificate",
  ListVirtualMFADevices: "mfa",
  ListOpenIDConnectProviders: "oidc-provider",
};

function givenArn({ input }) {
  return input.PolicyArn ?? input.SAMLProviderArn ?? input.OpenIDConnectProviderArn ?? input.PolicySourceArn;
}

function keyOwnerArn({ account, input, operation }) {
  if (operation.name !== "GetAccessKeyLastUsed") return undefined;
  return ownerOfKey(account, input.AccessKeyId)?.arn ?? "*";
}

function namedArn({ account, input }) {
  const named = BY_MEMBER.find(([member]) => input[member]);
  if (!named) return undefined;
  const [member, kind, type] = named;
  return account.get(kind, input[member])?.arn ?? account.arn(type, input[member]);
}

function listedArn({ account, operation }) {
  const type = BY_LISTING[operation.name];
  return type && account.arn(type, "");
}

// A call that could name a user and does not is about the user who makes it.
function ownArn({ operation, principal }) {
  return operation.input?.members?.UserName && principal.kind === "user" ? principal.arn : undefined;
}

const RESOURCE = [givenArn, keyOwnerArn, namedArn, listedArn, ownArn];

export function resourceOf(call) {
  for (const read of RESOURCE) {
    const arn = read(call);
    if (arn) return arn;
  }
  return "*";
}

export function ownerOfKey(account, id) {
  const owner = account.world.keyOwner(id);
  return owner?.account === account ? owner.user : undefined;
}
