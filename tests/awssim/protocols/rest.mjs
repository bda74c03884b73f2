// rest-json and rest-xml: the operation is in the method and path, the members are spread over path, query, headers and body.
import { XML_HEAD, XmlWriter, escape } from "./xml.mjs";
import { decode as decodeJson, encode, parseBody } from "./json.mjs";
import { AwsError } from "../errors.mjs";
import { decode } from "../uri.mjs";

export const contentType = (service) => (service.protocol === "rest-xml" ? "application/xml" : "application/json");

const routeTables = new WeakMap();

// Longest literal part first, so that "/a/b" wins over "/a/{x}".
function routes(service) {
  if (!routeTables.has(service)) {
    const table = Object.keys(service.operations).map((name) => route(service.operation(name)));
    routeTables.set(
      service,
      table.sort((a, b) => b.weight - a.weight),
    );
  }
  return routeTables.get(service);
}

// Lambda's older clients end some paths in a slash where its newer ones do not, and it takes both.
function route(operation) {
  const [path, query = ""] = operation.http.requestUri.split("?");
  const labels = [];
  const source = path
    .split(/(\{[^}]+\})/)
    .map((part) => {
      const label = /^\{([^}+]+)(\+?)\}$/.exec(part);
      if (!label) return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      labels.push(label[1]);
      return label[2] ? "(.+)" : "([^/]+)";
    })
    .join("");
  const required = [...new URLSearchParams(query)];
  return {
    operation,
    labels,
    required,
    method: operation.http.method,
    pattern: new RegExp(operation.service.name === "lambda" ? `^${source.replace(/\/$/, "")}/?$` : `^${source}$`),
    weight: path.replace(/\{[^}]+\}/g, "").length + required.length * 1000,
  };
}

function match(service, request) {
  const path = (service.name === "s3" && bucketPath(request)) || request.path;
  for (const candidate of routes(service)) {
    if (candidate.method !== request.method) continue;
    const found = candidate.pattern.exec(path);
    if (found && candidate.required.every(([key, value]) => request.query[key] === value)) {
      return { ...candidate, found };
    }
  }
  return undefined;
}

// "bucket.s3.eu-west-1.amazonaws.com", or "bucket.localhost:1234" where a test's endpoint is "localhost:1234".
const BUCKET_HOST = /^(.+?)\.(?:s3[.-].+|localhost(?::\d+)?)$/;

const hostBucket = ({ headers }) => BUCKET_HOST.exec(headers.host ?? "")?.[1];

// The path as it would be were the bucket in it. A slash after the bucket's name means nothing.
function bucketPath(request) {
  const bucket = hostBucket(request);
  const path = bucket === undefined ? request.path : `/${encodeURIComponent(bucket)}${request.path}`;
  return path.replace(/^(\/[^/]+)\/$/, "$1");
}

// Two services may share a signing name and both fit: S3 takes any path for a bucket's. The more literal one is meant.
export function find(services, request) {
  const [best] = services
    .map((service) => match(service, request))
    .filter(Boolean)
    .sort((a, b) => b.weight - a.weight);
  if (!best) return undefined;
  request.virtualHosted = best.operation.service.name === "s3" && hostBucket(request) !== undefined;
  request.labels = Object.fromEntries(best.labels.map((label, i) => [label, decode(best.found[i + 1])]));
  return best.operation;
}

export function parse(operation, request) {
  const { input, service } = operation;
  if (!input) return {};
  const value =
    service.protocol === "rest-json" && !input.payload
      ? decodeJson(service.shapes, input, parseBody(request.body))
      : {};
  for (const [key, ref] of Object.entries(input.members ?? {})) {
    const member = service.shapes.resolve(ref);
    const raw = locate(member, request);
    if (raw !== undefined) value[key] = scalar(member, raw);
  }
  return value;
}

function locate(member, request) {
  switch (member.location) {
    case "uri":
      return request.labels[member.locationName];
    case "querystring":
      return request.query[member.locationName];
    case "header":
      return request.headers[member.locationName.toLowerCase()];
    default:
      return undefined;
  }
}

function scalar(member, raw) {
  if (["integer", "long", "float", "double"].includes(member.type)) return Number(raw);
  if (member.type === "boolean") return raw === "true";
  if (member.type === "list") return [raw].flat();
  return raw;
}

const writers = new WeakMap();

export function serialize(operation, output = {}) {
  const { service, output: shape, http } = operation;
  const headers = headersOf(service, shape, output);
  const status = http.responseCode ?? 200;
  if (!shape) return { body: "", headers, status };
  const payload = shape.payload;
  const inner = payload ? service.shapes.resolve(shape.members[payload]) : shape;
  const value = payload ? output[payload] : output;
  if (payload && inner.type !== "structure") return { body: value ?? "", headers, status };
  if (http.method === "HEAD") return { body: "", headers, status };
  if (service.protocol === "rest-json") {
    return { body: JSON.stringify(encode(service.shapes, bodyOnly(service, inner), value)), headers, status };
  }
  return { body: xmlBody(operation, inner, value), headers, status };
}

function xmlBody(operation, shape, value) {
  const { service } = operation;
  if (!writers.has(service)) writers.set(service, new XmlWriter(service));
  const unwrapped = UNWRAPPED[operation.name];
  if (unwrapped) return `${XML_HEAD}<${unwrapped} xmlns="${NAMESPACES.s3}">${escape(value[unwrapped])}</${unwrapped}>`;
  const root = shape.locationName ?? operation.output.payload ?? ROOTS[operation.name] ?? `${operation.name}Result`;
  return `${XML_HEAD}<${root} xmlns="${escape(service.namespace ?? NAMESPACES[service.name] ?? "")}">${writers.get(service).members(shape, value)}</${root}>`;
}

// The models do not say these two things of S3, and its clients do not look; a stricter reader may.
const NAMESPACES = {
  s3: "http://s3.amazonaws.com/doc/2006-03-01/",
  s3control: "http://awss3control.amazonaws.com/doc/2018-08-20/",
};
// Its one member is the whole document.
const UNWRAPPED = { GetBucketLocation: "LocationConstraint" };
const ROOTS = {
  ListBuckets: "ListAllMyBucketsResult",
  GetBucketAcl: "AccessControlPolicy",
  GetBucketTagging: "Tagging",
  GetBucketVersioning: "VersioningConfiguration",
  GetBucketLogging: "BucketLoggingStatus",
};

const bodyOnly = (service, shape) => ({
  ...shape,
  members: Object.fromEntries(
    Object.entries(shape.members ?? {}).filter(([, ref]) => !service.shapes.resolve(ref).location),
  ),
});

function headersOf(service, shape, output) {
  const headers = {};
  for (const [key, ref] of Object.entries(shape?.members ?? {})) {
    const member = service.shapes.resolve(ref);
    if (member.location === "header" && output[key] !== undefined) headers[member.locationName] = String(output[key]);
  }
  return headers;
}

export function serializeError(service, error, requestId) {
  if (service.protocol === "rest-json") {
    // Lambda's front door writes it large, what is behind it does not: readers must take both.
    const key = service.name === "lambda" && error.code === "AccessDeniedException" ? "Message" : "message";
    return {
      body: JSON.stringify({ [key]: error.message, ...error.extra }),
      headers: { "x-amzn-errortype": error.code },
    };
  }
  const extra = Object.entries(error.extra)
    .map(([key, value]) => `<${key}>${escape(value)}</${key}>`)
    .join("");
  const inner = `<Code>${escape(error.code)}</Code><Message>${escape(error.message)}</Message>${extra}`;
  const ends = `<RequestId>${requestId}</RequestId><HostId>awssim</HostId>`;
  // The two services of this protocol do not agree on where an error's root is.
  return {
    body:
      service.name === "s3control"
        ? `${XML_HEAD}<ErrorResponse><Error>${inner}</Error>${ends}</ErrorResponse>`
        : `${XML_HEAD}<Error>${inner}${ends}</Error>`,
  };
}

export function unknownRoute(request) {
  return new AwsError(
    "UnknownOperationException",
    `Unable to determine service/operation name to be authorized: ${request.method} ${request.path}`,
    404,
  );
}
