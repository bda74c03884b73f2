// judge.mjs OPENAPI.json: for each line {"schema": NAME, "body": JSON text} of stdin one line "true" or "false":
// whether ajv, which knows nothing of our code, takes the body for that component schema.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const contract = JSON.parse(readFileSync(process.argv[2], 'utf8'));
// Words that begin with x- are ours; every other word must be known.
const ours = new Set();
JSON.stringify(contract, (key, value) => {
  if (key.startsWith('x-')) ours.add(key);
  return value;
});
const ajv = new Ajv.default({ strict: true, strictRequired: false, strictTypes: false, allErrors: false, keywords: [...ours, 'example', 'components'] });
addFormats.default(ajv);
ajv.addSchema({ $id: 'contract', components: contract.components }, 'contract', false, false);
const judges = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  const { schema, body } = JSON.parse(line);
  if (!judges.has(schema)) judges.set(schema, ajv.compile({ $ref: `contract#/components/schemas/${schema}` }));
  process.stdout.write(`${judges.get(schema)(JSON.parse(body))}\n`);
}
