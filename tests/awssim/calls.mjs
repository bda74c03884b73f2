// The record of every call, for tests that ask what was done and how.
import { openSync, writeSync } from "node:fs";

const KEEP = 200_000;

export class Calls {
  constructor(file) {
    this.list = [];
    this.n = 0;
    this.inFlight = 0;
    this.byAccount = new Map();
    // Written through, so that nothing is lost when the process is told to stop.
    this.log = file && openSync(file, "a");
  }

  begin(clock) {
    this.inFlight += 1;
    this.n += 1;
    const entry = { n: this.n, at_ms: clock.now(), started: performance.now(), in_flight: this.inFlight };
    this.list.push(entry);
    if (this.list.length > KEEP) this.list.splice(0, KEEP / 10);
    return entry;
  }

  // Called when it is known whose call it is.
  owner(entry, accountId) {
    entry.account = accountId;
    const now = (this.byAccount.get(accountId) ?? 0) + 1;
    this.byAccount.set(accountId, now);
    entry.in_flight_account = now;
  }

  end(entry) {
    if (entry.ended) return;
    Object.defineProperty(entry, "ended", { value: true });
    entry.latency_ms = Math.round((performance.now() - entry.started) * 100) / 100;
    delete entry.started;
    this.inFlight -= 1;
    if (entry.account) this.byAccount.set(entry.account, this.byAccount.get(entry.account) - 1);
    if (this.log) writeSync(this.log, `${JSON.stringify(entry)}\n`);
  }

  since(n) {
    const first = this.list.length ? this.list[0].n : 0;
    return this.list.slice(Math.max(0, n - first + 1));
  }

  // Numbers go on, so that a "since" taken before a reset stays meaningful.
  reset() {
    this.list = [];
  }
}

export function countCalls(list) {
  const counts = { total: list.length, by_operation: {}, by_action: {}, by_status: {}, by_code: {}, max_in_flight: 0 };
  const add = (map, key) => {
    if (key !== undefined) map[key] = (map[key] ?? 0) + 1;
  };
  for (const call of list) {
    add(counts.by_operation, call.service && `${call.service}.${call.operation}`);
    add(counts.by_action, call.action);
    add(counts.by_status, call.status);
    add(counts.by_code, call.code);
    counts.max_in_flight = Math.max(counts.max_in_flight, call.in_flight);
  }
  return counts;
}
