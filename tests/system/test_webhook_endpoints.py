"""Webhook endpoints: what may be written, where it may lead, who sees it, and what stays when it goes."""
import json
import socket
import uuid

import pytest
from api import Organization, expect
from race import two_at_once
from receiver import Listener, Receiver
from waiting import wait_until
from webhook import SETTINGS, Endpoint


@pytest.fixture(scope="module")
def server(start_server):
    return start_server(webhook_allow_http="true")


@pytest.fixture(scope="module")
def worker(start_worker):
    return start_worker(**SETTINGS)


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.end()


@pytest.fixture
def endpoint(org, receiver, worker):
    return lambda manners=204, **fields: Endpoint(org, receiver, manners, **fields)


def disguises(address):
    """One IPv4 address as the many texts that some reader takes for it."""
    a, b, c, d = (int(part) for part in address.split("."))
    n = (a << 24) + (b << 16) + (c << 8) + d
    high, low = f"{n >> 16:x}", f"{n & 0xffff:x}"
    plain = [address, str(n), hex(n), hex(n).upper().replace("0X", "0x"), "0" + oct(n)[2:], f"{a}.{n & 0xffffff}", f"{a}.{b}.{n & 0xffff}",
             ".".join(hex(part) for part in (a, b, c, d)), ".".join("0" + oct(part)[2:] for part in (a, b, c, d)),
             f"{hex(a)}.{b}.0{oct(c)[2:]}.{d}", f"000{oct(a)[2:]}.{b}.{c}.{d}", f"{a}.{hex(n & 0xffffff)}"]
    six = [f"::ffff:{address}", f"::ffff:{high}:{low}", f"0:0:0:0:0:ffff:{high}:{low}", f"::{address}", f"64:ff9b::{address}",
           f"64:ff9b::{high}:{low}", f"64:ff9b:1::{high}:{low}", f"2002:{high}:{low}::", f"2001:0:{high}:{low}::1", f"::FFFF:{high.upper()}:{low.upper()}"]
    return list(dict.fromkeys(plain + [f"[{one}]" for one in six]))


class TestWhereItMayGo:
    """An address is refused when it is about to be dialled, whatever it was written as. `localhost` stands for any name that
    resolves to loopback: the host's own resolver says so."""

    @pytest.fixture(scope="class")
    def guarded(self, pg, start_server, start_worker):
        place = pg.database()
        tenant = start_server(database=place, webhook_allow_http="true").organization(worker_slots=4)
        start_worker(database=place, **{**SETTINGS, "webhook_allow_private": ""})
        return tenant

    @pytest.fixture(scope="class")
    def listeners(self):
        four, six = Listener(), Listener("::1", socket.AF_INET6)
        yield four, six
        four.end()
        six.end()

    def tried(self, org, urls):
        """{url: what went wrong in the first attempt}"""
        made = {url: "/v1/webhooks/" + expect(org.post("/v1/webhooks", {"url": url}), 201)["id"] for url in urls}
        for address in made.values():
            expect(org.post(address + "/test"), 202)
        said = {}
        for url, address in made.items():
            wait_until(lambda: org.all(address + "/deliveries")[0]["last_error"], lambda: f"{url} was tried", 60)
            said[url] = org.all(address + "/deliveries")[0]["last_error"]
            expect(org.delete(address), 204)
        return said

    def test_nothing_private_is_dialled(self, guarded, listeners):
        four, six = listeners
        hosts = [f"localhost:{four.port}", f"localhost:{six.port}", f"[::1]:{six.port}", f"[::]:{six.port}", "[fe80::1]", "[fd00:ec2::254]",
                 f"0:{four.port}", f"127.0.0.2:{four.port}", "[ff02::1]", "[2001:db8::1]"]
        said = {}
        for scheme in ("http", "https"):
            said.update(self.tried(guarded, [f"{scheme}://{host}/" for host in hosts]))
        assert set(said.values()) == {"address_refused"}, said
        assert (four.connections, six.connections) == (0, 0)

    @pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "172.31.255.254", "192.168.0.1", "100.64.0.1", "0.0.0.0",
                                         "224.0.0.1", "255.255.255.255"])
    def test_no_disguise_is_dialled(self, guarded, listeners, address):
        urls = [f"http://{host}:{listeners[0].port}/" for host in disguises(address)]
        said = {}
        for start in range(0, len(urls), 20):
            said.update(self.tried(guarded, urls[start:start + 20]))
        assert set(said.values()) == {"address_refused"}, said
        assert listeners[0].connections == 0

    def test_the_same_addresses_are_dialled_when_the_operator_opens_them(self, endpoint):
        listener = Listener()  # so that the zeros above mean something
        made = expect(endpoint().org.post("/v1/webhooks", {"url": f"http://127.0.0.1:{listener.port}/"}), 201)
        org = endpoint().org
        expect(org.post(f"/v1/webhooks/{made['id']}/test"), 202)
        wait_until(lambda: listener.connections, "it was dialled")
        listener.end()
        expect(org.delete(f"/v1/webhooks/{made['id']}"), 204)

    def test_a_proxy_of_the_environment_is_not_asked(self, pg, start_server, start_worker, receiver):
        place, proxy = pg.database(), Listener()
        tenant = start_server(database=place, webhook_allow_http="true").organization()
        url = f"http://127.0.0.1:{proxy.port}"
        start_worker(database=place, env={"http_proxy": url, "https_proxy": url, "ALL_PROXY": url}, **SETTINGS)
        one = Endpoint(tenant, receiver)
        one.test()
        one.got()
        assert proxy.connections == 0
        proxy.end()

    @pytest.mark.parametrize("url", ["ftp://example.com/", "https://user@example.com/", "https://example.com/#x", "https://example.com:0/",
                                     "https://example.com/\u0001", "https://ex\u00e4mple.com/", "https://", "x", "https://a b/",
                                     "https://example.com/" + "x" * 2029], ids=range(10))
    def test_an_address_that_is_none_is_refused_when_it_is_written(self, org, url):
        said = expect(org.post("/v1/webhooks", {"url": url}), 422)
        assert [error["pointer"] for error in said["errors"]] == ["/url"]


class TestEndpoints:
    def test_the_secret_is_shown_once(self, endpoint, database, server, worker):
        one = endpoint()
        assert one.secret.startswith("whsec_") and len(one.secret) == 50
        assert "secret" not in one.show() and one.secret not in one.org.get("/v1/webhooks").text
        patched = one.org.patch(one.address, {"description": "x"})
        assert one.secret not in patched.text and one.secret not in one.org.get(one.address + "/deliveries").text
        one.test()
        one.wait_state("delivered")
        for process in (server, worker):
            assert one.secret[6:40] not in process.text()
        plain = database.rows("SELECT w.*::text FROM webhook w UNION ALL SELECT a.*::text FROM audit a")
        assert not any(one.secret[6:40] in row for row, in plain)

    def test_the_same_request_again_makes_no_second_one_and_shows_no_secret(self, org):
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        first = expect(org.post("/v1/webhooks", {"url": "https://example.com/"}, headers=headers), 201)
        again = expect(org.post("/v1/webhooks", {"url": "https://example.com/"}, headers=headers), 201)
        assert first["secret"].startswith("whsec_") and again == {**first, "secret": None}
        assert [one["id"] for one in org.all("/v1/webhooks")] == [first["id"]]

    def test_a_change_can_be_tried_without_making_it(self, org):
        made = expect(org.post("/v1/webhooks", {"url": "https://example.com/"}), 201)
        path = f"/v1/webhooks/{made['id']}"
        tried = org.patch(path + "?validate_only=true", {"description": "other"})
        assert tried.status_code == 200
        assert expect(org.get(path), 200)["description"] == ""
        assert org.patch(path + "?validate_only=true", {"url": "https://u@example.com/"}).status_code == 422

    def test_a_viewer_sees_none_and_an_editor_changes_none(self, server, org):
        made = expect(org.post("/v1/webhooks", {"url": "https://example.com/"}), 201)
        for role, read in (("viewer", 403), ("editor", 200)):
            key = server.operator.create_key(org.org_id, role=role)["key"]
            caller = Organization(server.url, org.org_id, key)
            assert caller.get(f"/v1/webhooks/{made['id']}").status_code == read
            assert caller.post("/v1/webhooks", {"url": "https://example.com/"}).status_code == 403
            assert caller.post(f"/v1/webhooks/{made['id']}/rotate-secret").status_code == 403
            assert caller.delete(f"/v1/webhooks/{made['id']}").status_code == 403

    def test_it_changes_as_asked_and_only_at_its_version(self, org):
        made = expect(org.post("/v1/webhooks", {"url": "https://example.com/a", "events": ["sync.finished"]}), 201)
        path = f"/v1/webhooks/{made['id']}"
        etag = org.get(path).headers["ETag"]
        changed = org.patch(path, {"url": "https://example.com/b", "description": "d", "events": None, "enabled": False}, etag)
        assert changed.headers["ETag"] != etag
        now = expect(changed, 200)
        assert (now["url"], now["description"], now["events"], now["enabled"], now["state"]) == (
            "https://example.com/b", "d", [], False, "disabled")
        assert org.patch(path, {"description": "x"}, etag).status_code == 412
        assert org.patch(path, {"description": "x"}, None).status_code == 428
        assert org.patch(path, {"secret": "whsec_x"}).status_code == 400
        assert org.patch(path, {"url": None}).status_code == 422
        assert org.patch(path, {"events": ["nonsense"]}).status_code == 422
        assert org.delete(path, etag).status_code == 412
        assert org.delete(path).status_code == 204
        assert org.get(path).status_code == org.delete(path).status_code == 404

    def test_twenty_are_enough(self, server, database):
        org = server.organization()
        for _ in range(19):
            expect(org.post("/v1/webhooks", {"url": "https://example.com/"}), 201)
        last = two_at_once(database, org.org_id, lambda: org.post("/v1/webhooks", {"url": "https://example.com/"}))
        assert sorted(answer.status_code for answer in last) == [201, 409]
        assert expect(org.post("/v1/webhooks", {"url": "https://example.com/"}), 409)["code"] == "too_many_webhooks"
        assert len(org.all("/v1/webhooks", limit=7)) == 20

    def test_a_deleted_one_leaves_nothing(self, endpoint, database):
        one = endpoint()
        one.test()
        one.wait_state("delivered")
        expect(one.org.delete(one.address), 204)
        number = one.id.removeprefix("whk_")
        assert database.value("SELECT count(*) FROM webhook WHERE webhook_id = %s AND num_nonnulls(sealed_secret, sealed_previous) > 0",
                              number) == 0
        wait_until(lambda: database.value("SELECT count(*) FROM webhook WHERE webhook_id = %s", number) == 0, "the row is gone")
        assert database.value("SELECT count(*) FROM delivery WHERE webhook_id = %s", number) == 0

    @pytest.mark.parametrize("method, path, body", [
        ("GET", "/v1/webhooks/{}", None), ("PATCH", "/v1/webhooks/{}", {"description": "x"}), ("DELETE", "/v1/webhooks/{}", None),
        ("POST", "/v1/webhooks/{}/rotate-secret", None), ("POST", "/v1/webhooks/{}/test", None), ("GET", "/v1/webhooks/{}/deliveries", None),
        ("POST", "/v1/webhooks/{}/deliveries/dlv_{}/replay", None)])
    def test_anothers_is_answered_like_nothing(self, endpoint, other_org, method, path, body):
        one = endpoint()
        delivery = one.test()["id"].removeprefix("dlv_")

        def asked(webhook):
            headers = {"X-Request-Id": "same", **({"If-Match": "*"} if method in ("PATCH", "DELETE") else {}),
                       **({"Content-Type": "application/merge-patch+json"} if body else {})}
            target = path.format(webhook, delivery)
            answer = other_org.request(method, target, data=json.dumps(body) if body else None, headers=headers)
            kept = {k: v for k, v in answer.headers.items() if k not in ("Date", "RateLimit", "traceresponse")}
            return answer.status_code, kept, answer.text.replace(target, "PATH")
        assert asked(one.id) == asked("whk_" + uuid.uuid4().hex)
        assert asked(one.id)[0] == 404
        assert other_org.all("/v1/webhooks") == []

    def test_tests_cannot_pile_up(self, org, receiver):
        one = Endpoint(org, receiver, (503, {"Retry-After": "86400"}))
        for _ in range(10):
            one.test()
        assert expect(org.post(one.address + "/test"), 409)["code"] == "too_many_tests"
