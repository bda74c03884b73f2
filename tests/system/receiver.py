"""A receiver of webhooks on loopback, with any manners, and the reference library that judges what it got."""
import json
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from processes import ROOT, clean_environment, run
from simulator import node
from waiting import wait_until

HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


class Got:
    """One request as it came."""

    def __init__(self, handler, body):
        self.path, self.body, self.at = handler.path, body, time.monotonic()
        self.headers = {name.lower(): value for name, value in handler.headers.items()}

    @property
    def id(self):
        return self.headers["webhook-id"]

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.path} {self.id} {self.body}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        got = Got(self, body)
        with self.server.lock:
            self.server.got.append(got)
            manners = self.server.manners.get(self.path.split("?")[0], 204)
        if callable(manners):
            manners(self, got)
        else:
            self.answer(*manners if isinstance(manners, tuple) else (manners,))

    def do_GET(self):
        self.do_POST()

    def answer(self, status, headers=None, body=b""):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Receiver:
    """manners[path] = status, (status, headers) or a function of handler and request; 204 without."""

    def __init__(self, tls=None):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.got, self.server.manners, self.server.lock = [], {}, threading.Lock()
        self.server.handle_error = lambda *_: None  # a client that hangs up is what some tests are about
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def manners(self):
        return self.server.manners

    def got(self, path):
        with self.server.lock:
            return [one for one in self.server.got if one.path.split("?")[0] == path]

    def wait(self, path, n=1, within=30):
        wait_until(lambda: len(self.got(path)) >= n, lambda: f"{n} requests to {path}: {self.got(path)}", within)
        return self.got(path)

    def end(self):
        self.server.shutdown()
        self.server.server_close()


class Listener:
    """Counts who connects to it and says nothing."""

    def __init__(self, host="127.0.0.1", family=socket.AF_INET):
        self.socket = socket.socket(family)
        self.socket.bind((host, 0))
        self.socket.listen(16)
        self.port = self.socket.getsockname()[1]
        self.held, self.ended = [], False
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while not self.ended:
            try:
                self.held.append(self.socket.accept()[0])
            except OSError:
                return

    @property
    def connections(self):
        return len(self.held)

    def end(self):
        self.ended = True
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for one in self.held:
            one.close()


def certificate(directory):
    """A key and a certificate that is its own authority, in one file, for 127.0.0.1."""
    path = directory / "receiver.pem"
    done = run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=receiver", "-addext",
                "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", str(path) + ".crt"])
    assert done.returncode == 0, done.stderr
    certificate_file = directory / "receiver.pem.crt"
    path.write_text(path.read_text() + certificate_file.read_text())
    return path, certificate_file


class Judge:
    """npm standardwebhooks as a process."""

    def __init__(self):
        self.popen = subprocess.Popen([node(), str(ROOT / "tests/webhooks/verify.mjs")], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True, env=clean_environment())

    def verdict(self, secret, got, **changed):
        said = {"secret": secret, "headers": {name: got.headers[name] for name in HEADERS}, "body": got.body}
        said["headers"].update({k: v for k, v in changed.items() if k in HEADERS})
        said["body"] = changed.get("body", said["body"])
        self.popen.stdin.write(json.dumps(said) + "\n")
        self.popen.stdin.flush()
        return json.loads(self.popen.stdout.readline())

    def accepts(self, secret, got, **changed):
        return self.verdict(secret, got, **changed)["ok"]

    def end(self):
        self.popen.stdin.close()
        self.popen.wait(30)
