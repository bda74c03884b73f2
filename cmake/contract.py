"""contract.py OPENAPI.yaml FOLDER: what the build makes of the contract.

FOLDER/openapi.json is the contract as compact JSON; FOLDER/routes.c is the table of every path and method that exists, who may
call it and what it reads. A row that the contract does not have cannot be reached, and a handler that it names must exist, or
the link fails. Whatever this program does not understand is an error, never left out."""
import json
import re
import sys
from pathlib import Path

import yaml

METHODS = ("get", "post", "patch", "delete")
MERGE, JSON = "application/merge-patch+json", "application/json"


class Loader(yaml.SafeLoader):
    """Dates stay text, keys keep their order: examples are JSON."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def resolve(contract, node):
    while "$ref" in node:
        found = contract
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = {**found, **{k: v for k, v in node.items() if k != "$ref"}}
    return node


def parameters(contract, item, operation):
    return [resolve(contract, p) for p in item.get("parameters", []) + operation.get("parameters", [])]


def rights(path, operation):
    """(listeners, need, scope)"""
    security = operation.get("security")
    if security == []:
        return "HTTP_PUBLIC | HTTP_ADMIN", "HTTP_NONE", "0"
    if security == [{"operator_key": []}]:
        assert path.startswith("/v1/admin/"), f"{path}: the operator's paths begin with /v1/admin/"
        return "HTTP_ADMIN", "HTTP_OPERATOR", "0"
    assert security is None, f"{path}: security is [], the operator's or the default"
    return "HTTP_PUBLIC", "HTTP_ORGANIZATION", "SCOPE_" + operation["x-scope"].upper().replace(":", "_")


def body_kind(contract, path, operation):
    body = operation.get("requestBody")
    if not body:
        return "HTTP_NO_BODY"
    body = resolve(contract, body)
    kinds = set(body["content"])
    assert kinds in ({JSON}, {MERGE}, {MERGE, JSON}), f"{path}: a body is JSON, or a merge patch that may call itself JSON"
    if MERGE in kinds:
        return "HTTP_MERGE_PATCH"
    return "HTTP_JSON" if body.get("required") else "HTTP_OPTIONAL_JSON"


def route(contract, path, item, method, operation):
    listeners, need, scope = rights(path, operation)
    given = parameters(contract, item, operation)
    headers = {p["name"]: p for p in given if p["in"] == "header"}
    unknown = set(headers) - {"If-Match", "Idempotency-Key"}
    assert not unknown, f"{path}: no code reads the header {unknown}"
    holes = set(re.findall(r"{(\w+)}", path))
    assert holes == {p["name"] for p in given if p["in"] == "path"}, f"{path}: path parameters"
    query = ",".join(p["name"] for p in given if p["in"] == "query")
    flags = [name for name, on in (("offline", operation.get("x-offline")), ("if_match", headers.get("If-Match", {}).get("required")),
                                   ("once", "Idempotency-Key" in headers)) if on]
    cells = [f'"{method.upper()}"', f'"{path}"', listeners, need, scope, body_kind(contract, path, operation), f'"{query}"',
             operation["operationId"]] + [f".{flag} = true" for flag in flags]
    return "\t{ " + ", ".join(cells) + " },\n"


def routes(contract):
    rows, handlers = "", []
    for path, item in contract["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            assert method in METHODS, f"{path}: {method} is not a method of this house"
            rows += route(contract, path, item, method, operation)
            handlers.append(operation["operationId"])
    assert len(set(handlers)) == len(handlers), "operationId is used twice"
    declared = "".join(f"http_handler {name};\n" for name in handlers)
    return ('/* Made by cmake/contract.py from api/openapi.yaml. */\n#include "api/router.h"\n#include "api/scope.h"\n\n' + declared +
            "\nconst struct http_route ROUTES[] = {\n" + rows + "\t{ 0 },\n};\n")


def main():
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    contract = yaml.load(source.read_text(encoding="utf-8"), Loader)
    (folder / "openapi.json").write_text(json.dumps(contract, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    (folder / "routes.c").write_text(routes(contract), encoding="utf-8")


main()
