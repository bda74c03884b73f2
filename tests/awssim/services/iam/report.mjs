// The credential report: asked for, worked on for a while, then the same text for four hours.
import { AwsError } from "../../errors.mjs";
import { isoSeconds } from "../../time.mjs";
import { daysAfter } from "../../ids.mjs";

const FOUR_HOURS = 4 * 3_600_000;
const KEY_COLUMNS = ["active", "last_rotated", "last_used_date", "last_used_region", "last_used_service"];
export const COLUMNS = [
  "user",
  "arn",
  "user_creation_time",
  "password_enabled",
  "password_last_used",
  "password_last_changed",
  "password_next_rotation",
  "mfa_active",
  ...[1, 2].flatMap((n) => KEY_COLUMNS.map((column) => `access_key_${n}_${column}`)),
  "cert_1_active",
  "cert_1_last_rotated",
  "cert_2_active",
  "cert_2_last_rotated",
];

const stamp = (time) => isoSeconds(time).replace("Z", "+00:00");
const quote = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function keyCells(keys, n) {
  const key = keys[n];
  if (!key) return ["false", "N/A", "N/A", "N/A", "N/A"];
  const used = key.last_used;
  return [
    String(key.status === "Active"),
    stamp(key.created),
    ...(used ? [stamp(used.date), used.region, used.service] : ["N/A", "N/A", "N/A"]),
  ];
}

function passwordCells(account, user) {
  const { password } = user;
  if (!password) return ["false", "N/A", "N/A", "N/A"];
  const age = account.passwordPolicy?.max_age;
  return [
    "true",
    password.last_used ? stamp(password.last_used) : "no_information",
    stamp(password.last_changed),
    age ? stamp(daysAfter(password.last_changed, age)) : "N/A",
  ];
}

const CERTIFICATES = ["false", "N/A", "false", "N/A"];

function rootRow(account) {
  const { root } = account;
  const used = root.password_last_used ? stamp(new Date(root.password_last_used)) : "no_information";
  const keys = [0, 1].flatMap((n) =>
    n < root.keys ? ["true", stamp(account.created), "N/A", "N/A", "N/A"] : keyCells([], n),
  );
  return [
    "<root_account>",
    `arn:${account.partition}:iam::${account.id}:root`,
    stamp(account.created),
    "not_supported",
    used,
    "not_supported",
    "not_supported",
    String(root.mfa),
    ...keys,
    ...CERTIFICATES,
  ];
}

const userRow = (account, user) => [
  user.name,
  user.arn,
  stamp(user.created),
  ...passwordCells(account, user),
  String(user.mfa.length > 0),
  ...keyCells(user.keys, 0),
  ...keyCells(user.keys, 1),
  ...CERTIFICATES,
];

function csv(account) {
  const rows = [rootRow(account), ...account.sorted("users").map((user) => userRow(account, user))];
  return [COLUMNS, ...rows].map((row) => row.map(quote).join(",")).join("\n");
}

function answer(state) {
  const description = state === "STARTED" ? "No report exists. Starting a new report generation task" : undefined;
  return { State: state, Description: description };
}

function begin(account, settings, clock) {
  const wait = settings.report_ms === undefined ? Infinity : settings.report_ms;
  account.report = { polls: account.reportPolls ?? settings.report_polls, ready: clock.now() + wait };
}

// Work on a report goes on with each look at it, whichever operation looks.
function advance(account, clock) {
  const { report } = account;
  report.polls -= 1;
  if (report.polls <= 0 || clock.now() >= report.ready) account.report = { content: csv(account), at: clock.now() };
  return account.report;
}

const isStale = (report, clock) => clock.now() - report.at >= FOUR_HOURS;

export const operations = {
  GenerateCredentialReport({ account, clock, settings }) {
    const { report } = account;
    if (report && !report.content) return answer(advance(account, clock).content ? "COMPLETE" : "INPROGRESS");
    if (report && !isStale(report, clock)) return answer("COMPLETE");
    begin(account, settings, clock);
    return answer("STARTED");
  },

  GetCredentialReport({ account, clock }) {
    if (!account.report) {
      throw new AwsError(
        "ReportNotPresent",
        "No report exists. Please call GenerateCredentialReport to generate one.",
        410,
      );
    }
    const report = account.report.content ? account.report : advance(account, clock);
    if (!report.content) {
      throw new AwsError("ReportInProgress", "Report generation is in progress. Please try again later.", 404);
    }
    if (isStale(report, clock)) throw new AwsError("ReportExpired", "The most recent report has expired.", 410);
    return { Content: Buffer.from(report.content), ReportFormat: "text/csv", GeneratedTime: report.at };
  },
};
