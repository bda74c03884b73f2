"""What every answer carries, whatever it is and whoever made it; and what none does."""
import json
import os
import socket
from pathlib import Path

import pytest
import requests

STRICT = "default-src 'none'; frame-ancestors 'none'"
ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
          "Cross-Origin-Resource-Policy": "same-origin"}
NEVER = ["Server", "X-Powered-By", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials",
         "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Strict-Transport-Security", "Set-Cookie"]
JSON = {"Content-Type": "application/json"}
KINDS = {
    "live": (200, "GET", "/livez", {}),
    "ready": (200, "GET", "/readyz", {}),
    "a list": (200, "GET", "/v1/connections", {}),
    "the contract": (200, "GET", "/openapi.json", {"key": False}),
    "no credential": (401, "GET", "/v1/connections", {"key": False}),
    "no such path": (404, "GET", "/v1/nothing", {}),
    "no such object": (404, "GET", "/v1/connections/conn_00000000000000000000000000", {}),
    "no such method": (405, "PUT", "/v1/connections", {}),
    "a browser's question": (405, "OPTIONS", "/v1/connections", {"headers": {"Origin": "https://evil.example",
                                                                             "Access-Control-Request-Method": "POST"}}),
    "a path that is none": (400, "GET", "/v1/a%2fb", {}),
    "no such parameter": (400, "GET", "/v1/connections?x=1", {}),
    "not JSON": (400, "POST", "/v1/connections", {"data": b"{", "headers": JSON}),
    "a bad field": (422, "POST", "/v1/connections", {"data": b"{}", "headers": JSON}),
    "too large": (413, "POST", "/v1/connections", {"data": b" " * 65537, "headers": JSON}),
    "another type": (415, "POST", "/v1/connections", {"data": b"x", "headers": {"Content-Type": "text/plain"}}),
    "an expectation": (417, "POST", "/v1/connections", {"data": b"x", "headers": {"Expect": "more"}}),
    "a long target": (414, "GET", "/livez?x=" + "a" * 5000, {}),
    "a precondition": (428, "PATCH", "/v1/connections/conn_00000000000000000000000000", {"data": b"{}", "headers": JSON}),
}


def check(answer, policy=STRICT):
    headers = answer.headers
    assert {name: headers.get(name) for name in ALWAYS} == ALWAYS
    assert headers.get("Content-Security-Policy") == policy
    assert [name for name in NEVER if name in headers] == []
    assert headers.get("X-Request-Id")


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_answer_keeps_browsers_out(server, org, name):
    wanted, method, path, sent = KINDS[name]
    headers = {**({"Authorization": f"Bearer {org.key}"} if sent.get("key", True) else {}), **sent.get("headers", {})}
    answer = requests.request(method, server.url + path, headers=headers, data=sent.get("data"), timeout=30)
    assert answer.status_code == wanted, answer.text
    check(answer)


def test_the_reference_page_allows_its_own_parts_only(server):
    answer = requests.get(server.url + "/docs", timeout=30)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    check(answer, policy)
    assert policy.startswith("default-src 'none'") and "frame-ancestors 'none'" in policy
    for loose in ("unsafe-inline", "unsafe-eval", "*", "http:", "https:", "data:"):
        assert loose not in policy


def test_an_answer_of_the_operators_listener_is_as_strict(server):
    for path in ("/v1/admin/organizations", "/v1/nothing"):
        check(server.operator.request("GET", path))


def test_a_database_that_is_away_changes_none_of_it(start_server, keys):
    class Nowhere:
        app_url = "host=127.0.0.1 port=1 dbname=none connect_timeout=1"
    away = start_server(database=Nowhere)
    answer = requests.get(away.url + "/v1/connections", headers={"Authorization": "Bearer cnd_live_x"}, timeout=30)
    assert answer.status_code in (401, 503)
    check(answer)
    answer = requests.get(away.url + "/readyz", timeout=30)
    assert answer.status_code == 503
    check(answer)


@pytest.mark.parametrize("sent", [b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", b"GET /livez HTTP/1.1\r\n" + b"X: " + b"a" * 40000 + b"\r\n\r\n",
                                  b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"], ids=["version", "long head", "length"])
def test_what_the_library_answers_itself_has_nothing_to_run_and_no_name(server, sent):
    """These never reach our code: a short page without an address, a script or the product's name."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as s:
        s.sendall(sent)
        received = b""
        try:
            while part := s.recv(65536):
                received += part
        except ConnectionResetError:
            pass
    assert received.startswith(b"HTTP/1.1 4") or received.startswith(b"HTTP/1.1 5"), received[:200]
    for word in (b"Server:", b"microhttpd", b"Access-Control", b"<script", b"href"):
        assert word.lower() not in received.lower()


def rss(server):
    return int(Path(f"/proc/{server.pid}/status").read_text().split("VmRSS:")[1].split()[0])


DEEP = {
    "32 deep": (b'{"a":' * 32 + b"1" + b"}" * 32, "unknown_field"),
    "33 deep": (b'{"a":' * 33 + b"1" + b"}" * 33, None),
    "2,048 deep": (b"[" * 2048 + b"]" * 2048, None),
    "2,049 deep": (b"[" * 2049 + b"]" * 2049, None),
}


@pytest.mark.parametrize("name", DEEP)
def test_json_has_a_depth(org, name):
    body, code = DEEP[name]
    answer = org.request("POST", "/v1/connections", data=body, headers=JSON)
    assert answer.status_code == 400, answer.text
    if code:
        assert answer.json()["code"] == code, "32 levels are read"
    else:
        assert answer.json()["code"] != "unknown_field", "a level too many is not"


MEBIBYTE = 1 << 20
LARGE = {
    "opening brackets": b"[" * MEBIBYTE,
    "empty objects": (b"[" + b"{}," * (MEBIBYTE // 3))[:MEBIBYTE - 3] + b"{}]",
    "100,000 keys": json.dumps({f"{i:x}": 1 for i in range(100000)}, separators=(",", ":")).encode(),
    "one long text": b'{"name":"' + b"a" * (MEBIBYTE - 11) + b'"}',
}


@pytest.fixture(scope="module")
def roomy(start_server):
    """The largest body that can be set, so that the parser gets to see what is refused by size otherwise."""
    return start_server(http_body_max=MEBIBYTE)


@pytest.mark.skipif("asan" in os.environ.get("CONNECTORD_BIN", ""), reason="memory is the sanitizer's there")
@pytest.mark.parametrize("name", LARGE)
def test_a_hostile_mebibyte_costs_little(roomy, name):
    org = roomy.organization()
    org.get("/v1/connections")
    before = rss(roomy)
    for _ in range(5):
        answer = org.request("POST", "/v1/connections", data=LARGE[name], headers=JSON)
        assert answer.status_code in (400, 422), answer.text
        assert answer.elapsed.total_seconds() < 5
        assert len(answer.content) < 16384
    assert rss(roomy) - before < 16 * 1024
    assert roomy.alive


def test_the_same_mebibyte_is_refused_by_its_size_as_set_by_default(server, org):
    before = rss(server)
    for body in LARGE.values():
        answer = org.request("POST", "/v1/connections", data=body, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert rss(server) - before < 8 * 1024
