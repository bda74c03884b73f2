"""Every operation -> a row of the route table (routes.c): who may call it and what it reads.

A row that the contract does not have cannot be reached, and a handler that it names must exist, or the link fails."""
import re

from document import operations, parameters, require, resolve
from rows import line, parameter_row

MERGE, JSON = "application/merge-patch+json", "application/json"
HEADERS = {"If-Match", "Idempotency-Key"}
HEAD = ('/* Made by cmake/contract from api/openapi.yaml. */\n#include "api/fields.h"\n#include "api/format.h"\n#include "api/router.h"\n'
        '#include "api/scope.h"\n\n')


def rights(path, operation):
    """(listeners, need, scope)"""
    security = operation.get("security")
    if security == []:
        return "HTTP_PUBLIC | HTTP_ADMIN", "HTTP_NONE", "0"
    if security == [{"operator_key": []}]:
        require(path.startswith("/v1/admin/"), path, "the operator's paths begin with /v1/admin/")
        return "HTTP_ADMIN", "HTTP_OPERATOR", "0"
    require(security is None, path, "security is [], the operator's or the default")
    return "HTTP_PUBLIC", "HTTP_ORGANIZATION", "SCOPE_" + operation["x-scope"].upper().replace(":", "_")


def body_kind(contract, path, operation):
    body = operation.get("requestBody")
    if not body:
        return "HTTP_NO_BODY"
    body = resolve(contract, body)
    kinds = set(body["content"])
    require(kinds in ({JSON}, {MERGE}, {MERGE, JSON}), path, "a body is JSON, or a merge patch that may call itself JSON")
    if MERGE in kinds:
        return "HTTP_MERGE_PATCH"
    return "HTTP_JSON" if body.get("required") else "HTTP_OPTIONAL_JSON"


def query_table(contract, handler, given):
    """(what the row points at, the table)"""
    rows = "".join(line(parameter_row(contract, p)) for p in given if p["in"] == "query")
    name = f"{handler.upper()}_QUERY" if rows else "NO_QUERY"
    return name, f"static const struct field {name}[] = {{\n{rows}\t{{ .kind = FIELD_END }},\n}};\n" if rows else ""


def route(contract, path, item, method, operation):
    """(row, the table of its query parameters)"""
    given = parameters(contract, item, operation)
    headers = {p["name"]: p for p in given if p["in"] == "header"}
    require(set(headers) <= HEADERS, path, f"no code reads the header {set(headers) - HEADERS}")
    holes = set(re.findall(r"{(\w+)}", path))
    require(holes == {p["name"] for p in given if p["in"] == "path"}, path, "path parameters differ from the path")
    query, table = query_table(contract, operation["operationId"], given)
    flags = [name for name, on in (("offline", operation.get("x-offline")), ("if_match", headers.get("If-Match", {}).get("required")),
                                   ("once", "Idempotency-Key" in headers),
                                   ("rehearse", not operation.get("x-checks-itself") and
                                    any(p["name"] == "validate_only" and p["in"] == "query" for p in given))) if on]
    cells = [f'"{method.upper()}"', f'"{path}"', *rights(path, operation), body_kind(contract, path, operation), query,
             operation["operationId"]] + [f".{flag} = true" for flag in flags]
    return "\t{ " + ", ".join(cells) + " },\n", table


def routes(contract):
    rows, tables, handlers = "", "static const struct field NO_QUERY[] = { { .kind = FIELD_END } };\n", []
    # Words before holes: the first pattern that matches a path is the one that is meant.
    ordered = sorted(operations(contract), key=lambda found: ["{" in segment for segment in found[0].split("/")])
    for path, method, item, operation in ordered:
        row, table = route(contract, path, item, method, operation)
        rows, tables = rows + row, tables + table
        handlers.append(operation["operationId"])
    require(len(set(handlers)) == len(handlers), "paths", "an operationId is used twice")
    declared = "".join(f"http_handler {name};\n" for name in handlers)
    return HEAD + declared + "\n" + tables + "\nconst struct http_route ROUTES[] = {\n" + rows + "\t{ 0 },\n};\n"
