"""An issuer of JWTs: keys and tokens from npm jose, and its key set on a loopback server that can misbehave."""
import json
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from processes import ROOT, clean_environment
from simulator import node

HOME = ROOT / "tests/jwt"
ISSUER, AUDIENCE = "https://issuer.example/realm", "connectord-tests"


class Maker:
    """tests/jwt/tokens.mjs as a process."""

    def __init__(self):
        subprocess.run([ROOT / "deploy/install-node-modules", HOME], check=True, capture_output=True, timeout=300)
        self.popen = subprocess.Popen([node(), "tokens.mjs"], cwd=HOME, env=clean_environment(), text=True, bufsize=1,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lock = threading.Lock()

    def ask(self, **command):
        with self.lock:
            self.popen.stdin.write(json.dumps(command) + "\n")
            line = self.popen.stdout.readline()
        assert line, "tokens.mjs ended"
        return json.loads(line)

    def close(self):
        self.popen.stdin.close()
        self.popen.wait(30)


class KeyServer:
    """Serves {keys} at /jwks; mode: ok, error, slow, huge, redirect, garbage. Counts what was asked for."""

    def __init__(self):
        self.keys, self.mode, self.fetches, self.elsewhere = [], "ok", 0, 0
        self.leave = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802
                outer.answer(self)

            def log_message(self, *_):
                pass
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/jwks"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def answer(self, request):
        if request.path != "/jwks":
            self.elsewhere += 1
        else:
            self.fetches += 1
        status, body, headers = 200, json.dumps({"keys": self.keys}).encode(), {}
        if self.mode == "error":
            status, body = 500, b"{}"
        elif self.mode == "redirect" and request.path == "/jwks":
            status, body, headers = 302, b"", {"Location": self.url.replace("/jwks", "/elsewhere")}
        elif self.mode == "garbage":
            body = b'{"keys": {"not": "a list"}}'
        elif self.mode == "huge":
            body = json.dumps({"keys": self.keys, "more": "x" * 2**20}).encode()
        elif self.mode == "slow":
            self.leave.wait(30)
        try:
            request.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                request.send_header(name, value)
            request.end_headers()
            request.wfile.write(body)
        except OSError:
            pass  # the client left, as it should from a slow server

    def close(self):
        self.leave.set()
        self.http.shutdown()
        self.http.server_close()


class Issuer:
    """Maker and KeyServer together; key `name` has the kid `name`."""

    def __init__(self):
        self.maker, self.server, self.algs, self.public, self.pems = Maker(), KeyServer(), {}, {}, {}

    def key(self, name, alg, publish=True, members=None):
        made = self.maker.ask(do="key", name=name, alg=alg, kid=name)
        self.algs[name], self.public[name], self.pems[name] = alg, {**made["jwk"], **(members or {})}, made["pem"]
        if publish:
            self.server.keys.append(self.public[name])
        return self.public[name]

    def claims(self, org_id, **more):
        now = int(time.time())
        made = {"iss": ISSUER, "aud": AUDIENCE, "sub": "user-1", "org_id": org_id, "iat": now, "exp": now + 300,
                "scope": "openid connections:read", **more}
        return {k: v for k, v in made.items() if v is not None}

    def token(self, name, org_id, header=None, **claims):
        """An honest token; a claim of None is left out."""
        head = {"alg": self.algs[name], "kid": name, "typ": "JWT", **(header or {})}
        head = {k: v for k, v in head.items() if v is not None}
        return self.maker.ask(do="token", name=name, header=head, claims=self.claims(org_id, **claims))["token"]

    def raw(self, name, header, payload, alg=None):
        """Any header and payload, as text or as what becomes JSON, signed with key `name`."""
        header, payload = (v if isinstance(v, str) else json.dumps(v) for v in (header, payload))
        return self.maker.ask(do="raw", name=name, alg=alg or self.algs[name], header=header, payload=payload)["token"]

    def settings(self, **more):
        return {"jwt_issuer": ISSUER, "jwt_audience": AUDIENCE, "jwt_jwks_url": self.server.url, "jwt_allow_http": "true",
                "jwt_jwks_min_s": 1, **more}

    def close(self):
        self.server.close()
        self.maker.close()
