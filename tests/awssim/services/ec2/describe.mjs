// The one way in which EC2 lists things: by IDs or page by page, filtered, and without effect when it is a dry run.
import { paginate } from "../../paging.mjs";
import { AwsError } from "../../errors.mjs";
import { like } from "../../policy.mjs";

const invalid = (code, message) => new AwsError(code, message, 400);

function dryRun() {
  return new AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412);
}

function passes(one, { Name, Values = [] }, filters) {
  const tag = /^tag:(.*)$/s.exec(Name);
  const read = tag ? ({ tags }) => tags[tag[1]] : Name === "tag-key" ? ({ tags }) => Object.keys(tags) : filters[Name];
  if (!read) throw invalid("InvalidParameterValue", `The filter '${Name}' is invalid`);
  const have = [read(one)].flat().filter((value) => value !== undefined);
  return Values.some((wanted) => have.some((value) => like(wanted, String(value))));
}

const byId = (a, b) => (a.id < b.id ? -1 : 1);

// One that is asked for by its ID and is not there is an error, unlike one that a filter does not find.
function chosen({ input }, all, { ids = {}, noun }) {
  let left = all;
  for (const [member, field] of Object.entries(ids)) {
    const wanted = input[member];
    if (!wanted?.length) continue;
    const missing = wanted.find((value) => !left.some((one) => one[field] === value));
    if (missing !== undefined) {
      const [code, what] = field === "id" ? noun : [noun[2] ?? noun[0], noun[3] ?? noun[1]];
      throw invalid(`${code}.NotFound`, `The ${what} '${missing}' does not exist`);
    }
    left = left.filter((one) => wanted.includes(one[field]));
  }
  return left;
}

// member: the list's name; all(call): what there is; noun: [code, words], for names too where they have their own.
export function describe({ member, all, ids, noun, filters = {}, show, limits, keyOf = ({ id }) => id }) {
  return (call) => {
    const { input, account } = call;
    if (input.DryRun) throw dryRun();
    const paged = limits && (input.MaxResults !== undefined || input.NextToken !== undefined);
    if (paged && Object.keys(ids).some((name) => input[name]?.length)) {
      throw invalid(
        "InvalidParameterCombination",
        "The parameter MaxResults cannot be used with the parameter for specific IDs in the same request.",
      );
    }
    const found = chosen(call, [...all(call)].sort(byId), { ids, noun }).filter((one) =>
      (input.Filters ?? []).every((filter) => passes(one, filter, filters)),
    );
    const view = (list) => list.map((one) => show(account, one, call));
    if (!limits) return { [member]: view(found) };
    const { items, more } = paginate(call, found, keyOf, { limit: 1000, min: 5, max: 1000, ...limits });
    return { [member]: view(items), ...more };
  };
}
