"""One of each thing of the contract that has an address, and requests that its operations are shown by.

The words come from api/openapi.yaml; a new {hole} needs a maker in `Things`, and everything else comes by itself."""
import re
import uuid

import pytest
from api import expect
from contract import METHODS, contract, resolve
from inventory_rows import Inventory

DOCUMENT = contract()
OPERATIONS = [(method.upper(), path, item[method]) for path, item in DOCUMENT["paths"].items() for method in METHODS if method in item]
WEBHOOKS = 12
WORDS = {"kind": "verify"}  # holes that are words and not things


def holes(path):
    return re.findall(r"{(\w+)}", path)


def bodies_of(operation):
    """(the examples of the body, their media type); [None] where none is needed and none is shown."""
    content = operation.get("requestBody", {}).get("content", {})
    for media, found in content.items():
        examples = [e["value"] for e in found.get("examples", {}).values()] + ([found["example"]] if "example" in found else [])
        if examples:
            return [{**one, "org_id": str(uuid.uuid4())} if "org_id" in one else one for one in examples], media
    assert not operation.get("requestBody", {}).get("required"), f"{operation['operationId']} has a body and no example"
    return [None], None


def body_of(operation):
    """(the first example of the body, its media type)"""
    examples, media = bodies_of(operation)
    return examples[0], media


class Things:
    """One of each thing that has an address, made anew by make(path): {hole: id}."""

    def __init__(self, org, database, operator):
        self.org, self.database, self.operator = org, database, operator
        self.accounts, self.webhooks = 100000000000, []

    def make(self, path):
        made = {}
        for hole in holes(path):
            made[hole] = WORDS.get(hole) or getattr(self, hole)(made)
        return made

    def conn_id(self, _):
        self.accounts += 1
        return self.org.connect(self.accounts)["id"]

    def rows(self):
        return Inventory(self.database, self.org.org_id, self.conn_id({}))

    def sync_id(self, _):
        return self.org.sync(self.conn_id({}))["id"]

    def ent_id(self, _):
        return self.rows().entity("aws.iam_user", "arn:u", "u")

    def chk_id(self, _):
        return self.rows().check()

    def key_id(self, _):
        return self.operator.create_key(self.org.org_id, role="viewer")["id"]

    def whk_id(self, _):
        while len(self.webhooks) >= WEBHOOKS:  # an organization may have so many
            assert self.org.delete("/v1/webhooks/" + self.webhooks.pop(0)).status_code in (204, 404)
        self.webhooks.append(expect(self.org.post("/v1/webhooks", {"url": "https://example.com/"}), 201)["id"])
        return self.webhooks[-1]

    def dlv_id(self, made):
        return expect(self.org.post(f"/v1/webhooks/{made['whk_id']}/test"), 202)["id"]

    def org_id(self, _):
        return self.org.org_id

    def svc_id(self, _):
        return self.operator.create_service_key()["id"]


def filled(path, ids):
    return re.sub(r"{(\w+)}", lambda hole: ids[hole[1]], path)


def like(ids, tail):
    """The same holes with things that nobody has."""
    return {hole: value if hole in WORDS else str(uuid.uuid4()) if hole == "org_id" else f"{value.split('_')[0]}_{tail}"
            for hole, value in ids.items()}


def parameters_of(path, operation):
    return [resolve(DOCUMENT, p) for p in DOCUMENT["paths"].get(path, {}).get("parameters", []) + operation.get("parameters", [])]


def headers_of(path, operation):
    return {p["name"]: "*" for p in parameters_of(path, operation) if p["in"] == "header" and p.get("required")}


def named(operations):
    return [pytest.param(*o, id=f"{o[0]} {o[1]}") for o in operations]
