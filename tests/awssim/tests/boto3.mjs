// Runs one of the Python scripts beside this file with Debian's boto3. By path: another python3 may come first on PATH.
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { HOME } from "./support.mjs";

const run = promisify(execFile);

// Nothing of the user's own settings may reach the client.
const environment = ({ accessKeyId, secretAccessKey, sessionToken }) => ({
  PATH: process.env.PATH,
  HOME: "/nonexistent",
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_SESSION_TOKEN: sessionToken,
  AWS_DEFAULT_REGION: "us-east-1",
  AWS_EC2_METADATA_DISABLED: "true",
  PYTHONDONTWRITEBYTECODE: "1",
  LC_ALL: "C.UTF-8",
});

async function json(command, args, credentials) {
  const { stdout } = await run(command, args, { env: environment(credentials), maxBuffer: 64 << 20 });
  return JSON.parse(stdout);
}

export const runBoto3 = (script, credentials, ...args) =>
  json("/usr/bin/python3", [path.join(HOME, "tests", script), ...args.map(String)], credentials);

export const runAwscli = (credentials, ...args) =>
  json("/usr/bin/aws", [...args.map(String), "--output", "json"], credentials);
