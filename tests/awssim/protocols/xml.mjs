// Writes XML for the query, ec2 and rest-xml protocols from output shapes.
import { isoSeconds, isoMillis } from "../time.mjs";

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#xD;" };
export const escape = (text) => String(text).replace(/[&<>"\r]/g, (c) => ESCAPES[c]);

// Shapes are compiled once into closures; a large account has some 40,000 elements a listing.
export class XmlWriter {
  constructor(service) {
    this.shapes = service.shapes;
    this.time = service.protocol === "query" ? isoSeconds : isoMillis;
    this.compiled = new WeakMap();
  }

  // The members of a structure, without an element around them.
  members(shape, value) {
    return shape && value ? this.structureOf(shape)(value) : "";
  }

  // Returns (element name, value) => text.
  writer(ref) {
    const shape = this.shapes.resolve(ref);
    let write = this.compiled.get(shape);
    if (!write) {
      // Recursive shapes find this entry while their own members are being compiled.
      this.compiled.set(shape, (name, value) => write(name, value));
      write = this.compile(shape);
      this.compiled.set(shape, write);
    }
    return write;
  }

  compile(shape) {
    switch (shape.type) {
      case "structure":
        return this.structure(shape);
      case "list":
        return this.list(shape);
      case "map":
        return this.map(shape);
      case "timestamp":
        return scalar((value) => this.time(value));
      case "blob":
        return scalar((value) => Buffer.from(value).toString("base64"));
      default:
        return scalar(escape);
    }
  }

  structure(shape) {
    const inner = this.structureOf(shape);
    const write = (name, value) => `<${name}${attributes(shape, value)}>${inner(value)}</${name}>`;
    // Views of world objects are frozen and shared between calls: their text is worth keeping.
    const kept = new WeakMap();
    return (name, value) => {
      if (!Object.isFrozen(value)) return write(name, value);
      let text = kept.get(value);
      if (text === undefined) kept.set(value, (text = write(name, value)));
      return text;
    };
  }

  structureOf(shape) {
    const known = this.compiled.get(shape.members);
    if (known) return known;
    const fields = Object.entries(shape.members ?? {})
      .map(([key, ref]) => ({ key, ref, shape: this.shapes.resolve(ref) }))
      .filter(({ shape: s }) => !s.xmlAttribute && !s.location)
      .map(({ key, ref, shape: s }) => ({ key, name: s.locationName ?? key, write: this.writer(ref) }));
    const write = (value) => {
      let text = "";
      for (const { key, name, write: field } of fields) {
        const item = value[key];
        if (item !== undefined && item !== null) text += field(name, item);
      }
      return text;
    };
    this.compiled.set(shape.members, write);
    return write;
  }

  list(shape) {
    const member = this.shapes.resolve(shape.member);
    const write = this.writer(shape.member);
    if (shape.flattened) return (name, items) => items.map((item) => write(member.locationName ?? name, item)).join("");
    const item = member.locationName ?? "member";
    return (name, items) =>
      items.length ? `<${name}>${items.map((one) => write(item, one)).join("")}</${name}>` : `<${name}/>`;
  }

  map(shape) {
    const [key, value] = [this.writer(shape.key), this.writer(shape.value)];
    const keyName = this.shapes.resolve(shape.key).locationName ?? "key";
    const valueName = this.shapes.resolve(shape.value).locationName ?? "value";
    const entry = ([k, v]) => key(keyName, k) + value(valueName, v);
    const each = (name, map) =>
      Object.entries(map)
        .map((pair) => `<${name}>${entry(pair)}</${name}>`)
        .join("");
    return shape.flattened ? each : (name, map) => `<${name}>${each("entry", map)}</${name}>`;
  }
}

const scalar = (text) => (name, value) => `<${name}>${text(value)}</${name}>`;

function attributes(shape, value) {
  const namespace = shape.xmlNamespace;
  let text = namespace?.uri ? ` xmlns${namespace.prefix ? `:${namespace.prefix}` : ""}="${escape(namespace.uri)}"` : "";
  for (const [key, member] of Object.entries(shape.members)) {
    if (member.xmlAttribute && value[key] !== undefined) text += ` ${member.locationName}="${escape(value[key])}"`;
  }
  return text;
}

export const XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
