// Scripted failures. A fault says which calls it strikes, how often, and what happens to them; it counts its hits so
// that a test can state its dose.
import { AwsError, refusal } from "./errors.mjs";
import { following } from "./paging.mjs";
import { WIRE_FAULTS } from "./wire.mjs";

// Instead of the answer: an error, in the words of the call's protocol.
const ERRORS = {
  error: (_service, fault) =>
    new AwsError(fault.code ?? "InternalFailure", fault.message ?? "injected fault", fault.status ?? 500),
  access_denied: (service, fault, call) =>
    refusal(
      "denied",
      service,
      fault.message ??
        `User: ${call.principal?.arn} is not authorized to perform: ${call.operation?.action} because no identity-based policy allows the ${call.operation?.action} action`,
    ),
  throttle: (service) => refusal("throttled", service),
  http_500: (service, fault) => Object.assign(refusal("internal", service), { status: fault.status ?? 500 }),
  expired_token: (service) => refusal("expired_token", service),
  region_off: (service) => refusal("unknown_key", service),
};

// In the answer: pages that lie.
const ALTERATIONS = {
  same_token: (call) => following(call, undefined, { page: 2, stuck: true }),
  endless: (call, fault) => following(call, undefined, { n: fault.hits }),
  big_token: (call, fault) => following(call, call.page.next, { padding: "x".repeat(fault.bytes ?? 1_000_000) }),
  empty_pages: (call, fault) => ({ ...emptied(call), ...following(call, call.page.after, { n: fault.hits }) }),
};

export const KINDS = [...Object.keys(ERRORS), ...Object.keys(ALTERATIONS), "error_in_200", ...WIRE_FAULTS];

function emptied(call) {
  const keys = [call.operation.paginator.result_key].flat();
  return Object.fromEntries(keys.map((key) => [key, []]));
}

const MATCHERS = {
  service: (call, want) => call.service.name === want,
  operation: (call, want) => call.operation?.name === want,
  account: (call, want) => call.account?.id === String(want),
  region: (call, want) => call.region === want,
  page: (call, want) => (want === "last" ? (call.page?.last ?? true) : (call.page?.number ?? 1) === want),
  principal: (call, want) => Boolean(call.principal?.arn.includes(want)),
  role: (call, want) => Boolean(call.record.role_arn?.includes(want)),
};

// share: 0.3 strikes three of every ten matching calls, evenly spread and the same ones each time.
function inShare({ share = 1, seen }) {
  return Math.floor(seen * share) > Math.floor((seen - 1) * share);
}

export class Faults {
  constructor() {
    this.list = [];
  }

  add(specs) {
    for (const spec of [specs].flat()) {
      if (!KINDS.includes(spec.fault)) throw new Error(`unknown fault "${spec.fault}"; known: ${KINDS.join(", ")}`);
      const unknown = Object.keys(spec.match ?? {}).find((key) => key !== "nth" && !MATCHERS[key]);
      if (unknown) throw new Error(`unknown match member "${unknown}"`);
      this.list.push({ times: -1, match: {}, ...spec, seen: 0, hits: 0 });
    }
  }

  clear() {
    this.list = [];
  }

  // The first fault that strikes this call, already counted.
  take(call) {
    for (const fault of this.list) {
      const { nth, ...match } = fault.match;
      if (!Object.entries(match).every(([key, want]) => MATCHERS[key](call, want))) continue;
      fault.seen += 1;
      if (nth !== undefined && fault.seen !== nth) continue;
      if (!inShare(fault)) continue;
      if (fault.times >= 0 && fault.hits >= fault.times) continue;
      if (ALTERATIONS[fault.fault] && !call.operation?.paginator?.input_token) continue;
      fault.hits += 1;
      return fault;
    }
    return undefined;
  }
}

// Returns what a fault makes of an outcome { output } or { error }.
export function distort(call, fault, outcome) {
  if (ERRORS[fault.fault]) return { error: ERRORS[fault.fault](call.service, fault, call) };
  if (fault.fault === "error_in_200") {
    return { error: ERRORS.error(call.service, { code: "InternalFailure", ...fault }), status: 200 };
  }
  if (ALTERATIONS[fault.fault] && outcome.output) {
    call.page ??= { number: 1, last: true };
    return { output: { ...outcome.output, ...ALTERATIONS[fault.fault](call, fault) } };
  }
  return outcome;
}
