// The world: accounts, organizations and the credentials that open them.
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { Account } from "./account.mjs";
import { Documents } from "./documents.mjs";
import { ManagedPolicies } from "./managed.mjs";
import { IdentityCenter } from "./identity_center.mjs";
import { Organization } from "./organization.mjs";
import { generate } from "./generate.mjs";
import { checkPartition } from "./regions.mjs";

const MANAGED_FILE = new URL("./worlds/aws-managed.yaml", import.meta.url);

export function loadWorld(file, clock, vars = {}) {
  // Anchors are how a world file says the same action list twice.
  const read = (source) => parse(readFileSync(source, "utf8"), { maxAliasCount: -1 });
  return new World(read(file), read(MANAGED_FILE), clock, vars);
}

export class World {
  constructor(spec, managed, clock, vars) {
    this.now = () => clock.now();
    this.partition = checkPartition(spec.partition ?? "aws");
    this.documents = new Documents({ ...spec.vars, ...vars });
    this.managed = new ManagedPolicies(this.partition, managed);
    this.revision = 0;
    this.caches = new WeakMap();
    this.vendor = spec.vendor && String(spec.vendor);
    this.accounts = new Map();
    for (const [id, account] of Object.entries(spec.accounts ?? {})) this.addAccount(id, account ?? {});
    for (const group of spec.many ?? []) this.addMany(group);
    this.organizations = [spec.organizations ?? []].flat().map((one) => new Organization(this, one));
    this.identityCenters = [spec.identity_centers ?? []].flat().map((one) => new IdentityCenter(this, one));
  }

  addAccount(id, spec) {
    const full = spec.generate ? generate(id, this.partition, spec) : spec;
    this.accounts.set(id, new Account(this, id, full));
    this.touch();
  }

  // Accounts alike, with consecutive numbers.
  addMany({ first, count, account }) {
    for (let n = 0; n < count; n += 1) this.addAccount(String(BigInt(first) + BigInt(n)).padStart(12, "0"), account);
  }

  account(id) {
    return this.accounts.get(String(id));
  }

  organizationOf(accountId) {
    return this.organizations.find((organization) => organization.has(accountId));
  }

  // The instance an account sees: its organization's, and only in its home region.
  identityCenterOf(accountId, region) {
    const organization = this.organizationOf(accountId);
    return this.identityCenters.find(
      (center) => center.region === region && (center.owner === accountId || organization?.has(center.owner)),
    );
  }

  touch() {
    this.revision = (this.revision ?? 0) + 1;
  }

  setVars(vars) {
    this.documents.set(vars);
    this.touch();
  }

  // A value worked out from an owner, kept until the world changes.
  derived(owner, key, compute) {
    let cache = this.caches.get(owner);
    if (!cache || cache.revision !== this.revision) {
      this.caches.set(owner, (cache = { revision: this.revision, values: new Map() }));
    }
    if (!cache.values.has(key)) cache.values.set(key, compute());
    return cache.values.get(key);
  }

  keyOwner(accessKeyId) {
    const index = this.derived(this, "keys", () => {
      const owners = [...this.accounts.values()].flatMap((account) =>
        [...account.users.values()].flatMap((user) => user.keys.map((key) => [key.id, { account, user, key }])),
      );
      return new Map(owners);
    });
    return index.get(accessKeyId);
  }

  // The long-term credential with this access key id, and whose it is.
  credential(accessKeyId) {
    const found = this.keyOwner(accessKeyId);
    if (!found) return undefined;
    const { account, user, key } = found;
    return {
      secret: key.secret,
      status: key.status,
      principal: {
        kind: "user",
        account,
        name: user.name,
        arn: user.arn,
        principalArn: user.arn,
        uniqueId: user.id,
        userId: user.id,
        accessKeyId,
      },
    };
  }

  roleByArn(arn) {
    const [, partition, service, , accountId, resource] = /^arn:([^:]+):([^:]+):([^:]*):([^:]*):(.+)$/.exec(arn) ?? [];
    if (partition !== this.partition || service !== "iam" || !resource?.startsWith("role/")) return undefined;
    const role = this.account(accountId)?.get("roles", resource.split("/").at(-1));
    return role?.arn === arn ? role : undefined;
  }
}
