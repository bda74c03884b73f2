// Everything an account holds, in a plain shape that owes nothing to any wire: what a checker compares a product with.
import { isoSeconds } from "./time.mjs";
import { regionList } from "./regions.mjs";

const when = (time) => (time === undefined ? null : isoSeconds(time));

// Documents are given as IAM stores them (text) and as what they mean (parsed; null when they are not JSON).
const document = (account, value) => {
  const { documents } = account.world;
  return { text: documents.text(value), parsed: documents.parsed(value) ?? null };
};

function shared(account, entity) {
  return {
    name: entity.name,
    path: entity.path,
    id: entity.id,
    arn: entity.arn,
    created: when(entity.created),
    tags: entity.tags,
    attached_policies: entity.attached.map((ref) => account.policyArn(ref)).sort(),
    boundary: entity.boundary ? account.policyArn(entity.boundary) : null,
    inline_policies: Object.entries(entity.inline).map(([name, value]) => ({
      name,
      document: document(account, value),
    })),
  };
}

const user = (account, one) => ({
  ...shared(account, one),
  groups: account
    .groupsOf(one)
    .map(({ name }) => name)
    .sort(),
  password: one.password ? { created: when(one.password.created), last_used: when(one.password.last_used) } : null,
  access_keys: one.keys.map((key) => ({
    id: key.id,
    status: key.status,
    created: when(key.created),
    last_used: key.last_used ? { ...key.last_used, date: when(key.last_used.date) } : null,
  })),
  mfa_devices: one.mfa.map(({ type, serial, enabled }) => ({ type, serial, enabled: when(enabled) })),
});

const group = (account, one) => ({ ...shared(account, one), members: account.membersOf(one).map(({ name }) => name) });

const role = (account, one) => ({
  ...shared(account, one),
  description: one.description ?? null,
  max_session: one.max_session,
  trust: document(account, one.trust),
  last_used: one.last_used ? { date: when(one.last_used.date), region: one.last_used.region } : null,
});

function policy(account, one) {
  const used = account.attachments().get(one.arn);
  const names = (kind) => (used?.[kind] ?? []).map(({ name }) => name);
  return {
    name: one.name,
    path: one.path,
    id: one.id,
    arn: one.arn,
    created: when(one.created),
    updated: when(one.updated),
    description: one.description ?? null,
    tags: one.tags,
    aws: Boolean(one.aws),
    versions: one.versions.map(({ id, is_default, created, document: value }) => ({
      id,
      is_default,
      created: when(created),
      document: document(account, value),
    })),
    attached_to: { users: names("users"), groups: names("groups"), roles: names("roles") },
    boundary_of: used?.boundaries ?? 0,
  };
}

const organization = (one) =>
  one && {
    id: one.id,
    management: one.management,
    root: one.root.id,
    ous: [...one.ous.values()],
    accounts: [...one.accounts.values()].map(({ joined, ...member }) => ({
      ...member,
      joined: when(joined),
      arn: one.arn("account", member.id),
      path: one.path(member.id),
    })),
    policies: [...one.policies.values()],
    delegated: one.delegated.map(({ id, services }) => ({ id, services })),
  };

const identityCenter = (one) =>
  one && {
    instance: one.arn,
    store: one.store,
    region: one.region,
    owner: one.owner,
    users: one.users.map(({ id, name, display, groups = [], external_id }) => ({
      id,
      name,
      display,
      groups,
      external_id,
    })),
    groups: one.groups.map(({ id, name, description }) => ({ id, name, description })),
    permission_sets: one.sets.map(({ name, arn, description, session = "PT1H" }) => ({
      name,
      arn,
      description,
      session,
    })),
    assignments: one.assignments.map(({ account, set, type, principal }) => ({
      account,
      set: set.name,
      type,
      principal: principal.id,
    })),
  };

export function inventory(world, id) {
  const account = world.account(id);
  if (!account) throw new Error(`no account ${id}`);
  const all = (kind, view) => account.sorted(kind).map((one) => view(account, one));
  const usedAws = world.managed.sorted.filter((one) => account.attachments().has(one.arn));
  return {
    account: account.id,
    partition: world.partition,
    alias: account.alias ?? null,
    root_mfa: account.root.mfa,
    users: all("users", user),
    groups: all("groups", group),
    roles: all("roles", role),
    policies: all("policies", policy),
    aws_policies: usedAws.map((one) => policy(account, one)),
    instance_profiles: all("instance_profiles", (_, one) => ({
      name: one.name,
      id: one.id,
      arn: one.arn,
      path: one.path,
      roles: one.roles,
    })),
    saml_providers: all("saml_providers", (_, one) => ({
      name: one.name,
      arn: one.arn,
      created: when(one.created),
      valid_until: when(one.valid_until),
      document: one.document,
    })),
    oidc_providers: all("oidc_providers", (_, one) => ({
      arn: one.arn,
      url: one.url,
      client_ids: one.client_ids,
      thumbprints: one.thumbprints,
      created: when(one.created),
    })),
    server_certificates: all("server_certificates", (_, one) => ({
      name: one.name,
      arn: one.arn,
      expires: when(one.expires),
    })),
    password_policy: account.passwordPolicy ?? null,
    regions: regionList(account),
    resources: account.held.inventory(),
    organization: organization(world.organizationOf(account.id)) ?? null,
    identity_center: identityCenter(world.identityCenters.find(({ owner }) => owner === account.id)) ?? null,
  };
}
