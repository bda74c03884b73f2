// Sends a reply, whole or broken in the way a fault asks for.

import { FLOODS } from "./floods.mjs";

const HTML = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Captive portal</h1></body></html>\n";

const half = (body) => body.subarray(0, Math.max(1, body.length >> 1));

const complete = (res, { status, headers }, body) => {
  res.writeHead(status, { ...headers, "content-length": body.length });
  res.end(body);
};

// Flushed before the connection goes, so that the client has really read the half of it.
const partly = (res, { status, headers }, body, then) => {
  res.writeHead(status, { ...headers, "content-length": body.length });
  res.write(half(body), () => setImmediate(then));
};

const BROKEN = {
  ...FLOODS,
  // Nothing is ever answered; the client has to give up.
  timeout: () => {},
  reset: (res, reply) => partly(res, reply, reply.body, () => res.socket?.resetAndDestroy()),
  cut_body: (res, reply) => partly(res, reply, reply.body, () => res.socket?.destroySoon()),
  cut_xml: (res, reply) => complete(res, reply, half(reply.body)),
  empty_200: (res, reply) => complete(res, { ...reply, status: 200 }, Buffer.alloc(0)),
  html_200: (res, reply) =>
    complete(res, { status: 200, headers: { ...reply.headers, "content-type": "text/html" } }, Buffer.from(HTML)),
  garbage: (res, reply) =>
    complete(res, reply, Buffer.from(Array.from({ length: 256 }, (_, i) => (i * 167 + 13) & 255))),
  dtd: (res, reply) => complete(res, reply, withDoctype(reply.body)),
  slow: (res, reply, fault) => trickle(res, reply, fault.interval_ms ?? 1000),
};

function withDoctype(body) {
  const text = body.toString("utf8").replace(/^<\?xml[^>]*\?>\n?/, "");
  return Buffer.from(
    `<?xml version="1.0"?>\n<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>\n${text}`,
  );
}

function trickle(res, { status, headers, body }, interval) {
  res.writeHead(status, { ...headers, "content-length": body.length });
  let at = 0;
  const timer = setInterval(() => {
    res.write(body.subarray(at, at + 1));
    at += 1;
    if (at < body.length) return;
    clearInterval(timer);
    res.end();
  }, interval);
  res.on("close", () => clearInterval(timer));
}

export const WIRE_FAULTS = Object.keys(BROKEN);

export function send(res, reply, fault) {
  if (res.destroyed) return;
  const whole = { ...reply, body: Buffer.from(reply.body) };
  (BROKEN[fault?.fault] ?? ((target, one) => complete(target, one, one.body)))(res, whole, fault);
}
