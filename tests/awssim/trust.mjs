// Policies on resources: whom a role's AssumeRolePolicyDocument lets in, whom a key's, bucket's or secret's policy does.
import { decide } from "./policy.mjs";

const list = (value) => (value === undefined ? [] : [value].flat());

// How specifically an element names the caller. "direct" alone is enough within one account; "account" also needs the
// caller's own policies to allow the call, as does every name across accounts.
function rank(element, caller) {
  const { partition } = caller;
  if (element === "*") return "everyone";
  if (element === caller.account || element === `arn:${partition}:iam::${caller.account}:root`) return "account";
  if (element === caller.arn || element === caller.principalArn || element === caller.uniqueId) return "direct";
  return undefined;
}

function ranks(principal, caller) {
  if (principal === "*") return ["everyone"];
  return list(principal?.AWS)
    .map((element) => rank(String(element), caller))
    .filter(Boolean);
}

function concerns(statement, caller) {
  if (statement.NotPrincipal !== undefined) return ranks(statement.NotPrincipal, caller).length === 0;
  return ranks(statement.Principal, caller).length > 0;
}

// Returns { decision, direct }: direct says that a statement names the caller itself.
export function evaluateTrust(document, caller, context, action) {
  const request = { action, resource: "", context };
  const decision = decide([document], request, (statement) => concerns(statement, caller));
  const direct =
    decide([document], request, (statement) => ranks(statement.Principal, caller).includes("direct")) === "allow";
  return { decision, direct };
}

// guard: { document, owner, sole }: the policy on a resource, whose account it is, and whether it alone decides (KMS).
// Returns { decision, opens, needed }: opens says that the caller's own policies need not allow as well, needed that the
// resource's policy has to.
export function evaluateGuard({ document, owner, sole = false }, caller, request) {
  const about = (wanted) => (statement) => ranks(statement.Principal, caller).some((rank) => wanted.includes(rank));
  const decision = decide([document], request, (statement) => concerns(statement, caller));
  const named = decide([document], request, about(["direct", "everyone"])) === "allow";
  const within = owner === caller.account;
  return { decision, opens: within && named, needed: sole || !within };
}
