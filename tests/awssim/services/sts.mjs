// STS: who am I, and the trust decision of AssumeRole.
import { AwsError, refusal } from "../errors.mjs";
import { deniedCall } from "../authorize.mjs";
import { evaluateTrust } from "../trust.mjs";
import { statementsOf } from "../policy.mjs";
import { admit } from "../web_identity.mjs";

const HOUR = 3600;
const LONGEST_POLICY = 2048;

const invalid = (message) => new AwsError("ValidationError", message, 400);
const unfit = (value, name, rule) =>
  invalid(
    `1 validation error detected: Value '${value}' at '${name}' failed to satisfy constraint: Member must ${rule}`,
  );

function check(value, name, pattern, min, max) {
  if (value === undefined) return;
  if (value.length < min) throw unfit(value, name, `have length greater than or equal to ${min}`);
  if (value.length > max) throw unfit(value, name, `have length less than or equal to ${max}`);
  if (!pattern.test(value)) {
    throw unfit(value, name, `satisfy regular expression pattern: ${pattern.source.slice(1, -1)}`);
  }
}

function checkInput({ RoleArn, RoleSessionName, ExternalId, DurationSeconds, SourceIdentity }) {
  check(RoleArn, "roleArn", /^[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF]+$/, 20, 2048);
  check(RoleSessionName, "roleSessionName", /^[\w+=,.@-]*$/, 2, 64);
  check(SourceIdentity, "sourceIdentity", /^[\w+=,.@-]*$/, 2, 64);
  check(ExternalId, "externalId", /^[\w+=,.@:\/-]*$/, 2, 1224);
  if (DurationSeconds === undefined) return;
  if (!(DurationSeconds >= 900)) {
    throw unfit(DurationSeconds, "durationSeconds", "have value greater than or equal to 900");
  }
  if (DurationSeconds > 43_200) {
    throw unfit(DurationSeconds, "durationSeconds", "have value less than or equal to 43200");
  }
}

const MALFORMED = "The policy is not in the valid JSON format.";

function sessionPolicy(text) {
  if (text === undefined) return undefined;
  if (text.length > LONGEST_POLICY) {
    const percent = Math.ceil((text.length / LONGEST_POLICY) * 100);
    throw new AwsError(
      "PackedPolicyTooLarge",
      `Packed policy consumes ${percent}% of allotted space, please use smaller policy.`,
      400,
    );
  }
  let policy;
  try {
    policy = JSON.parse(text);
  } catch {
    throw new AwsError("MalformedPolicyDocument", MALFORMED, 400);
  }
  const sound =
    statementsOf(policy).length > 0 &&
    statementsOf(policy).every(
      (one) =>
        ["Allow", "Deny"].includes(one?.Effect) &&
        (one.Action ?? one.NotAction) !== undefined &&
        (one.Resource ?? one.NotResource) !== undefined &&
        one.Principal === undefined,
    );
  if (!sound) throw new AwsError("MalformedPolicyDocument", "Syntax errors in policy.", 400);
  return policy;
}

function trustContext(call) {
  const { ExternalId, RoleSessionName, SourceIdentity, Tags = [], TransitiveTagKeys } = call.input;
  return call.authorizer.context(call.principal, call.region, {
    "sts:externalid": ExternalId,
    "sts:rolesessionname": RoleSessionName,
    "sts:sourceidentity": SourceIdentity,
    "sts:transitivetagkeys": TransitiveTagKeys,
    "aws:tagkeys": Tags.length ? Tags.map(({ Key }) => Key) : undefined,
    ...Object.fromEntries(Tags.map(({ Key, Value }) => [`aws:requesttag/${Key.toLowerCase()}`, Value])),
  });
}

function actionsWanted({ SourceIdentity, Tags }) {
  return ["sts:AssumeRole", SourceIdentity && "sts:SetSourceIdentity", Tags?.length && "sts:TagSession"].filter(
    Boolean,
  );
}

// IAM is eventually consistent: a role made a moment ago is not yet seen by STS.
const visible = (role, clock) =>
  role && (!role.visible_after_s || clock.now() >= role.made + role.visible_after_s * 1000);

function authorizeAction(call, role, action) {
  const { principal, world, authorizer, input, operation, clock } = call;
  const context = trustContext(call);
  const request = { action, resource: input.RoleArn, context };
  const refuse = (denial) => deniedCall(principal, operation.service, request, denial);
  const ownSide = authorizer.denial(principal, request);
  if (ownSide?.explicit) throw refuse(ownSide);
  if (!visible(role, clock)) throw refuse();
  const controlled = authorizer.controlled({ ...request, guard: { owner: role.arn.split(":")[4] } });
  if (controlled) throw refuse(controlled);
  const caller = { ...principal, account: principal.account.id, partition: world.partition };
  const { decision, direct } = evaluateTrust(world.documents.parsed(role.trust), caller, context, action);
  if (decision !== "allow") throw refuse();
  const within = role.arn.split(":")[4] === principal.account.id;
  if (ownSide && !(within && direct)) throw refuse(ownSide);
}

function secondsFor(call, role) {
  const asked = call.input.DurationSeconds ?? HOUR;
  if (call.principal?.kind === "session" && asked > HOUR) {
    throw invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.");
  }
  if (asked > role.max_session) {
    throw invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  }
  return asked;
}

export const resourceOf = ({ input }) => input.RoleArn ?? "*";

// AWS asks no permission for the first; AssumeRole decides for itself, with the role's trust policy.
export const selfAuthorized = new Set(["GetCallerIdentity", "AssumeRole", "AssumeRoleWithWebIdentity"]);

// Nobody signs these: what they carry is the proof.
export const unsigned = new Set(["AssumeRoleWithWebIdentity"]);

function issue(call, role, policy, sourceIdentity) {
  // A test of refreshing cannot wait the 15 minutes that AWS's shortest session lasts.
  const seconds = Math.min(secondsFor(call, role), call.settings.longest_session_s ?? Infinity);
  const account = call.world.account(role.arn.split(":")[4]);
  const sessionName = call.input.RoleSessionName;
  const issued = call.sessions.issue({ account, role, sessionName, policy, seconds, sourceIdentity });
  call.note({ issued_key_id: issued.accessKeyId });
  return {
    Credentials: {
      AccessKeyId: issued.accessKeyId,
      SecretAccessKey: issued.secret,
      SessionToken: issued.token,
      Expiration: issued.expires,
    },
    AssumedRoleUser: { AssumedRoleId: issued.principal.userId, Arn: issued.principal.arn },
    PackedPolicySize: policy && Math.ceil((call.input.Policy.length / LONGEST_POLICY) * 100),
    SourceIdentity: sourceIdentity,
  };
}

export const operations = {
  GetCallerIdentity: ({ principal }) => ({
    Account: principal.account.id,
    Arn: principal.arn,
    UserId: principal.userId,
  }),

  AssumeRole(call) {
    const { input, world, region } = call;
    call.note({
      external_id: input.ExternalId,
      session_name: input.RoleSessionName,
      role_arn: input.RoleArn,
      session_policy: input.Policy,
      duration_s: input.DurationSeconds,
    });
    checkInput(input);
    if (!/^arn:[\w-]+:iam::\d{12}:role\/.+/.test(input.RoleArn)) throw invalid(`${input.RoleArn} is invalid`);
    const policy = sessionPolicy(input.Policy);
    const role = world.roleByArn(input.RoleArn);
    for (const action of actionsWanted(input)) authorizeAction(call, role, action);
    const account = world.account(role.arn.split(":")[4]);
    if (account.stsOff.includes(region)) {
      throw new AwsError(
        "RegionDisabledException",
        "STS is not activated in this region for account:" +
          `${account.id}. Your account administrator can activate STS in this region using the IAM Console.`,
        403,
      );
    }
    return issue(call, role, policy, input.SourceIdentity);
  },

  AssumeRoleWithWebIdentity(call) {
    const { input, world } = call;
    call.note({ session_name: input.RoleSessionName, role_arn: input.RoleArn, duration_s: input.DurationSeconds });
    checkInput(input);
    const policy = sessionPolicy(input.Policy);
    const role = world.roleByArn(input.RoleArn);
    const { provider, claims } = admit(call, role);
    return {
      ...issue(call, role, policy, undefined),
      SubjectFromWebIdentityToken: claims.sub,
      Provider: provider.arn,
      Audience: [claims.aud].flat()[0],
    };
  },

  GetAccessKeyInfo({ input, world, sessions, operation }) {
    const owner = world.keyOwner(input.AccessKeyId)?.account ?? sessions.get(input.AccessKeyId)?.principal.account;
    if (!owner) throw refusal("invalid_input", operation.service, "Access key ID is invalid");
    return { Account: owner.id };
  },
};
