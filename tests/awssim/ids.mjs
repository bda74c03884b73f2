// Identifiers, secrets and dates that look like AWS's and are the same at every start, because they are hashes of names.
import { createHash } from "node:crypto";

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const DAY = 86_400_000;
const EPOCH = Date.UTC(2020, 0, 1);

export const digest = (...parts) => createHash("sha256").update(parts.join("\0")).digest();

export function base32(bytes, length) {
  let text = "";
  for (let i = 0; i < length; i += 1) text += BASE32[bytes[i] & 31];
  return text;
}

const unique = (prefix, ...name) => prefix + base32(digest(prefix, ...name), 17);

export const userId = (account, name) => unique("AIDA", account, name);
export const groupId = (account, name) => unique("AGPA", account, name);
export const roleId = (account, name) => unique("AROA", account, name);
export const policyId = (account, name) => unique("ANPA", account, name);
export const instanceProfileId = (account, name) => unique("AIPA", account, name);
export const serverCertificateId = (account, name) => unique("ASCA", account, name);

export const accessKeyId = (account, user, n) => "AKIA" + base32(digest("key", account, user, n), 16);
export const secretKey = (...name) =>
  digest("secret", ...name)
    .toString("base64")
    .slice(0, 40)
    .replace(/[+/]/g, "x");
export const hex = (length, ...name) =>
  digest("hex", ...name)
    .toString("hex")
    .slice(0, length);

// A moment in the 900 days from 2020-01-01, always the same for the same name.
export const createdAt = (...name) => EPOCH + (digest("created", ...name).readUInt32BE(0) % (900 * 86_400)) * 1000;

export const daysAfter = (time, days) => time + days * DAY;
