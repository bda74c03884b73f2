// Reads lines of {secret, headers, body}, answers each with {ok} or {ok: false, why}: what the reference
// library of Standard Webhooks says.
import { createInterface } from 'node:readline';
import { Webhook } from 'standardwebhooks';

for await (const line of createInterface({ input: process.stdin })) {
  const { secret, headers, body } = JSON.parse(line);
  let said = { ok: true };
  try {
    new Webhook(secret).verify(body, headers);
  } catch (error) {
    said = { ok: false, why: error.message };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
