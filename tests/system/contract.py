"""The contract as the tests use it: api/openapi.yaml and a check of JSON against a schema.

The check knows the words that the contract uses and fails on any other, so that nothing is skipped in silence."""
import json
import re
import subprocess

import yaml
from processes import ROOT

METHODS = ("get", "post", "patch", "delete", "put")
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
IGNORED = {"description", "default", "example", "examples", "writeOnly", "title", "format", "deprecated"}


class Loader(yaml.SafeLoader):
    """Dates stay text, as JSON would have them."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def contract():
    with open(ROOT / "api/openapi.yaml", encoding="utf-8") as source:
        return yaml.load(source, Loader)


def declared(document):
    """{(METHOD, path)} of the contract."""
    return {(method.upper(), path) for path, item in document["paths"].items() for method in item if method in METHODS}


def resolve(document, node):
    while "$ref" in node:
        found = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = {**found, **{k: v for k, v in node.items() if k != "$ref"}}
    return node


def ajv_judge(document, place):
    """judge([(schema name, JSON text)]) -> [whether ajv takes it for that schema of the document, which it finds in the file place]"""
    here = ROOT / "tests/contract"
    subprocess.run([ROOT / "deploy/install-node-modules", here], check=True, capture_output=True, timeout=300)
    place.write_text(json.dumps(document), encoding="utf-8")

    def judge(pairs):
        lines = "".join(json.dumps({"schema": name, "body": text}) + "\n" for name, text in pairs)
        done = subprocess.run(["node", here / "judge.mjs", place], input=lines, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return [line == "true" for line in done.stdout.split()]
    return judge


def is_type(value, name):
    if name in ("integer", "number"):
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def faults(document, schema, value, at=""):
    """What is wrong with value, as sentences."""
    schema = resolve(document, schema)
    unknown = {word for word in schema if not word.startswith("x-")} - IGNORED - {"type", "required", "properties", "additionalProperties", "items", "enum", "const", "pattern",
                                       "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "uniqueItems", "allOf",
                                       "oneOf"}
    assert not unknown, f"the check does not know {unknown}"
    found = []
    types = schema.get("type")
    if types and not any(is_type(value, t) for t in ([types] if isinstance(types, str) else types)):
        return [f"{at}: {value!r} is not {types}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r} is not one of {schema['enum']}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{at}: {value!r} is not {schema['const']!r}")
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            found.append(f"{at}: {value!r} does not match {schema['pattern']}")
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            found.append(f"{at}: length {len(value)}")
    if is_type(value, "integer") and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        found.append(f"{at}: {value} is out of range")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        found += [f"{at}: {name} is missing" for name in schema.get("required", []) if name not in value]
        for name, inner in value.items():
            if name in known:
                found += faults(document, known[name], inner, f"{at}/{name}")
            elif schema.get("additionalProperties") is False:
                found.append(f"{at}: {name} is not declared")
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            found.append(f"{at}: {len(value)} items")
        if schema.get("uniqueItems") and any(one in value[:i] for i, one in enumerate(value)):
            found.append(f"{at}: an item twice")
    if isinstance(value, list) and "items" in schema:
        for i, inner in enumerate(value):
            found += faults(document, schema["items"], inner, f"{at}/{i}")
    for inner in schema.get("allOf", []):
        found += faults(document, inner, value, at)
    if "oneOf" in schema and sum(not faults(document, inner, value, at) for inner in schema["oneOf"]) != 1:
        found.append(f"{at}: not exactly one of the alternatives")
    return found


def check_answer(document, method, path, answer):
    """Status, media type and body of an answer are as the contract says."""
    operation = document["paths"][path][method.lower()]
    assert str(answer.status_code) in operation["responses"], f"{method} {path} answers {answer.status_code}: {answer.text}"
    response = resolve(document, operation["responses"][str(answer.status_code)])
    content = response.get("content", {})
    if not content:
        assert answer.text == ""
        return
    media = answer.headers["Content-Type"]
    assert media in content, f"{method} {path}: {media}"
    wrong = faults(document, content[media]["schema"], answer.json() if media.endswith(("/json", "+json")) else answer.text)
    assert not wrong, f"{method} {path} {answer.status_code}: {wrong}"
    for header in response.get("headers", {}):
        assert header in answer.headers, f"{method} {path} {answer.status_code}: no {header}"
