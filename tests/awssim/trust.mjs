// Trust policies: whom a role's AssumeRolePolicyDocument lets in.
import { decide } from "./policy.mjs";

const list = (value) => (value === undefined ? [] : [value].flat());

// How specifically an element names the caller. "direct" alone is enough within one account; "account" also needs the
// caller's own policies to allow the call, as does every name across accounts.
function rank(element, caller) {
  const { partition } = caller;
  if (element === "*") return "account";
  if (element === caller.account || element === `arn:${partition}:iam::${caller.account}:root`) return "account";
  if (element === caller.arn || element === caller.principalArn || element === caller.uniqueId) return "direct";
  return undefined;
}

function ranks(principal, caller) {
  if (principal === "*") return ["account"];
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
