// EC2's resources in the members that its shapes name.
import { some, tagList, view } from "../view.mjs";
import * as ids from "../../ids.mjs";

const STATES = { pending: 0, running: 16, "shutting-down": 32, terminated: 48, stopping: 64, stopped: 80 };

// An AWS service that runs it for the customer: { principal, hidden }.
const operator = ({ operator: one }) =>
  one && { Managed: true, Principal: one.principal, HiddenByDefault: one.hidden ?? false };

const groupPairs = (account, region, groups) =>
  groups.map((id) => ({ GroupId: id, GroupName: account.resourceBy(region, "security_groups", "id", id)?.name ?? id }));

const metadata = (one) =>
  one && {
    State: "applied",
    HttpTokens: one.tokens,
    HttpPutResponseHopLimit: one.hop_limit,
    HttpEndpoint: one.endpoint,
    HttpProtocolIpv6: "disabled",
    InstanceMetadataTags: "disabled",
  };

const device = (n) => (n === 0 ? "/dev/xvda" : `/dev/sd${String.fromCharCode(101 + n)}`);

// What an instance is on its network with: none, once it is gone.
export function interfaces(account, region, one) {
  if (!one.subnet || !one.private_ip) return [];
  const id = `eni-${ids.hex(17, "eni", one.id)}`;
  const shown = {
    NetworkInterfaceId: id,
    OwnerId: one.owner,
    SubnetId: one.subnet,
    VpcId: one.vpc,
    PrivateIpAddress: one.private_ip,
    Groups: groupPairs(account, region, one.groups),
    Status: "in-use",
    ...(one.public_ip && { Association: { PublicIp: one.public_ip, IpOwnerId: "amazon" } }),
  };
  return [{ id, shown, instance: one.id, zone: one.zone, tags: {} }];
}

// user_data is not here: AWS shows it only to who asks for that attribute.
export const instance = view(function instance(account, one, { region }) {
  return {
    AmiLaunchIndex: 0,
    Architecture: one.type.startsWith("c7g") ? "arm64" : "x86_64",
    BlockDeviceMappings: one.volumes.map((VolumeId, n) => ({
      DeviceName: device(n),
      Ebs: { VolumeId, Status: "attached", AttachTime: one.created, DeleteOnTermination: n === 0 },
    })),
    IamInstanceProfile: one.profile && { Arn: one.profile.arn, Id: one.profile.id },
    ImageId: one.image,
    InstanceId: one.id,
    InstanceType: one.type,
    KeyName: one.key_pair,
    LaunchTime: one.created,
    MetadataOptions: metadata(one.metadata),
    Monitoring: { State: "disabled" },
    NetworkInterfaces: some(interfaces(account, region, one).map(({ shown }) => shown)),
    Operator: operator(one),
    Placement: { AvailabilityZone: one.zone, GroupName: "", Tenancy: "default" },
    PrivateIpAddress: one.private_ip,
    PublicIpAddress: one.public_ip,
    SecurityGroups: groupPairs(account, region, one.groups),
    State: { Code: STATES[one.state] ?? 255, Name: one.state },
    SubnetId: one.subnet,
    Tags: some(tagList(one.tags)),
    VpcId: one.vpc,
  };
});

const permission = (account, region) => (rule) => ({
  IpProtocol: rule.protocol,
  FromPort: rule.from,
  ToPort: rule.to,
  IpRanges: rule.cidrs.map((CidrIp) => ({ CidrIp })),
  Ipv6Ranges: rule.cidrs6.map((CidrIpv6) => ({ CidrIpv6 })),
  PrefixListIds: rule.prefix_lists.map((PrefixListId) => ({ PrefixListId })),
  UserIdGroupPairs: rule.groups.map(({ group, account: UserId }) => ({ GroupId: group, UserId })),
});

export const securityGroup = view(function securityGroup(account, one, { region }) {
  return {
    Description: one.description,
    GroupId: one.id,
    GroupName: one.name,
    IpPermissions: one.ingress.map(permission(account, region)),
    IpPermissionsEgress: one.egress.map(permission(account, region)),
    OwnerId: one.owner,
    SecurityGroupArn: one.arn,
    Tags: some(tagList(one.tags)),
    VpcId: one.vpc,
  };
});

export const vpc = view(function vpc(account, one) {
  return {
    CidrBlock: one.cidr,
    DhcpOptionsId: "default",
    InstanceTenancy: "default",
    IsDefault: one.default,
    OwnerId: one.owner,
    State: "available",
    Tags: some(tagList(one.tags)),
    VpcId: one.id,
  };
});

export const subnet = view(function subnet(account, one) {
  return {
    AvailabilityZone: one.zone,
    AvailableIpAddressCount: 250,
    CidrBlock: one.cidr,
    DefaultForAz: false,
    MapPublicIpOnLaunch: one.public,
    OwnerId: one.owner,
    State: "available",
    SubnetArn: one.arn,
    SubnetId: one.id,
    Tags: some(tagList(one.tags)),
    VpcId: one.vpc,
  };
});

export const volume = view(function volume(account, one) {
  return {
    Attachments: one.attached_to
      ? [
          {
            VolumeId: one.id,
            InstanceId: one.attached_to,
            Device: device(0),
            State: "attached",
            AttachTime: one.created,
          },
        ]
      : [],
    AvailabilityZone: one.zone,
    CreateTime: one.created,
    Encrypted: one.encrypted,
    KmsKeyId: one.kms_key,
    Operator: operator(one),
    Size: one.size,
    SnapshotId: one.snapshot ?? "",
    State: one.state,
    Tags: some(tagList(one.tags)),
    VolumeArn: one.arn,
    VolumeId: one.id,
    VolumeType: one.type,
  };
});

export const snapshot = view(function snapshot(account, one) {
  return {
    Description: one.description,
    Encrypted: one.encrypted,
    KmsKeyId: one.kms_key,
    OwnerId: one.owner,
    Progress: one.state === "completed" ? "100%" : "42%",
    SnapshotId: one.id,
    StartTime: one.created,
    State: one.state,
    StorageTier: one.tier,
    Tags: some(tagList(one.tags)),
    VolumeId: one.volume,
    VolumeSize: one.size,
  };
});

export const image = view(function image(account, one) {
  return {
    Architecture: "x86_64",
    BlockDeviceMappings: one.snapshots.map((SnapshotId, n) => ({
      DeviceName: device(n),
      Ebs: { SnapshotId, VolumeSize: 8, VolumeType: "gp3", DeleteOnTermination: true },
    })),
    CreationDate: one.created.replace("Z", ".000Z"),
    DeprecationTime: one.deprecated,
    Description: one.description,
    ImageId: one.id,
    ImageLocation: `${one.owner}/${one.name}`,
    ImageType: "machine",
    Name: one.name,
    OwnerId: one.owner,
    Public: one.public,
    RootDeviceName: device(0),
    RootDeviceType: "ebs",
    State: one.state,
    Tags: some(tagList(one.tags)),
    VirtualizationType: "hvm",
  };
});

export const keyPair = view(function keyPair(account, one) {
  return {
    CreateTime: one.created,
    KeyFingerprint: one.fingerprint,
    KeyName: one.name,
    KeyPairId: one.id,
    KeyType: one.type,
    Tags: some(tagList(one.tags)),
  };
});

export const template = view(function template(account, one) {
  return {
    CreatedBy: one.created_by,
    CreateTime: one.created,
    DefaultVersionNumber: one.default_version,
    LatestVersionNumber: one.versions.at(-1).number,
    LaunchTemplateId: one.id,
    LaunchTemplateName: one.name,
    Tags: some(tagList(one.tags)),
  };
});

export const templateVersion = (account, { template: one, version }) => ({
  CreatedBy: one.created_by,
  CreateTime: one.created,
  DefaultVersion: version.number === one.default_version,
  LaunchTemplateData: {
    IamInstanceProfile: version.profile && { Arn: version.profile.arn },
    ImageId: version.image,
    InstanceType: version.type,
    KeyName: version.key_pair,
    MetadataOptions: metadata(version.metadata),
    SecurityGroupIds: some(version.groups),
    UserData: version.user_data && Buffer.from(version.user_data).toString("base64"),
  },
  LaunchTemplateId: one.id,
  LaunchTemplateName: one.name,
  VersionNumber: version.number,
});
