#!/usr/bin/env node
// The command: reads a world, serves it, says where in one line of JSON.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Clock } from "./time.mjs";
import { Simulator } from "./simulator.mjs";
import { listen } from "./server.mjs";
import { loadWorld } from "./world.mjs";

const USAGE =
  "usage: awssim.mjs --world FILE [--port N] [--latency-ms N] [--page-size N] [--quotas FILE|default] " +
  "[--call-log FILE] [--set NAME=VALUE]...";

const OPTIONS = {
  world: { type: "string" },
  port: { type: "string", default: "0" },
  "latency-ms": { type: "string", default: "0" },
  "page-size": { type: "string" },
  quotas: { type: "string" },
  "call-log": { type: "string" },
  set: { type: "string", multiple: true, default: [] },
};

function readOptions() {
  const { values } = parseArgs({ options: OPTIONS });
  if (!values.world) throw new Error("--world is missing");
  const vars = Object.fromEntries(values.set.map((pair) => [pair.split("=", 1)[0], pair.slice(pair.indexOf("=") + 1)]));
  const number = (text) => (text === undefined ? undefined : Number.parseInt(text, 10));
  const quotas =
    values.quotas && values.quotas !== "default" ? JSON.parse(readFileSync(values.quotas, "utf8")) : values.quotas;
  return {
    world: values.world,
    vars,
    port: number(values.port),
    callLog: values["call-log"],
    settings: { latency_ms: number(values["latency-ms"]), page_size: number(values["page-size"]), quotas },
  };
}

async function run({ world: file, vars, port, callLog, settings }) {
  const clock = new Clock();
  const world = loadWorld(file, clock, vars);
  const server = await listen(new Simulator({ world, clock, settings, callLog }), port);
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
  const endpoint = `http://127.0.0.1:${server.address().port}`;
  process.stdout.write(`${JSON.stringify({ endpoint, control: `${endpoint}/_sim` })}\n`);
}

function fail(error, status, hint = "") {
  process.stderr.write(`awssim: ${error.message}\n${hint}`);
  process.exit(status);
}

let options;
try {
  options = readOptions();
} catch (error) {
  fail(error, 2, `${USAGE}\n`);
}
await run(options).catch((error) => fail(error, 1));
