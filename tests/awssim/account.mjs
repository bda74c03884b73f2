// One AWS account's identities, in the simulator's own neutral shape. Wire shapes are made from these by services/.
import * as ids from "./ids.mjs";
import { Resources } from "./resources.mjs";

export const KINDS = [
  "users",
  "groups",
  "roles",
  "policies",
  "instance_profiles",
  "saml_providers",
  "oidc_providers",
  "server_certificates",
];

const asTime = (value, fallback) => (value === undefined || value === null ? fallback : new Date(value).getTime());
const orNone = (value) => (value === undefined || value === null ? undefined : new Date(value).getTime());

export class Account {
  constructor(world, id, spec = {}) {
    this.world = world;
    this.id = id;
    this.name = spec.name ?? `account ${id}`;
    this.alias = spec.alias;
    this.created = asTime(spec.created, ids.createdAt(id));
    this.optedIn = spec.regions ?? [];
    this.stsOff = spec.sts_disabled_regions ?? [];
    this.root = { mfa: true, keys: 0, password_last_used: undefined, ...spec.root };
    this.passwordPolicy = spec.password_policy;
    this.reportPolls = spec.credential_report_polls;
    this.unassignedMfa = spec.unassigned_mfa ?? [];
    this.s3PublicAccessBlock = spec.s3_public_access_block;
    for (const kind of KINDS) {
      this[kind] = new Map();
      for (const [name, one] of Object.entries(spec[kind] ?? {})) this.put(kind, name, one ?? {});
    }
    this.held = new Resources(this, spec);
  }

  // What the account holds in a region, in name order: { name, ...fields }.
  resources(region, kind) {
    return this.held.list(region, kind);
  }

  resource(region, kind, name) {
    return this.held.by(region, kind, "name").get(name);
  }

  resourceBy(region, kind, field, value) {
    return this.held.by(region, kind, field).get(value);
  }

  get partition() {
    return this.world.partition;
  }

  // Names are unique without regard to case, as in IAM.
  get(kind, name) {
    return this[kind].get(String(name).toLowerCase());
  }

  // Fields that are not given keep what they had.
  put(kind, name, spec) {
    const old = this.get(kind, name);
    const entity = BUILD[kind](this, old?.name ?? name, { ...old?.spec, ...spec });
    entity.spec = { ...old?.spec, ...spec };
    entity.made ??= old?.made ?? this.world.now();
    this[kind].set(name.toLowerCase(), entity);
    this.world.touch();
    return entity;
  }

  delete(kind, name) {
    const gone = this[kind].delete(String(name).toLowerCase());
    this.world.touch();
    return gone;
  }

  // Lists come in name order, which is what lets a page marker survive a change of the world.
  sorted(kind) {
    return this.world.derived(this, `sorted:${kind}`, () =>
      [...this[kind].values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
  }

  arn(type, pathAndName) {
    return `arn:${this.partition}:iam::${this.id}:${type}/${pathAndName.replace(/^\//, "")}`;
  }

  // "aws:ReadOnlyAccess" is AWS's own, a plain name is this account's, an ARN is itself.
  policyArn(ref) {
    if (ref.startsWith("arn:")) return ref;
    if (ref.startsWith("aws:")) return this.world.managed.arn(ref.slice(4));
    return this.get("policies", ref)?.arn ?? this.arn("policy", ref);
  }

  policy(arn) {
    const own = this.world.derived(
      this,
      "policies by arn",
      () => new Map([...this.policies.values()].map((p) => [p.arn, p])),
    );
    return own.get(arn) ?? this.world.managed.get(arn);
  }

  membersOf(group) {
    const members = this.world.derived(this, "members", () => {
      const map = new Map();
      for (const user of this.sorted("users")) {
        for (const name of user.groups) map.set(name.toLowerCase(), [...(map.get(name.toLowerCase()) ?? []), user]);
      }
      return map;
    });
    return members.get(group.name.toLowerCase()) ?? [];
  }

  groupsOf(user) {
    return user.groups.map((name) => this.get("groups", name)).filter(Boolean);
  }

  attachments() {
    return this.world.derived(this, "attachments", () => countAttachments(this));
  }
}

function countAttachments(account) {
  const counts = new Map();
  const at = (ref) => {
    const arn = account.policyArn(ref);
    if (!counts.has(arn)) counts.set(arn, { users: [], groups: [], roles: [], boundaries: 0 });
    return counts.get(arn);
  };
  for (const kind of ["users", "groups", "roles"]) {
    for (const entity of account.sorted(kind)) {
      for (const ref of entity.attached) at(ref)[kind].push(entity);
      if (entity.boundary) at(entity.boundary).boundaries += 1;
    }
  }
  return counts;
}

const path = (spec) => spec.path ?? "/";

function common(account, type, name, spec) {
  return {
    type,
    name,
    path: path(spec),
    arn: account.arn(type, path(spec) + name),
    created: asTime(spec.created, ids.createdAt(account.id, type, name)),
    inline: spec.inline ?? {},
    attached: spec.attached ?? [],
    boundary: spec.boundary,
    tags: spec.tags ?? {},
  };
}

function buildKey(account, user, created, spec, n) {
  const lastUsed = spec.last_used;
  return {
    id: spec.id ?? ids.accessKeyId(account.id, user, n),
    secret: spec.secret ?? ids.secretKey(account.id, user, n),
    status: spec.status ?? "Active",
    created: asTime(spec.created, ids.daysAfter(created, 1 + n)),
    last_used: lastUsed && {
      date: asTime(lastUsed.date),
      service: lastUsed.service ?? "s3",
      region: lastUsed.region ?? "us-east-1",
    },
  };
}

function buildMfa(account, user, created, spec, n) {
  const device = typeof spec === "string" ? { type: spec } : spec;
  const suffix = n ? `-${n}` : "";
  const serial = {
    virtual: () => account.arn("mfa", user + suffix),
    hardware: () => `GAHT${ids.hex(8, account.id, user, n).toUpperCase()}`,
    u2f: () => account.arn("u2f", `user/${user}/key-${ids.base32(ids.digest("u2f", account.id, user, n), 26)}`),
  }[device.type];
  return {
    type: device.type,
    serial: device.serial ?? serial(),
    enabled: asTime(device.enabled, ids.daysAfter(created, 2)),
  };
}

function buildUser(account, name, spec) {
  const user = {
    ...common(account, "user", name, spec),
    id: spec.id ?? ids.userId(account.id, name),
    groups: spec.groups ?? [],
    ghost_groups: spec.ghost_groups ?? [],
  };
  user.keys = (spec.keys ?? []).map((key, n) => buildKey(account, name, user.created, key ?? {}, n));
  user.mfa = (spec.mfa ?? []).map((device, n) => buildMfa(account, name, user.created, device, n));
  if (spec.password) {
    user.password = {
      created: asTime(spec.password.created, user.created),
      last_used: orNone(spec.password.last_used),
      last_changed: asTime(spec.password.last_changed, user.created),
      reset_required: spec.password.reset_required ?? false,
    };
  }
  return user;
}

const buildGroup = (account, name, spec) => ({
  ...common(account, "group", name, spec),
  id: spec.id ?? ids.groupId(account.id, name),
});

function buildRole(account, name, spec) {
  const lastUsed = spec.last_used;
  return {
    ...common(account, "role", name, spec),
    id: spec.id ?? ids.roleId(account.id, name),
    trust: spec.trust ?? { Version: "2012-10-17", Statement: [] },
    description: spec.description,
    max_session: spec.max_session ?? 3600,
    last_used: lastUsed && { date: asTime(lastUsed.date), region: lastUsed.region ?? "us-east-1" },
    visible_after_s: spec.visible_after_s ?? 0,
  };
}

function buildPolicy(account, name, spec) {
  const policy = {
    ...common(account, "policy", name, spec),
    id: spec.id ?? ids.policyId(account.id, name),
    description: spec.description,
  };
  const versions = spec.versions ?? [{ document: spec.document ?? { Version: "2012-10-17", Statement: [] } }];
  const wanted = spec.default_version ?? `v${versions.length}`;
  policy.versions = versions.map((version, n) => ({
    id: version.id ?? `v${n + 1}`,
    document: version.document,
    created: asTime(version.created, ids.daysAfter(policy.created, n * 30)),
    is_default: (version.id ?? `v${n + 1}`) === wanted,
  }));
  policy.updated = policy.versions.at(-1).created;
  return policy;
}

const buildInstanceProfile = (account, name, spec) => ({
  ...common(account, "instance-profile", name, spec),
  id: spec.id ?? ids.instanceProfileId(account.id, name),
  roles: spec.roles ?? [],
});

const buildSaml = (account, name, spec) => ({
  ...common(account, "saml-provider", name, spec),
  valid_until: asTime(spec.valid_until, Date.UTC(2035, 0, 1)),
  document: spec.document ?? samlMetadata(name),
});

const samlMetadata = (name) =>
  `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com/${name}">` +
  `<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing">` +
  `<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${ids.digest("saml", name).toString("base64")}` +
  `</X509Certificate></X509Data></KeyInfo></KeyDescriptor></IDPSSODescriptor></EntityDescriptor>`;

const buildOidc = (account, name, spec) => ({
  ...common(account, "oidc-provider", name, spec),
  url: name,
  client_ids: spec.client_ids ?? ["sts.amazonaws.com"],
  thumbprints: spec.thumbprints ?? [ids.hex(40, "thumbprint", name)],
});

const buildCertificate = (account, name, spec) => ({
  ...common(account, "server-certificate", name, spec),
  id: ids.serverCertificateId(account.id, name),
  expires: asTime(spec.expires, Date.UTC(2030, 0, 1)),
});

const BUILD = {
  users: buildUser,
  groups: buildGroup,
  roles: buildRole,
  policies: buildPolicy,
  instance_profiles: buildInstanceProfile,
  saml_providers: buildSaml,
  oidc_providers: buildOidc,
  server_certificates: buildCertificate,
};
