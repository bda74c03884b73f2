// Changes to the world between two syncs. An operation that names what is not there is an error, not a silence.
import { KINDS } from "./account.mjs";

const KIND_OF = {
  user: "users",
  group: "groups",
  role: "roles",
  policy: "policies",
  instance_profile: "instance_profiles",
  saml_provider: "saml_providers",
  oidc_provider: "oidc_providers",
  server_certificate: "server_certificates",
};
// An operation that concerns a principal says which by one of these members.
const PRINCIPALS = { user: "users", group: "groups", role: "roles" };
const CONTROL_MEMBERS = ["op", "account", "name"];

function accountOf(world, op) {
  const account = world.account(op.account);
  if (!account) throw new Error(`no account ${op.account}`);
  return account;
}

function existing(account, kind, name) {
  const entity = account.get(kind, name);
  if (!entity) throw new Error(`no ${kind} "${name}" in ${account.id}`);
  return entity;
}

function principalOf(account, op) {
  const noun = Object.keys(PRINCIPALS).find((key) => op[key] !== undefined);
  if (!noun) throw new Error(`"${op.op}" needs one of user, group, role`);
  return { kind: PRINCIPALS[noun], entity: existing(account, PRINCIPALS[noun], op[noun]) };
}

// The rest of the operation is the entity's fields, as in a world file.
const fieldsOf = (op) => Object.fromEntries(Object.entries(op).filter(([key]) => !CONTROL_MEMBERS.includes(key)));

const put = (kind) => (account, op) => ({ arn: account.put(kind, op.name, fieldsOf(op)).arn });

const remove = (kind) => (account, op) => {
  existing(account, kind, op.name);
  account.delete(kind, op.name);
  return {};
};

function change(account, op, fields) {
  const { kind, entity } = principalOf(account, op);
  account.put(kind, entity.name, fields(entity));
  return {};
}

const without = (object, name) => Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));
const plus = (list, item) => [...new Set([...list, item])];
const minus = (list, item) => list.filter((one) => one !== item);

const putInline = (account, op) =>
  change(account, op, (entity) => ({ inline: { ...entity.inline, [op.name]: op.document } }));

function keySpecs(user) {
  return user.keys.map(({ id, secret, status, created, last_used }) => ({ id, secret, status, created, last_used }));
}

function putKey(account, op) {
  const user = existing(account, "users", op.user);
  const { user: _owner, ...fields } = fieldsOf(op);
  const keys = keySpecs(user);
  const old = keys.findIndex(({ id }) => id === op.id);
  if (old < 0) keys.push(fields);
  else keys[old] = { ...keys[old], ...fields };
  const made = account.put("users", user.name, { keys }).keys.at(old < 0 ? -1 : old);
  return { id: made.id, secret: made.secret };
}

function deleteKey(account, op) {
  const user = existing(account, "users", op.user);
  account.put("users", user.name, { keys: keySpecs(user).filter(({ id }) => id !== op.id) });
  return {};
}

// The same fraction of the same world is always the same entities: every n-th in name order.
function fractionOf(list, { fraction, except = [] }) {
  const all = list.filter(({ name }) => !except.includes(name));
  const wanted = Math.round(all.length * fraction);
  return all
    .filter((_, i) => Math.floor(((i + 1) * wanted) / all.length) > Math.floor((i * wanted) / all.length))
    .map(({ name }) => name);
}

function deleteResources(account, op) {
  const names = fractionOf(account.resources(op.region, op.kind), op);
  names.forEach((name) => account.held.delete(op.region, op.kind, name));
  return { deleted: names };
}

function deleteFraction(account, op) {
  if (!KINDS.includes(op.kind)) throw new Error(`unknown kind "${op.kind}"; known: ${KINDS.join(", ")}`);
  const names = fractionOf(account.sorted(op.kind), op);
  names.forEach((name) => account.delete(op.kind, name));
  return { deleted: names };
}

const RESOURCE_MEMBERS = ["region", "kind"];

function putResource(account, op) {
  const fields = Object.fromEntries(Object.entries(fieldsOf(op)).filter(([key]) => !RESOURCE_MEMBERS.includes(key)));
  const { id, arn } = account.held.put(op.region, op.kind, op.name, fields);
  return { id, arn };
}

function deleteResource(account, op) {
  account.held.delete(op.region, op.kind, op.name);
  return {};
}

const OPERATIONS = {
  put_key: putKey,
  delete_key: deleteKey,
  put_access_key: putKey,
  delete_access_key: deleteKey,
  set_trust: (account, op) => ({
    arn: account.put("roles", existing(account, "roles", op.role).name, { trust: op.document }).arn,
  }),
  set_role_policy: putInline,
  put_inline_policy: putInline,
  delete_inline_policy: (account, op) => change(account, op, (entity) => ({ inline: without(entity.inline, op.name) })),
  put_attachment: (account, op) => change(account, op, (entity) => ({ attached: plus(entity.attached, op.policy) })),
  delete_attachment: (account, op) =>
    change(account, op, (entity) => ({ attached: minus(entity.attached, op.policy) })),
  put_membership: (account, op) => setGroups(account, op, plus),
  delete_membership: (account, op) => setGroups(account, op, minus),
  put_resource: putResource,
  delete_resource: deleteResource,
  delete_fraction: deleteFraction,
  delete_resources: deleteResources,
  set_account: setAccount,
};
for (const [noun, kind] of Object.entries(KIND_OF)) {
  OPERATIONS[`put_${noun}`] = put(kind);
  OPERATIONS[`delete_${noun}`] = remove(kind);
}

function setGroups(account, op, how) {
  const user = existing(account, "users", op.user);
  account.put("users", user.name, { groups: how(user.groups, op.group) });
  return {};
}

const ACCOUNT_FIELDS = {
  alias: "alias",
  regions: "optedIn",
  sts_disabled_regions: "stsOff",
  password_policy: "passwordPolicy",
  unassigned_mfa: "unassignedMfa",
  s3_public_access_block: "s3PublicAccessBlock",
};

function setAccount(account, op) {
  for (const [name, field] of Object.entries(ACCOUNT_FIELDS)) if (name in op) account[field] = op[name] ?? undefined;
  if (op.forget_report) account.report = undefined;
  if (op.report) account.report = { content: op.report, at: account.world.now() };
  account.world.touch();
  return {};
}

function putAccount(world, op) {
  const id = String(op.account);
  // Live sessions hold their account; a second one under the same number would leave them in the first.
  if (world.account(id)) throw new Error(`account ${id} exists`);
  world.addAccount(id, fieldsOf(op));
  return {};
}

function apply(world, op) {
  if (op.op === "put_account") return putAccount(world, op);
  const perform = OPERATIONS[op.op];
  if (!perform) {
    throw new Error(`unknown op "${op.op}"; known: put_account, ${Object.keys(OPERATIONS).sort().join(", ")}`);
  }
  return perform(accountOf(world, op), op);
}

export const applyOperations = (world, operations) => operations.map((op) => apply(world, op));
