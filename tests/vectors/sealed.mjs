// Envelopes of base/seal.h, made and opened by another implementation: whole ones, and broken ones of which each must be refused.
import { chacha20poly1305, xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { hsalsa, xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { bytesToHex, concatBytes as join, randomBytes } from '@noble/hashes/utils.js';

const ascii = (text) => Uint8Array.from(Buffer.from(text, 'latin1'));
const MAGIC = ascii('cs1');
// The fields of an envelope, by where they begin.
const AT = { magic: 0, keyId: 3, ephemeral: 11, boxTag: 43, box: 59, nonce: 91, text: 115 };
const P = 2n ** 255n - 19n;
const little = (value) => Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
const number = (bytes) => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
// The points whose product with any key is 0: u of order 1, 2, 4 and 8, and what is the same modulo P or with the top bit set.
const ORDER_8 = [325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n];
const LOW = [0n, 1n, ...ORDER_8, P - 1n, P, P + 1n].flatMap((u) => [u, u | (1n << 255n)]);

const words = (bytes) => new Uint32Array(Uint8Array.from(bytes).buffer);
const keyId = (pub) => blake2b(pub, { dkLen: 32 }).slice(0, 8);

function associated({ org, connection, field }, id) {
  const parts = [MAGIC, ascii(org), ascii(connection), ascii(field), id];
  return join(...parts.flatMap((part) => [Uint8Array.of(0, 0, part.length >> 8, part.length & 255), part]));
}

// crypto_box_seal, given what both sides share.
function box(shared, ephemeral, pub) {
  const key = new Uint32Array(8);
  hsalsa(words(ascii('expand 32-byte k')), words(shared), new Uint32Array(4), key);
  const nonce = blake2b(join(ephemeral, pub), { dkLen: 24 });
  return xsalsa20poly1305(new Uint8Array(key.buffer), nonce);
}

function seal(pub, place, plain, o = {}) {
  const dataKey = o.dataKey ?? randomBytes(32), nonce = o.nonce ?? randomBytes(24), id = keyId(pub);
  const secret = randomBytes(32);
  const ephemeral = o.ephemeral ?? x25519.getPublicKey(secret);
  const shared = o.shared ?? x25519.getSharedSecret(secret, pub);
  const head = join(MAGIC, id, ephemeral, box(shared, ephemeral, pub).encrypt(dataKey), nonce);
  const cipher = o.cipher ? o.cipher(dataKey, nonce) : xchacha20poly1305(dataKey, nonce, o.ad ?? associated(place, id));
  return join(head, cipher.encrypt(plain));
}

export function opened(secret, place, e) {
  const pub = x25519.getPublicKey(secret);
  const ephemeral = e.slice(AT.ephemeral, AT.boxTag);
  const dataKey = box(x25519.getSharedSecret(secret, ephemeral), ephemeral, pub).decrypt(e.slice(AT.boxTag, AT.nonce));
  return xchacha20poly1305(dataKey, e.slice(AT.nonce, AT.text), associated(place, keyId(pub))).decrypt(e.slice(AT.text));
}

function* whole(secret) {
  for (const n of [0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 1024, 8191, 8192]) yield [`${n} bytes`, {}, randomBytes(n)];
  for (const byte of [0, 255]) {
    const same = (n) => new Uint8Array(n).fill(byte);
    yield [`data key, nonce and text of ${byte}`, { dataKey: same(32), nonce: same(24) }, same(64)];
  }
  // RFC 7748: the top bit is nobody's, u is taken modulo P, and points of the twist are points.
  const others = [9n | (1n << 255n), P + 9n, (P + 9n) | (1n << 255n), 2n, 3n, P - 2n, P + 18n, ...Array.from({ length: 20 }, () => number(randomBytes(32)))];
  for (const u of others) {
    const reduced = little((u & ((1n << 255n) - 1n)) % P);
    yield [`ephemeral key ${u}`, { ephemeral: little(u), shared: x25519.getSharedSecret(secret, reduced) }, randomBytes(32)];
  }
}

function* changed(e) {
  for (const [field, at] of Object.entries(AT)) {
    for (const mask of [1, 128, 255]) yield [`${field} ^ ${mask}`, Uint8Array.from(e, (byte, i) => (i === at ? byte ^ mask : byte))];
    yield [`cut before ${field}`, e.slice(0, at)];
    yield [`cut in ${field}`, e.slice(0, at + 1)];
    yield [`without a byte of ${field}`, join(e.slice(0, at), e.slice(at + 1))];
    yield [`one byte more in ${field}`, join(e.slice(0, at), Uint8Array.of(0), e.slice(at))];
  }
  for (let bit = 0; bit < 128; bit++) {
    yield [`bit ${bit} of the tag`, Uint8Array.from(e, (byte, i) => (i === e.length - 16 + (bit >> 3) ? byte ^ (1 << (bit & 7)) : byte))];
  }
  for (const byte of [0, 255]) {
    yield [`tag of ${byte}`, join(e.slice(0, -16), new Uint8Array(16).fill(byte))];
    yield [`tag of the box of ${byte}`, join(e.slice(0, AT.boxTag), new Uint8Array(16).fill(byte), e.slice(AT.box))];
  }
  yield ['without tag', e.slice(0, -16)];
  yield ['a byte behind', join(e, Uint8Array.of(0))];
  yield ['twice', join(e, e)];
}

function* mixed(one, two) {
  const fields = Object.entries(AT);
  for (const [i, [field, from]] of fields.entries()) {
    const to = fields[i + 1]?.[1] ?? one.length;
    if (from >= AT.ephemeral) yield [`${field} of another`, join(one.slice(0, from), two.slice(from, to), one.slice(to))];
  }
}

function* wrong(pub, place) {
  const id = keyId(pub), other = x25519.getPublicKey(randomBytes(32));
  for (const u of LOW) yield [`ephemeral key of low order ${u}`, { ephemeral: little(u), shared: new Uint8Array(32) }];
  yield ['no associated data', { ad: new Uint8Array(0) }];
  for (const name of Object.keys(place)) yield [`another ${name}`, { ad: associated({ ...place, [name]: `${place[name]}x` }, id) }];
  yield ['a border moved', { ad: associated({ ...place, connection: place.connection + place.field[0], field: place.field.slice(1) }, id) }];
  yield ['key id of another in the associated data', { ad: associated(place, keyId(other)) }];
  yield ['ChaCha20 with a short nonce', { cipher: (key, nonce) => chacha20poly1305(key, nonce.slice(0, 12), associated(place, id)) }];
  yield ['XSalsa20', { cipher: (key, nonce) => xsalsa20poly1305(key, nonce) }];
  yield ['a long data key', { dataKey: randomBytes(33), cipher: (key, nonce) => xchacha20poly1305(key.slice(0, 32), nonce, associated(place, id)) }];
  yield ['sealed to another', { shared: x25519.getSharedSecret(randomBytes(32), other) }];
  yield ['a text too long', {}, randomBytes(8193)];
}

export function sealed(say) {
  const secret = randomBytes(32), pub = x25519.getPublicKey(secret);
  const place = { org: '0198c0de-0000-7000-8000-000000000001', connection: '0198c0de-0000-7000-8000-000000000002', field: 'secret_access_key' };
  const plain = randomBytes(40);
  const bad = (name, envelope) => say({ name, good: false, envelope: bytesToHex(envelope) });
  say({ secret: bytesToHex(secret), public: bytesToHex(pub), place, low: LOW.map((u) => bytesToHex(little(u))) });
  for (const [name, options, text] of whole(secret)) {
    say({ name, good: true, envelope: bytesToHex(seal(pub, place, text, options)), plain: bytesToHex(text) });
  }
  for (const [name, options, text] of wrong(pub, place)) bad(name, seal(pub, place, text ?? plain, options));
  const one = seal(pub, place, plain), two = seal(pub, place, plain);
  for (const [name, envelope] of [...changed(one), ...mixed(one, two)]) bad(name, envelope);
}
