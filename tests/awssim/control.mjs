// The unsigned side door, /_sim/...: what a test sets and asks. JSON in, JSON out.
import { countCalls } from "./calls.mjs";
import { applyOperations } from "./mutate.mjs";
import { inventory } from "./inventory.mjs";
import { KINDS } from "./faults.mjs";
import { foundationModels } from "./services/bedrock/catalogue.mjs";
import { partitionOf } from "./regions.mjs";

const SETTINGS = ["latency_ms", "page_size", "report_polls", "report_ms", "longest_session_s"];

// region -> ARNs: the same for every account, so no inventory has them.
function modelsOf(world) {
  const { regions, optIn } = partitionOf(world);
  const each = [...regions, ...optIn].map((region) => [
    region,
    foundationModels(world.partition, region).map(({ arn }) => arn),
  ]);
  return Object.fromEntries(each.filter(([, arns]) => arns.length));
}

const ROUTES = {
  "GET calls": (sim, { query }) => {
    const calls = sim.calls.since(Number(query.since ?? 0));
    return { calls, counts: countCalls(calls), last: sim.calls.n, in_flight: sim.calls.inFlight };
  },
  "POST reset": (sim, { json }) => {
    if (json.calls) sim.calls.reset();
    if (json.faults) sim.faults.clear();
    return {};
  },
  "POST set": (sim, { json }) => {
    sim.world.setVars(json);
    return { vars: sim.world.documents.vars };
  },
  "POST clock": (sim, { json }) => {
    sim.clock.offset = (json.offset_s ?? 0) * 1000;
    return { now_ms: sim.clock.now(), offset_s: sim.clock.offset / 1000 };
  },
  "POST config": (sim, { json }) => {
    const unknown = Object.keys(json).find((key) => key !== "quotas" && !SETTINGS.includes(key));
    if (unknown) throw new Error(`unknown setting "${unknown}"`);
    for (const key of SETTINGS) if (key in json) sim.settings[key] = json[key] ?? undefined;
    if ("quotas" in json) sim.quotas.set(json.quotas);
    return sim.settings;
  },
  "GET faults": (sim) => ({ faults: sim.faults.list, kinds: KINDS }),
  "POST faults": (sim, { json }) => {
    sim.faults.add(json);
    return { faults: sim.faults.list };
  },
  "DELETE faults": (sim) => {
    sim.faults.clear();
    return {};
  },
  "GET quotas": (sim) => ({ quotas: sim.quotas.report() }),
  "POST world": (sim, { json }) => ({ results: applyOperations(sim.world, [json].flat()) }),
  "GET world/inventory": (sim, { query }) => inventory(sim.world, query.account),
  "GET world": (sim) => ({
    partition: sim.world.partition,
    vendor: sim.world.vendor,
    vars: sim.world.documents.vars,
    accounts: [...sim.world.accounts.keys()],
    organizations: sim.world.organizations.map(({ id, management }) => ({ id, management })),
    foundation_models: modelsOf(sim.world),
  }),
};

const reply = (res, status, value) => {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  res.writeHead(status, { "content-type": "application/json", "content-length": body.length });
  res.end(body);
};

export function handleControl(simulator, request, res) {
  const route = ROUTES[`${request.method} ${request.path.slice("/_sim/".length)}`];
  if (!route) return reply(res, 404, { error: `no such control; there are: ${Object.keys(ROUTES).join(", ")}` });
  try {
    const json = request.body.length ? JSON.parse(request.body.toString("utf8")) : {};
    return reply(res, 200, route(simulator, { query: request.query, json }));
  } catch (error) {
    return reply(res, 400, { error: error.message });
  }
}
