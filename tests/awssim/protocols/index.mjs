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
    return { service: form, operation: versionFits ? form.operation(String(query.operationName(request) ?? "")) : undefined };
  }
  for (const service of services.filter((s) => s.protocol.startsWith("rest"))) {
    const operation = rest.match(service, request);
    if (operation) return { service, operation };
  }
  return { service: services[0], operation: undefined };
}

export function unknownOperation(service, request) {
  if (service.protocol.startsWith("rest")) return rest.unknownRoute(request);
  const name = request.form?.Action ?? request.headers["x-amz-target"];
  return refusal("unknown_operation", service, name
    ? `Could not find operation ${name} for version ${request.form?.Version ?? service.metadata.apiVersion}`
    : "Missing Action");
}

// Required members are the one constraint that the trimmed models still carry.
export function checkRequired(operation, input) {
  for (const key of operation.input?.required ?? []) {
    if (input[key] !== undefined) continue;
    const name = key[0].toLowerCase() + key.slice(1);
    throw refusal("invalid_input", operation.service, "1 validation error detected: "
      + `Value null at '${name}' failed to satisfy constraint: Member must not be null`);
  }
}
