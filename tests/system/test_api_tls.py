"""HTTPS without a proxy in front: what is spoken, what is refused, and that deadlines and limits hold under it as well."""
import http.client
import os
import socket
import ssl
import subprocess
import threading
import time

import pytest
from waiting import wait_until

REQUEST = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"


def make_pair(directory, name, *options):
    cert, key = directory / f"{name}.crt", directory / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out",
                    str(cert), *options], check=True, capture_output=True)
    os.chmod(key, 0o600)
    return cert, key


@pytest.fixture(scope="module")
def pair(directory):
    return make_pair(directory, "tls")


@pytest.fixture(scope="module")
def start_tls(start_server, pair):
    """A server that speaks HTTPS; `ready` of the factory speaks HTTP and cannot be asked."""
    def start(**settings):
        made = start_server(wait=False, tls_cert_file=pair[0], tls_key_file=pair[1], **settings)
        made.wait_log("server_ready")
        return made
    return start


@pytest.fixture(scope="module")
def tls(start_tls):
    return start_tls()


def trusting(pair, **options):
    context = ssl.create_default_context(cafile=str(pair[0]))
    for name, value in options.items():
        setattr(context, name, value)
    return context


def connect(server, pair, **options):
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    return trusting(pair, **options).wrap_socket(raw, server_hostname="localhost")


def ask(server, pair, path="/livez", **headers):
    connection = http.client.HTTPSConnection("localhost", server.port, timeout=20, context=trusting(pair))
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_requests_are_answered_over_tls(tls, pair, version):
    with connect(tls, pair, minimum_version=version, maximum_version=version) as s:
        for _ in range(2):
            s.sendall(REQUEST)
            answer = b""
            while b"live" not in answer:
                answer += s.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200 OK")
        assert s.version() == version.name.replace("_", ".")


def test_a_whole_request_with_key_and_database_works(tls, pair):
    key = tls.organization().key
    status, headers, _ = ask(tls, pair, "/v1/connections", Authorization=f"Bearer {key}")
    assert status == 200
    assert headers["Strict-Transport-Security"] == "max-age=31536000"


def test_plain_http_promises_no_https(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", "/livez")
    assert connection.getresponse().getheader("Strict-Transport-Security") is None
    connection.close()


def openssl_client(server, *options):
    return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", *options], input=b"", capture_output=True,
                          timeout=30)


@pytest.mark.parametrize("options", [["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
                                     ["-tls1_2", "-cipher", "AES128-SHA:AES256-GCM-SHA384"], ["-tls1_2", "-cipher", "NULL:@SECLEVEL=0"]],
                         ids=" ".join)
def test_what_is_old_or_weak_is_not_spoken(tls, options):
    done = openssl_client(tls, *options)
    assert done.returncode != 0
    assert b"BEGIN CERTIFICATE" not in done.stdout


def test_openssl_itself_gets_through(tls):
    """The counterpart: the refusals above are the server's."""
    assert b"BEGIN CERTIFICATE" in openssl_client(tls, "-tls1_2").stdout


def test_plain_http_on_the_port_is_closed_without_an_answer(tls, pair):
    with socket.create_connection(("127.0.0.1", tls.port), timeout=20) as s:
        s.sendall(REQUEST)
        received = b""
        try:
            while part := s.recv(4096):
                received += part
        except ConnectionResetError:
            pass
    assert b"HTTP/" not in received
    assert ask(tls, pair)[0] == 200


def closed_after(make, data=b"", trickle=b""):
    """Seconds until the server ends a connection on which this client is slow."""
    began = time.monotonic()
    with make() as s:
        s.settimeout(0.5)
        s.sendall(data)
        while time.monotonic() - began < 60:
            try:
                if trickle:
                    s.sendall(trickle)
                if not s.recv(4096):
                    break
            except (TimeoutError, ssl.SSLWantReadError):
                continue
            except OSError:
                break
    return time.monotonic() - began


def test_deadlines_hold_under_tls(tls, pair):
    """At once, each its own client: no handshake, half a handshake, a head and a body that trickle in."""
    body = b"POST /v1/connections HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"
    slow = {
        "silence": (lambda: socket.create_connection(("127.0.0.1", tls.port)), b"", b"", (8, 20)),
        "half a hello": (lambda: socket.create_connection(("127.0.0.1", tls.port)), b"\x16\x03\x01\x02\x00\x01\x00", b"", (8, 20)),
        "head": (lambda: connect(tls, pair), b"GET /livez HTTP/1.1\r\nX: ", b"a", (8, 20)),
        "body": (lambda: connect(tls, pair), body, b"a", (28, 45)),
    }
    took = {}
    threads = [threading.Thread(target=lambda n=n: took.update({n: closed_after(*slow[n][:3])})) for n in slow]
    for t in threads:
        t.start()
    for t in threads:
        t.join(70)
    for name, (*_, (least, most)) in slow.items():
        assert least < took[name] < most, took
    assert ask(tls, pair)[0] == 200


def test_ambiguous_framing_is_refused_under_tls_as_well(tls, pair):
    with connect(tls, pair) as s:
        s.sendall(b"POST /v1/connections HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + REQUEST)
        received = b""
        try:
            while part := s.recv(4096):
                received += part
        except (ConnectionResetError, ssl.SSLError):
            pass
    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.count(b"HTTP/1.1") == 1


def test_connections_of_one_address_are_bounded_under_tls(start_tls, pair):
    own = start_tls(http_per_ip=5)
    held = []
    try:
        def refused():
            try:
                held.append(connect(own, pair))
            except OSError:
                return True
            return False
        wait_until(refused, "one connection too many is refused", within=20)
        assert len(held) <= 6
    finally:
        for s in held:
            s.close()


def test_a_drain_ends_in_time_with_idle_tls_connections(start_tls, pair):
    own = start_tls(drain_s=3)
    with connect(own, pair) as s, socket.create_connection(("127.0.0.1", own.port)):
        s.sendall(REQUEST)
        assert s.recv(4096).startswith(b"HTTP/1.1 200")
        assert own.stop(within=20) == 0


def bad_settings(directory, pair):
    other = make_pair(directory, "other")
    text, empty, locked = directory / "text.pem", directory / "empty.pem", directory / "locked.key"
    text.write_text("hello\n")
    empty.write_text("")
    subprocess.run(["openssl", "ec", "-in", str(pair[1]), "-aes128", "-passout", "pass:word", "-out", str(locked)], check=True,
                   capture_output=True)
    os.chmod(locked, 0o600)
    readable = directory / "readable.key"
    readable.write_bytes(pair[1].read_bytes())
    os.chmod(readable, 0o644)
    for path in (text, empty):
        os.chmod(path, 0o600)
    return {
        "key alone": ((None, pair[1]), "tls_key_file is set and tls_cert_file is not"),
        "certificate alone": ((pair[0], None), "tls_cert_file is set and tls_key_file is not"),
        "no certificate file": ((directory / "none", pair[1]), "tls_cert_file: "),
        "no key file": ((pair[0], directory / "none"), "tls_key_file: "),
        "text as certificate": ((text, pair[1]), "does not begin with a certificate"),
        "empty key": ((pair[0], empty), "tls_key_file: "),
        "certificate as key": ((pair[0], pair[0]), "tls_key_file: "),
        "key of another": ((pair[0], other[1]), "is not that of the first certificate"),
        "key with a passphrase": ((pair[0], locked), "without a passphrase"),
        "key that all may read": ((pair[0], readable), "chmod 600"),
        "a folder": ((directory, pair[1]), "tls_cert_file: "),
    }


CASES = ["key alone", "certificate alone", "no certificate file", "no key file", "text as certificate", "empty key",
         "certificate as key", "key of another", "key with a passphrase", "key that all may read", "a folder"]


@pytest.fixture(scope="module")
def bad(directory, pair):
    return bad_settings(directory, pair)


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_file_is_one_sentence_at_start(start_server, bad, name):
    (cert, key), sentence = bad[name]
    made = start_server(wait=False, tls_cert_file=cert, tls_key_file=key)
    assert made.wait_exit() == 78
    assert sentence in made.text(), made.text()
    assert "BEGIN" not in made.text()


def test_an_expired_certificate_is_served_and_told(start_server, directory):
    cert, key = expired_pair(directory)
    made = start_server(wait=False, tls_cert_file=cert, tls_key_file=key)
    made.wait_log("server_ready")
    assert "tls_certificate_expired" in made.text()


def expired_pair(directory):
    cert, key = make_pair(directory, "fresh")
    request, old = directory / "old.csr", directory / "old.crt"
    subprocess.run(["openssl", "req", "-new", "-key", str(key), "-subj", "/CN=localhost", "-out", str(request)], check=True,
                   capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-in", str(request), "-signkey", str(key), "-days", "-1", "-out", str(old)], check=True,
                   capture_output=True)
    return old, key
