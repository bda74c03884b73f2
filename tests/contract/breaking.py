"""breaking.py [--self-test]: what breaks a client of the contract that landed last, and was not declared.

Compares landed.yaml with api/openapi.yaml by `redocly diff`. Each breaking change stands in breaking.md with its reason; one
that does not stand there fails, and so does one that stands there and is no change (any more). --self-test plants changes of
every kind and fails unless each is found. The last line is "N passed, N failed"."""
import copy
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
LANDED, CURRENT, DECLARED = HERE / "landed.yaml", HERE.parents[1] / "api/openapi.yaml", HERE / "breaking.md"
ROW = re.compile(r"^\| `(#/[^`]+)` \| (.+) \|$", re.M)


def flat(contract, node):
    """node with the parts of every allOf joined: in how many parts an object is written breaks nobody."""
    if isinstance(node, list):
        return [flat(contract, one) for one in node]
    if not isinstance(node, dict):
        return node
    node = {key: flat(contract, one) for key, one in node.items()}
    joined = {}
    for part in node.pop("allOf", []):
        if "$ref" in part:
            part = flat(contract, contract["components"]["schemas"][part["$ref"].rpartition("/")[2]])
        joined = {**joined, **part, "properties": {**joined.get("properties", {}), **part.get("properties", {})},
                  "required": joined.get("required", []) + part.get("required", [])}
    return {**joined, **node}


def breaking(landed, current):
    """{pointer: sentence} of the changes that break somebody."""
    with tempfile.TemporaryDirectory() as folder:
        base, revision = Path(folder, "landed.yaml"), Path(folder, "current.yaml")
        for place, contract in ((base, landed), (revision, current)):
            place.write_text(yaml.safe_dump(flat(contract, contract), sort_keys=False), encoding="utf-8")
        return compared(base, revision)


def compared(base, revision):
    # Node as the simulator locks it: the machine's may be too old.
    path = f"{HERE.parent}/awssim/node_modules/.bin:{os.environ['PATH']}"
    done = subprocess.run([HERE / "node_modules/.bin/redocly", "diff", base, revision, "--config", HERE / "redocly.yaml", "--format", "json",
                           "--fail-on", "none"], cwd=HERE, env={**os.environ, "PATH": path, "REDOCLY_TELEMETRY": "off"}, check=False,
                          capture_output=True, text=True, timeout=120)
    if done.returncode != 0 or "No diff rules are on" in done.stdout + done.stderr:
        sys.exit(f"redocly diff failed:\n{done.stdout}{done.stderr}\n0 passed, 1 failed")
    changes = [c for c in json.loads(done.stdout[done.stdout.index("{"):])["changes"] if c["impact"] == "major"]
    return {c.get("revision", c.get("base", c))["pointer"]: "; ".join(v["message"] for v in c["verdicts"]) or c["kind"] for c in changes}


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def check():
    found, declared = breaking(load(LANDED), load(CURRENT)), dict(ROW.findall(DECLARED.read_text(encoding="utf-8")))
    wrong = [f"not declared in tests/contract/breaking.md: `{at}`: {text}" for at, text in found.items() if at not in declared]
    wrong += [f"declared, but no breaking change: `{at}`" for at in declared if at not in found]
    print("\n".join(wrong + [f"declared: {at}" for at in found if at in declared]))
    return max(1, len(set(found) | set(declared))) - len(wrong), len(wrong)


def plant(contract):
    """Breaks the contract in every way that there is; answers a piece of the pointer that each must be found at."""
    paths, schemas, parameters = contract["paths"], contract["components"]["schemas"], contract["components"]["parameters"]
    del paths["/v1/entities/{ent_id}/history"]
    del paths["/v1/connections/{conn_id}"]["delete"]
    paths["/v1/coverage"]["get"]["parameters"].pop(0)
    parameters["sync_state"]["required"] = True
    created = paths["/v1/connections"]["post"]["responses"]
    del created["201"]["headers"]["Location"]
    started = paths["/v1/connections/{conn_id}/syncs"]["post"]
    started["requestBody"]["required"] = True
    started["responses"]["200"] = started["responses"].pop("202")
    del paths["/v1/admin/organizations/{org_id}"]["patch"]["requestBody"]["content"]["application/json"]
    paths["/v1/entities"]["get"]["security"] = [{"operator_key": []}]
    del schemas["Sync"]["properties"]["requested_by"]
    schemas["Sync"]["required"].remove("requested_by")
    schemas["Edge"]["properties"]["kind"]["type"] = "integer"
    schemas["Key"]["properties"]["name"]["type"] = ["string", "null"]
    schemas["NewKey"]["required"].append("expires_at")
    schemas["NewKey"]["properties"]["role"]["enum"].remove("viewer")
    schemas["NewKey"]["properties"]["name"]["maxLength"] = 8
    schemas["NewOrganization"]["properties"]["worker_slots"]["minimum"] = 2
    del schemas["NewOrganization"]["properties"]["org_id"]
    schemas["OrganizationPatch"]["properties"]["worker_slots"]["type"] = "integer"
    schemas["NewConnection"]["properties"]["aws_account_id"]["pattern"] = "^1[0-9]{11}$"
    schemas["NewAuth"]["oneOf"].pop()
    return ["history", "{conn_id}/delete", "coverage/get/parameters", "parameters/sync_state/required", "201/headers/Location",
            "requestBody/required", "syncs/post/responses", "patch/requestBody/content", "entities/get/security", "Sync/properties/requested_by",
            "Sync/required", "Edge/properties/kind/type", "Key/properties/name/type", "NewKey/required", "NewKey/properties/role/enum",
            "NewKey/properties/name/maxLength", "NewOrganization/properties/worker_slots/minimum", "NewOrganization/properties/org_id",
            "OrganizationPatch/properties/worker_slots/type", "NewConnection/properties/aws_account_id/pattern", "NewAuth/oneOf/1"]


def self_test():
    landed = load(LANDED)
    broken = copy.deepcopy(landed)
    wanted = plant(broken)
    found, same = [at.replace("~1", "/") for at in breaking(landed, broken)], breaking(landed, landed)
    missed = [piece for piece in wanted if not any(piece in at for at in found)] + [f"no change, but {at}" for at in same]
    print("\n".join([f"planted and not found: {piece}" for piece in missed]))
    return len(wanted) + 1 - len(missed), len(missed)


passed, failed = self_test() if sys.argv[1:] == ["--self-test"] else check()
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
