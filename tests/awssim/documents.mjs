// Policy documents: kept as written in the world file, with ${name} filled in late, so that a test may create
// its organization first and then tell the world its external ID.

export class Documents {
  constructor(vars = {}) {
    this.vars = { ...vars };
    this.forget();
  }

  set(vars) {
    Object.assign(this.vars, vars);
    this.forget();
  }

  forget() {
    this.byObject = new WeakMap();
    this.byText = new Map();
  }

  // IAM's own policy variables (${aws:username}) have names we do not know and stay as they are.
  fill(text) {
    return text.replace(/\$\{([a-z_]+)\}/g, (whole, name) => this.vars[name] ?? whole);
  }

  entry(document) {
    const kept = typeof document === "string" ? this.byText : this.byObject;
    let entry = kept.get(document);
    if (!entry) {
      const text = this.fill(typeof document === "string" ? document : JSON.stringify(document));
      kept.set(document, (entry = { text }));
    }
    return entry;
  }

  text(document) {
    return this.entry(document).text;
  }

  // As IAM sends it: RFC 3986 percent-encoded. encodeURIComponent leaves !'()* alone, RFC 3986 does not.
  encoded(document) {
    const entry = this.entry(document);
    entry.encoded ??= encodeURIComponent(entry.text).replace(
      /[!'()*]/g,
      (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
    );
    return entry.encoded;
  }

  // Undefined when it is not JSON: AWS then grants nothing.
  parsed(document) {
    const entry = this.entry(document);
    if (!("parsed" in entry)) {
      try {
        entry.parsed = JSON.parse(entry.text);
      } catch {
        entry.parsed = undefined;
      }
    }
    return entry.parsed;
  }
}
