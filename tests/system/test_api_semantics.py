"""Rules that hold on every route: filters, rates, traces; and rehearsals, of which test_api_rehearsals.py has the rest."""
import concurrent.futures
import json
import re
import uuid

import pytest
import requests
from api import Organization, expect

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ConnectorRole"
TABLES = ("connection", "schedule", "task", "sync", "api_key", "audit", "idempotency")


def path(connection):
    return "/v1/connections/" + connection["id"]


def everything(database, org):
    """What is stored of an organization, row by row."""
    return {table: sorted(map(str, database.rows(f"SELECT to_jsonb(t) FROM {table} t WHERE org_id = %s", org.org_id))) for table in TABLES}


# --- validate_only ---

def test_a_change_is_shown_and_not_made(org, database):
    made = org.connect(ACCOUNT)
    before = everything(database, org)
    shown = expect(org.request("PATCH", path(made), params={"validate_only": "true"}, data=json.dumps({"name": "n", "schedule": {"every": "P1D"}}),
                               headers={"Content-Type": "application/merge-patch+json", "If-Match": '"1"'}), 200)
    assert (shown["name"], shown["schedule"]["every"], shown["version"]) == ("n", "P1D", 2)
    assert everything(database, org) == before
    assert org.connection(made["id"]) == made


@pytest.mark.parametrize("body, etag, status", [({"region": "nowhere"}, "*", 422), ({"more": 1}, "*", 400), ({"name": "n"}, '"7"', 412),
                                                ({"name": "n"}, None, 428)])
def test_a_rehearsal_refuses_what_the_change_would(org, database, body, etag, status):
    made = org.connect(ACCOUNT)
    headers = {"Content-Type": "application/merge-patch+json", **({"If-Match": etag} if etag else {})}
    answer = org.request("PATCH", path(made) + "?validate_only=true", data=json.dumps(body), headers=headers)
    assert answer.status_code == status
    assert org.connection(made["id"]) == made


def test_a_sync_is_rehearsed(org, database):
    made = org.connect(ACCOUNT)
    before = everything(database, org)
    answer = org.request("POST", path(made) + "/syncs", params={"validate_only": "true"})
    assert expect(answer, 200)["state"] == "queued"
    assert "Location" not in answer.headers
    assert everything(database, org) == before
    active = org.sync(made["id"])
    refused = org.request("POST", path(made) + "/syncs", params={"validate_only": "true"})
    assert (refused.status_code, refused.headers["Location"]) == (409, f"/v1/syncs/{active['id']}")


def test_a_key_that_is_not_made_has_no_text(server, org, database):
    before = everything(database, org)
    answer = server.operator.request("POST", f"/v1/admin/organizations/{org.org_id}/keys?validate_only=true", {"name": "k", "role": "viewer"})
    assert (answer.status_code, answer.json()["key"]) == (200, None)
    assert everything(database, org) == before


# --- filters of connections ---

@pytest.fixture(scope="module")
def many(server, database):
    org = server.organization("many")
    for n in range(12):
        org.connect(str(100000000000 + n % 3), name=f"{'prod' if n % 2 else 'test'} {n}", paused=n % 4 == 0,
                    authoritative_status=("primary", "secondary", "none")[n % 3])
    return org


@pytest.mark.parametrize("filters, wanted", [
    ({"aws_account_id": "100000000001"}, [1, 4, 7, 10]), ({"authoritative_status": "none"}, [2, 5, 8, 11]),
    ({"name_prefix": "prod"}, [1, 3, 5, 7, 9, 11]), ({"name_prefix": "Prod"}, []), ({"name_prefix": "p%"}, []), ({"status": "paused"}, [0, 4, 8]),
    ({"status": "pending"}, [1, 2, 3, 5, 6, 7, 9, 10, 11]), ({"status": "synced"}, []),
    ({"name_prefix": "test", "status": "paused", "aws_account_id": "100000000001"}, [4])])
def test_filters_of_connections(many, filters, wanted):
    for limit in (2, 500):
        found = many.all("/v1/connections", limit=limit, **filters)
        assert [int(c["name"].split()[1]) for c in found] == wanted
    every = {c["id"]: c for c in many.all("/v1/connections")}
    assert all(every[c["id"]] == c for c in found)


@pytest.mark.parametrize("query", ["status=fine", "status=", "aws_account_id=1", "authoritative_status=Primary", "name_prefix=", "name_prefix=" + "x" * 81,
                                   "role_arn=x", "status=paused&status=paused"])
def test_a_filter_that_is_none_is_refused(many, query):
    assert many.request("GET", "/v1/connections?" + query).status_code == 400


def test_a_cursor_belongs_to_its_filter(many):
    cursor = many.get("/v1/connections", limit=1, name_prefix="prod").json()["next_cursor"]
    assert many.get("/v1/connections", limit=5, name_prefix="prod", cursor=cursor).status_code == 200
    assert many.get("/v1/connections", limit=5, name_prefix="test", cursor=cursor).status_code == 400


# --- rates ---

def bursts(text, name):
    return int(re.search(rf'"{name}";r=(\d+)', text).group(1))


def test_the_rate_is_told_and_kept(start_server):
    own = start_server(api_rate_per_key=5, api_rate_per_org=12)
    org = own.organization()
    first = org.get("/v1/connections")
    assert first.headers["RateLimit-Policy"] == '"key";q=10;w=2, "organization";q=24;w=2'
    assert bursts(first.headers["RateLimit"], "key") == 9 and bursts(first.headers["RateLimit"], "organization") == 23
    answers = [org.get("/v1/connections") for _ in range(40)]
    refused = [a for a in answers if a.status_code == 429]
    assert len(refused) > 10
    for answer in refused:
        assert answer.json()["code"] == "rate_limited" and int(answer.headers["Retry-After"]) >= 1
        assert bursts(answer.headers["RateLimit"], "key") == 0
    # Keys of one organization share its rate; another organization has one of its own; strangers and the operator have none.
    others = [Organization(own.url, org.org_id, own.operator.create_key(org.org_id)["key"]) for _ in range(8)]
    answers = [o.get("/v1/connections").status_code for o in others for _ in range(10)]
    assert answers.count(429) > 5
    assert own.organization().get("/v1/connections").status_code == 200
    for _ in range(40):
        assert own.operator.request("GET", "/v1/admin/organizations").status_code == 200
        assert requests.get(own.url + "/livez", timeout=30).status_code == 200


def test_zero_is_no_limit(start_server):
    own = start_server(api_rate_per_key=0, api_rate_per_org=0)
    org = own.organization()
    answer = org.get("/v1/connections")
    assert "RateLimit" not in answer.headers and "RateLimit-Policy" not in answer.headers
    clients = [Organization(org.url, org.org_id, org.key) for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        counts = pool.map(lambda c: [c.get("/v1/connections", limit=1).status_code for _ in range(100)], clients)
        assert {status for statuses in counts for status in statuses} == {200}


def test_by_default_there_is_a_limit(org):
    assert org.get("/v1/connections").headers["RateLimit-Policy"] == '"key";q=1000;w=2, "organization";q=2000;w=2'


# --- traces ---

def test_a_trace_is_passed_on_or_begun(server, org):
    sent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    answer = org.request("GET", "/v1/connections", headers={"traceparent": sent, "X-Request-Id": "traced-1"})
    version, trace, span, flags = answer.headers["traceresponse"].split("-")
    assert (version, trace, flags) == ("00", "4bf92f3577b34da6a3ce929d0e0e4736", "01") and span != "00f067aa0ba902b7"
    lines = [json.loads(line) for line in server.text().splitlines()]
    assert [line["trace_id"] for line in lines if line.get("request_id") == "traced-1"] == [trace]
    for bad in ("", "junk", sent.upper(), "00-" + "0" * 32 + "-00f067aa0ba902b7-01"):
        made = org.request("GET", "/v1/nothing", headers={"traceparent": bad}).headers["traceresponse"]
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", made) and trace not in made


# --- what never changes ---

@pytest.mark.parametrize("field", ["external_id", "id", "aws_account_id", "aws_organization_id"])
def test_the_external_id_is_not_rotated(org, field):
    made = org.connect(ACCOUNT)
    answer = org.patch(path(made), {field: str(uuid.uuid4())})
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/" + field, "immutable") and len(error["detail"]) > 10
    assert org.connection(made["id"])["external_id"] == org.org_id
