"""Fakes of what hands out credentials on a host: a container's endpoint and an instance's metadata, on loopback."""
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROLES = "/latest/meta-data/iam/security-credentials/"


class Agent:
    """One server for both. `issue()` makes the credentials of an answer; `mode` says how it misbehaves.

    Modes: "good", "hang" (accepts and is silent), "drip" (a byte a second), "huge" (1 MiB), "garbage", or a status."""

    def __init__(self, issue):
        self.issue, self.mode, self.token_status = issue, "good", 200
        self.authorization = None  # what a container must send
        self.requests = []
        self.closing = threading.Event()
        agent = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_PUT(self):
                agent.answer(self)

            def do_GET(self):
                agent.answer(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def asked(self, path):
        return [r for r in self.requests if r["path"] == path]

    def answer(self, http):
        self.requests.append({"method": http.command, "path": http.path, "headers": dict(http.headers), "at": time.monotonic()})
        try:
            self.misbehave(http) or self.behave(http)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def misbehave(self, http):
        if self.mode == "hang":
            self.closing.wait(60)
            return True
        if self.mode == "drip":
            http.send_response(200)
            http.send_header("Content-Length", "100000")
            http.end_headers()
            while not self.closing.wait(1):
                http.wfile.write(b"x")
                http.wfile.flush()
            return True
        if self.mode == "huge":
            self.say(http, 200, b"x" * (1 << 20))
        elif self.mode == "garbage":
            self.say(http, 200, b'{"AccessKeyId": "A\r\nX: y", "Token": 7\xff')
        elif isinstance(self.mode, int):
            self.say(http, self.mode, b"no")
        return self.mode != "good"

    def behave(self, http):
        if http.path == "/creds":
            if self.authorization is not None and http.headers.get("Authorization") != self.authorization:
                return self.say(http, 401, b"{}")
            return self.say(http, 200, json.dumps(self.issue()).encode())
        if http.path == "/latest/api/token" and http.command == "PUT":
            good = http.headers.get("x-aws-ec2-metadata-token-ttl-seconds") == "21600"
            return self.say(http, self.token_status if good else 400, b"metadata-token")
        if http.headers.get("x-aws-ec2-metadata-token") != "metadata-token":
            return self.say(http, 401, b"")
        if http.path == ROLES:
            return self.say(http, 200, b"ConnectordBase")
        if http.path == ROLES + "ConnectordBase":
            return self.say(http, 200, json.dumps({"Code": "Success", "Type": "AWS-HMAC", **self.issue()}).encode())
        return self.say(http, 404, b"")

    @staticmethod
    def say(http, status, body):
        http.send_response(status)
        http.send_header("Content-Length", str(len(body)))
        http.end_headers()
        http.wfile.write(body)
