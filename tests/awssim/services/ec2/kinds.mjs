// What EC2 resources are when a world file does not say: IDs, ARNs, and the names of others turned into their IDs.
import { TEAMS, number } from "../../generate.mjs";
import * as ids from "../../ids.mjs";

const named = (kind, make) => (dice, n, where, peers) => [
  `${TEAMS[n % TEAMS.length]}-${kind}-${number(n)}`,
  make(dice, n, where, peers),
];
const id = (prefix) => (where, name) => where.id(prefix, name);
// Of the account that owns it: a shared network is seen by many and is one's.
const arn = (type) => (where, one) => where.arn("ec2", `${type}/${one.id}`, { account: one.owner ?? where.account });
const ownerless = (type) => (where, one) => where.arn("ec2", `${type}/${one.id}`, { account: "" });

const owned = (where, { owner }) => ({ owner: owner ?? where.account });
const zone = (where, given = "a") => (given.length === 1 ? where.region + given : given);
const oneOf = (dice, names) => (names.length ? dice.pick(names) : undefined);
const tags = (dice) => (dice.chance(0.6) ? { team: dice.pick(TEAMS), Name: `n-${dice.below(1000)}` } : {});

// groups: names or IDs of this account's, or { group, account } for another's.
function rule(where, { protocol = "tcp", port, from = port, to = from, groups = [], ...rest }) {
  return {
    protocol,
    from,
    to,
    cidrs: [],
    cidrs6: [],
    prefix_lists: [],
    ...rest,
    groups: groups.map((one) =>
      typeof one === "string"
        ? { group: where.ref("security_groups", one), account: where.account }
        : { account: where.account, ...one },
    ),
  };
}

const EVERYWHERE = { protocol: "-1", cidrs: ["0.0.0.0/0"] };

const metadata = ({ tokens = "required", endpoint = "enabled", hop_limit = 2 } = {}) => ({
  tokens,
  endpoint,
  hop_limit,
});

// A profile by its name in this account, or an ARN.
function profile(where, name) {
  if (name === undefined) return undefined;
  const own = where.resources.account.get("instance_profiles", name);
  return {
    arn:
      own?.arn ??
      (name.startsWith("arn:") ? name : `arn:${where.partition}:iam::${where.account}:instance-profile/${name}`),
    id: own?.id ?? ids.instanceProfileId(where.account, name),
  };
}

const groupIds = (where, groups = []) => groups.map((name) => where.ref("security_groups", name));

const vpcs = {
  id: id("vpc"),
  arn: arn("vpc"),
  fill: (where, one) => ({
    ...owned(where, one),
    cidr: one.cidr ?? `10.${Number.parseInt(ids.hex(2, one.id), 16)}.0.0/16`,
    default: one.default ?? false,
  }),
  make: named("vpc", (dice, n) => ({ cidr: `10.${n % 256}.0.0/16`, tags: tags(dice) })),
};

const subnets = {
  id: id("subnet"),
  arn: arn("subnet"),
  fill: (where, one) => ({
    ...owned(where, one),
    vpc: where.ref("vpcs", one.vpc ?? "vpc-00000000"),
    cidr: one.cidr ?? `10.0.${Number.parseInt(ids.hex(2, one.id), 16)}.0/24`,
    zone: zone(where, one.zone),
    public: one.public ?? false,
  }),
  make: named("subnet", (dice, n, where, peers) => ({
    vpc: oneOf(dice, peers("vpcs")),
    zone: dice.pick(["a", "b", "c"]),
    cidr: `10.${n >> 8}.${n & 255}.0/24`,
    public: dice.chance(0.3),
  })),
};

const security_groups = {
  id: id("sg"),
  arn: arn("security-group"),
  fill: (where, one) => ({
    ...owned(where, one),
    vpc: where.ref("vpcs", one.vpc ?? "vpc-00000000"),
    description: one.description ?? one.name,
    ingress: (one.ingress ?? []).map((each) => rule(where, each)),
    egress: (one.egress ?? [EVERYWHERE]).map((each) => rule(where, each)),
  }),
  make: (dice, n, where, peers) => {
    const team = TEAMS[n % TEAMS.length];
    const other = n > 0 ? [`${TEAMS[(n - 1) % TEAMS.length]}-sg-${number(n - 1)}`] : [];
    const ways = [
      { port: 443, cidrs: ["0.0.0.0/0"], cidrs6: ["::/0"] },
      { port: 22, cidrs: ["10.0.0.0/8"] },
      { port: 5432, groups: other },
    ];
    return [
      `${team}-sg-${number(n)}`,
      { vpc: oneOf(dice, peers("vpcs")), ingress: dice.some(ways, 3), tags: tags(dice) },
    ];
  },
};

const key_pairs = {
  id: id("key"),
  arn: (where, one) => where.arn("ec2", `key-pair/${one.name}`),
  fill: (where, one) => ({
    type: one.type ?? "rsa",
    fingerprint: one.fingerprint ?? ids.hex(40, "fingerprint", one.id).match(/../g).join(":"),
  }),
  make: named("key", (dice) => ({ type: dice.pick(["rsa", "ed25519"]) })),
};

// public: for everybody; shared_with: account numbers, for an image also ARNs of organizations and units.
const shared = (one) => ({ public: one.public ?? false, shared_with: (one.shared_with ?? []).map(String) });

const snapshots = {
  id: id("snap"),
  arn: ownerless("snapshot"),
  fill: (where, one) => ({
    ...owned(where, one),
    ...shared(one),
    volume: one.volume ? where.ref("volumes", one.volume) : "vol-ffffffff",
    size: one.size ?? 8,
    encrypted: one.encrypted ?? Boolean(one.kms_key),
    kms_key: where.key(one.kms_key),
    tier: one.tier ?? "standard",
    description: one.description ?? "",
    state: one.state ?? "completed",
  }),
  make: named("snapshot", (dice) => ({ size: 8 << dice.below(5), public: dice.chance(0.02), tags: tags(dice) })),
};

const images = {
  id: id("ami"),
  arn: ownerless("image"),
  fill: (where, one) => ({
    ...owned(where, one),
    ...shared(one),
    snapshots: (one.snapshots ?? []).map((name) => where.ref("snapshots", name)),
    state: one.state ?? "available",
    description: one.description ?? "",
    deprecated: one.deprecated,
  }),
  make: named("image", (dice, n, where, peers) => ({
    snapshots: dice.some(peers("snapshots"), 1),
    public: dice.chance(0.02),
    state: dice.chance(0.1) ? "disabled" : "available",
  })),
};

const launch_templates = {
  id: id("lt"),
  arn: arn("launch-template"),
  fill: (where, one) => {
    const versions = (one.versions ?? [{}]).map((version, n) => ({
      number: n + 1,
      type: "t3.micro",
      ...version,
      image: version.image && where.ref("images", version.image),
      profile: version.profile && { arn: profile(where, version.profile).arn },
      groups: groupIds(where, version.groups),
      metadata: version.metadata && metadata(version.metadata),
    }));
    return {
      versions,
      default_version: one.default_version ?? versions.length,
      created_by: one.created_by ?? `arn:${where.partition}:iam::${where.account}:root`,
    };
  },
  make: named("template", (dice, n, where, peers) => ({
    versions: Array.from({ length: 1 + dice.below(3) }, () => ({
      image: oneOf(dice, peers("images")),
      profile: oneOf(dice, peers("instance_profiles")),
      groups: dice.some(peers("security_groups"), 2),
      user_data: `#!/bin/sh\nexport TOKEN=generated-${dice.below(1e6)}\n`,
    })),
    default_version: 1,
  })),
};

const instances = {
  id: id("i"),
  arn: arn("instance"),
  fill: (where, one) => {
    const subnet = one.subnet && where.resources.by(where.region, "subnets", "name").get(one.subnet);
    const state = one.state ?? "running";
    return {
      ...owned(where, one),
      type: one.type ?? "t3.micro",
      state,
      image: one.image ? where.ref("images", one.image) : "ami-00000000000000000",
      subnet: one.subnet && where.ref("subnets", one.subnet),
      vpc: one.vpc ? where.ref("vpcs", one.vpc) : subnet?.vpc,
      zone: zone(where, one.zone ?? subnet?.zone),
      groups: groupIds(where, one.groups),
      profile: profile(where, one.profile),
      metadata: metadata(one.metadata),
      volumes: (one.volumes ?? []).map((name) => where.ref("volumes", name)),
      private_ip:
        one.private_ip ??
        (state === "terminated"
          ? undefined
          : `10.0.${Number.parseInt(ids.hex(2, one.id), 16)}.${Number.parseInt(ids.hex(2, "ip", one.id), 16)}`),
      reservation: one.reservation ?? `r-${ids.hex(17, "reservation", one.id)}`,
    };
  },
  make: named("instance", (dice, n, where, peers) => ({
    type: dice.pick(["t3.micro", "m6i.large", "c7g.xlarge"]),
    state: dice.chance(0.9) ? "running" : dice.pick(["stopped", "terminated"]),
    image: oneOf(dice, peers("images")),
    subnet: oneOf(dice, peers("subnets")),
    groups: dice.some(peers("security_groups"), 3),
    profile: dice.chance(0.7) ? oneOf(dice, peers("instance_profiles")) : undefined,
    key_pair: dice.chance(0.3) ? oneOf(dice, peers("key_pairs")) : undefined,
    metadata: { tokens: dice.chance(0.8) ? "required" : "optional" },
    public_ip: dice.chance(0.2) ? `203.0.113.${dice.below(256)}` : undefined,
    user_data: `#!/bin/sh\nexport PASSWORD=generated-${dice.below(1e6)}\n`,
    tags: tags(dice),
  })),
};

const volumes = {
  id: id("vol"),
  arn: arn("volume"),
  fill: (where, one) => ({
    size: one.size ?? 8,
    type: one.type ?? "gp3",
    zone: zone(where, one.zone),
    encrypted: one.encrypted ?? Boolean(one.kms_key),
    kms_key: where.key(one.kms_key),
    attached_to: one.attached_to && where.ref("instances", one.attached_to),
    state: one.attached_to ? "in-use" : "available",
    snapshot: one.snapshot && where.ref("snapshots", one.snapshot),
  }),
  make: named("volume", (dice, n, where, peers) => ({
    size: 8 << dice.below(5),
    encrypted: dice.chance(0.7),
    attached_to: dice.chance(0.9) ? oneOf(dice, peers("instances")) : undefined,
    tags: tags(dice),
  })),
};

export const kinds = {
  vpcs,
  subnets,
  security_groups,
  key_pairs,
  snapshots,
  images,
  launch_templates,
  instances,
  volumes,
};
