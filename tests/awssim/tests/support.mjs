// Starts the simulator as its users do, as a process, and talks to it.
import { spawn } from "node:child_process";
import http from "node:http";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { SignatureV4 } from "@smithy/signature-v4";
import { Sha256 } from "@aws-crypto/sha256-js";
import { STSClient, AssumeRoleCommand } from "@aws-sdk/client-sts";

export const HOME = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

export const VENDOR = {
  accessKeyId: "AKIACONNECTORDVENDOR",
  secretAccessKey: "vendor/secret+key/of/the/demo/world/0001",
};
export const CUSTOMER = "111122223333";

export class Sim {
  static async start(world, ...options) {
    const child = spawn(
      process.execPath,
      [path.join(HOME, "awssim.mjs"), "--world", path.resolve(HOME, "worlds", world), ...options],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const [line] = await Promise.race([
      createInterface({ input: child.stdout })
        [Symbol.asyncIterator]()
        .next()
        .then(({ value }) => [value]),
      new Promise((_, reject) => {
        child.once("exit", (code) => reject(new Error(`awssim ended with ${code}`)));
      }),
    ]);
    return new Sim(child, JSON.parse(line));
  }

  constructor(child, { endpoint, control }) {
    this.child = child;
    this.endpoint = endpoint;
    this.control = control;
  }

  stop() {
    return new Promise((resolve) => {
      this.child.once("exit", (code, signal) => resolve({ code, signal }));
      this.child.kill("SIGTERM");
    });
  }

  async get(name) {
    const answer = await fetch(`${this.control}/${name}`);
    return answer.json();
  }

  async post(name, value) {
    const answer = await fetch(`${this.control}/${name}`, { method: "POST", body: JSON.stringify(value) });
    const json = await answer.json();
    if (!answer.ok) throw new Error(json.error);
    return json;
  }

  client(Client, credentials = VENDOR, region = "us-east-1", more = {}) {
    return new Client({ endpoint: this.endpoint, region, credentials, maxAttempts: 1, ...more });
  }

  async assume(role, input = {}, { account = CUSTOMER, credentials = VENDOR } = {}) {
    const { Credentials: c } = await this.client(STSClient, credentials).send(
      new AssumeRoleCommand({
        RoleArn: `arn:aws:iam::${account}:role/${role}`,
        RoleSessionName: "test",
        ...input,
      }),
    );
    return { accessKeyId: c.AccessKeyId, secretAccessKey: c.SecretAccessKey, sessionToken: c.SessionToken };
  }
}

// A signed query-protocol request, sent without any client in between; "tamper" changes it after it was signed.
export async function callForm(
  sim,
  params,
  {
    service = "iam",
    region = "us-east-1",
    credentials = VENDOR,
    date = new Date(),
    tamper = (r) => r,
    timeout = 30000,
  } = {},
) {
  const { hostname, port } = new URL(sim.endpoint);
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256, applyChecksum: false });
  const signed = await signer.sign(
    {
      method: "POST",
      protocol: "http:",
      hostname,
      port: Number(port),
      path: "/",
      query: {},
      headers: { host: `${hostname}:${port}`, "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
      body: new URLSearchParams({ Version: VERSIONS[service], ...params }).toString(),
    },
    { signingDate: date },
  );
  return exchange(tamper(signed), timeout);
}

const VERSIONS = { iam: "2010-05-08", sts: "2011-06-15", ec2: "2016-11-15" };

// What really came over the wire: status, headers, body, and how the connection ended.
export function exchange({ method, hostname, port, path: target, headers, body }, timeout = 30000) {
  return new Promise((resolve) => {
    const started = Date.now();
    const result = { status: undefined, headers: {}, body: "", interim: 0, error: undefined };
    const finish = (error) => resolve({ ...result, error: error?.code, ms: Date.now() - started });
    const request = http.request({ method, hostname, port, path: target, headers, agent: false }, (response) => {
      Object.assign(result, { status: response.statusCode, headers: response.headers });
      response.on("data", (chunk) => {
        result.body += chunk.toString("latin1");
      });
      response.on("error", finish);
      response.on("end", () => finish());
    });
    const limit = setTimeout(
      () => request.destroy(Object.assign(new Error("timeout"), { code: "CLIENT_TIMEOUT" })),
      timeout,
    );
    request.on("information", () => {
      result.interim += 1;
    });
    request.on("error", finish);
    request.on("close", () => clearTimeout(limit));
    request.end(body);
  });
}

export async function until(condition, what, ms = 30000) {
  const deadline = Date.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`gave up waiting until ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

export const codeOf = (promise) =>
  promise.then(
    () => "ok",
    (error) => error.name,
  );
