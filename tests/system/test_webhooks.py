"""Webhooks: signed as Standard Webhooks says, and tried until they arrive or are over, whatever the receiver does."""
import time
import uuid

import pytest
from api import expect
from processes import free_port
from receiver import Judge, Receiver, certificate
from waiting import wait_until
from webhook import SETTINGS, Endpoint, drip


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


@pytest.fixture(scope="module")
def judge():
    made = Judge()
    yield made
    made.end()


@pytest.fixture
def endpoint(org, receiver, worker):
    return lambda manners=204, **fields: Endpoint(org, receiver, manners, **fields)


class TestSignature:
    def test_the_reference_library_accepts_it_and_nothing_that_was_changed(self, endpoint, judge):
        one = endpoint()
        sent = one.test()
        got = one.got()[0]
        assert judge.accepts(one.secret, got)
        assert got.id == sent["event_id"] and "." not in got.id
        assert got.headers["content-type"] == "application/json" and got.headers["user-agent"] == "connectord"
        assert set(got.json()) == {"type", "timestamp", "data"}
        assert got.json()["type"] == "webhook.test" and got.json()["data"] == {"link": one.address}
        assert len(got.body) < 20_000
        wrong = "whsec_" + "A" * 43 + "="
        later = str(int(got.headers["webhook-timestamp"]) + 1)
        refused = [judge.accepts(wrong, got), judge.accepts(one.secret, got, body=got.body + " "),
                   judge.accepts(one.secret, got, body=got.body.replace("webhook.test", "webhook.best")),
                   judge.accepts(one.secret, got, **{"webhook-id": "evt_" + "0" * 32}),
                   judge.accepts(one.secret, got, **{"webhook-timestamp": later}),
                   judge.accepts(one.secret, got, **{"webhook-signature": "v1,AAAA"})]
        assert refused == [False] * 6
        done = one.wait_state("delivered")
        assert (done["attempts"], done["last_status"], done["last_error"], done["next_attempt_at"]) == (1, 204, "", None)

    def test_while_it_is_rotated_both_secrets_verify(self, endpoint, judge, database):
        one = endpoint()
        rotated = expect(one.org.post(one.address + "/rotate-secret"), 200)
        assert rotated["secret"] != one.secret and rotated["previous_secret_until"] is not None
        one.test()
        both = one.got()[0]
        assert len(both.headers["webhook-signature"].split(" ")) == 2
        assert judge.accepts(one.secret, both) and judge.accepts(rotated["secret"], both)
        database.rows("UPDATE webhook SET previous_until = now() WHERE webhook_id = %s", one.id.removeprefix("whk_"))
        assert one.show()["previous_secret_until"] is None
        one.test()
        after = one.got(2)[1]
        assert not judge.accepts(one.secret, after) and judge.accepts(rotated["secret"], after)
        kept = "SELECT count(*) FROM webhook WHERE webhook_id = %s AND sealed_previous IS NOT NULL"
        wait_until(lambda: database.value(kept, one.id.removeprefix("whk_")) == 0, "the old secret is erased")

    def test_tls_is_verified(self, start_worker, start_server, directory, judge, pg):
        pem, authority = certificate(directory)
        place = pg.database()
        secure = Receiver(tls=pem)
        try:
            strict = start_server(database=place)
            tenant = strict.organization()
            said = expect(tenant.post("/v1/webhooks", {"url": "http://example.com/"}), 422)
            assert [error["code"] for error in said["errors"]] == ["plain_http"]
            doubting = start_worker(database=place, **{**SETTINGS, "webhook_allow_http": "false"})
            one = Endpoint(tenant, secure)
            one.test()
            assert one.wait(lambda d: d["attempts"] > 0, "it was tried")["last_error"] == "tls_failed"
            assert secure.got(one.path) == []
            doubting.stop()
            start_worker(database=place, **{**SETTINGS, "webhook_allow_http": "false", "webhook_ca_file": authority})
            two = Endpoint(tenant, secure)
            two.test()
            assert judge.accepts(two.secret, two.got()[0])
        finally:
            secure.end()


class TestAttempts:
    def test_a_failing_receiver_is_tried_ten_times_and_then_no_more(self, endpoint):
        one = endpoint(500)
        one.test()
        done = one.wait_state("failed", 60)
        assert (done["attempts"], done["last_status"], done["last_error"]) == (10, 500, "receiver_error")
        got = one.got(10)
        assert len(got) == 10 and len({g.id for g in got}) == 1 and len({g.body for g in got}) == 1
        assert one.show()["state"] == "enabled"

    def test_the_next_attempt_is_where_the_table_says(self, receiver, pg, start_server, start_worker):
        place = pg.database()
        tenant = start_server(database=place, webhook_allow_http="true").organization()
        start_worker(database=place, **{**SETTINGS, "webhook_retry_ppm": 1_000_000})
        one = Endpoint(tenant, receiver, 503)
        one.test()
        seen = []
        for pause in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400):
            tried = one.wait(lambda d: d["attempts"] == len(seen) + 1, f"attempt {len(seen) + 1}")
            assert tried["state"] == "pending"
            left = place.value("SELECT extract(epoch FROM next_at - last_at)::float8 FROM delivery")
            assert 0.9 * pause - 0.01 <= left <= 1.1 * pause + 0.01
            seen.append(left)
            replayed = expect(tenant.post(f"{one.address}/deliveries/{tried['id']}/replay"), 202)
            assert replayed["attempts"] == len(seen)  # what waits is sent sooner and loses no attempt
        assert one.wait_state("failed")["attempts"] == 10

    def test_it_recovers_and_the_event_keeps_its_id(self, endpoint, judge):
        answers = iter([500, 503, 302, 204])
        one = endpoint(lambda handler, got: handler.answer(next(answers)))
        one.test()
        done = one.wait_state("delivered")
        assert done["attempts"] == 4
        got = one.got(4)
        assert {g.id for g in got} == {done["event_id"]} and all(judge.accepts(one.secret, g) for g in got)

    def test_a_redirect_is_a_failure_and_not_followed(self, endpoint, receiver):
        target = f"/{uuid.uuid4().hex}"
        one = endpoint((307, {"Location": receiver.url + target}))
        one.test()
        assert one.wait(lambda d: d["attempts"] >= 1, "it was tried")["last_error"] == "redirect_refused"
        one.wait_state("failed", 60)
        assert receiver.got(target) == []

    def test_more_time_is_given_when_asked_for(self, endpoint):
        answers = iter([(503, {"Retry-After": "3"}), (204,)])
        one = endpoint(lambda handler, got: handler.answer(*next(answers)))
        one.test()
        first, second = one.got(2)
        assert 2.9 <= second.at - first.at < 10

    def test_gone_disables_it_and_says_why(self, endpoint, database):
        one = endpoint(410)
        one.test()
        assert one.wait_state("failed")["last_error"] == "gone"
        shown = one.show()
        assert (shown["enabled"], shown["state"]) == (False, "disabled_gone") and "410" in shown["state_reason"]
        assert expect(one.org.post(one.address + "/test"), 409)["code"] == "webhook_disabled"
        actor, detail = database.rows("SELECT actor, detail FROM audit WHERE action = 'webhook.disabled' AND target_id = %s", one.id)[0]
        assert actor == "worker" and detail["state"] == "disabled_gone"
        one.receiver.manners[one.path] = 204
        shown = expect(one.org.patch(one.address, {"enabled": True}), 200)
        assert (shown["enabled"], shown["state"], shown["state_reason"]) == (True, "enabled", "")
        one.test()
        one.wait_state("delivered")

    def test_failing_again_and_again_disables_it(self, endpoint):
        one = endpoint(500)
        for _ in range(5):
            one.test()
        wait_until(lambda: one.show()["state"] == "disabled_failing", lambda: one.show(), 60)
        assert one.show()["state_reason"]

    def test_success_in_between_forgives(self, endpoint, database):
        one = endpoint(500)
        one.test()
        one.wait_state("failed", 60)
        exhausted = "SELECT exhausted FROM webhook WHERE webhook_id = %s"
        assert database.value(exhausted, one.id.removeprefix("whk_")) == 1
        one.receiver.manners[one.path] = 204
        one.test()
        one.wait_state("delivered")
        assert database.value(exhausted, one.id.removeprefix("whk_")) == 0

    def test_what_is_over_can_be_sent_again(self, endpoint, judge):
        one = endpoint()
        one.test()
        done = one.wait_state("delivered")
        again = expect(one.org.post(f"{one.address}/deliveries/{done['id']}/replay"), 202)
        assert (again["id"], again["event_id"], again["state"], again["attempts"]) == (done["id"], done["event_id"], "pending", 0)
        first, second = one.got(2)
        assert first.id == second.id and first.body == second.body and judge.accepts(one.secret, second)
        one.wait_state("delivered")

    def test_while_it_is_disabled_what_waits_waits(self, endpoint):
        one = endpoint((503, {"Retry-After": "1"}))
        one.test()
        one.wait(lambda d: d["attempts"] >= 1, "it was tried")
        expect(one.org.patch(one.address, {"enabled": False}), 200)
        tried = wait_until(lambda: one.deliveries()[0], "a delivery")
        assert (tried["state"], tried["next_attempt_at"]) == ("pending", None)
        one.receiver.manners[one.path] = 204
        expect(one.org.patch(one.address, {"enabled": True}), 200)
        one.wait_state("delivered")


def flood(handler, got):
    """A success with a body that does not end."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(1 << 40))
    handler.end_headers()
    handler.server.flooded = 0
    try:
        while True:
            handler.wfile.write(b"x" * 65536)
            handler.server.flooded += 65536
    except OSError:
        pass
    handler.close_connection = True


def endless_head(handler, got):
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            handler.wfile.write(b"X-More: " + b"y" * 1000 + b"\r\n")
    except OSError:
        pass
    handler.close_connection = True


class TestBadReceivers:
    def test_a_dead_one_is_named_so(self, org, worker):
        port = free_port()
        made = expect(org.post("/v1/webhooks", {"url": f"http://127.0.0.1:{port}/"}), 201)
        expect(org.post(f"/v1/webhooks/{made['id']}/test"), 202)
        wait_until(lambda: org.all(f"/v1/webhooks/{made['id']}/deliveries")[0]["last_error"] == "connect_failed", "it was tried")

    def test_a_slow_one_is_cut_off_and_holds_up_nobody(self, endpoint, org, database):
        slow = [endpoint(drip) for _ in range(12)]
        for one in slow:
            one.test()
        slow[-1].got()
        began = time.monotonic()
        quick = endpoint()
        for _ in range(3):
            quick.test()
        quick.got(3)
        assert time.monotonic() - began < 5
        # The organization's other worker slots are free for its syncs.
        assert database.value("SELECT running FROM org_queue WHERE org_id = %s", org.org_id) <= 1
        tried = slow[0].wait(lambda d: d["attempts"] >= 1, "it was cut off", 60)
        assert (tried["last_error"], tried["last_status"]) == ("timeout", None)
        for one in slow:  # what they hold would hold up the tests that follow
            expect(org.delete(one.address), 204)

    def test_hanging_receivers_of_many_leave_threads_to_syncs(self, pg, start_server, start_worker, receiver):
        place = pg.database()
        made = start_server(database=place, webhook_allow_http="true")
        worker = start_worker(database=place, worker_threads=4, **SETTINGS)
        for _ in range(6):
            Endpoint(made.organization(), receiver, drip).test()
        running = "SELECT count(*) FROM task WHERE state = 'leased' AND kind = 'deliver'"
        wait_until(lambda: "deliveries_crowded" in worker.text() and place.value(running) >= 2, worker.tail)
        # A crowd's task is leased only for as long as it takes to turn it away.
        wait_until(lambda: place.value(running) == 2, "two of four threads deliver")

    def test_a_reply_is_read_no_further_than_its_bound(self, endpoint, receiver):
        one = endpoint(flood)
        one.test()
        assert one.wait_state("delivered")["last_status"] == 200
        assert receiver.server.flooded < 16 << 20  # what the kernel's buffers took
        two = endpoint(endless_head)
        two.test()
        assert two.wait(lambda d: d["attempts"] >= 1, "it was tried")["last_error"] == "reply_too_long"

    def test_what_speaks_no_http_did_not_answer(self, endpoint):
        def speak(handler, got):
            handler.wfile.write(b"220 mail.example.com ESMTP\r\n")
            handler.close_connection = True
        one = endpoint(speak)
        one.test()
        tried = one.wait(lambda d: d["attempts"] >= 1, "it was tried")
        assert (tried["last_error"], tried["last_status"]) == ("not_http", None)

    def test_one_that_hangs_up_is_tried_again(self, endpoint):
        def hang_up(handler, got):
            handler.close_connection = True
        one = endpoint(hang_up)
        one.test()
        assert one.wait(lambda d: d["attempts"] >= 1, "it was tried")["last_error"] == "connection_lost"


class TestNeverLost:
    def test_a_worker_that_dies_in_the_middle_loses_nothing(self, pg, start_server, start_worker, receiver, judge):
        place = pg.database()
        tenant = start_server(database=place, webhook_allow_http="true").organization()
        settings = {**SETTINGS, "lease_s": 2, "heartbeat_s": 1}
        one = Endpoint(tenant, receiver, drip)
        sent = {one.test()["event_id"] for _ in range(4)}
        for _ in range(2):
            worker = start_worker(database=place, **settings)
            before = len(receiver.got(one.path))
            receiver.wait(one.path, before + 1)
            worker.kill()
        receiver.manners[one.path] = 204
        start_worker(database=place, **settings)
        wait_until(lambda: {d["state"] for d in one.deliveries()} == {"delivered"}, lambda: one.deliveries(), 60)
        assert {got.id for got in receiver.got(one.path)} == sent

    def test_a_drained_worker_leaves_the_rest_to_the_next(self, pg, start_server, start_worker, receiver):
        place = pg.database()
        tenant = start_server(database=place, webhook_allow_http="true").organization()
        one = Endpoint(tenant, receiver, drip)
        one.test()
        worker = start_worker(database=place, **SETTINGS, drain_s=4)
        one.got()
        assert worker.stop() == 0
        receiver.manners[one.path] = 204
        start_worker(database=place, **SETTINGS)
        one.wait_state("delivered")

    def test_what_is_old_goes(self, endpoint, database):
        one = endpoint()
        old = one.test()["event_id"].removeprefix("evt_")
        one.wait_state("delivered")
        database.rows("UPDATE event SET at = now() - interval '31 days' WHERE event_id = %s", old)
        one.test()
        wait_until(lambda: database.value("SELECT count(*) FROM event WHERE event_id = %s", old) == 0, "the old event is gone")
        assert len(one.deliveries()) == 1

    def test_nothing_waits_in_the_queue_but_one_timer(self, endpoint, database, org):
        one = endpoint((503, {"Retry-After": "3600"}))
        for _ in range(8):
            one.test()
        wait_until(lambda: all(d["attempts"] == 1 for d in one.deliveries()), lambda: one.deliveries())
        tasks = "SELECT count(*) FROM task WHERE org_id = %s AND kind = 'deliver'"
        wait_until(lambda: database.value(tasks, org.org_id) == 1, lambda: database.rows("SELECT * FROM task"))
        due = database.value("SELECT extract(epoch FROM run_at - now())::float8 FROM task WHERE org_id = %s", org.org_id)
        assert 3500 < due <= 3601
