// Chooses the protocol, and finds the operation that a request means among the services its signature may name.
import * as query from "./query.mjs";
import * as json from "./json.mjs";
import * as rest from "./rest.mjs";
import { refusal } from "../errors.mjs";

const PROTOCOLS = { query, ec2: query, json, "rest-json": rest, "rest-xml": rest };

export const protocolOf = (service) => PROTOCOLS[service?.protocol] ?? query;

export const contentType = (service) => {
  const type = protocolOf(service).contentType;
  return typeof type === "function" ? type(service) : type;
};

// Returns { service, operation }; operation is undefined when AWS would not know it either.
export function route(services, request) {
  if (request.headers["x-amz-target"]) {
    const prefix = json.targetPrefix(request);
    const service = services.find((s) => s.metadata.targetPrefix === prefix);
    return { service: service ?? services[0], operation: service?.operation(json.operationName(request)) };
  }
  const form = services.find((s) => s.protocol === "query" || s.protocol === "ec2");
  if (form) {
    request.form = query.formTree(request.body);
    const versionFits = !request.form.Version || request.form.Version === form.metadata.apiVersion;
    return {
      service: form,
      operation: versionFits ? form.operation(String(query.operationName(request) ?? "")) : undefined,
    };
  }
  const operation = rest.find(
    services.filter((s) => s.protocol.startsWith("rest")),
    request,
  );
  return { service: operation?.service ?? services[0], operation };
}

export function unknownOperation(service, request) {
  if (service.protocol.startsWith("rest")) return rest.unknownRoute(request);
  const name = request.form?.Action ?? request.headers["x-amz-target"];
  return refusal(
    "unknown_operation",
    service,
    name
      ? `Could not find operation ${name} for version ${request.form?.Version ?? service.metadata.apiVersion}`
      : "Missing Action",
  );
}

export function readInput(operation, request) {
  const input = parse(operation, request);
  // Required members are the one constraint that the trimmed models still carry.
  for (const key of operation.input?.required ?? []) {
    if (input[key] !== undefined) continue;
    const name = key[0].toLowerCase() + key.slice(1);
    throw refusal(
      "invalid_input",
      operation.service,
      "1 validation error detected: " + `Value null at '${name}' failed to satisfy constraint: Member must not be null`,
    );
  }
  return input;
}

// A member of another type than its shape's is the client's mistake, not ours.
function parse(operation, request) {
  try {
    return protocolOf(operation.service).parse(operation, request);
  } catch (error) {
    if (error instanceof TypeError) throw refusal("malformed", operation.service);
    throw error;
  }
}
