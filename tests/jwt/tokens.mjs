// Makes key pairs and tokens for tests/system/test_api_jwt.py: one JSON command a line in, one JSON answer a line out.
// Honest tokens are npm jose's; "raw" signs any bytes, as somebody would who holds a key and means no good.
import { constants, createPrivateKey, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { exportJWK, exportPKCS8, exportSPKI, generateKeyPair, SignJWT } from 'jose';

const keys = new Map();

async function key({ name, alg, kid }) {
  const pair = await generateKeyPair(alg, { extractable: true });
  keys.set(name, { ...pair, pem: await exportPKCS8(pair.privateKey) });
  const jwk = { ...(await exportJWK(pair.publicKey)), use: 'sig' };
  return { jwk: kid === null ? jwk : { ...jwk, kid }, pem: await exportSPKI(pair.publicKey) };
}

async function token({ name, header, claims }) {
  return { token: await new SignJWT(claims).setProtectedHeader(header).sign(keys.get(name).privateKey) };
}

const encode = (text) => Buffer.from(text).toString('base64url');

function raw({ name, alg, header, payload }) {
  const input = `${encode(header)}.${encode(payload)}`;
  const options = { key: createPrivateKey(keys.get(name).pem) };
  if (alg.startsWith('ES')) options.dsaEncoding = 'ieee-p1363';
  if (alg.startsWith('PS')) Object.assign(options, { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: Number(alg.slice(2)) / 8 });
  return { token: `${input}.${signBytes(`sha${alg.slice(2)}`, Buffer.from(input), options).toString('base64url')}` };
}

// A key that is too short to be safe; jose would not make it.
function weak({ kid }) {
  const pair = generateKeyPairSync('rsa', { modulusLength: 1024 });
  keys.set('weak', { pem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) });
  return { jwk: { ...pair.publicKey.export({ format: 'jwk' }), kid, use: 'sig' } };
}

const COMMANDS = { key, token, raw, weak };
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  console.log(JSON.stringify(await COMMANDS[command.do](command)));
}
