"""An example value of a schema, for the reference page: what the contract gives, else what its rules allow."""
import re

from document import resolve
from rows import ID_PATTERN

HEX = "0193c6a0b7d57f3e8c11d0a2b3c4d5e6"
BY_FORMAT = {"date-time": "2030-01-31T12:00:00Z", "uuid": "3f0f5a52-5a0c-4b8e-9a43-3a0a4e4f9d11", "duration": "PT6H",
             "uri": "https://example.com/hook", "uri-reference": "/v1/…", "date": "2030-01-31"}
BY_NAME = {"region": "us-east-1", "account_id": "123456789012", "aws_account_id": "123456789012", "next_cursor": None,
           "role_arn": "arn:aws:iam::123456789012:role/ConnectorRole"}
DEPTH_MAX = 6


def given(schema):
    for word in ("example", "const", "default"):
        if word in schema:
            return [schema[word]]
    return schema.get("examples", schema.get("enum", []))[:1]


def text_of(schema, name):
    found = ID_PATTERN.match(schema.get("pattern", ""))
    if found:
        return found.group(1) + HEX
    if re.fullmatch(r"\^\[0-9\]\{12\}\$", schema.get("pattern", "")):
        return "123456789012"
    return BY_NAME.get(name, BY_FORMAT.get(schema.get("format"), "…"))


def sample(contract, node, name="", depth=0):
    schema = resolve(contract, node)
    found = given(schema)
    if found:
        return found[0]
    if "allOf" in schema:
        return {k: v for part in schema["allOf"] for k, v in sample(contract, part, name, depth).items()}
    if "oneOf" in schema and not schema.get("properties"):
        return sample(contract, schema["oneOf"][0], name, depth)
    types = schema.get("type", "object")
    kind = types if isinstance(types, str) else next((t for t in types if t != "null"), "null")
    if name in BY_NAME and BY_NAME[name] is None:
        return None
    if kind == "object":
        members = schema.get("properties", {}) if depth < DEPTH_MAX else {}
        return {key: sample(contract, inner, key, depth + 1) for key, inner in members.items()
                if not resolve(contract, inner).get("x-immutable")}
    if kind == "array":
        return [sample(contract, schema["items"], name.removesuffix("s"), depth + 1)] if depth < DEPTH_MAX else []
    return {"string": lambda: text_of(schema, name), "boolean": lambda: False, "null": lambda: None}.get(
        kind, lambda: schema.get("minimum", 0))()
