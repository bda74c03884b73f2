"""Webhook endpoints: what may be written, where it may lead, who sees it, and what stays when it goes."""
import json
import socket
import uuid

import pytest
from api import expect
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

    def test_nothing_private_is_dialled(self, guarded, listeners):
        four, six = listeners
        hosts = [f"127.0.0.1:{four.port}", f"127.1:{four.port}", f"2130706433:{four.port}", f"0x7f000001:{four.port}",
                 f"0177.0.0.1:{four.port}", f"127.0.0.2:{four.port}", f"0.0.0.0:{four.port}", f"0:{four.port}",
                 f"localhost:{four.port}", f"[::1]:{six.port}", f"[::ffff:127.0.0.1]:{four.port}", f"[::ffff:7f00:1]:{four.port}",
                 f"[::]:{six.port}", f"[64:ff9b::7f00:1]:{four.port}", f"localhost:{six.port}", "169.254.169.254", "10.0.0.1",
                 "192.168.0.1", "[fe80::1]", "[fd00:ec2::254]"]
        refused = {}
        for scheme in ("http", "https"):
            made = [expect(guarded.post("/v1/webhooks", {"url": f"{scheme}://{host}/"}), 201) for host in hosts]
            for one in made:
                expect(guarded.post(f"/v1/webhooks/{one['id']}/test"), 202)
            for one, host in zip(made, hosts):
                address = f"/v1/webhooks/{one['id']}"
                wait_until(lambda: guarded.all(address + "/deliveries")[0]["last_error"], f"{scheme}://{host} was tried", 40)
                refused[f"{scheme}://{host}"] = guarded.all(address + "/deliveries")[0]["last_error"]
                expect(guarded.delete(address), 204)
        assert set(refused.values()) == {"address_refused"}, refused
        assert (four.connections, six.connections) == (0, 0)

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

    def test_twenty_are_enough(self, org):
        for _ in range(20):
            expect(org.post("/v1/webhooks", {"url": "https://example.com/"}), 201)
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
