"""Our nginx.conf and haproxy.cfg, as they are but for names, in front of a real server.

Whatever makes two parties read one head differently a front must not let through, or must spell anew so that both read the
same. So every bad request of test_api_guard goes through both: what the server ran, this client must have been answered, and
whoever shares the front's connections afterwards gets his own answers."""
import os
import re
import socket
import ssl
import subprocess
import time
import uuid
from types import SimpleNamespace

import pytest
from processes import ROOT, Process, clean_environment, free_port
from test_api_guard import CHUNKED, FRAMING, head, status
from waiting import wait_until

FRONTS = ["nginx", "haproxy"]


@pytest.fixture(scope="module")
def pair(directory):
    cert, key, both = directory / "front.crt", directory / "front.key", directory / "both.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)],
                   check=True, capture_output=True)
    both.write_bytes(cert.read_bytes() + key.read_bytes())
    os.chmod(both, 0o600)
    return SimpleNamespace(cert=cert, key=key, both=both)


@pytest.fixture(scope="module")
def server(start_server):
    """As the front's documentation says: one address may have all connections."""
    return start_server(http_per_ip=1000, api_rate_per_key=0, api_rate_per_org=0)


def replaced(text, **changes):
    for old, new in changes.values():
        assert old in text, old
        text = text.replace(old, new)
    return text


def nginx(directory, port, server, pair):
    text = replaced((ROOT / "deploy/nginx.conf").read_text(), port=("listen 443", f"listen 127.0.0.1:{port}"),
                    cert=("/etc/ssl/connectord/fullchain.pem", str(pair.cert)), key=("/etc/ssl/connectord/key.pem", str(pair.key)),
                    server=("127.0.0.1:8080", f"127.0.0.1:{server.port}"))
    place = directory / f"nginx-{port}"
    place.mkdir()
    temporary = "".join(f"{what}_temp_path {place}/{what};\n" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (place / "nginx.conf").write_text(f"daemon off;\nmaster_process off;\npid {place}/pid;\nerror_log stderr;\nevents {{}}\n"
                                      f"http {{\naccess_log off;\n{temporary}{text}}}\n")
    return ["/usr/sbin/nginx", "-p", str(place), "-c", str(place / "nginx.conf")]


def haproxy(directory, port, server, pair):
    text = replaced((ROOT / "deploy/haproxy.cfg").read_text(), port=("bind :443", f"bind 127.0.0.1:{port}"),
                    cert=("/etc/ssl/connectord/both.pem", str(pair.both)), server=("127.0.0.1:8080", f"127.0.0.1:{server.port}"))
    place = directory / f"haproxy-{port}.cfg"
    place.write_text(text)
    return ["/usr/sbin/haproxy", "-db", "-f", str(place)]


@pytest.fixture(scope="module")
def fronts(factory, directory, server, pair):
    made = {}
    for name, command in (("nginx", nginx), ("haproxy", haproxy)):
        port = free_port()
        process = factory(Process(command(directory, port, server, pair), clean_environment(), directory, name))
        process.port, process.cert = port, pair.cert
        made[name] = process
    for process in made.values():
        process.wait_for(lambda p=process: answers(p), "the front answers")
    return made


@pytest.fixture(params=FRONTS)
def front(request, fronts):
    return fronts[request.param]


def answers(front):
    try:
        return status(ask(front, b"/livez")[0]) == 200
    except OSError:
        return False


def talk(front, data, within=1.5, due=lambda received: False):
    """Sends bytes over TLS, reads until the front closes or is silent; for a while longer when an answer is due."""
    context = ssl.create_default_context(cafile=str(front.cert))
    with socket.create_connection(("127.0.0.1", front.port), timeout=20) as raw, \
            context.wrap_socket(raw, server_hostname="localhost") as s:
        s.settimeout(within)
        received, patience = b"", time.monotonic() + 15
        try:
            s.sendall(data)
            while True:
                try:
                    part = s.recv(65536)
                except TimeoutError:
                    if not due(received) or time.monotonic() > patience:
                        return received, False
                    continue
                if not part:
                    break
                received += part
        except OSError:
            pass
        return received, True


def ask(front, target, *lines):
    return talk(front, head(b"Connection: close", *lines, method=b"GET", target=target), within=10)


def marker_of(kind):
    return f"{kind}-{uuid.uuid4().hex}"


CL_TE = b"0\r\n\r\nGET /livez HTTP/1.1\r\nHost: a\r\nX-Request-Id: %s\r\n\r\n"
HIDDEN = {
    "a request in the body, length and chunked": lambda m: head(b"Content-Length: %d" % len(CL_TE % m),
                                                                b"Transfer-Encoding: chunked") + CL_TE % m,
    "a request in the body, chunked spelled with a tab": lambda m: head(b"Content-Length: %d" % len(CL_TE % m),
                                                                        b"Transfer-Encoding:\tchunked") + CL_TE % m,
    "a request in the body, chunked twice": lambda m: head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity") + CL_TE % m,
    "an empty name, a request behind it": lambda m: head(b": x", b"Content-Length: 0") + CL_TE[5:] % m,
    "an empty name and a cut head": lambda m: head(b": \r\n\r\n" + CL_TE[5:-2] % m, method=b"GET", target=b"/livez"),
    "bare line feeds": lambda m: (head(b"Content-Length: 0") + CL_TE[5:] % m).replace(b"\r\n", b"\n"),
    "bare line feed hides a length": lambda m: head(b"X-A: b\nContent-Length: %d" % (len(CL_TE) - 5)) + CL_TE[5:] % m,
    "bare carriage return hides a length": lambda m: head(b"X-A: b\rContent-Length: 5") + CL_TE % m,
    "NUL hides a length": lambda m: head(b"X-A: b\0\r\nContent-Length: 0") + CL_TE[5:] % m,
    "a folded length": lambda m: head(b"X-A: b", b" Content-Length: 5", b"Content-Length: 0") + CL_TE[5:] % m,
    "chunks ended by line feeds": lambda m: head(b"Transfer-Encoding: chunked") + b"3\nabc\n0\n\n" + CL_TE[5:] % m,
}
for _name, (_data, _wanted) in FRAMING.items():
    HIDDEN[_name] = lambda m, data=_data: data + head(b"X-Request-Id: " + m, method=b"GET", target=b"/livez")


@pytest.mark.parametrize("name", HIDDEN)
def test_nothing_is_smuggled(front, server, name):
    """What runs behind the front's back would be run without this client being answered, or another one would be answered with it."""
    marker = marker_of("smuggled")
    answer, _ = talk(front, HIDDEN[name](marker.encode()), due=lambda received: server.text().count(marker) > received.count(marker.encode()))
    for _ in range(3):
        victim = marker_of("victim")
        theirs, _ = ask(front, b"/livez", b"X-Request-Id: " + victim.encode())
        assert status(theirs) == 200, theirs[:300]
        assert victim.encode() in theirs
        assert marker.encode() not in theirs
    assert server.text().count(marker) == answer.count(marker.encode()), answer[:600]


REFUSED = {
    "empty name": head(b": x", b"X-Request-Id: %s", b"Content-Length: 0", method=b"GET", target=b"/livez"),
    "NUL in a value": head(b"X-A: a\0b", b"X-Request-Id: %s", method=b"GET", target=b"/livez"),
    "NUL in a credential": head(b"Authorization: Bearer a\0b", b"X-Request-Id: %s", method=b"GET", target=b"/livez"),
    "space before the colon": head(b"X-A : b", b"X-Request-Id: %s", method=b"GET", target=b"/livez"),
    "two lengths": head(b"Content-Length: 0", b"Content-Length: 5", b"X-Request-Id: %s"),
    "two hosts": head(b"Host: other", b"X-Request-Id: %s", method=b"GET", target=b"/livez"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_front_itself_refuses(front, server, name):
    marker = marker_of("refused")
    answer, closed = talk(front, REFUSED[name].replace(b"%s", marker.encode()))
    assert status(answer) == 400, answer[:300]
    assert marker not in server.text()


def test_a_folded_line_does_not_reach_the_server_as_one(front, server):
    """Refused (nginx) or unfolded (HAProxy): never a line that the server's library would glue to a name."""
    marker = marker_of("folded")
    answer, _ = talk(front, head(b"X-A: a", b" b", b"X-Request-Id: " + marker.encode(), b"Connection: close", method=b"GET",
                                 target=b"/livez"))
    assert status(answer) in (200, 400), answer[:300]
    assert (status(answer) == 200) == (marker in server.text())


def test_bare_line_feeds_arrive_spelled_anew(front, server):
    """Both fronts take them as line ends. The server refuses such a head, so what it answers was spelled anew."""
    marker = marker_of("feeds")
    answer, _ = talk(front, head(b"X-Request-Id: " + marker.encode(), b"Connection: close", method=b"GET",
                                 target=b"/livez").replace(b"\r\n", b"\n"))
    assert status(answer) == 200, answer[:300]
    assert server.text().count(marker) == 1


def test_a_line_without_a_name_behind_a_good_credential_is_refused_by_the_front(front, server):
    org = server.organization()
    path = "/v1/connections/" + org.connect("111122223333", paused=True)["id"]
    for method, more in ((b"GET", ()), (b"DELETE", (b"If-Match: *",))):
        for line in (b": x", b":"):
            marker = marker_of("refused")
            answer, _ = talk(front, head(b"Authorization: Bearer " + org.key.encode(), *more, b"X-Request-Id: " + marker.encode(), line,
                                         method=method, target=path.encode()))
            assert status(answer) == 400, answer[:300]
            assert marker not in server.text()
    assert org.get(path).status_code == 200


def test_a_whole_conversation_goes_through(front, server):
    org = server.organization()
    answer, _ = ask(front, b"/v1/connections", b"Authorization: Bearer " + org.key.encode())
    assert status(answer) == 200
    assert re.search(rb"(?i)\r\nstrict-transport-security: max-age=31536000\r\n", answer)
    assert len(re.findall(rb"(?i)\r\ncontent-security-policy:", answer)) == 1


def test_a_chunked_body_is_whole_or_refused(front, server):
    """nginx gives it a length, HAProxy hands it on as it is, which the server refuses."""
    org = server.organization()
    body = b"{}"
    answer, _ = talk(front, head(b"Authorization: Bearer " + org.key.encode(), b"Content-Type: application/json",
                                 b"Transfer-Encoding: chunked", b"Connection: close") + b"%x\r\n%s\r\n" % (len(body), body) + CHUNKED)
    assert status(answer) in (411, 422), answer[:300]


def test_the_operators_paths_and_large_bodies_end_at_the_front(front, server):
    answer, _ = ask(front, b"/v1/admin/organizations")
    assert status(answer) == 404
    answer, _ = talk(front, head(b"Content-Length: 65537", b"Content-Type: application/json"))
    assert status(answer) == 413, answer[:300]


def test_the_address_that_a_client_claims_is_replaced(front, server):
    """The server reads no such line; whoever puts something else behind the front must not be lied to."""
    config = (ROOT / ("deploy/nginx.conf" if front.name.startswith("nginx") else "deploy/haproxy.cfg")).read_text()
    assert re.search(r"proxy_set_header X-Forwarded-For \$remote_addr;|set-header X-Forwarded-For %\[src\]", config)
    answer, _ = ask(front, b"/livez", b"X-Forwarded-For: 127.0.0.1", b"Forwarded: for=127.0.0.1")
    assert status(answer) == 200


def test_the_fronts_outlived_it(fronts):
    for process in fronts.values():
        assert process.alive
    wait_until(lambda: all(answers(p) for p in fronts.values()), "both fronts answer", within=30)
