// An Identity Center instance: its directory, its permission sets, and who has which of them where.
import * as ids from "./ids.mjs";

const uuid = (...name) => ids.hex(32, ...name).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

const byName = (a, b) => (a.name < b.name ? -1 : 1);

export class IdentityCenter {
  constructor(world, spec) {
    this.world = world;
    this.owner = String(spec.owner);
    this.region = spec.region;
    this.instance = spec.instance;
    this.store = spec.store;
    this.created = Date.parse(spec.created ?? "2023-03-01T00:00:00Z");
    this.groups = this.build(spec.groups, (name) => ({ id: uuid("group", this.store, name) }));
    this.users = this.build(spec.users, (name) => ({ id: uuid("user", this.store, name) }));
    this.sets = this.build(spec.permission_sets, (name) => ({ arn: this.setArn(name) }));
    this.assignments = (spec.assignments ?? [])
      .map((one) => this.assignment(one))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    this.provision();
  }

  get arn() {
    return `arn:${this.world.partition}:sso:::instance/${this.instance}`;
  }

  setArn(name) {
    const id = ids.hex(16, "permission set", this.instance, name);
    return `arn:${this.world.partition}:sso:::permissionSet/${this.instance}/ps-${id}`;
  }

  build(specs, identity) {
    return Object.entries(specs ?? {})
      .map(([name, spec]) => ({ ...spec, name, ...identity(name) }))
      .sort(byName);
  }

  assignment({ account, set, user, group }) {
    const [type, kind, name] = user ? ["USER", this.users, user] : ["GROUP", this.groups, group];
    const principal = kind.find((one) => one.name === name);
    const permissions = this.sets.find((one) => one.name === set);
    if (!principal || !permissions) throw new Error(`assignment of "${set}" to "${name}": no such name`);
    const key = `${account}/${permissions.arn}/${principal.id}`;
    return { key, account: String(account), set: permissions, type, principal };
  }

  // As Identity Center does: one reserved role for each account and permission set in use.
  provision() {
    for (const { account: id, set } of this.assignments) {
      const account = this.world.account(id);
      const name = `AWSReservedSSO_${set.name}_${ids.hex(16, "reserved role", id, set.arn)}`;
      if (account && !account.get("roles", name)) account.put("roles", name, this.reservedRole(account, set));
    }
  }

  reservedRole(account, set) {
    const provider = account.arn("saml-provider", `AWSSSO_${ids.hex(16, "sso provider", account.id)}_DO_NOT_DELETE`);
    const audience = { StringEquals: { "SAML:aud": "https://signin.aws.amazon.com/saml" } };
    const trusted = {
      Effect: "Allow",
      Principal: { Federated: provider },
      Action: ["sts:AssumeRoleWithSAML", "sts:TagSession"],
    };
    return {
      path: `/aws-reserved/sso.amazonaws.com/${this.region}/`,
      max_session: 43_200,
      description: set.description,
      trust: { Version: "2012-10-17", Statement: [{ ...trusted, Condition: audience }] },
      attached: [...(set.managed ?? []), ...(set.customer ?? []).map(({ name }) => name)],
      inline: set.inline ? { AwsSSOInlinePolicy: set.inline } : {},
    };
  }
}
