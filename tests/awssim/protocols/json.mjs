// The JSON 1.0 and 1.1 protocols, and the JSON bodies that rest-json shares with them.
import { crc32 } from "node:zlib";
import { epochSeconds, isoSeconds } from "../time.mjs";
import { AwsError } from "../errors.mjs";

export const contentType = (service) => `application/x-amz-json-${service?.metadata.jsonVersion ?? "1.1"}`;

export const operationName = ({ headers }) => headers["x-amz-target"]?.split(".").at(-1);

export const targetPrefix = ({ headers }) => headers["x-amz-target"]?.split(".").slice(0, -1).join(".");

export function parse(operation, request) {
  return operation.input ? decode(operation.service.shapes, operation.input, parseBody(request.body)) : {};
}

export function parseBody(body) {
  if (!body.length) return {};
  try {
    const value = JSON.parse(body.toString("utf8"));
    if (value && typeof value === "object" && !Array.isArray(value)) return value;
  } catch {
    /* answered below, as AWS does, without saying where */
  }
  throw new AwsError("SerializationException", "Start of structure or map found where not expected.", 400);
}

export const decode = (shapes, shape, value) => convert(shapes, shape, value, READ);
export const encode = (shapes, shape, value) => convert(shapes, shape, value, WRITE);

const READ = {
  timestamp: (value) => new Date(typeof value === "number" ? value * 1000 : value),
  blob: (value) => Buffer.from(value, "base64"),
  name: (key, shape) => [shape.locationName ?? key, key],
};
const WRITE = {
  timestamp: (value, shape) => (shape.timestampFormat === "iso8601" ? isoSeconds(value) : epochSeconds(value)),
  blob: (value) => Buffer.from(value).toString("base64"),
  name: (key, shape) => [key, shape.locationName ?? key],
};

function convert(shapes, shape, value, how) {
  if (value === undefined || value === null) return undefined;
  // A "document" is free-form JSON that happens to be declared as a structure.
  if (shape.document) return value;
  switch (shape.type) {
    case "structure":
      return structure(shapes, shape, value, how);
    case "list": {
      const member = shapes.resolve(shape.member);
      return value.map((item) => convert(shapes, member, item, how));
    }
    case "map": {
      const member = shapes.resolve(shape.value);
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, convert(shapes, member, item, how)]));
    }
    case "timestamp":
      return how.timestamp(value, shape);
    case "blob":
      return how.blob(value);
    default:
      return value;
  }
}

function structure(shapes, shape, value, how) {
  const result = {};
  for (const [key, ref] of Object.entries(shape.members ?? {})) {
    const member = shapes.resolve(ref);
    const [from, to] = how.name(key, member);
    const item = convert(shapes, member, value[from], how);
    if (item !== undefined) result[to] = item;
  }
  return result;
}

export function serialize(operation, output) {
  const { service, output: shape } = operation;
  return checked(service, shape ? JSON.stringify(encode(service.shapes, shape, output ?? {})) : "");
}

// DynamoDB tells the checksum of what it sends, and its clients check it.
const checked = (service, body) => ({
  body,
  ...(service?.name === "dynamodb" && { headers: { "x-amz-crc32": String(crc32(body)) } }),
});

// DynamoDB names its errors with their namespace, and what its front door refuses with another one.
const NAMESPACE = {
  dynamodb: "com.amazonaws.dynamodb.v20120810#",
  "streams.dynamodb": "com.amazonaws.dynamodb.v20120810#",
};
const FRONT_DOOR = "com.amazon.coral.service#";
const FRONT_DOOR_ERRORS =
  /^(AccessDenied|UnrecognizedClient|InvalidSignature|MissingAuthenticationToken|IncompleteSignature|ExpiredToken|UnknownOperation|Serialization)Exception$/;

function typeOf(service, code) {
  const own = NAMESPACE[service?.name];
  if (!own) return code;
  if (code === "ThrottlingException") return `com.amazon.coral.availability#${code}`;
  return `${FRONT_DOOR_ERRORS.test(code) ? FRONT_DOOR : own}${code}`;
}

// Some write "Message", most "message", and denials have the capital in services that write it small: readers must take
// both, so both are served.
const CAPITAL = new Set(["organizations", "secretsmanager"]);
const CAPITAL_DENIAL = new Set(["kms", "dynamodb", "streams.dynamodb"]);

export function serializeError(service, error) {
  const denied = error.code === "AccessDeniedException" && CAPITAL_DENIAL.has(service?.name);
  const key = denied || CAPITAL.has(service?.name) ? "Message" : "message";
  return checked(
    service,
    JSON.stringify({ __type: typeOf(service, error.code), [key]: error.message, ...error.extra }),
  );
}
