// What a user can sign in with: access keys, MFA devices, passwords.
import { paginate } from "../../paging.mjs";
import { AwsError } from "../../errors.mjs";
import { find, missing, ownerOfKey, subject } from "./find.mjs";
import * as views from "./views.mjs";

const rootSerial = (account) => `arn:${account.partition}:iam::${account.id}:mfa/root-account-mfa-device`;

function virtualDevices(account) {
  const owned = account.sorted("users").flatMap((user) =>
    user.mfa
      .filter(({ type }) => type === "virtual")
      .map((device) => ({
        SerialNumber: device.serial,
        EnableDate: device.enabled,
        User: views.userSummary(account, user),
      })),
  );
  const root = {
    Arn: `arn:${account.partition}:iam::${account.id}:root`,
    UserId: account.id,
    CreateDate: account.created,
  };
  const all = account.root.mfa
    ? [...owned, { SerialNumber: rootSerial(account), EnableDate: account.created, User: root }]
    : owned;
  const spare = account.unassignedMfa.map((name) => ({ SerialNumber: account.arn("mfa", name) }));
  return [...all, ...spare].sort((a, b) => (a.SerialNumber < b.SerialNumber ? -1 : 1));
}

const ASSIGNMENT = { Assigned: true, Unassigned: false };

export const operations = {
  ListAccessKeys(call) {
    const user = subject(call);
    const keys = [...user.keys].sort((a, b) => (a.id < b.id ? -1 : 1));
    const { items, more } = paginate(call, keys, (key) => key.id);
    const view = (key) => ({ UserName: user.name, AccessKeyId: key.id, Status: key.status, CreateDate: key.created });
    return { AccessKeyMetadata: items.map(view), ...more };
  },

  GetAccessKeyLastUsed({ account, input, principal }) {
    const user = ownerOfKey(account, input.AccessKeyId);
    // AWS does not say whether a foreign key exists.
    if (!user) {
      throw new AwsError(
        "AccessDenied",
        `User: ${principal.arn} is not authorized to perform: iam:GetAccessKeyLastUsed on resource: access key ${input.AccessKeyId}`,
        403,
      );
    }
    const used = user.keys.find((key) => key.id === input.AccessKeyId).last_used;
    const last = used
      ? { LastUsedDate: used.date, ServiceName: used.service, Region: used.region }
      : { ServiceName: "N/A", Region: "N/A" };
    return { UserName: user.name, AccessKeyLastUsed: last };
  },

  ListMFADevices(call) {
    const user = subject(call);
    const devices = [...user.mfa].sort((a, b) => (a.serial < b.serial ? -1 : 1));
    const { items, more } = paginate(call, devices, (device) => device.serial);
    const view = (device) => ({ UserName: user.name, SerialNumber: device.serial, EnableDate: device.enabled });
    return { MFADevices: items.map(view), ...more };
  },

  ListVirtualMFADevices(call) {
    const assigned = ASSIGNMENT[call.input.AssignmentStatus];
    const devices = virtualDevices(call.account).filter(
      ({ User }) => assigned === undefined || Boolean(User) === assigned,
    );
    const { items, more } = paginate(call, devices, (device) => device.SerialNumber);
    return { VirtualMFADevices: items, ...more };
  },

  GetLoginProfile({ account, input }) {
    const user = find(account, "users", input.UserName);
    if (!user.password) throw missing(`Login Profile for User ${user.name} cannot be found.`);
    return {
      LoginProfile: {
        UserName: user.name,
        CreateDate: user.password.created,
        PasswordResetRequired: user.password.reset_required,
      },
    };
  },
};
