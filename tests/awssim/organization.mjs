// An AWS organization: the tree, its accounts and its policies. Service control policies act on every member's calls.

const FULL_ACCESS = {
  id: "p-FullAWSAccess",
  name: "FullAWSAccess",
  type: "SERVICE_CONTROL_POLICY",
  aws: true,
  description: "Allows access to every operation",
  document: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] },
};

export class Organization {
  constructor(world, spec) {
    this.world = world;
    this.id = spec.id;
    this.management = String(spec.management);
    this.features = spec.feature_set ?? "ALL";
    this.root = {
      id: spec.root?.id ?? "r-ab12",
      name: spec.root?.name ?? "Root",
      policyTypes: spec.root?.policy_types ?? ["SERVICE_CONTROL_POLICY"],
    };
    this.ous = new Map(
      Object.entries(spec.ous ?? {}).map(([id, ou]) => [id, { id, name: ou.name, parent: ou.parent ?? this.root.id }]),
    );
    this.accounts = new Map(Object.entries(spec.accounts ?? {}).map(([id, one]) => [id, this.member(id, one ?? {})]));
    this.policies = new Map();
    this.addPolicy({ ...FULL_ACCESS, targets: spec.full_access === false ? [] : this.everyTarget() });
    for (const [id, policy] of Object.entries(spec.policies ?? {})) this.addPolicy({ id, ...policy });
    this.delegated = Object.entries(spec.delegated ?? {}).map(([id, services]) => ({
      id,
      services,
      enabled: Date.UTC(2024, 5, 1),
    }));
  }

  member(id, spec) {
    return {
      id,
      name: spec.name ?? `member ${id}`,
      email: spec.email ?? `aws+${id}@example.com`,
      parent: spec.parent ?? this.root.id,
      state: spec.state ?? "ACTIVE",
      joined: new Date(spec.joined ?? "2023-06-01T00:00:00Z").getTime(),
      method: spec.method ?? "CREATED",
    };
  }

  addPolicy(policy) {
    this.policies.set(policy.id, {
      type: "SERVICE_CONTROL_POLICY",
      targets: [],
      ...policy,
      targets: (policy.targets ?? []).map(String),
    });
  }

  everyTarget() {
    return [this.root.id, ...this.ous.keys(), ...this.accounts.keys()];
  }

  has(accountId) {
    return accountId === this.management || this.accounts.has(accountId);
  }

  mayRead(accountId) {
    return accountId === this.management || this.delegated.some(({ id }) => id === accountId);
  }

  arn(kind, id) {
    return `arn:${this.world.partition}:organizations::${this.management}:${kind}/${this.id}${id ? `/${id}` : ""}`;
  }

  // From the root down to the target itself.
  lineage(id) {
    const chain = [];
    for (let at = id; at; at = at === this.root.id ? undefined : (this.accounts.get(at) ?? this.ous.get(at))?.parent) {
      chain.unshift(at);
    }
    return chain;
  }

  path(id) {
    return `${[this.id, ...this.lineage(id)].join("/")}/`;
  }

  // One list of documents for each level; every level has to allow. The management account is beyond their reach.
  controls(accountId) {
    return this.levels(accountId, "SERVICE_CONTROL_POLICY");
  }

  // The same for what may be done to an account's resources, by whomever. AWS's own, which allows all, is understood.
  resourceControls(accountId) {
    return this.levels(accountId, "RESOURCE_CONTROL_POLICY");
  }

  levels(accountId, type) {
    if (accountId === this.management || !this.accounts.has(accountId)) return [];
    return this.world.derived(this, `${type}:${accountId}`, () =>
      this.lineage(accountId).map((target) =>
        [...this.policies.values()].filter((p) => p.type === type && p.targets.includes(target)).map((p) => p.document),
      ),
    );
  }
}
