"""Every answer that succeeds is shown by an example, and each example is one that the contract allows: by our check and by ajv."""
import copy
import hashlib
import json
import re
import sys
import zlib

import pytest
from contract import ajv_judge, contract, faults, resolve
from processes import ROOT

sys.path.insert(0, str(ROOT / "cmake/contract"))
from page import page  # noqa: E402

DOCUMENT = contract()
JSON = "application/json"


def answers(document):
    """(operationId and status, media type, content) of every 2xx answer with a body."""
    for item in document["paths"].values():
        for method, operation in item.items():
            if method == "parameters":
                continue
            for status, node in operation["responses"].items():
                for media, content in resolve(document, node).get("content", {}).items() if status.startswith("2") else []:
                    yield f"{operation['operationId']} {status}", media, content


def shown(document, content):
    """The values that an answer is shown by."""
    return [resolve(document, one)["value"] for one in content.get("examples", {}).values()] + ([content["example"]] if "example" in content else [])


def lacking(document):
    return [name for name, _, content in answers(document) if not shown(document, content)]


def members(schema):
    """{name: schema} of an object, over all its parts."""
    schema = resolve(DOCUMENT, schema)
    found = dict(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        found.update(members(part))
    return found


def undeclared(schema, value, at=""):
    """Members that the schema does not know although it knows others: an open object takes them, an example must not have them."""
    if isinstance(value, list):
        return [fault for i, one in enumerate(value) for fault in undeclared(resolve(DOCUMENT, schema).get("items", {}), one, f"{at}/{i}")]
    known = members(schema)
    if not isinstance(value, dict) or not known:
        return []
    found = [f"{at}/{name} is not declared" for name in value if name not in known]
    return found + [fault for name, inner in value.items() if name in known for fault in undeclared(known[name], inner, f"{at}/{name}")]


SHOWN = [pytest.param(content["schema"], value, id=name) for name, media, content in answers(DOCUMENT) if media == JSON
         for value in shown(DOCUMENT, content)]


def test_every_answer_that_succeeds_has_an_example():
    assert lacking(DOCUMENT) == []
    assert len(SHOWN) >= 60


def test_a_new_answer_without_one_is_found():
    document = copy.deepcopy(DOCUMENT)
    document["paths"]["/v1/keys"]["get"]["responses"]["202"] = {"description": "x", "content": {JSON: {"schema": {"type": "object"}}}}
    assert lacking(document) == ["keys_list_own 202"]


@pytest.mark.parametrize("schema, value", SHOWN)
def test_an_example_is_what_its_schema_says(schema, value):
    assert faults(DOCUMENT, schema, value) + undeclared(schema, value) == []
    data = value.get("data")
    assert data is None or 1 <= len(data) <= 2, "an empty list shows nothing, a long one too much"


def test_ajv_says_the_same(tmp_path):
    """Formats too: times, UUIDs and durations are real ones."""
    document = copy.deepcopy(DOCUMENT)
    schemas = document["components"]["schemas"]
    pairs = []
    for number, one in enumerate(SHOWN):
        schema, value = one.values
        schemas[f"Shown{number}"] = schema
        pairs.append((f"Shown{number}", json.dumps(value)))
    wrong = ("Connection", json.dumps({"id": "conn_1"}))
    *verdicts, last = ajv_judge(document, tmp_path / "openapi.json")([*pairs, wrong])
    assert [one.id for one, good in zip(SHOWN, verdicts) if not good] == []
    assert last is False, "a judge that takes everything judges nothing"


def test_no_example_stands_twice():
    """What several answers share is a component, and each component is somebody's."""
    used = re.findall(r"#/components/examples/(\w+)", json.dumps(DOCUMENT))
    values = [json.dumps(one["value"]) for one in DOCUMENT["components"]["examples"].values()]
    assert set(used) == set(DOCUMENT["components"]["examples"]) and len(values) == len(set(values))


def test_secrets_are_made_up_and_have_their_real_form():
    text = json.dumps(DOCUMENT["components"]["examples"])
    keys = re.findall(r"\b((cnd(?:svc)?_live_[0-9a-f]{32}_([0-9a-f]{64})_)([0-9a-f]{8}))\b", text)
    assert len(keys) >= 4 and {secret for _, _, secret, _ in keys} == {"00112233445566778899aabbccddeeff" * 2}
    assert all(f"{zlib.crc32(head.encode()):08x}" == crc for _, head, _, crc in keys)
    assert set(re.findall(r"whsec_[A-Za-z0-9+/=]+", text)) == {"whsec_YW4gZXhhbXBsZSwgbm90IGEgc2VjcmV0IGF0IGFsbCEh"}


@pytest.mark.parametrize("name", ["AuditExport", "OperatorAuditExport"])
def test_the_trails_that_are_shown_hold_together(name):
    before = None
    for line in DOCUMENT["components"]["examples"][name]["value"].splitlines():
        entry, claimed = re.fullmatch(r'\{"entry":(.+),"hash":"([0-9a-f]{64})"\}', line).groups()
        assert hashlib.sha256(entry.encode()).hexdigest() == claimed
        assert before in (None, json.loads(entry)["prev"])
        before = claimed


def test_the_page_shows_what_stands_elsewhere():
    document = copy.deepcopy(DOCUMENT)
    document["components"]["examples"]["Key"]["value"]["name"] = "shown by reference"
    html, _ = page(document)
    assert "shown by reference" in html and "#/components/examples" not in html
