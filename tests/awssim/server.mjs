// The HTTP front: reads a request as it is on the wire, keeps the raw path, and hands it on.
import { createServer } from "node:http";
import { handleControl } from "./control.mjs";
import { split } from "./uri.mjs";
import { send } from "./wire.mjs";

const LARGEST_BODY = 8 * 1024 * 1024;

// Repeated headers are joined with a comma, which is what SigV4 signs.
function headersOf(raw) {
  const headers = Object.create(null);
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i].toLowerCase();
    headers[name] = name in headers ? `${headers[name]},${raw[i + 1]}` : raw[i + 1];
  }
  return headers;
}

async function readRequest(req) {
  const chunks = [];
  let size = 0;
  for await (const chunk of req) {
    size += chunk.length;
    if (size > LARGEST_BODY) throw new Error("request body too large");
    chunks.push(chunk);
  }
  return { method: req.method, ...split(req.url), headers: headersOf(req.rawHeaders), body: Buffer.concat(chunks) };
}

const wait = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

async function serve(simulator, req, res) {
  if (req.url.startsWith("/_sim/")) return handleControl(simulator, await readRequest(req), res);
  const record = simulator.calls.begin(simulator.clock);
  // A call ends when its answer is out, or when the client stops waiting for one.
  res.on("close", () => simulator.calls.end(record));
  const request = await readRequest(req);
  const { reply, fault } = await simulator.answer(request, record);
  if (simulator.settings.latency_ms > 0) await wait(simulator.settings.latency_ms);
  return send(res, reply, fault);
}

export function listen(simulator, port) {
  const server = createServer({ keepAlive: true, noDelay: true }, (req, res) => {
    serve(simulator, req, res).catch((error) => {
      // Our own mistake must be seen as such and not as a failure of AWS.
      if (res.destroyed) return;
      process.stderr.write(`awssim: ${error.stack}\n`);
      if (!res.headersSent) res.writeHead(599, { "content-type": "text/plain" });
      res.end(`awssim: ${error.message}\n`);
    });
  });
  server.keepAliveTimeout = 60_000;
  server.requestTimeout = 0;
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
