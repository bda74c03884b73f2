"""A webhook of an organization, as the tests use it, and the settings that make days of attempts seconds."""
import time
import uuid

from api import expect
from waiting import wait_until

QUICK_PPM = 10  # three days of attempts within seconds
SETTINGS = {"webhook_allow_http": "true", "webhook_allow_private": "127.0.0.0/8", "webhook_retry_ppm": QUICK_PPM, "poll_ms": 50,
            "lease_s": 3, "heartbeat_s": 1}


class Endpoint:
    """A webhook of an organization to a path of its own."""

    def __init__(self, org, receiver, manners=204, **fields):
        self.org, self.receiver, self.path = org, receiver, f"/{uuid.uuid4().hex}"
        receiver.manners[self.path] = manners
        made = expect(org.post("/v1/webhooks", {"url": receiver.url + self.path, **fields}), 201)
        self.id, self.secret = made["id"], made["secret"]
        self.address = f"/v1/webhooks/{self.id}"

    def test(self):
        return expect(self.org.post(self.address + "/test"), 202)

    def show(self):
        return expect(self.org.get(self.address), 200)

    def deliveries(self, **filters):
        return self.org.all(self.address + "/deliveries", **filters)

    def wait(self, condition, what, within=60):
        return wait_until(lambda: [d for d in self.deliveries() if condition(d)], lambda: f"{what}: {self.deliveries()}", within)[0]

    def wait_state(self, state, within=60):
        return self.wait(lambda d: d["state"] == state, f"a delivery is {state}", within)

    def got(self, n=1, within=30):
        return self.receiver.wait(self.path, n, within)


def drip(handler, got):
    """The head of an answer, one byte a second."""
    try:
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n":
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(1)
    except OSError:
        pass
    handler.close_connection = True
