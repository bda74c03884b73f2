"""What is refused at header time, byte for byte: requests on whose end two parties could disagree.

Each case is sent with a second request behind it. Refused means: one answer, the connection closed, and the second
request not run, which its request id in the server's log would show."""
import http.client
import socket
import time
import uuid

import pytest
from waiting import wait_until

HOST = b"Host: localhost\r\n"


def talk(server, data, within=15):
    """Sends bytes and reads until the server closes; returns (all bytes, closed)."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=within) as s:
        s.sendall(data)
        received = b""
        try:
            while True:
                part = s.recv(65536)
                if not part:
                    return received, True
                received += part
        except ConnectionResetError:
            return received, True
        except TimeoutError:
            return received, False


def status(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else None


def head(*lines, method=b"POST", target=b"/v1/connections", host=HOST, version=b"HTTP/1.1"):
    return method + b" " + target + b" " + version + b"\r\n" + host + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


CHUNKED = b"0\r\n\r\n"
FRAMING = {
    "length and chunked": (head(b"Content-Length: 5", b"Transfer-Encoding: chunked") + CHUNKED, {400}),
    "two different lengths": (head(b"Content-Length: 0", b"Content-Length: 5") + b"xxxxx", {400}),
    "two equal lengths": (head(b"Content-Length: 3", b"Content-Length: 3") + b"abc", {400}),
    "length +3": (head(b"Content-Length: +3") + b"abc", {400}),
    "length -1": (head(b"Content-Length: -1"), {400}),
    "length 0x3": (head(b"Content-Length: 0x3") + b"abc", {400}),
    "length empty": (head(b"Content-Length: "), {400}),
    "length 3, 3": (head(b"Content-Length: 3, 3") + b"abc", {400}),
    "length 2^64+3": (head(b"Content-Length: 18446744073709551619") + b"abc", {400, 413}),
    "chunked": (head(b"Transfer-Encoding: chunked") + CHUNKED, {411}),
    "chunk extension": (head(b"Transfer-Encoding: chunked") + b"3;x=y\r\nabc\r\n" + CHUNKED, {411}),
    "chunk of 0x3": (head(b"Transfer-Encoding: chunked") + b"0x3\r\nabc\r\n" + CHUNKED, {411}),
    "chunk of +3": (head(b"Transfer-Encoding: chunked") + b"+3\r\nabc\r\n" + CHUNKED, {411}),
    "chunk of -1": (head(b"Transfer-Encoding: chunked") + b"-1\r\nabc\r\n" + CHUNKED, {411}),
    "huge chunk": (head(b"Transfer-Encoding: chunked") + b"ffffffffffffffff\r\nabc\r\n" + CHUNKED, {411}),
    "chunk sizes ended by line feeds": (head(b"Transfer-Encoding: chunked") + b"3\nabc\n0\n\n", {411}),
    "trailer with a credential": (head(b"Transfer-Encoding: chunked") + b"0\r\nAuthorization: Bearer x\r\n\r\n", {411}),
    "xchunked": (head(b"Transfer-Encoding: xchunked"), {501}),
    "identity": (head(b"Transfer-Encoding: identity"), {501}),
    "gzip, chunked": (head(b"Transfer-Encoding: gzip, chunked"), {501}),
    "chunked, identity": (head(b"Transfer-Encoding: chunked, identity"), {501}),
    "vertical tab before chunked": (head(b"Transfer-Encoding: \x0bchunked"), {400}),
    "encoding twice": (head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked") + CHUNKED, {400}),
    "space before the colon": (head(b"Transfer-Encoding : chunked", b"Content-Length: 0"), {400}),
    "encoding in 1.0": (head(b"Transfer-Encoding: chunked", version=b"HTTP/1.0") + CHUNKED, {400}),
    "carriage return in a value": (head(b"X-A: a\rb", b"Content-Length: 0"), {400}),
    "control byte in a value": (head(b"X-A: a\x01b", b"Content-Length: 0"), {400}),
    "delete byte in a value": (head(b"X-A: a\x7fb", b"Content-Length: 0"), {400}),
    "folded line": (head(b"X-A: a", b" b: c", b"Content-Length: 0"), {400}),
    "no host": (head(b"Content-Length: 0", host=b""), {400}),
    "two hosts": (head(b"Host: other", b"Content-Length: 0"), {400}),
    "two authorizations": (head(b"Authorization: Bearer a", b"Authorization: Bearer b", b"Content-Length: 0"), {400}),
    "body on GET": (head(b"Content-Length: 3", method=b"GET") + b"abc", {400}),
    "body on DELETE": (head(b"Content-Length: 3", method=b"DELETE", target=b"/v1/connections/x") + b"abc", {400}),
    "odd expectation": (head(b"Expect: 200-junk", b"Content-Length: 3") + b"abc", {417}),
    "encoding on PATCH": (head(b"Transfer-Encoding: xchunked", method=b"PATCH", target=b"/v1/connections/x"), {501}),
    "both on PATCH": (head(b"Content-Length: 5", b"Transfer-Encoding: chunked", method=b"PATCH",
                           target=b"/v1/connections/x") + CHUNKED, {400}),
    "two lengths on PATCH": (head(b"Content-Length: 0", b"Content-Length: 5", method=b"PATCH",
                                  target=b"/v1/connections/x") + b"xxxxx", {400}),
    "encoding on DELETE": (head(b"Transfer-Encoding: chunked", method=b"DELETE", target=b"/v1/connections/x") + CHUNKED,
                           {411}),
}


@pytest.mark.parametrize("name", FRAMING)
def test_ambiguous_framing_is_refused_and_nothing_behind_it_runs(server, name):
    data, wanted = FRAMING[name]
    marker = f"smuggled-{uuid.uuid4().hex}"
    behind = head(b"X-Request-Id: " + marker.encode(), method=b"GET", target=b"/livez")
    began = time.monotonic()
    answer, closed = talk(server, data + behind)
    assert status(answer) in wanted, answer[:300]
    assert closed
    assert time.monotonic() - began < 5, "decided when the head is there, not by a deadline"
    assert marker.encode() not in answer
    assert marker not in server.text()


def test_what_an_empty_header_name_cuts_off_is_refused(server):
    """The library ends the head there, unseen by us; what follows is then no request line."""
    marker = f"smuggled-{uuid.uuid4().hex}"
    answer, closed = talk(server, head(b": x", b"Content-Length: 0")
                          + head(b"X-Request-Id: " + marker.encode(), method=b"GET", target=b"/livez"))
    assert status(answer) in (400, 401), answer[:300]
    assert closed
    assert marker not in server.text()


def test_a_credential_cut_at_a_nul_is_no_credential(server, org):
    """The library ends a value at a NUL, unseen by us: so no beginning of a key may be worth anything."""
    assert status(keyed(server, org.key.encode() + b"\0beyond")) == 200, "what is left is the whole key, and its owner sent it"
    for n in (0, 1, 4, len(org.key) // 2, len(org.key) - 7, len(org.key) - 1):
        assert status(keyed(server, org.key[:n].encode() + b"\0" + org.key[n:].encode())) == 401, n
        assert status(keyed(server, org.key[:n].encode())) == 401, n


def keyed(server, key):
    return talk(server, head(b"Authorization: Bearer " + key, b"Connection: close", method=b"GET"))[0]


TARGETS = [b"/v1/connections/%00", b"/v1/connections/a%2fb", b"/v1/connections/a%5cb", b"/v1/../livez", b"/v1//connections",
           b"/v1/connections/", b"/./livez", b"/v1/t/../admin/%2e%2e/x", b"http://evil/livez", b"*", b"/livez#x", b"/livez?a=%00",
           b"/livez;x=1", b"/v1/connections/\xc3\xa9", b"//livez", b"livez"]


@pytest.mark.parametrize("target", TARGETS)
def test_only_plain_paths_are_routed(server, target):
    answer, closed = talk(server, head(method=b"GET", target=target))
    assert status(answer) == 400, answer[:300]
    assert closed


def test_a_method_that_is_no_method_is_not_allowed(server):
    answer, _ = talk(server, head(b"Connection: close", method=b"G@T\x01", target=b"/livez"))
    assert status(answer) in (400, 405), answer[:300]


def test_a_target_or_a_head_without_end_is_refused(server):
    answer, _ = talk(server, head(b"Connection: close", method=b"GET", target=b"/livez?x=" + b"a" * 5000))
    assert status(answer) == 414, answer[:300]
    answer, _ = talk(server, head(b"X-Long: " + b"a" * 40000, method=b"GET", target=b"/livez"))
    assert status(answer) == 431, answer[:300]
    for n in (129, 500, 2000):
        answer, _ = talk(server, head(*[b"X-%d: a" % i for i in range(n)], method=b"GET", target=b"/livez"))
        assert status(answer) == 431, answer[:300]


@pytest.mark.parametrize("line, wanted", [(b"GET /livez HTTP/9.9\r\nHost: a\r\n\r\n", {505}),
                                          (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}),
                                          (b"GET /livez\r\n\r\n", {400, 505})])
def test_other_protocols_are_refused(server, line, wanted):
    answer, _ = talk(server, line)
    assert status(answer) in wanted, answer[:200]


def test_a_tls_hello_on_the_plain_port_is_ended_by_the_deadline(server):
    """No line ever ends in it, so the library waits; the deadline of a head does not."""
    began = time.monotonic()
    answer, closed = talk(server, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x11" * 500, within=20)
    assert closed
    assert b"HTTP/1.1 200" not in answer
    assert time.monotonic() - began < 16


@pytest.mark.parametrize("name", ["length +3", "length -1", "length 0x3", "length 3, 3", "length 2^64+3"])
def test_an_http_client_sees_one_answer(server, name):
    """The library writes the head of these refusals twice; whoever reads HTTP never sees the second."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as s:
        s.sendall(FRAMING[name][0])
        answer = http.client.HTTPResponse(s, method="POST")
        answer.begin()
        answer.read()
        assert answer.status in FRAMING[name][1]
        assert answer.will_close


def test_good_requests_share_a_connection(server):
    """The counterpart of the refusals: what is well formed is answered, twice, on one connection."""
    answer, closed = talk(server, head(method=b"GET", target=b"/livez") + head(b"Connection: close", method=b"GET", target=b"/livez"))
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert closed


def test_answers_carry_the_headers_that_keep_browsers_out(server):
    answer, _ = talk(server, head(b"Connection: close", b"X-Request-Id: abc-1", method=b"GET", target=b"/livez"))
    for line in (b"X-Content-Type-Options: nosniff", b"Cache-Control: no-store", b"X-Request-Id: abc-1",
                 b"Content-Security-Policy: default-src 'none'; frame-ancestors 'none'", b"Referrer-Policy: no-referrer"):
        assert line in answer


def test_a_refused_body_is_read_so_that_the_answer_arrives(server):
    body = b"x" * 70000
    answer, _ = talk(server, head(b"Content-Type: application/json", b"Connection: close",
                                  b"Content-Length: %d" % len(body)) + body)
    assert status(answer) == 401, answer[:300]


def test_one_byte_a_second_does_not_hold_a_connection(server):
    """The library counts idleness only; the head has a deadline of its own, 10 s."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as s:
        s.sendall(b"GET /livez HTTP/1.1\r\nX: ")

        def closed():
            try:
                s.sendall(b"a")
                s.setblocking(False)
                return s.recv(1) == b""
            except BlockingIOError:
                s.setblocking(True)
                return False
            except (BrokenPipeError, ConnectionResetError):
                return True
        wait_until(closed, "the server ends a head that never ends", within=20, poll=0.5)
    assert 8 < time.monotonic() - began < 16


def test_connections_of_one_address_are_bounded(start_server):
    own = start_server(http_per_ip=5)
    held = []
    try:
        def refused():
            s = socket.create_connection(("127.0.0.1", own.port), timeout=5)
            s.settimeout(0.5)
            held.append(s)
            s.sendall(head(method=b"GET", target=b"/livez"))
            try:
                return s.recv(10) == b""
            except (ConnectionResetError, TimeoutError):
                return True
        wait_until(refused, "the sixth connection is refused", within=10)
        assert len(held) <= 7
    finally:
        for s in held:
            s.close()
