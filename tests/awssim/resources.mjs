// What an account holds in its regions: instances, databases, clusters, functions. A world file says of each what it
// wants to say; the kind's own table (services/*/kinds.mjs) says the rest. Never knows a wire: services/ show these.
import * as ids from "./ids.mjs";
import { Dice } from "./dice.mjs";
import { isKnown } from "./regions.mjs";
import { kinds as bedrock } from "./services/bedrock/kinds.mjs";
import { kinds as dynamodb } from "./services/dynamodb/kinds.mjs";
import { kinds as ec2 } from "./services/ec2/kinds.mjs";
import { kinds as eks } from "./services/eks/kinds.mjs";
import { kinds as lambda } from "./services/lambda/kinds.mjs";
import { kinds as rds } from "./services/rds/kinds.mjs";
import { kinds as kms } from "./services/kms/kinds.mjs";
import { kinds as s3 } from "./services/s3/kinds.mjs";
import { kinds as secrets } from "./services/secretsmanager/kinds.mjs";
import { isoSeconds } from "./time.mjs";

// kind: { id(where, name), arn(where, fields), fill(where, fields), make(dice, n, where, peers) }, each one optional.
// Generated resources refer to those of the kinds before them.
const KINDS = { ...kms, ...secrets, ...dynamodb, ...s3, ...bedrock, ...ec2, ...rds, ...eks, ...lambda };

function kindNamed(kind) {
  if (!Object.hasOwn(KINDS, kind)) {
    throw new Error(`unknown kind of resource "${kind}"; known: ${Object.keys(KINDS).join(", ")}`);
  }
  return KINDS[kind];
}

// Where a resource is: what its table needs to make up an ARN or to find another one by its name.
class Place {
  constructor(resources, region) {
    this.resources = resources;
    this.region = region;
    this.account = resources.account.id;
    this.partition = resources.account.partition;
  }

  arn(service, resource, { region = this.region, account = this.account } = {}) {
    return `arn:${this.partition}:${service}:${region}:${account}:${resource}`;
  }

  // "i-0123456789abcdef0", the same for the same name.
  id(prefix, name, length = 17) {
    return `${prefix}-${ids.hex(length, prefix, this.account, this.region, name)}`;
  }

  uuid(...name) {
    const h = ids.hex(32, this.account, this.region, ...name);
    return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-a${h.slice(17, 20)}-${h.slice(20)}`;
  }

  // The ID of the resource with this name; what is no resource's name is taken for an ID.
  ref(kind, name) {
    const fields = this.resources.fields(this.region, kind).get(name);
    return fields ? (fields.id ?? KINDS[kind].id(this, name)) : name;
  }

  // The ARN of the resource with this name; what is no resource's name is taken for an ARN.
  refArn(kind, name) {
    return (name && Object.hasOwn(KINDS, kind) && this.resources.by(this.region, kind, "name").get(name)?.arn) || name;
  }

  // A key by its name in this account and region, its ID, or its ARN.
  key(name) {
    const known = this.refArn("kms_keys", name);
    return known === undefined || known.startsWith("arn:") ? known : this.arn("kms", `key/${known}`);
  }

  // A role by its name in this account, or an ARN as it is.
  role(name) {
    if (name === undefined || name.startsWith("arn:")) return name;
    return this.resources.account.get("roles", name)?.arn ?? `arn:${this.partition}:iam::${this.account}:role/${name}`;
  }
}

export class Resources {
  constructor(account, spec = {}) {
    this.account = account;
    this.wanted = spec.generate?.resources;
    this.roles = Object.keys(spec.roles ?? {});
    this.profiles = Object.keys(spec.instance_profiles ?? {});
    this.regions = new Map();
    this.given = spec.resources ?? {};
    for (const [region, kinds] of Object.entries(this.given)) {
      this.checkRegion(region);
      Object.keys(kinds ?? {}).forEach(kindNamed);
    }
    Object.keys(this.wanted ?? {}).forEach((kind) => ["seed", "regions"].includes(kind) || kindNamed(kind));
    this.wanted?.regions?.forEach((region) => this.checkRegion(region));
  }

  checkRegion(region) {
    if (!isKnown(this.account.world, region)) throw new Error(`unknown region "${region}"`);
  }

  // region -> kind -> name -> fields as given. A region is made when it is first asked for: most never are.
  region(region) {
    let kinds = this.regions.get(region);
    if (!kinds) {
      kinds = new Map(this.wanted?.regions?.includes(region) ? this.generate(region) : []);
      for (const [kind, named] of Object.entries(this.given[region] ?? {})) {
        kinds.set(kind, new Map([...(kinds.get(kind) ?? []), ...Object.entries(named ?? {})]));
      }
      this.regions.set(region, kinds);
    }
    return kinds;
  }

  // Each kind has its own dice, so that more of one changes none of the others.
  generate(region) {
    const place = new Place(this, region);
    const made = new Map();
    const peers = (kind) =>
      ({ roles: this.roles, instance_profiles: this.profiles })[kind] ?? [...(made.get(kind) ?? new Map()).keys()];
    for (const [kind, { make }] of Object.entries(KINDS)) {
      if (!this.wanted[kind]) continue;
      const dice = new Dice(`${this.wanted.seed ?? 1}:${this.account.id}:${region}:${kind}`);
      made.set(kind, new Map(Array.from({ length: this.wanted[kind] }, (_, n) => make(dice, n, place, peers))));
    }
    return made;
  }

  fields(region, kind) {
    kindNamed(kind);
    return this.region(region).get(kind) ?? new Map();
  }

  complete(region, kind, name, given) {
    const place = new Place(this, region);
    const { id, arn, fill } = KINDS[kind];
    const fields = {
      name,
      ...(id && { id: id(place, name) }),
      created: isoSeconds(ids.createdAt(this.account.id, region, kind, name)),
      tags: {},
      ...given,
    };
    const full = { ...fields, ...fill?.(place, fields) };
    return Object.freeze(arn ? { arn: arn(place, full), ...full } : full);
  }

  // In name order, which is what lets a page marker survive a change of the world.
  list(region, kind) {
    return this.account.world.derived(this, `${region} ${kind}`, () =>
      [...this.fields(region, kind)]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, given]) => this.complete(region, kind, name, given ?? {})),
    );
  }

  // By the value of one of its fields, such as "name", "id" or "arn".
  by(region, kind, field) {
    return this.account.world.derived(
      this,
      `${region} ${kind} by ${field}`,
      () => new Map(this.list(region, kind).map((one) => [one[field], one])),
    );
  }

  // Fields that are not given keep what they had.
  put(region, kind, name, given) {
    kindNamed(kind);
    this.checkRegion(region);
    const kinds = this.region(region);
    if (!kinds.has(kind)) kinds.set(kind, new Map());
    kinds.get(kind).set(name, { ...kinds.get(kind).get(name), ...given });
    this.account.world.touch();
    return this.by(region, kind, "name").get(name);
  }

  delete(region, kind, name) {
    if (!this.fields(region, kind).delete(name)) {
      throw new Error(`no ${kind} "${name}" in ${this.account.id} ${region}`);
    }
    this.account.world.touch();
  }

  // region -> kind -> resources, without what is empty.
  inventory() {
    const regions = new Set([...Object.keys(this.given), ...(this.wanted?.regions ?? []), ...this.regions.keys()]);
    const kindsOf = (region) => Object.keys(KINDS).map((kind) => [kind, this.list(region, kind)]);
    return Object.fromEntries(
      [...regions]
        .sort()
        .map((region) => [region, Object.fromEntries(kindsOf(region).filter(([, list]) => list.length))])
        .filter(([, kinds]) => Object.keys(kinds).length),
    );
  }
}
