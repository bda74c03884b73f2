// Pages over lists. A marker says which key came last, so it stays right when the world changes between two pages.
import { refusal } from "./errors.mjs";

export const encodeToken = (state) => Buffer.from(JSON.stringify(state)).toString("base64url");

export function decodeToken(text) {
  try {
    const state = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    return typeof state?.op === "string" ? state : undefined;
  } catch {
    return undefined;
  }
}

const asString = (member) => (typeof member === "string" ? member : undefined);

// Reads the paging members of an input by the names in AWS's paginator table.
export function readPage(call, defaults) {
  const { operation, input } = call;
  const { input_token: tokenName, limit_key: limitName } = operation.paginator ?? {};
  const limit = checkLimit(call, input[limitName], defaults);
  const token = asString(input[tokenName]);
  if (token === undefined) return { limit, number: 1, after: undefined };
  const state = decodeToken(token);
  if (!state || state.op !== operation.name) throw refusal("invalid_token", operation.service, `Invalid ${tokenName}.`);
  return { limit, number: state.page, after: state.after };
}

// cap: how many a page holds whatever the caller asks for; whole: who does not ask for pages gets none.
function checkLimit(call, given, { limit = 100, min = 1, max = 1000, cap = max, whole = false }) {
  if (given === undefined && whole) return Infinity;
  if (given === undefined) return Math.min(limit, call.pageSize ?? limit);
  if (!Number.isInteger(given) || given < min || given > max) {
    const name = call.operation.paginator.limit_key;
    throw refusal(
      "invalid_input",
      call.operation.service,
      `1 validation error detected: Value '${given}' at '${name[0].toLowerCase()}${name.slice(1)}' ` +
        `failed to satisfy constraint: Member must have value ${given > max ? `less than or equal to ${max}` : `greater than or equal to ${min}`}`,
    );
  }
  return Math.min(given, cap, call.pageSize ?? given);
}

// items: in ascending order of keyOf. Returns the page's items and the members that say what follows.
export function paginate(call, items, keyOf, defaults = {}) {
  const { limit, number, after } = readPage(call, defaults);
  const start = after === undefined ? 0 : firstAfter(items, keyOf, after);
  const page = items.slice(start, start + limit);
  const last = start + limit >= items.length;
  call.page = { number, last, after, next: page.length ? keyOf(page.at(-1)) : after };
  return { items: page, more: last ? ending(call) : following(call, call.page.next) };
}

function firstAfter(items, keyOf, after) {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keyOf(items[middle]) <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function following(call, after, extra = {}) {
  const { output_token: tokenName, more_results: moreName } = call.operation.paginator ?? {};
  const token = encodeToken({ op: call.operation.name, page: call.page.number + 1, after, ...extra });
  return { ...(moreName && { [moreName]: true }), [tokenName]: token };
}

function ending(call) {
  const moreName = call.operation.paginator?.more_results;
  return moreName ? { [moreName]: false } : {};
}

// The usual list operation: sorts, cuts the page, and shows each item.
export function listing(call, member, items, keyOf, view = (item) => item, defaults = {}) {
  const sorted = [...items].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const { items: page, more } = paginate(call, sorted, keyOf, defaults);
  return { [member]: page.map(view), ...more };
}
