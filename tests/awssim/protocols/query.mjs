// The query protocol (iam, sts, rds, ...) and EC2's dialect of it: a form in, XML out.
import { XML_HEAD, XmlWriter, escape } from "./xml.mjs";

export const contentType = "text/xml";

// "A.member.1.B=x" becomes { A: { member: { 1: { B: "x" } } } }; a null prototype keeps hostile names harmless.
export function formTree(body) {
  const root = Object.create(null);
  for (const [name, value] of new URLSearchParams(body.toString("utf8"))) {
    const parts = name.split(".");
    let node = root;
    for (const part of parts.slice(0, -1)) {
      if (typeof node[part] !== "object") node[part] = Object.create(null);
      node = node[part];
    }
    node[parts.at(-1)] = value;
  }
  return root;
}

export const operationName = ({ form }) => form.Action;

export function parse(operation, request) {
  return operation.input ? readStructure(reader(operation.service), operation.input, request.form) : {};
}

const capitalised = (name) => name[0].toUpperCase() + name.slice(1);

// What tells the two dialects apart: EC2 has its own member names and no "member" level in lists.
function reader(service) {
  const ec2 = service.protocol === "ec2";
  return {
    shapes: service.shapes,
    flat: (shape) => ec2 || shape.flattened,
    nameOf: (key, shape, member) => {
      if (ec2) return shape.queryName ?? capitalised(shape.locationName ?? key);
      return (shape.flattened && member?.locationName) || shape.locationName || key;
    },
  };
}

function readStructure(r, shape, node) {
  const value = {};
  for (const [key, ref] of Object.entries(shape.members ?? {})) {
    const member = r.shapes.resolve(ref);
    const child = node[r.nameOf(key, member, r.shapes.resolve(member.member))];
    if (child !== undefined) value[key] = read(r, member, child);
  }
  return value;
}

function read(r, shape, node) {
  switch (shape.type) {
    case "structure":
      return readStructure(r, shape, node);
    case "list":
      return readList(r, shape, node);
    case "map":
      return readMap(r, shape, node);
    case "integer":
    case "long":
    case "float":
    case "double":
      return Number(node);
    case "boolean":
      return node === "true";
    case "timestamp":
      return new Date(node);
    case "blob":
      return Buffer.from(node, "base64");
    default:
      return String(node);
  }
}

const numbered = (node) =>
  Object.keys(node ?? {})
    .filter((key) => /^\d+$/.test(key))
    .sort((a, b) => a - b)
    .map((key) => node[key]);

function readList(r, shape, node) {
  const member = r.shapes.resolve(shape.member);
  const items = r.flat(shape) ? node : node[member.locationName ?? "member"];
  return numbered(items).map((item) => read(r, member, item));
}

function readMap(r, shape, node) {
  const [key, value] = [r.shapes.resolve(shape.key), r.shapes.resolve(shape.value)];
  const pairs = numbered(shape.flattened ? node : node.entry);
  return Object.fromEntries(
    pairs.map((pair) => [pair[key.locationName ?? "key"], read(r, value, pair[value.locationName ?? "value"])]),
  );
}

const writers = new WeakMap();

function writerOf(service) {
  if (!writers.has(service)) writers.set(service, new XmlWriter(service));
  return writers.get(service);
}

export function serialize(operation, output, requestId) {
  const { name, service, output: shape } = operation;
  const inner = writerOf(service).members(shape, output);
  const head = `<${name}Response xmlns="${escape(service.namespace)}">`;
  if (service.protocol === "ec2") {
    return { body: `${XML_HEAD}${head}<requestId>${requestId}</requestId>${inner}</${name}Response>` };
  }
  const wrapped = shape?.resultWrapper ? `<${shape.resultWrapper}>${inner}</${shape.resultWrapper}>` : inner;
  return {
    body: `${head}${wrapped}<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${name}Response>`,
  };
}

export function serializeError(service, error, requestId) {
  const code = `<Code>${escape(error.code)}</Code><Message>${escape(error.message)}</Message>`;
  if (service?.protocol === "ec2") {
    return {
      body: `${XML_HEAD}<Response><Errors><Error>${code}</Error></Errors><RequestID>${requestId}</RequestID></Response>`,
    };
  }
  const type = error.status >= 500 ? "Receiver" : "Sender";
  return {
    body:
      `<ErrorResponse xmlns="${escape(service?.namespace ?? "")}"><Error><Type>${type}</Type>${code}</Error>` +
      `<RequestId>${requestId}</RequestId></ErrorResponse>`,
  };
}
