// SimulatePrincipalPolicy: what the policies of a principal would decide, without anything being done.
import { paginate } from "../../paging.mjs";
import { AwsError } from "../../errors.mjs";
import { missing } from "./find.mjs";

const KINDS = { user: "users", role: "roles" };

function subjectOf(account, arn) {
  const [, type] = /^arn:[\w-]+:iam::\d{12}:(user|role)\//.exec(arn) ?? [];
  if (!type) throw new AwsError("InvalidInput", `Invalid Entity Arn: ${arn} does not clearly define entity type`, 400);
  const entity = account.sorted(KINDS[type]).find((one) => one.arn === arn);
  if (!entity) throw missing(`The policy source ${arn} was not found.`);
  return { kind: type, name: entity.name, account, arn, principalArn: arn, userId: entity.id };
}

const given = (entries = []) =>
  Object.fromEntries(entries.map((one) => [one.ContextKeyName.toLowerCase(), one.ContextKeyValues]));

function result(call, principal, action, resource) {
  const { authorizer, region, input } = call;
  const context = authorizer.context(principal, region, given(input.ContextEntries));
  const found = authorizer.simulate(principal, { action, resource, context });
  return {
    EvalActionName: action,
    EvalResourceName: resource,
    EvalDecision: found.decision,
    MatchedStatements: [],
    MissingContextValues: found.missing,
    OrganizationsDecisionDetail:
      found.organizations === undefined ? undefined : { AllowedByOrganizations: found.organizations },
    PermissionsBoundaryDecisionDetail:
      found.boundary === undefined ? undefined : { AllowedByPermissionsBoundary: found.boundary },
  };
}

export const operations = {
  SimulatePrincipalPolicy(call) {
    const { account, input } = call;
    const principal = subjectOf(account, input.PolicySourceArn);
    const resources = input.ResourceArns?.length ? input.ResourceArns : ["*"];
    const wanted = input.ActionNames.flatMap((action) => resources.map((resource) => ({ action, resource })));
    const keyOf = ({ action, resource }) => `${action} ${resource}`;
    const { items, more } = paginate(
      call,
      wanted.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
      keyOf,
    );
    const results = items.map(({ action, resource }) => result(call, principal, action, resource));
    return { EvaluationResults: results, ...more };
  },
};
