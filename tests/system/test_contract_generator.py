"""What the build makes of the contract: a rule that no code enforces stops the build, and says where it stands."""
import copy
import re
import sys

import pytest
from contract import contract, resolve
from processes import ROOT

sys.path.insert(0, str(ROOT / "cmake/contract"))
from bodies import bodies  # noqa: E402
from document import ContractError  # noqa: E402
from page import page  # noqa: E402
from routes import routes  # noqa: E402

DOCUMENT = contract()


def with_member(schema):
    """The contract with a new member of NewKey."""
    document = copy.deepcopy(DOCUMENT)
    document["components"]["schemas"]["NewKey"]["properties"]["extra"] = schema
    return document


TEXT = {"type": "string", "maxLength": 8}
NOT_UNDERSTOOD = {
    "a word that it does not know": ({**TEXT, "contentEncoding": "base64"}, "contentEncoding"),
    "a pattern that nothing enforces": ({"type": "string", "pattern": "^x$"}, "x-check"),
    "a format that nothing enforces": ({"type": "string", "format": "email"}, "format email"),
    "a text without an end": ({"type": "string"}, "maxLength"),
    "a number without an end": ({"type": "integer", "minimum": 1}, "maximum"),
    "a number that is not whole": ({"type": "number", "minimum": 1, "maximum": 2}, "type"),
    "two types": ({"type": ["string", "integer"]}, "type"),
    "no type": ({"description": "anything"}, "type"),
    "a list without an end": ({"type": "array", "items": TEXT}, "maxItems"),
    "a list of truths": ({"type": "array", "maxItems": 3, "items": {"type": "boolean"}}, "list"),
    "an object that is open": ({"type": "object", "properties": {"a": TEXT}}, "additionalProperties"),
    "a free object without a size": ({"type": "object", "additionalProperties": True}, "x-max-bytes"),
    "a duration without limits": ({"type": "string", "format": "duration"}, "x-min-s"),
    "a choice that the table cannot hold": ({"type": "string", "enum": ["a|b"]}, "choice"),
    "an object that nests itself": ({"$ref": "#/components/schemas/NewKey"}, "nests itself"),
    "a multiple": ({"type": "integer", "minimum": 1, "maximum": 9, "multipleOf": 3}, "multipleOf"),
}


@pytest.mark.parametrize("name", NOT_UNDERSTOOD)
def test_what_it_does_not_understand_stops_the_build(name):
    schema, word = NOT_UNDERSTOOD[name]
    with pytest.raises(ContractError) as stopped:
        bodies(with_member(schema))
    assert "body_new_key" in str(stopped.value) and word in str(stopped.value)


UNDERSTOOD = {
    "text": ({**TEXT, "minLength": 2}, "FIELD_TEXT", ".min = INT64_C(2), .max = INT64_C(8)", "struct fields_text extra;"),
    "choice": ({"type": "string", "enum": ["a", "b"]}, "FIELD_CHOICE", '.choices = "a|b"', "struct fields_text extra;"),
    "constant": ({"type": "string", "const": "a"}, "FIELD_CHOICE", '.choices = "a"', "struct fields_text extra;"),
    "id": ({"type": "string", "pattern": "^conn_[0-9a-f]{32}$"}, "FIELD_ID", '.prefix = "conn_"', "struct fields_text extra;"),
    "number": ({"type": ["integer", "null"], "minimum": -1, "maximum": 9}, "FIELD_INT", ".nullable = true", "struct fields_number extra;"),
    "duration": ({"type": "string", "format": "duration", "x-min-s": 60, "x-max-s": 90}, "FIELD_DURATION", ".max = INT64_C(90)",
                 "struct fields_number extra;"),
    "texts": ({"type": "array", "maxItems": 3, "uniqueItems": True, "items": TEXT}, "FIELD_LIST", ".unique = true",
              "struct fields_tree extra;"),
    "objects": ({"type": "array", "maxItems": 3, "items": {"type": "object", "additionalProperties": False, "properties": {"a": TEXT}}},
                "FIELD_OBJECTS", ".size = sizeof(struct body_new_key_extra_item)", "struct fields_tree extra;"),
    "free": ({"type": "object", "additionalProperties": True, "x-max-bytes": 100}, "FIELD_TREE", ".max = INT64_C(100)",
             "struct fields_tree extra;"),
    "nested": ({"type": ["object", "null"], "additionalProperties": False, "properties": {"a": TEXT}}, "FIELD_OBJECT",
               ".inner = BODY_NEW_KEY_EXTRA", "struct body_new_key_extra extra;"),
    "fixed": ({"x-immutable": True}, "FIELD_FIXED", '.name = "extra"', None),
}


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_what_it_understands_is_in_the_table_and_in_the_struct(name):
    schema, kind, words, member = UNDERSTOOD[name]
    header, source = bodies(with_member(schema))
    [row] = [line for line in source.splitlines() if '.name = "extra"' in line]
    assert f".kind = {kind}," in row and words in row
    struct = re.search(r"struct body_new_key \{(.*?)\};", header, re.S).group(1)
    assert (member in struct) if member else ("extra" not in struct)


@pytest.mark.parametrize("change", [
    lambda post: post["requestBody"]["content"].update({"application/json": {"schema": {"type": "object"}}}),
    lambda post: post["requestBody"]["content"].update({"text/plain": post["requestBody"]["content"]["application/json"]}),
    lambda post: post.setdefault("parameters", []).append({"name": "X-Own", "in": "header", "schema": {"type": "string"}}),
    lambda post: post.setdefault("parameters", []).append({"name": "hole", "in": "path", "schema": {"type": "string"}}),
    lambda post: post.setdefault("parameters", []).append({"name": "q", "in": "query", "schema": {"type": "string", "pattern": "^a$"}}),
    lambda post: post.update({"operationId": "organizations_create"}),
    lambda post: post.update({"security": [{"operator_key": []}]}),
], ids=["body in place", "media type", "header", "path parameter", "pattern of a parameter", "operationId twice", "operator outside"])
def test_what_no_code_serves_stops_the_build(change):
    document = copy.deepcopy(DOCUMENT)
    change(document["paths"]["/v1/connections"]["post"])
    with pytest.raises(ContractError):
        routes(document)
        bodies(document)


def test_another_method_stops_the_build():
    document = copy.deepcopy(DOCUMENT)
    document["paths"]["/v1/connections"]["put"] = document["paths"]["/v1/connections"]["post"]
    with pytest.raises(ContractError):
        routes(document)


def test_the_page_escapes_what_the_contract_says():
    document = with_member({**TEXT, "description": "<script>alert(1)</script> & \"more\""})
    document["paths"]["/livez"]["get"]["summary"] = "</code><img src=x onerror=alert(1)>"
    html, _ = page(document)
    assert "<script" not in html and "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;" in html


def test_every_body_has_an_example():
    for path, item in DOCUMENT["paths"].items():
        for method in ("post", "patch"):
            body = resolve(DOCUMENT, item.get(method, {}).get("requestBody", {}))
            contents = list(body.get("content", {}).values())
            members = [resolve(DOCUMENT, content["schema"]).get("properties", {}) for content in contents]
            if any(members):
                assert any("example" in content or "examples" in content for content in contents), f"{method} {path}"
