// Chance that is always the same: generated accounts and resources are made by it.
import { createHash } from "node:crypto";

const NEWEST = Date.UTC(2025, 5, 1);
const DAY = 86_400_000;

// mulberry32: small, fast, and the same everywhere.
export class Dice {
  constructor(seed) {
    this.state = createHash("sha256").update(String(seed)).digest().readUInt32BE(0);
  }

  next() {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  below(n) {
    return Math.floor(this.next() * n);
  }

  chance(share) {
    return this.next() < share;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  some(list, most) {
    return list.length ? [...new Set(Array.from({ length: this.below(most + 1) }, () => this.pick(list)))] : [];
  }

  // Most things were used lately, some long ago.
  recent() {
    return new Date(NEWEST - Math.floor(this.next() ** 3 * 700 * DAY)).toISOString();
  }
}
