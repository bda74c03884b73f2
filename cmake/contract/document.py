"""The contract as the generators read it: YAML with dates as text, references followed, and errors that say where."""
import json

import yaml


class ContractError(Exception):
    """The contract says something that cannot be built."""


class Loader(yaml.SafeLoader):
    """Dates stay text, keys keep their order: examples are JSON."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def load(path):
    return yaml.load(path.read_text(encoding="utf-8"), Loader)


def dump_json(document):
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def resolve(contract, node):
    """node with its reference followed; what stands beside the reference wins."""
    while "$ref" in node:
        found = contract
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = {**found, **{k: v for k, v in node.items() if k != "$ref"}}
    return node


def component(node):
    """"NewKey" of a reference to that component; None for a schema that stands in place."""
    return node["$ref"].removeprefix("#/components/schemas/") if node.get("$ref", "").startswith("#/components/schemas/") else None


def require(condition, place, text):
    if not condition:
        raise ContractError(f"{place}: {text}")


METHODS = ("get", "post", "patch", "delete")


def operations(contract):
    """(path, method, path item, operation) in the order of the contract."""
    for path, item in contract["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            require(method in METHODS, path, f"{method} is not a method of this house")
            yield path, method, item, operation


def parameters(contract, item, operation):
    return [resolve(contract, p) for p in item.get("parameters", []) + operation.get("parameters", [])]
