// Tokens signed well and badly, for keys of RS256 and ES256: each is true but for its signature or for the key.
import { constants, createHash, generateKeyPairSync, privateEncrypt, sign as opensslSign } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';

const encode = (bytes) => Buffer.from(bytes).toString('base64url');
const hash = (name, text) => createHash(name).update(text).digest();
const big = (bytes) => BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);
const bytesOf = (value, n) => Buffer.from(value.toString(16).padStart(2 * n, '0'), 'hex');
const CLAIMS = { iss: 'https://issuer.example/realm', aud: 'connectord-tests', sub: 'user-1', org_id: '0198c0de-0000-7000-8000-000000000001',
  scope: 'connections:read' };

function text(alg, kid, more) {
  const now = Math.floor(Date.now() / 1000);
  return `${encode(JSON.stringify({ alg, kid }))}.${encode(JSON.stringify({ ...CLAIMS, iat: now, exp: now + 3600, ...more }))}`;
}

// --- RS256 ---

const DIGEST_INFO = { sha256: '3031300d060960864801650304020105000420', sha1: '3021300906052b0e03021a05000414', md5: '3020300c06082a864886f70d020505000410',
  sha384: '3041300d060960864801650304020205000430', sha512: '3051300d060960864801650304020305000440' };
const hex = (digits) => Buffer.from(digits, 'hex');
const info = (digest, body) => Buffer.concat([hex(digest), body]);

// 00 01 FF..FF 00 and what is said to have been signed, 256 bytes in all.
function padded(said, { type = 1, fill = 255, padding = 253 - said.length, separator = [0], behind = 253 - said.length - padding } = {}) {
  return Buffer.concat([Buffer.of(0, type), Buffer.alloc(padding, fill), Buffer.from(separator), said, Buffer.alloc(behind)]).subarray(0, 256);
}

function* encodings(input) {
  const digest = hash('sha256', input), right = info(DIGEST_INFO.sha256, digest), good = padded(right);
  for (const [name, prefix] of Object.entries(DIGEST_INFO)) {
    if (name !== 'sha256') yield [name, padded(info(prefix, hash(name, input)))];
    if (name !== 'sha256') yield [`${name} with the hash of sha256`, padded(info(prefix, digest))];
  }
  yield ['no digest info', padded(digest)];
  yield ['nothing signed', padded(Buffer.alloc(0))];
  yield ['hash of another text', padded(info(DIGEST_INFO.sha256, hash('sha256', `${input}x`)))];
  yield ['no NULL', padded(info('302f300b06096086480165030402010420', digest))];
  yield ['NULL of one byte', padded(info('3032300e06096086480165030402010501000420', digest))];
  yield ['long length outside', padded(info('308131300d060960864801650304020105000420', digest))];
  yield ['long length of the hash', padded(info('3032300d06096086480165030402010500048120', digest))];
  yield ['long length of the algorithm', padded(info('303230810d060960864801650304020105000420', digest))];
  yield ['indefinite length', padded(Buffer.concat([hex('3080300d060960864801650304020105000420'), digest, Buffer.alloc(2)]))];
  yield ['a hash of 31 bytes', padded(info('3030300d06096086480165030402010500041f', digest.subarray(0, 31)))];
  yield ['a hash of 33 bytes', padded(info('3032300d060960864801650304020105000421', Buffer.concat([digest, Buffer.of(0)])))];
  yield ['more in the sequence', padded(Buffer.concat([hex('3033300d060960864801650304020105000420'), digest, hex('0500')]))];
  yield ['zeros behind the hash', padded(right, { padding: 100 })];
  yield ['no padding', padded(right, { padding: 0 })];
  yield ['seven bytes of padding', padded(right, { padding: 7 })];
  yield ['one byte of padding less', padded(right, { padding: 201, behind: 1 })];
  yield ['padding of zeros', padded(right, { fill: 0 })];
  yield ['padding of FE', padded(right, { fill: 254 })];
  yield ['one byte of padding FE', Buffer.from(good).fill(254, 100, 101)];
  yield ['no separator', padded(right, { separator: [255] })];
  for (const type of [0, 2, 255]) yield [`block type ${type}`, padded(right, { type })];
  yield ['first byte 1', Buffer.from(good).fill(1, 0, 1)];
  for (let i = 204; i < 256; i += 3) yield [`byte ${i} flipped`, Buffer.from(good).fill(good[i] ^ 1, i, i + 1)];
}

function cubeRoot(value) {
  let low = 0n, high = 1n << 700n;
  while (low < high) {
    const middle = (low + high) >> 1n;
    if (middle ** 3n < value) low = middle + 1n;
    else high = middle;
  }
  return low;
}

function* rsaSignatures(key, kid, n) {
  const input = text('RS256', kid);
  const raw = (em) => privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, em);
  const good = raw(padded(info(DIGEST_INFO.sha256, hash('sha256', input))));
  const value = big(good);
  yield ['honest', input, good, true];
  for (const [name, em] of encodings(input)) yield [name, input, em[0] === 0 || big(em) < n ? raw(em) : em];
  for (const [name, number] of [['0', 0n], ['1', 1n], ['n - 1', n - 1n], ['n', n], ['n - s', n - value], ['all ones', 2n ** 2048n - 1n]])
    yield [`signature ${name}`, input, bytesOf(number, 256)];
  yield ['s + n', input, bytesOf(value + n, value + n < 2n ** 2048n ? 256 : 257)];
  yield ['PSS', input, opensslSign('sha256', Buffer.from(input), { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 })];
  yield ['a zero before', input, Buffer.concat([Buffer.of(0), good])];
  yield ['a zero behind', input, Buffer.concat([good, Buffer.of(0)])];
  yield ['cut by one', input, good.subarray(0, 255)];
  yield ['half', input, good.subarray(0, 128)];
  yield ['twice', input, Buffer.concat([good, good])];
  yield ['none', input, Buffer.alloc(0)];
  yield ['of another text', text('RS256', kid, { sub: 'user-2' }), good];
}

// Signatures that begin with a zero byte are as good as others, but only with it.
function* shortSignature(key, kid) {
  for (let nonce = 0; ; nonce++) {
    const input = text('RS256', kid, { nonce });
    const made = opensslSign('sha256', Buffer.from(input), key);
    if (made[0] !== 0) continue;
    yield ['begins with zero', input, made, true];
    yield ['without its zero', input, made.subarray(1)];
    return;
  }
}

// With e = 3 anybody finds a number whose cube begins as it should: what is behind the hash must be looked at.
function* cubes(kid) {
  const input = text('RS256', kid);
  for (const padding of [1, 8, 20]) {
    const begin = padded(info(DIGEST_INFO.sha256, hash('sha256', input)), { padding });
    yield [`cube root, ${padding} bytes of padding`, input, bytesOf(cubeRoot(big(begin)), 256)];
  }
}

// --- ES256 ---

const { Point } = p256, { Fn } = Point, N = Fn.ORDER, PRIME = Point.Fp.ORDER;
const pair = (r, s) => Buffer.concat([bytesOf(r, 32), bytesOf(s, 32)]);
const hashed = (input) => big(hash('sha256', input));
const jwkOf = (kid, x, y) => ({ kid, use: 'sig', kty: 'EC', crv: 'P-256', x: encode(bytesOf(x, 32)), y: encode(bytesOf(y, 32)) });

function pointAt(from) {
  for (let x = from; ; x++) {
    try {
      return Point.fromAffine(Point.fromHex(`02${x.toString(16).padStart(64, '0')}`).toAffine());
    } catch { /* no point has this x */ }
  }
}

// The key for which (r, s) is right: Q = (s R - z G) / r.
function keyFor(kid, input, R, s) {
  const r = Fn.create(R.toAffine().x), z = Fn.create(hashed(input));
  const multiple = (point, by) => (by === 0n ? Point.ZERO : point.multiply(by));
  const { x, y } = multiple(multiple(R, s).subtract(multiple(Point.BASE, z)), Fn.inv(r)).toAffine();
  return [jwkOf(kid, x, y), r];
}

function* chosen() {
  const cases = { 's = 1': [Point.BASE.multiply(7n), 1n], 's = n - 1': [Point.BASE.multiply(7n), N - 1n], 's of 128 bits': [Point.BASE.multiply(9n), 2n ** 127n],
    'least r': [pointAt(1n), 12345n], 'x = n or more': [pointAt(N), 12345n], 'R = G': [Point.BASE, 5n], 'R = -G': [Point.BASE.negate(), 5n] };
  for (const [name, [R, s]] of Object.entries(cases)) {
    const kid = `chosen ${name}`, input = text('ES256', kid), [jwk, r] = keyFor(kid, input, R, s);
    yield [name, input, pair(r, s), true, jwk];
    if (r + N < 2n ** 256n) yield [`${name}, r + n`, input, pair(r + N, s), false, jwk];
    if (s + N < 2n ** 256n) yield [`${name}, s + n`, input, pair(r, s + N), false, jwk];
  }
}

function* smallKeys() {
  for (const d of [1n, 2n, 3n, N - 1n, N - 2n]) {
    const kid = `key ${d}`, input = text('ES256', kid), { x, y } = Point.BASE.multiply(d).toAffine();
    yield [kid, input, p256.sign(Buffer.from(input), bytesOf(d, 32)), true, jwkOf(kid, x, y)];
  }
}

function* pairs(r, s, d, z) {
  for (const [name, a] of [['0', 0n], ['1', 1n], ['n', N], ['n - 1', N - 1n], ['n + 1', N + 1n], ['p', PRIME], ['all ones', 2n ** 256n - 1n]]) {
    yield [`r = ${name}`, pair(a, s)];
    yield [`s = ${name}`, pair(r, a)];
    for (const [other, b] of [['0', 0n], ['1', 1n], ['n', N], ['n - 1', N - 1n]]) yield [`r = ${name}, s = ${other}`, pair(a, b)];
  }
  yield ['exchanged', pair(s, r)];
  yield ['n - r', pair(N - r, s)];
  yield ['both n - x', pair(N - r, N - s)];
  // u1 G + u2 Q is no point at all: z + r d = 0.
  yield ['the point at infinity', pair(Fn.create(-z * Fn.inv(d)), s)];
  for (let bit = 0; bit < 512; bit += 37) yield [`bit ${bit}`, pair(r, s).map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))];
}

function* ecdsaSignatures(key, kid) {
  const d = big(key), input = text('ES256', kid), good = Buffer.from(p256.sign(Buffer.from(input), key));
  const r = big(good.subarray(0, 32)), s = big(good.subarray(32)), z = Fn.create(hashed(input));
  yield ['honest', input, good, true];
  yield ['n - s', input, pair(r, N - s), true];
  for (const [name, signature] of pairs(r, s, d, z)) yield [name, input, signature];
  yield ['DER', input, p256.Signature.fromBytes(good).toBytes('der')];
  yield ['63 bytes', input, good.subarray(0, 63)];
  yield ['65 bytes', input, Buffer.concat([good, Buffer.of(0)])];
  yield ['zeros before both', input, Buffer.concat([Buffer.of(0), good.subarray(0, 32), Buffer.of(0), good.subarray(32)])];
  yield ['a zero before', input, Buffer.concat([Buffer.of(0), good])];
  yield ['r alone', input, good.subarray(0, 32)];
  yield ['none', input, Buffer.alloc(0)];
  yield ['of another text', text('ES256', kid, { sub: 'user-2' }), good];
  for (const name of ['sha1', 'sha384', 'sha512']) {
    yield [`${name} for sha256`, input, p256.sign(hash(name, input).subarray(0, 32), key, { prehash: false })];
  }
}

// Keys that are no points of the curve.
function* falsePoints(key) {
  const { x, y } = Point.BASE.multiply(big(key)).toAffine();
  const bad = { 'not on the curve': [x, y ^ 1n], 'nothing': [0n, 0n], 'exchanged': [y, x], 'another y': [x, (y + 1n) % PRIME], 'the other y of a wrong x': [x ^ 1n, y] };
  for (const [name, [a, b]] of Object.entries(bad)) {
    const kid = `point ${name}`, input = text('ES256', kid);
    yield [kid, input, p256.sign(Buffer.from(input), key), false, jwkOf(kid, a, b)];
  }
}

export function jwt(say) {
  const keys = [], es = p256.utils.randomSecretKey(), { x, y } = Point.BASE.multiply(big(es)).toAffine();
  const tell = (alg, vectors) => {
    for (const [name, input, signature, good = false, jwk] of vectors) {
      if (jwk && !keys.includes(jwk)) keys.push(jwk);
      say({ name: `${alg} ${name}`, good, token: `${input}.${encode(signature)}` });
    }
  };
  for (const e of [65537, 3]) {
    const kid = `rsa ${e}`, made = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: e });
    const jwk = { ...made.publicKey.export({ format: 'jwk' }), kid, use: 'sig' };
    keys.push(jwk);
    tell(kid, rsaSignatures(made.privateKey, kid, big(Buffer.from(jwk.n, 'base64url'))));
    tell(kid, shortSignature(made.privateKey, kid));
    if (e === 3) tell(kid, cubes(kid));
  }
  keys.push(jwkOf('es', x, y));
  tell('ec', ecdsaSignatures(es, 'es'));
  tell('ec', chosen());
  tell('ec', smallKeys());
  tell('ec', falsePoints(es));
  say({ keys });
}
