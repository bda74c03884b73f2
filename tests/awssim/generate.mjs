// Makes a large account from a few numbers. The same numbers and seed always make the same account, byte for byte.
import { Dice } from "./dice.mjs";

const FIRST =
  "ada alan amara anna boris chen clara diego elif emil fatima goran hana ines ivan jonas kofi lena luca mara mei nina omar pablo rosa sven tara uma viktor yara".split(
    " ",
  );
const LAST =
  "adler bauer costa diaz eriksen ferrari gupta haas ito jansen kaya lopez meyer novak okafor petrov quinn rossi sato tanaka ueda varga weber xu yilmaz zhang".split(
    " ",
  );
export const TEAMS = "platform payments search data mobile security finance support growth infra".split(" ");
const SERVICES = "s3 ec2 lambda dynamodb sts iam kms logs rds sqs".split(" ");
const REGIONS = "us-east-1 us-west-2 eu-central-1 eu-west-1 ap-southeast-1".split(" ");
const VERBS = "Get* List* Describe* Put* Create* Delete* *".split(" ");
const AWS_POLICIES =
  "ReadOnlyAccess SecurityAudit AmazonS3ReadOnlyAccess AmazonS3FullAccess IAMReadOnlyAccess ViewOnlyAccess PowerUserAccess".split(
    " ",
  );
export const number = (n, width = 4) => String(n).padStart(width, "0");

const times = (count = 0, make) => Object.fromEntries(Array.from({ length: count }, (_, n) => make(n)));

const statement = (dice, team) => ({
  Sid: `S${dice.below(10_000)}`,
  Effect: dice.chance(0.93) ? "Allow" : "Deny",
  Action: Array.from({ length: 1 + dice.below(6) }, () => `${dice.pick(SERVICES)}:${dice.pick(VERBS)}`),
  Resource: dice.chance(0.4)
    ? "*"
    : [`arn:aws:s3:::${team}-data/*`, `arn:aws:dynamodb:*:*:table/${team}-${dice.below(40)}`],
  ...(dice.chance(0.15) && {
    Condition: { StringEquals: { "aws:RequestedRegion": dice.some(REGIONS, 3).concat("us-east-1") } },
  }),
});

function policyDocument(dice) {
  const team = dice.pick(TEAMS);
  return { Version: "2012-10-17", Statement: Array.from({ length: 1 + dice.below(4) }, () => statement(dice, team)) };
}

const policies = (dice, count) =>
  times(count, (n) => {
    const team = dice.pick(TEAMS);
    return [
      `${team}-policy-${number(n)}`,
      {
        path: dice.chance(0.3) ? `/${team}/` : "/",
        versions: Array.from({ length: 1 + (dice.chance(0.25) ? dice.below(5) : 0) }, () => ({
          document: policyDocument(dice),
        })),
        ...(dice.chance(0.3) && { tags: { team } }),
      },
    ];
  });

const attached = (dice, own, most) => [
  ...dice.some(own, most),
  ...(dice.chance(0.3) ? [`aws:${dice.pick(AWS_POLICIES)}`] : []),
];

const inline = (dice, share) => (dice.chance(share) ? { [`inline-${dice.below(50)}`]: policyDocument(dice) } : {});

const groups = (dice, count, own) =>
  times(count, (n) => {
    const team = TEAMS[n % TEAMS.length];
    return [
      `${team}-group-${number(n)}`,
      { path: `/${team}/`, attached: attached(dice, own, 2), inline: inline(dice, 0.2) },
    ];
  });

const lastUsed = (dice) =>
  dice.chance(0.8) ? { date: dice.recent(), service: dice.pick(SERVICES), region: dice.pick(REGIONS) } : undefined;

function keys(dice, spec, n) {
  if (n >= (spec.users_with_keys ?? 0)) return [];
  const two = dice.chance(spec.two_key_share ?? 0.2);
  const key = () => ({ status: dice.chance(0.85) ? "Active" : "Inactive", last_used: lastUsed(dice) });
  return two ? [key(), key()] : [key()];
}

function user(dice, spec, n, groupNames, own) {
  const team = dice.pick(TEAMS);
  const console = dice.chance(0.5);
  return {
    path: dice.chance(0.6) ? `/${team}/` : "/",
    groups: dice.some(groupNames, 3),
    keys: keys(dice, spec, n),
    mfa: dice.chance(0.4) ? [dice.chance(0.85) ? "virtual" : "hardware"] : [],
    inline: inline(dice, 0.08),
    attached: dice.chance(0.15) ? attached(dice, own, 2) : [],
    ...(console && { password: dice.chance(0.9) ? { last_used: dice.recent() } : {} }),
    ...(dice.chance(0.1) && own.length && { boundary: dice.pick(own) }),
    tags: dice.chance(0.5) ? { team, cost: String(dice.below(900)) } : {},
  };
}

const users = (dice, spec, groupNames, own) =>
  times(spec.users, (n) => [
    `${dice.pick(FIRST)}.${dice.pick(LAST)}.${number(n)}`,
    user(dice, spec, n, groupNames, own),
  ]);

// One way in for each kind of caller that real accounts trust.
const TRUST = [
  (dice) => ({
    Principal: { Service: dice.pick(["ec2", "lambda", "ecs-tasks", "states"]) + ".amazonaws.com" },
    Action: "sts:AssumeRole",
  }),
  (dice, { id, partition }) => ({ Principal: { AWS: `arn:${partition}:iam::${id}:root` }, Action: "sts:AssumeRole" }),
  (dice, { partition }) => ({
    Principal: { AWS: `arn:${partition}:iam::${100_000_000_000 + dice.below(900_000_000)}:root` },
    Action: "sts:AssumeRole",
    Condition: { StringEquals: { "sts:ExternalId": `vendor-${dice.below(1000)}` } },
  }),
  (dice, { id, partition }) => ({
    Principal: { Federated: `arn:${partition}:iam::${id}:oidc-provider/token.actions.githubusercontent.com` },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: { StringLike: { "token.actions.githubusercontent.com:sub": `repo:acme/${dice.pick(TEAMS)}:*` } },
  }),
  (dice, { id, partition }) => ({
    Principal: { Federated: `arn:${partition}:iam::${id}:saml-provider/idp-0000` },
    Action: "sts:AssumeRoleWithSAML",
    Condition: { StringEquals: { "SAML:aud": "https://signin.aws.amazon.com/saml" } },
  }),
];

const roles = (dice, count, own, where) =>
  times(count, (n) => {
    const team = dice.pick(TEAMS);
    const trust = { Version: "2012-10-17", Statement: [{ Effect: "Allow", ...TRUST[n % TRUST.length](dice, where) }] };
    return [
      `${team}-role-${number(n)}`,
      {
        path: dice.chance(0.3) ? "/service-role/" : "/",
        trust,
        attached: attached(dice, own, 3),
        inline: inline(dice, 0.25),
        max_session: dice.pick([3600, 3600, 14_400, 43_200]),
        description: `Role ${n} of ${team}`,
        ...(dice.chance(0.7) && { last_used: { date: dice.recent(), region: dice.pick(REGIONS) } }),
        ...(dice.chance(0.05) && own.length && { boundary: dice.pick(own) }),
        tags: dice.chance(0.4) ? { team } : {},
      },
    ];
  });

const profiles = (dice, count, roleNames) =>
  times(count, (n) => [`profile-${number(n)}`, { roles: roleNames[n] ? [roleNames[n]] : [] }]);

const samlNames = (count) => times(count, (n) => [`idp-${number(n)}`, {}]);

const oidcNames = (count) =>
  times(count, (n) => [n === 0 ? "token.actions.githubusercontent.com" : `oidc.example.com/id/${number(n)}`, {}]);

// What the world file itself says about the account comes on top.
export function generate(id, partition, spec) {
  const wanted = spec.generate;
  const dice = new Dice(`${wanted.seed ?? 1}:${id}`);
  const made = { policies: policies(dice, wanted.policies) };
  const own = Object.keys(made.policies);
  made.groups = groups(dice, wanted.groups, own);
  made.users = users(dice, wanted, Object.keys(made.groups), own);
  made.roles = roles(dice, wanted.roles, own, { id, partition });
  made.instance_profiles = profiles(dice, wanted.instance_profiles, Object.keys(made.roles));
  made.saml_providers = samlNames(wanted.saml_providers);
  made.oidc_providers = oidcNames(wanted.oidc_providers);
  const merged = Object.entries(made).map(([kind, entities]) => [kind, { ...entities, ...spec[kind] }]);
  return { ...spec, ...Object.fromEntries(merged) };
}
