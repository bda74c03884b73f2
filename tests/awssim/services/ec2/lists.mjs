// What EC2 lists: whose things each call shows, by which IDs and filters it takes them, and how many a page.
import { paginate } from "../../paging.mjs";
import { AwsError } from "../../errors.mjs";
import { visible } from "../view.mjs";
import { describe } from "./describe.mjs";
import * as ids from "../../ids.mjs";
import * as views from "./views.mjs";

const own =
  (kind) =>
  ({ account, region }) =>
    account.resources(region, kind);

// What an AWS service runs for the customer may be hidden from who does not ask for it.
const managed =
  (kind) =>
  ({ account, region, input }) =>
    account.resources(region, kind).filter(({ operator }) => input.IncludeManagedResources || !operator?.hidden);

const isOwner = (account, values) => (one) =>
  values.some((value) => one.owner === (value === "self" ? account.id : value));

function reaches(account, values) {
  return (one) =>
    values.some((value) => {
      if (value === "all") return one.public;
      const id = value === "self" ? account.id : value;
      return one.owner === id || one.shared_with.includes(id);
    });
}

// Without an owner a list has everybody's public ones in it too.
function shareable(kind, owners, users) {
  return (call) => {
    const { account, input } = call;
    // Most ask for their own, and then nobody else's are looked through.
    const own = input[owners]?.length === 1 && ["self", account.id].includes(input[owners][0]);
    return (own ? account.resources(call.region, kind) : visible(call, kind))
      .filter(input[owners]?.length ? isOwner(account, input[owners]) : () => true)
      .filter(input[users]?.length ? reaches(account, input[users]) : () => true);
  };
}

const snapshots = shareable("snapshots", "OwnerIds", "RestorableByUserIds");

// Owners see their deprecated images in any case, and nobody sees a disabled one unasked.
function images(call) {
  const { account, input } = call;
  return shareable(
    "images",
    "Owners",
    "ExecutableUsers",
  )(call)
    .filter(({ state }) => input.IncludeDisabled || state !== "disabled")
    .filter(({ owner, deprecated }) => input.IncludeDeprecated || owner === account.id || !deprecated);
}

const network = { "vpc-id": ({ vpc }) => vpc, "owner-id": ({ owner }) => owner };

const describeInstances = describe({
  member: "Instances",
  all: managed("instances"),
  ids: { InstanceIds: "id" },
  noun: ["InvalidInstanceID", "instance ID"],
  filters: {
    ...network,
    "instance-state-name": ({ state }) => state,
    "instance-type": ({ type }) => type,
    "subnet-id": ({ subnet }) => subnet,
    "instance.group-id": ({ groups }) => groups,
    "iam-instance-profile.arn": ({ profile }) => profile?.arn,
  },
  // The reservation goes along: a page's instances are put together by it.
  show: (account, one, call) => ({ one, shown: views.instance(account, one, call) }),
  limits: {},
});

function reservations(list) {
  const made = new Map();
  for (const { one, shown } of list) {
    if (!made.has(one.reservation)) {
      made.set(one.reservation, {
        ReservationId: one.reservation,
        OwnerId: one.owner,
        Groups: [],
        RequesterId: one.operator?.principal,
        Instances: [],
      });
    }
    made.get(one.reservation).Instances.push(shown);
  }
  return [...made.values()];
}

function number(template, version) {
  if (version === "$Default") return template.default_version;
  if (version === "$Latest") return template.versions.at(-1).number;
  return Number(version);
}

// Neither is a thing of the world's: both are made from the instances.
const associations = (call) =>
  managed("instances")(call)
    .filter(({ profile }) => profile)
    .map((instance) => ({
      ...instance,
      id: `iip-assoc-${ids.hex(17, "association", instance.id)}`,
      instance: instance.id,
    }));

const interfaces = (call) =>
  managed("instances")(call).flatMap((one) => views.interfaces(call.account, call.region, one));

const padded = (n) => String(n).padStart(9, "0");
const versionKey = ({ template, version }) => `${template.id} ${padded(version.number)}`;

function templateOf({ account, region, input }) {
  const { LaunchTemplateId: id, LaunchTemplateName: name } = input;
  const found = account.resourceBy(region, "launch_templates", id ? "id" : "name", id ?? name);
  if (found) return found;
  throw id
    ? new AwsError(
        "InvalidLaunchTemplateId.NotFound",
        `The specified launch template, with template ID ${id}, does not exist.`,
      )
    : new AwsError(
        "InvalidLaunchTemplateName.NotFoundException",
        `The specified launch template, with template name ${name}, does not exist.`,
      );
}

// Without a template every template's default and latest versions can be asked for, and no others.
function versions(call) {
  const { account, region, input } = call;
  const wanted = input.Versions ?? [];
  if (!input.LaunchTemplateId && !input.LaunchTemplateName) {
    if (!wanted.length || wanted.some((version) => !["$Default", "$Latest"].includes(version))) {
      throw new AwsError(
        "MissingParameter",
        "Either the launch template ID or the launch template name must be provided, unless the versions are $Latest and $Default.",
      );
    }
    return account.resources(region, "launch_templates").flatMap((template) => pick(template, wanted));
  }
  const template = templateOf(call);
  return wanted.length ? pick(template, wanted) : template.versions.map((version) => ({ template, version }));
}

const pick = (template, wanted) => {
  const numbers = new Set(wanted.map((version) => number(template, version)));
  return template.versions.filter((version) => numbers.has(version.number)).map((version) => ({ template, version }));
};

export const operations = {
  DescribeInstances(call) {
    const { Instances, ...more } = describeInstances(call);
    return { Reservations: reservations(Instances), ...more };
  },

  DescribeSecurityGroups: describe({
    member: "SecurityGroups",
    all: own("security_groups"),
    ids: { GroupIds: "id", GroupNames: "name" },
    noun: ["InvalidGroup", "security group"],
    filters: { ...network, "group-id": ({ id }) => id, "group-name": ({ name }) => name },
    show: views.securityGroup,
    limits: {},
  }),

  DescribeVpcs: describe({
    member: "Vpcs",
    all: own("vpcs"),
    ids: { VpcIds: "id" },
    noun: ["InvalidVpcID", "vpc ID"],
    filters: { ...network, "vpc-id": ({ id }) => id, "is-default": (one) => one.default, cidr: ({ cidr }) => cidr },
    show: views.vpc,
    limits: {},
  }),

  DescribeSubnets: describe({
    member: "Subnets",
    all: own("subnets"),
    ids: { SubnetIds: "id" },
    noun: ["InvalidSubnetID", "subnet ID"],
    filters: { ...network, "subnet-id": ({ id }) => id, "availability-zone": ({ zone }) => zone },
    show: views.subnet,
    limits: {},
  }),

  DescribeVolumes: describe({
    member: "Volumes",
    all: managed("volumes"),
    ids: { VolumeIds: "id" },
    noun: ["InvalidVolume", "volume"],
    filters: {
      status: ({ state }) => state,
      encrypted: ({ encrypted }) => encrypted,
      "attachment.instance-id": (one) => one.attached_to,
    },
    show: views.volume,
    limits: {},
  }),

  DescribeIamInstanceProfileAssociations: describe({
    member: "IamInstanceProfileAssociations",
    all: associations,
    ids: { AssociationIds: "id" },
    noun: ["InvalidAssociationID", "association ID"],
    filters: { "instance-id": ({ instance }) => instance },
    show: (account, { id, instance, profile }) => ({
      AssociationId: id,
      InstanceId: instance,
      IamInstanceProfile: { Arn: profile.arn, Id: profile.id },
      State: "associated",
    }),
    limits: {},
  }),

  DescribeNetworkInterfaces: describe({
    member: "NetworkInterfaces",
    all: interfaces,
    ids: { NetworkInterfaceIds: "id" },
    noun: ["InvalidNetworkInterfaceID", "networkInterface ID"],
    filters: { "vpc-id": ({ shown }) => shown.VpcId, "subnet-id": ({ shown }) => shown.SubnetId },
    show: (account, { shown, instance, zone }) => ({
      ...shown,
      AvailabilityZone: zone,
      InterfaceType: "interface",
      Attachment: { InstanceId: instance, InstanceOwnerId: account.id, DeviceIndex: 0, Status: "attached" },
    }),
    limits: {},
  }),

  DescribeSnapshots: describe({
    member: "Snapshots",
    all: snapshots,
    ids: { SnapshotIds: "id" },
    noun: ["InvalidSnapshot", "snapshot"],
    filters: {
      "owner-id": ({ owner }) => owner,
      status: ({ state }) => state,
      encrypted: ({ encrypted }) => encrypted,
    },
    show: views.snapshot,
    limits: {},
  }),

  DescribeImages: describe({
    member: "Images",
    all: images,
    ids: { ImageIds: "id" },
    noun: ["InvalidAMIID", "image id"],
    filters: { "owner-id": ({ owner }) => owner, "is-public": (one) => one.public, state: ({ state }) => state },
    show: views.image,
    limits: { min: 1, whole: true },
  }),

  DescribeKeyPairs: describe({
    member: "KeyPairs",
    all: own("key_pairs"),
    ids: { KeyPairIds: "id", KeyNames: "name" },
    noun: ["InvalidKeyPair", "key pair"],
    filters: { "key-name": ({ name }) => name },
    show: views.keyPair,
  }),

  DescribeLaunchTemplates: describe({
    member: "LaunchTemplates",
    all: own("launch_templates"),
    ids: { LaunchTemplateIds: "id", LaunchTemplateNames: "name" },
    noun: ["InvalidLaunchTemplateId", "launch template ID", "InvalidLaunchTemplateName", "launch template name"],
    filters: { "launch-template-name": ({ name }) => name },
    show: views.template,
    limits: { limit: 200, min: 1, max: 200 },
  }),

  DescribeLaunchTemplateVersions(call) {
    const found = versions(call).sort((a, b) => (versionKey(a) < versionKey(b) ? -1 : 1));
    const { items, more } = paginate(call, found, versionKey, { limit: 200, max: 200 });
    return { LaunchTemplateVersions: items.map((one) => views.templateVersion(call.account, one)), ...more };
  },
};
