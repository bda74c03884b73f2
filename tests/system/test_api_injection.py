"""Text that wants to be SQL, a header or an address stays text: every parameter of every read, and five hundred disguised hosts.

The other half of the same promise is in tests/lint/banned (no statement is built from text) and tests/unit (endpoint, netguard)."""
import re
import uuid

import pytest
import requests
from api import expect
from contract import check_answer, contract, resolve
from inventory_rows import Inventory
from waiting import soon

DOCUMENT = contract()
ACCOUNT = "123456789012"
SQL = ["'", "''", '"', "\\'", "x' OR '1'='1", "x') OR ('1'='1", "x'; SELECT pg_sleep(3); --", "1; DROP TABLE connection; --", "x' UNION SELECT NULL --",
       "x'||pg_sleep(3)||'", "$$x$$", "%' OR 1=1 --", "%", "_", "\\", "${jndi:x}", "{{7*7}}", "%27%20OR%201=1", "x\x01", "\u2019 OR 1=1", "ÿ", "1 OR 1=1",
       "(SELECT 1)", "x'/**/OR/**/'1'='1", "-1", "0x27", "NULL", "true", "[]", "x\r\nX-Injected: 1"]


def reads():
    for path, item in DOCUMENT["paths"].items():
        if "get" in item and not path.startswith("/v1/admin"):
            for given in [resolve(DOCUMENT, p) for p in item.get("parameters", []) + item["get"].get("parameters", [])]:
                if given["in"] in ("query", "path"):
                    yield pytest.param(path, given["name"], given["in"], id=f"{path} {given['name']}")


@pytest.fixture(scope="module")
def server(start_server):
    return start_server(vendor_account="469725248735", api_rate_per_key=0, api_rate_per_org=0)


@pytest.fixture(scope="module")
def tenant(server, database):
    """An organization with a row of everything, so that a filter that lets all through shows."""
    org = server.organization("rows")
    connection = org.connect(ACCOUNT)
    rows = Inventory(database, org.org_id, connection["id"])
    user = rows.entity("aws.iam_user", "u", "u")
    rows.change(user, "created", "2026-11-01T00:00:00Z", None, {"name": "u"})
    rows.coverage("users", "ok")
    rows.permission("iam:ListUsers", "granted")
    webhook = expect(org.post("/v1/webhooks", {"url": "https://example.com/"}), 201)["id"]
    org.ids = {"conn_id": connection["id"], "ent_id": user, "chk_id": rows.check(), "sync_id": org.sync(connection["id"])["id"], "whk_id": webhook,
               "key_id": "key_" + org.key.split("_")[2]}
    return org


@pytest.mark.parametrize("path, name, place", reads())
def test_a_parameter_stays_text(tenant, path, name, place):
    for text in SQL:
        ids = {**tenant.ids, **({name: requests.utils.quote(text, safe="")} if place == "path" else {})}
        filled = re.sub(r"{(\w+)}", lambda hole: ids[hole[1]], path)
        answer = soon(lambda path=filled, given={name: text} if place == "query" else {}: tenant.get(path, **given), 2.5, f"{text!r} was executed")
        assert answer.status_code in (200, 400, 404, 422), (text, answer.text)
        if place == "path" and answer.status_code in (400, 404):
            continue  # what is no path of ours has no place in the contract
        check_answer(DOCUMENT, "GET", path, answer)
        assert "X-Injected" not in answer.headers
        if answer.status_code == 200 and place == "query" and name not in ("limit", "deleted", "wait"):
            found = answer.json() if answer.headers["Content-Type"].endswith("json") else {}
            assert found.get("data", []) == [] and found.get("connections", []) == [], f"{text!r} lets rows through"


@pytest.mark.parametrize("header", ["X-Org-Id", "SlashID-OrgID", "If-None-Match", "X-Request-Id", "traceparent", "Idempotency-Key", "Authorization", "SlashID-API-Key"])
def test_a_header_stays_text(tenant, header):
    for text in SQL:
        if "\r" in text or "\u2019" in text:
            continue  # the client refuses to send those; raw sockets do so in test_api_guard.py
        answer = soon(lambda sent=text.encode("latin-1"): tenant.request("GET", "/v1/connections", headers={header: sent}), 2.5,
                      f"{text!r} was executed")
        assert answer.status_code in (200, 400, 401, 403), (text, answer.text)


def test_a_name_stays_text(tenant, database):
    for text in SQL:
        if text.isprintable():
            made = tenant.connect(ACCOUNT, name=text)
            assert tenant.connection(made["id"])["name"] == text
            assert made["id"] in [c["id"] for c in tenant.all("/v1/connections", name_prefix=text)]
    assert database.value("SELECT count(*) FROM organization") >= 1


HOSTS = ["169.254.169.254", "127.0.0.1", "localhost", "[::1]", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "0x7f000001", "2130706433", "017700000001",
         "127.1", "0", "10.0.0.1", "192.168.0.1", "172.16.0.1", "100.64.0.1", "metadata.google.internal", "attacker.example", "169.254.169.254.nip.io",
         "１６９.254.169.254", "xn--lcalhost-54a", "169。254。169。254", "instance-data"]
WRAPS = ["{}", "{}/", "{}#", "{}?", "{}:443/#", "x@{}:443/#", "us-east-1@{}", "us-east-1.{}", "us-east-1/../{}", "us-east-1%2e{}", "//{}", "http://{}/",
         "https://{}\\@us-east-1", "us-east-1\r\nHost: {}", "us-east-1 {}", "us-east-1\t{}", "us-east-1\\{}", "{}%00us-east-1", "us-east-1;{}", "us-east-1,{}",
         "us-east-1#@{}", "us-east-1&x={}", "file://{}/etc/passwd", "gopher://{}/"]
PAYLOADS = sorted({wrap.format(host) for wrap in WRAPS for host in HOSTS})
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def sent(org, **changes):
    body = {"name": "x", "authoritative_status": "none", "aws_account_id": ACCOUNT, "region": "us-east-1",
            "auth": {"method": "assume_role", "role_arn": f"arn:aws:iam::{ACCOUNT}:role/R"}, **changes}
    return org.post("/v1/connections", body, headers={"Idempotency-Key": uuid.uuid4().hex})


def test_there_are_five_hundred_of_them():
    assert len(PAYLOADS) >= 500


@pytest.mark.parametrize("pointer, change", [
    ("/region", lambda text: {"region": text}),
    ("/auth/role_arn", lambda text: {"auth": {"method": "assume_role", "role_arn": text}}),
    ("/auth/role_arn", lambda text: {"auth": {"method": "assume_role", "role_arn": f"arn:aws:iam::{text}:role/R"}}),
], ids=["region", "role", "account of the role"])
def test_what_makes_a_host_is_taken_from_a_table_only(server, pointer, change):
    org = server.organization()
    for text in PAYLOADS:
        answer = sent(org, **change(text))
        assert answer.status_code == 422 and pointer in [e["pointer"] for e in answer.json()["errors"]], (text, answer.text)
    assert org.all("/v1/connections") == []


def test_a_bucket_is_a_name_and_a_prefix_is_a_path(server):
    """What is taken cannot end a host name or begin another one, whatever is put around it."""
    org = server.organization()
    for field in ("bucket", "digest_prefix"):
        for text in PAYLOADS:
            answer = sent(org, cloudtrail={"bucket": "example-trail-logs", field: text})
            assert answer.status_code in (201, 422), (text, answer.text)
            if answer.status_code == 422:
                assert f"/cloudtrail/{field}" in [e["pointer"] for e in answer.json()["errors"]]
                continue
            if field == "bucket":
                assert BUCKET.fullmatch(text) and not re.fullmatch(r"[0-9]+(\.[0-9]+){3}", text), text
            else:
                assert not re.search(r"[@#?\\%\s\x00-\x1f]|^/|//|\.\.", text), text


def test_the_server_survived_all_of_it(server, tenant):
    assert server.alive and "request_failed" not in server.text()
    assert len(tenant.all("/v1/entities")) == 1
