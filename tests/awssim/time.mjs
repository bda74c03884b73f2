// Time as AWS writes it. The simulator has its own clock so that skew and expiry can be tested without waiting.

export class Clock {
  offset = 0;

  now() {
    return Date.now() + this.offset;
  }

  date() {
    return new Date(this.now());
  }
}

const asDate = (value) => (value instanceof Date ? value : new Date(value));

export const isoMillis = (value) => asDate(value).toISOString();
export const isoSeconds = (value) => isoMillis(value).replace(/\.\d{3}Z$/, "Z");
export const basic = (value) => isoSeconds(value).replace(/[-:]/g, "");
export const epochSeconds = (value) => asDate(value).getTime() / 1000;

export function parseBasic(text) {
  const m = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? "");
  if (!m) return undefined;
  const time = Date.UTC(+m[1], m[2] - 1, +m[3], +m[4], +m[5], +m[6]);
  return Number.isNaN(time) ? undefined : time;
}
