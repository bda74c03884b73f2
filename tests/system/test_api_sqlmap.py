"""sqlmap over every parameter of every read, every id in a path, and every value of the bodies that make and change a connection: it
finds nothing to inject, and does find it where there is something."""
import csv
import json
import re
import shutil
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2
import pytest
import requests
from api import expect
from contract import contract, resolve
from inventory_rows import Inventory
from processes import Process

DOCUMENT = contract()
ACCOUNT = "123456789012"
# Boolean, error and union. The two that sleep (S, T) measure the machine as well, and test_api_injection.py sends pg_sleep to every parameter.
TECHNIQUES = "BEU"
PROCESSES = 2
MADE_UP = "eyJ2IjoxfQ"  # a cursor where the list is too short to give one
# Values that are let in and match rows, so that the statement behind the parameter runs and more or less of it shows.
VALUES = {"aws_account_id": ACCOUNT, "account_id": ACCOUNT, "name_prefix": "test", "kind": "aws.iam_user", "bucket": "example-trail-logs", "digest_prefix": "AWSLogs",
          "tiers": "1,2", "tier": "1", "capabilities": "iam_identities", "capability": "iam_identities", "limit": "1", "after": "0", "wait": "0", "deleted": "false",
          "status": "pending", "subject": "entity", "mode": "organization", "syncs": "queued", "permissions": "granted", "coverage": "ok", "deliveries": "pending",
          "trail_kms_key_arn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"}


def parameters(path, item):
    return [resolve(DOCUMENT, p) for p in item.get("parameters", []) + item["get"].get("parameters", [])]


@pytest.fixture(scope="module")
def tenant(start_server, database):
    """An organization with a row of everything: an injection that lets more or less through has something to show."""
    org = start_server(vendor_account="469725248735", api_rate_per_key=0, api_rate_per_org=0).organization("rows")
    org.connect(ACCOUNT)
    connection = org.connect(ACCOUNT)
    rows = Inventory(database, org.org_id, connection["id"])
    for number in range(2):
        user = rows.entity("aws.iam_user", f"u{number}", f"test {number}")
        rows.change(user, "created", "2026-11-01T00:00:00Z", None, {"name": "test"})
        rows.coverage(("users", "groups")[number], "ok")
        rows.permission(("iam:ListUsers", "iam:ListRoles")[number], "granted")
        webhook = expect(org.post("/v1/webhooks", {"url": "https://example.com/"}), 201)["id"]
    org.ids = {"conn_id": connection["id"], "ent_id": user, "chk_id": rows.check(), "sync_id": org.sync(connection["id"])["id"], "whk_id": webhook,
               "key_id": "key_" + org.key.split("_")[2], "connection_id": connection["id"]}
    return org


@pytest.fixture(scope="module")
def careless(database):
    """What sqlmap is for: a page that pastes its parameter into a statement."""
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            self.answer(urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get("name", [""])[0])

        def do_POST(self):  # noqa: N802
            self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["name"])

        def answer(self, asked):
            try:
                text = repr(database.rows(f"SELECT name FROM organization WHERE name = '{asked}'"))
            except psycopg2.Error as error:
                text = str(error)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}/?name=rows"
    http.shutdown()
    http.server_close()


def value_of(tenant, path, given):
    name = path.rsplit("/", 1)[1] if given["name"] == "state" else given["name"]
    return tenant.ids.get(name) or VALUES.get(name) or resolve(DOCUMENT, given["schema"])["enum"][0]


def targets(tenant):
    """(address, names to try): one for the ids of a path, which sqlmap finds by a star, one for its query, one for its cursor."""
    for path, item in DOCUMENT["paths"].items():
        if "get" not in item or path.startswith("/v1/admin"):
            continue
        given = parameters(path, item)
        filled = re.sub(r"{(\w+)}", lambda hole: tenant.ids[hole[1]], path)
        if filled != path:
            yield tenant.url + re.sub(r"{(\w+)}", lambda hole: tenant.ids[hole[1]] + "*", path), [p["name"] for p in given if p["in"] == "path"]
        query = {p["name"]: value_of(tenant, path, p) for p in given if p["in"] == "query" and p["name"] != "cursor"}
        if query:
            assert tenant.get(filled, **query).status_code == 200, (filled, query)
            yield f"{tenant.url}{filled}?{urllib.parse.urlencode(query)}", list(query)
        if "cursor" in [p["name"] for p in given]:  # apart: it belongs to one set of filters, and would refuse every other
            answer = tenant.get(filled, limit=1)
            page = expect(answer, 200) if answer.headers["Content-Type"] == "application/json" else {}
            yield f"{tenant.url}{filled}?cursor={page.get('next_cursor') or MADE_UP}", ["cursor"]


# Every value that is marked is tried.
CONNECTION = {"name": "test*", "authoritative_status": "primary*", "region": "us-east-1*",
              "auth": {"method": "assume_role*", "role_arn": f"arn:aws:iam::{ACCOUNT}:role/ConnectorRole*"},
              "cloudtrail": {"bucket": "example-trail-logs*", "digest_prefix": "AWSLogs*"}, "schedule": {"every": "PT1H*"}}


def bodies(tenant, database, careless):
    """(method, address, headers, body) for each of the two of ours, neither of which changes a connection, and one for the careless page."""
    # No worker ends the checks of the drafts, and only a few may be under way: each is over at once.
    database.rows("""CREATE FUNCTION over() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.state := 'done'; RETURN NEW; END $$;
        CREATE TRIGGER over BEFORE INSERT ON connection_check FOR EACH ROW EXECUTE FUNCTION over()""")
    connection = tenant.ids["conn_id"]
    etag = tenant.get("/v1/connections/" + connection).headers["ETag"]
    return (("POST", f"{tenant.url}/v1/connections?validate_only=true", {"Content-Type": "application/json"}, {**CONNECTION, "aws_account_id": ACCOUNT + "*"}),
            ("PATCH", f"{tenant.url}/v1/connections/{connection}?validate_only=true",
             {"Content-Type": "application/merge-patch+json", "If-Match": etag}, CONNECTION),
            ("POST", careless.split("?")[0], {"Content-Type": "application/json"}, {"name": "rows*"}))


def request_text(tenant, method, address, headers, body):
    """One request of a file for sqlmap's -l; without the marks it is answered well."""
    url, text = urllib.parse.urlsplit(address), json.dumps(body)
    answer = requests.request(method, address, data=text.replace("*", ""), timeout=30,
                              headers={**headers, "Authorization": f"Bearer {tenant.key}"})
    assert answer.status_code in (200, 202), answer.text
    lines = [f"{method} {url.path}?{url.query} HTTP/1.1", f"Host: {url.netloc}", *(f"{name}: {value}" for name, value in headers.items()), "", text]
    return "\n".join(["=" * 30, *lines, "=" * 30, ""])


@pytest.fixture(scope="module")
def said(tenant, careless, database, tmp_path_factory):
    """What was wanted of sqlmap, what it said, and the rows of its result files."""
    assert shutil.which("sqlmap"), "sqlmap is missing: deploy/install-packages test"
    place = tmp_path_factory.mktemp("sqlmap")
    wanted, sent = list(targets(tenant)), bodies(tenant, database, careless)
    inputs = [("-m", "\n".join([address for address, _ in wanted][number::PROCESSES] + [careless, ""])) for number in range(PROCESSES)]
    inputs.append(("-l", "".join(request_text(tenant, *request) for request in sent)))
    running = []
    for number, (option, text) in enumerate(inputs):
        (place / f"{number}.txt").write_text(text)
        running.append(Process(["sqlmap", option, f"{number}.txt", "--batch", "--ignore-stdin", "--level=1", "--risk=1", f"--technique={TECHNIQUES}", "--dbms=PostgreSQL", "--flush-session",
                                "--disable-coloring", "--threads=1", "--timeout=30", "--retries=0", f"--headers=Authorization: Bearer {tenant.key}\nX-Request-Id: sqlmap",
                                f"--output-dir={place}/{number}", f"--results-file={place}/{number}.csv"],
                               {"HOME": str(place), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, place, "sqlmap"))
    try:
        codes = [one.wait_exit(within=600) for one in running]
    finally:
        for one in running:
            one.end()
    assert codes == [0] * len(running), running[0].tail()
    found = []
    for number in range(len(running)):
        with open(place / f"{number}.csv", encoding="utf-8") as rows:
            found += list(csv.DictReader(rows))
    names = [name for _, of_target in wanted for name in of_target] + [mark for *_, body in sent[:-1] for mark in re.findall(r"\*", json.dumps(body))]
    return names, "\n".join(one.text() for one in running), found


def test_the_tool_finds_an_injection_where_there_is_one(said, careless):
    found = [row for row in said[2] if row["Target URL"].split("?")[0] == careless.split("?")[0]]
    assert sorted(row["Place"] for row in found) == ["(custom) POST"] + ["GET"] * PROCESSES, said[2]
    assert all(set(row["Technique(s)"]) >= set(TECHNIQUES) for row in found), said[2]


def test_it_finds_none_in_any_parameter_of_ours(said, tenant):
    wanted, text, found = said
    # What sqlmap suspects (answers differ by their times) it tries to use, and takes back when it cannot.
    taken_back = [row for row in found if row["Note(s)"] == "false positive or unexploitable"]
    tried = re.findall(r"(?:(?:GET|URI) parameter '(?!validate_only)[^']+|(?:POST|PATCH) parameter 'JSON #\d+\*)' does not seem to be injectable", text) + taken_back
    assert len(tried) >= len(wanted) > 95, (len(tried), text[-3000:])
    assert [row for row in found if row["Target URL"].startswith(tenant.url) and row not in taken_back] == []
