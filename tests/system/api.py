"""The HTTP API as the tests speak it: an organization with its key, and the operator behind the Unix socket."""
import http.client
import json
import socket
import time
import uuid
from urllib.parse import urlencode

import requests

from waiting import wait_until

REVOKED_S, SPARE_S = 5.0, 0.5
FINISHED = ("complete", "partial", "failed", "canceled")


class Answer:
    """What the operator's listener said; the same names as requests.Response."""

    def __init__(self, response):
        self.status_code, self.headers = response.status, response.headers
        self.content = response.read()
        self.text = self.content.decode()

    def json(self):
        return json.loads(self.text)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=30):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def expect(answer, status):
    assert answer.status_code == status, f"expected {status}, got {answer.status_code}: {answer.text}"
    return answer.json() if answer.text else None


def refused_in_time(works, what="the revoked key", within=REVOKED_S - SPARE_S):
    """To be called at the answer that revokes it. What is remembered of it ends SPARE_S before REVOKED_S, which the look-up that finds
    it out may take: so no request that is sent later is let in. When its answer arrives is the machine's doing."""
    began, let_in = time.monotonic(), [float("-inf")]

    def refused():
        sent = time.monotonic() - began
        if not works():
            return True
        let_in.append(sent)
        return False
    wait_until(refused, f"{what} is refused", poll=0.005)
    assert let_in[-1] < within, f"{what} was let in {let_in[-1]:g} s later"


class Operator:
    """/v1/admin on the server's Unix socket, with the operator key."""

    def __init__(self, socket_path, key):
        self.socket_path, self.key = socket_path, key

    def request(self, method, path, body=None, headers=None):
        connection = UnixConnection(self.socket_path)
        try:
            sent = {"Authorization": f"Bearer {self.key}", **(headers or {})}
            if body is not None:
                sent.setdefault("Content-Type", "application/json")
            connection.request(method, path, json.dumps(body) if body is not None else None, sent)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **params):
        return self.request("GET", path + ("?" + urlencode(params) if params else ""))

    def create_organization(self, name, **fields):
        return expect(self.request("POST", "/v1/admin/organizations", {"name": name, **fields}), 201)

    def create_key(self, org_id, name="tests", role="owner", **fields):
        return expect(self.request("POST", f"/v1/admin/organizations/{org_id}/keys", {"name": name, "role": role, **fields}), 201)

    def create_service_key(self, name="tests", role="owner", **fields):
        return expect(self.request("POST", "/v1/admin/service-keys", {"name": name, "role": role, **fields}), 201)


class Organization:
    """A tenant with one key. get/post/patch/delete return requests.Response; the rest asserts and returns JSON."""

    def __init__(self, url, org_id, key):
        self.url, self.org_id, self.key = url, org_id, key
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {key}"

    def request(self, method, path, **kwargs):
        return self.session.request(method, self.url + path, timeout=30, **kwargs)

    def get(self, path, **params):
        return self.request("GET", path, params=params)

    def post(self, path, body=None, **kwargs):
        return self.request("POST", path, json=body, **kwargs)

    def patch(self, path, body, etag="*"):
        headers = {"Content-Type": "application/merge-patch+json"}
        if etag:
            headers["If-Match"] = etag
        return self.request("PATCH", path, data=json.dumps(body), headers=headers)

    def delete(self, path, etag="*"):
        return self.request("DELETE", path, headers={"If-Match": etag} if etag else {})

    def all(self, path, **params):
        """Every item of a list, through its cursors."""
        items, cursor = [], None
        while True:
            page = expect(self.get(path, **params, **({"cursor": cursor} if cursor else {})), 200)
            items += page["data"]
            cursor = page["next_cursor"]
            if not cursor:
                return items

    def connect(self, account, role_arn=None, access_key=None, **fields):
        """Creates a connection to `account` by role (or access_key = (id, secret)); returns its JSON."""
        if access_key:
            auth = {"method": "access_key", "access_key_id": access_key[0], "secret_access_key": access_key[1]}
        else:
            auth = {"method": "assume_role", "role_arn": role_arn or f"arn:aws:iam::{account}:role/ConnectorRole"}
        body = {"name": f"test {uuid.uuid4().hex[:8]}", "authoritative_status": "primary", "aws_account_id": str(account),
                "region": "us-east-1", "auth": auth, **fields}
        return expect(self.post("/v1/connections", body), 201)

    def connection(self, connection_id):
        return expect(self.get(f"/v1/connections/{connection_id}"), 200)

    def wait_connection(self, connection_id, condition, what, within=60):
        """Until condition(connection JSON) is true; returns that JSON."""
        last = {}

        def holds():
            last.update(self.connection(connection_id))
            return condition(last)
        wait_until(holds, lambda: f"connection {connection_id} {what}: {last}", within)
        return last

    def wait_first_sync(self, connection_id, within=60):
        """Until the sync that a verified connection starts by itself is over; returns its JSON."""
        started = wait_until(lambda: self.syncs(connection_id), "the first sync exists", within)
        return self.wait_sync(started[-1]["id"], within)

    def sync(self, connection_id):
        """Starts a sync; returns its JSON."""
        answer = self.post(f"/v1/connections/{connection_id}/syncs")
        assert answer.status_code in (201, 202), answer.text
        return answer.json()

    def syncs(self, connection_id):
        return self.all(f"/v1/connections/{connection_id}/syncs")

    def wait_sync(self, sync_id, within=60):
        """Until the sync is over, whatever its end; returns its JSON."""
        last = {}

        def over():
            last.update(expect(self.get(f"/v1/syncs/{sync_id}"), 200))
            return last["state"] in FINISHED
        wait_until(over, lambda: f"sync {sync_id} finished: {last}", within)
        return last

    def complete_sync(self, connection_id, within=60):
        """Starts a sync and requires that it ends complete."""
        done = self.wait_sync(self.sync(connection_id)["id"], within)
        assert done["state"] == "complete", done
        return done

    def entities(self, **filters):
        return self.all("/v1/entities", **filters)

    def coverage(self, connection_id):
        return self.all(f"/v1/connections/{connection_id}/coverage")
