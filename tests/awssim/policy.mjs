// Evaluates policy statements: does one match a request, and what do documents say together.

const list = (value) => (value === undefined ? [] : [value].flat());

const patterns = new Map();

// "*" and "?" as IAM has them. Compiled once: the same few hundred patterns are asked for at every call.
export function like(pattern, text, flags = "") {
  const key = `${flags}:${pattern}`;
  let regex = patterns.get(key);
  if (!regex) {
    const source = String(pattern)
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".");
    patterns.set(key, (regex = new RegExp(`^${source}$`, `s${flags}`)));
  }
  return regex.test(text);
}

// An ARN pattern matches part by part: a "*" in one of the first five does not swallow a colon.
function arnLike(pattern, text) {
  const split = (arn) => [...arn.split(":").slice(0, 5), arn.split(":").slice(5).join(":")];
  const [want, have] = [split(String(pattern)), split(String(text))];
  return want.every((part, i) => like(part, have[i] ?? ""));
}

const TESTS = {
  StringEquals: (have, want) => have === want,
  StringEqualsIgnoreCase: (have, want) => have.toLowerCase() === want.toLowerCase(),
  StringLike: (have, want) => like(want, have),
  ArnLike: (have, want) => arnLike(want, have),
  ArnEquals: (have, want) => arnLike(want, have),
  Bool: (have, want) => have.toLowerCase() === want.toLowerCase(),
  NumericEquals: (have, want) => Number(have) === Number(want),
  NumericLessThan: (have, want) => Number(have) < Number(want),
  NumericGreaterThan: (have, want) => Number(have) > Number(want),
};

const NEGATED = {
  StringNotEquals: "StringEquals",
  StringNotEqualsIgnoreCase: "StringEqualsIgnoreCase",
  StringNotLike: "StringLike",
  ArnNotLike: "ArnLike",
  ArnNotEquals: "ArnEquals",
};

function holds(operator, key, wanted, context) {
  const [, set, bare] = /^(?:(ForAnyValue|ForAllValues):)?(.*)$/.exec(operator);
  const name = bare.replace(/IfExists$/, "");
  const have = list(context[key.toLowerCase()]).map(String);
  if (name === "Null") return list(wanted).some((want) => String(want) === String(have.length === 0));
  const negated = NEGATED[name];
  const test = TESTS[negated ?? name];
  // An operator we do not know must not open anything.
  if (!test) return false;
  if (have.length === 0) return bare.endsWith("IfExists") || Boolean(negated) || set === "ForAllValues";
  const one = (value) => list(wanted).some((want) => test(value, String(want))) !== Boolean(negated);
  return set === "ForAllValues" ? have.every(one) : have.some(one);
}

export function conditionsHold(condition, context) {
  return Object.entries(condition ?? {}).every(([operator, block]) =>
    Object.entries(block).every(([key, wanted]) => holds(operator, key, wanted, context)),
  );
}

// ${aws:username} and its like. What the context does not have stays as it is, and so matches nothing.
const withVariables = (text, context) =>
  String(text).includes("${")
    ? text.replace(/\$\{([^}]+)\}/g, (whole, name) => [context[name.toLowerCase()] ?? whole].flat()[0])
    : text;

const anyLike = (patternList, text, flags) => list(patternList).some((pattern) => like(pattern, text, flags));

function covers(statement, { action, resource, context }) {
  const named = (patternList) =>
    anyLike(
      list(patternList).map((pattern) => withVariables(pattern, context)),
      resource,
    );
  const actions =
    statement.NotAction === undefined
      ? anyLike(statement.Action, action, "i")
      : !anyLike(statement.NotAction, action, "i");
  if (!actions) return false;
  const resources =
    statement.NotResource !== undefined
      ? !named(statement.NotResource)
      : statement.Resource === undefined || named(statement.Resource);
  return resources && conditionsHold(statement.Condition, context);
}

// The condition keys that statements on this action ask for and the context does not have.
export function missingKeys(documents, { action, context }) {
  const keys = documents
    .flatMap((document) => statementsOf(document))
    .filter((one) => one.Condition && (one.NotAction !== undefined || anyLike(one.Action, action, "i")))
    .flatMap((one) => Object.values(one.Condition).flatMap((block) => Object.keys(block)))
    .filter((key) => context[key.toLowerCase()] === undefined);
  return [...new Set(keys)].sort();
}

export const statementsOf = (document) => list(document?.Statement);

// Returns "deny", "allow" or undefined for a set of documents taken together.
export function decide(documents, request, concerns = () => true) {
  let allowed;
  for (const document of documents) {
    for (const statement of statementsOf(document)) {
      if (!concerns(statement) || !covers(statement, request)) continue;
      if (statement.Effect === "Deny") return "deny";
      if (statement.Effect === "Allow") allowed = "allow";
    }
  }
  return allowed;
}
