"""What is refused at header time, byte for byte: requests on whose end two parties could disagree.

Each case is sent with a second request behind it. Refused means: one answer, the connection closed, and the second
request not run, which its request id in the server's log would show. What a head decides is tried at every door: plain TCP,
HTTPS and the operator's Unix socket."""
import http.client
import random
import socket
import ssl
import time
import uuid

import pytest
from api import expect
from test_api_tls import make_pair
from waiting import wait_until

HOST = b"Host: localhost\r\n"


class Door:
    """A listener: opened() is a connection to it."""

    def __init__(self, server, opened):
        self.server, self.opened = server, opened


def plain(server):
    return Door(server, lambda: socket.create_connection(("127.0.0.1", server.port)))


@pytest.fixture(scope="module", params=["plain", "tls", "operator"])
def door(request, server, start_server, directory):
    def operators():
        s = socket.socket(socket.AF_UNIX)
        s.connect(str(server.admin_socket))
        return s

    def wrapped():
        context = ssl.create_default_context(cafile=str(cert))
        return context.wrap_socket(socket.create_connection(("127.0.0.1", secure.port)), server_hostname="localhost")
    if request.param == "plain":
        return plain(server)
    if request.param == "operator":
        return Door(server, operators)
    cert, key = make_pair(directory, "guard")
    secure = start_server(wait=False, tls_cert_file=cert, tls_key_file=key)
    secure.wait_log("server_ready")
    return Door(secure, wrapped)


def exchange(door, data, within=15):
    """Sends bytes and reads until the server closes; returns (all bytes, closed)."""
    with door.opened() as s:
        s.settimeout(within)
        received = b""
        try:
            s.sendall(data)
            while part := s.recv(65536):
                received += part
            return received, True
        except TimeoutError:
            return received, False
        except (ConnectionError, ssl.SSLError):
            return received, True


def talk(server, data, within=15):
    return exchange(plain(server), data, within)


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


def refused_alone(door, data, wanted):
    """With a request behind it, which must not run."""
    marker = f"smuggled-{uuid.uuid4().hex}"
    began = time.monotonic()
    answer, closed = exchange(door, data + head(b"X-Request-Id: " + marker.encode(), method=b"GET", target=b"/livez"))
    assert status(answer) in wanted, answer[:300]
    assert closed
    assert time.monotonic() - began < 5, "decided when the head is there, not by a deadline"
    assert marker.encode() not in answer
    assert marker not in door.server.text()


@pytest.mark.parametrize("name", FRAMING)
def test_ambiguous_framing_is_refused_and_nothing_behind_it_runs(door, name):
    refused_alone(door, *FRAMING[name])


GET = {"method": b"GET", "target": b"/livez"}
# The library takes them all, and shows nothing of what makes them different from a good head.
HIDDEN = {
    "line feeds": head(b"Content-Length: 0").replace(b"\r\n", b"\n"),
    "line feeds on GET": head(b"X-A: b", **GET).replace(b"\r\n", b"\n"),
    "line feed after the first line": head(**GET).replace(b"\r\n", b"\n", 1),
    "line feed between two lines": head(b"X-A: b\nX-B: c", **GET),
    "line feed after the last line": head(b"X-A: b\n", **GET)[:-2],
    "line feed for the empty line": head(b"X-A: b", **GET)[:-2] + b"\n",
    "two line feeds": head(b"X-A: b\n\nX-B: c", **GET),
    "line feed in 1.0": b"GET /livez HTTP/1.0\n\n",
    "no name": head(b": x", **GET),
    "no name and nothing else": head(b":", **GET),
    "no name, a length behind it": head(b": x", b"Content-Length: 0"),
    "no name, a request behind it": head(b": x\r\nGET /livez HTTP/1.1", b"Host: a", **GET),
    "no name at first": head(host=b": x\r\n" + HOST, **GET),
    "NUL in a value": head(b"X-A: b\0c", b"X-B: d", **GET),
    "NUL in the last value": head(b"X-A: b\0c", **GET),
    "NUL at the end of a value": head(b"X-A: b\0", b"X-B: d", **GET),
    "NUL for a value": head(b"X-A:\0c", b"X-B: d", **GET),
    "NUL hides a length": head(b"X-A: b\0\r\nContent-Length: 5"),
    "NUL in a name": head(b"X\0A: b", **GET),
    "NUL for a name": head(b"\0: b", **GET),
    "NUL for a line": head(b"\0", **GET),
    "NUL in the path": head(method=b"GET", target=b"/livez\0/x"),
    "NUL in the method": head(method=b"GET\0", target=b"/livez"),
    "NUL in the version": head(version=b"HTTP/1.1\0x", **GET),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_the_library_hides_is_refused(door, name):
    refused_alone(door, HIDDEN[name], {400})


def test_who_may_all_of_it_may_not_send_it_so_either(server, org):
    """With a good credential in front of the line, nothing else stands between that head and a change."""
    conn, key = org.connect("111122223333", paused=True)["id"], b"Authorization: Bearer " + org.key.encode()
    path = f"/v1/connections/{conn}".encode()
    for line in (b": x", b":", b"X-A: b\0c", b"X-A: b\n"):
        for method, more in ((b"GET", ()), (b"DELETE", (b"If-Match: *",))):
            refused_alone(plain(server), head(key, *more, line, b"Content-Length: 0", method=method, target=path), {400})
    assert expect(org.get(path.decode()), 200)["id"] == conn
    answer, _ = talk(server, head(key, b"If-Match: *", b"Connection: close", method=b"DELETE", target=path))
    assert status(answer) == 202, answer[:300]


def test_good_heads_hide_nothing_however_they_arrive(door):
    """The counterpart: addresses are compared, so length, number and pieces of the lines must be nothing to it."""
    dice = random.Random(12)
    with door.opened() as s:
        s.settimeout(10)
        if s.family != socket.AF_UNIX:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers = s.makefile("rb")
        for _ in range(60):
            lines = [b"X-%d:%s%s%s" % (i, dice.choice((b"", b" ", b"\t ")), b"v" * dice.choice((0, 1, 7, 60, 150)),
                                       dice.choice((b"", b" "))) for i in range(dice.choice((0, 1, 5, 100)))]
            data = dice.choice((b"", b"\r\n")) + head(*lines, b"Cookie: a=b; c=d", method=b"GET", target=b"/livez")
            cuts = sorted(dice.sample(range(1, len(data)), dice.choice((0, 1, 9))))
            for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
                s.sendall(data[begin:end])
            got = answers.readline()
            assert got == b"HTTP/1.1 200 OK\r\n", (got, data)
            lines = iter(answers.readline, b"\r\n")
            answers.read(next(int(value) for name, _, value in (line.partition(b":") for line in [*lines]) if name == b"Content-Length"))


def test_no_beginning_of_a_key_is_worth_anything(server, org):
    """The library ends a value at a NUL: whether or not that is seen, what is left must be no key."""
    for n in (0, 1, 4, len(org.key) // 2, len(org.key) - 7, len(org.key) - 1):
        assert status(keyed(server, org.key[:n].encode() + b"\0" + org.key[n:].encode())) == 400, n
        assert status(keyed(server, org.key[:n].encode())) == 401, n
    assert status(keyed(server, org.key.encode() + b"\0beyond")) == 400
    assert status(keyed(server, org.key.encode())) == 200


def keyed(server, key):
    return talk(server, head(b"Authorization: Bearer " + key, b"Connection: close", method=b"GET"))[0]


TARGETS = [b"/v1/connections/%00", b"/v1/connections/a%2fb", b"/v1/connections/a%5cb", b"/v1/../livez", b"/v1//connections",
           b"/v1/connections/", b"/./livez", b"/v1/t/../admin/%2e%2e/x", b"http://evil/livez", b"*", b"/livez#x", b"/livez?a=%00",
           b"/livez;x=1", b"/v1/connections/\xc3\xa9", b"//livez", b"livez"]


@pytest.mark.parametrize("target", TARGETS)
def test_only_plain_paths_are_routed(door, target):
    refused_alone(door, head(method=b"GET", target=target), {400})


def test_a_method_that_is_no_method_is_not_allowed(door):
    answer, _ = exchange(door, head(b"Connection: close", method=b"G@T\x01", target=b"/livez"))
    assert status(answer) == 405, answer[:300]
    assert b"\r\nAllow: GET\r\n" in answer


def test_a_target_or_a_head_without_end_is_refused(door):
    answer, _ = exchange(door, head(b"Connection: close", method=b"GET", target=b"/livez?x=" + b"a" * 5000))
    assert status(answer) == 414, answer[:300]
    answer, _ = exchange(door, head(b"X-Long: " + b"a" * 40000, method=b"GET", target=b"/livez"))
    assert status(answer) == 431, answer[:300]
    for n in (129, 500, 2000):
        answer, _ = exchange(door, head(*[b"X-%d: a" % i for i in range(n)], method=b"GET", target=b"/livez"))
        assert status(answer) == 431, answer[:300]


@pytest.mark.parametrize("line, wanted", [(b"GET /livez HTTP/9.9\r\nHost: a\r\n\r\n", {505}),
                                          (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}),
                                          (b"GET /livez\r\n\r\n", {400, 505})])
def test_other_protocols_are_refused(door, line, wanted):
    answer, _ = exchange(door, line)
    assert status(answer) in wanted, answer[:200]


def test_a_tls_hello_on_the_plain_port_is_ended_by_the_deadline(server):
    """No line ever ends in it, so the library waits; the deadline of a head does not."""
    began = time.monotonic()
    answer, closed = talk(server, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x11" * 500, within=40)
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


def test_good_requests_share_a_connection(door):
    """The counterpart of the refusals: what is well formed is answered, twice, on one connection."""
    answer, closed = exchange(door, head(method=b"GET", target=b"/livez") + head(b"Connection: close", method=b"GET", target=b"/livez"))
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
        wait_until(closed, "the server ends a head that never ends", within=30, poll=0.5)
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
