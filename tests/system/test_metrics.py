"""Metrics and logs as an operator meets them: a listener of its own, strict OpenMetrics, series that nobody can multiply, and logs
that say who and what but hold no secret."""
import http.client
import json
import re
import socket
from pathlib import Path

import pytest
import requests
from api import expect
from exposition import scrape
from processes import ROOT, free_port
from receiver import Receiver
from waiting import wait_until
from webhook import SETTINGS, Endpoint

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ConnectordReadOnly"
ROUTE = "/v1/connections/{conn_id}"


@pytest.fixture(scope="module")
def server(start_server):
    port = free_port()
    made = start_server(metrics_listen_port=port, webhook_allow_http="true")
    made.metrics_port = port
    return made


@pytest.fixture(scope="module")
def aws(start_awssim):
    return start_awssim("demo")


@pytest.fixture(scope="module")
def worker(start_worker, aws):
    port = free_port()
    made = start_worker(aws, aws_rates="iam=1000", log_level="debug", metrics_listen_port=port, **SETTINGS)
    made.metrics_port = port
    return made


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.end()


@pytest.fixture
def synced(org, aws, worker):
    """A connection whose first sync is over."""
    aws.set(external_id=org.org_id)
    made = org.connect(ACCOUNT, role_arn=ROLE)
    sync = wait_until(lambda: org.syncs(made["id"]), lambda: worker.tail(), 30)[0]
    done = org.wait_sync(sync["id"])
    assert done["state"] == "complete", (done, worker.tail(40))
    return made["id"], sync["id"]


def ask(port, method="GET", path="/metrics"):
    return requests.request(method, f"http://127.0.0.1:{port}{path}", timeout=30)


def test_requests_are_counted_by_route_method_and_class_of_status(server, org):
    before = scrape(server.metrics_port)
    for _ in range(3):
        assert requests.get(f"{server.url}/v1/connections/conn_{'0' * 32}", timeout=30,
                            headers={"Authorization": f"Bearer {org.key}"}).status_code == 404
    after = scrape(server.metrics_port)
    labels = {"route": ROUTE, "method": "GET", "status": "4xx"}
    moved = "connectord_http_requests_total"
    assert after.value(moved, **labels) == before.value(moved, **labels) + 3
    timed = "connectord_http_request_duration_seconds_count"
    assert after.value(timed, route=ROUTE) == before.value(timed, route=ROUTE) + 3


def test_hostile_paths_and_methods_make_no_series(server):
    """Whoever may send requests must not be able to fill the memory of the server or of its scraper."""
    requests.get(server.url + "/nowhere", timeout=30)
    before = scrape(server.metrics_port)
    for i in range(150):
        assert requests.get(f"{server.url}/nowhere/{i}", timeout=30).status_code == 404
        requests.request(f"NOISE{i}", f"{server.url}/v1/connections", timeout=30)
        requests.get(f"{server.url}/v1/connections/{i}%22%0a", timeout=30)
    after = scrape(server.metrics_port)
    new = {key for key in after.samples if key not in before.samples}
    assert len({key for key in new if key[0] == "connectord_http_requests_total"}) <= 3, new
    assert "unmatched" in after.labels("connectord_http_requests_total", "route")
    assert after.value("connectord_http_requests_total", route="unmatched") >= 150


def test_every_series_is_in_the_manual():
    """Nobody can alert on what he does not know of."""
    table = (ROOT / "include/base/metrics.def").read_text()
    manual = (ROOT / "docs/operations.md").read_text()
    families = re.findall(r'^X\(\w+, (\w+), "(\w+)"', table, re.M)
    assert len(families) > 25
    suffixes = {"COUNTER": "_total", "INFO": "_info"}
    assert [name for kind, name in families if f"`{name}{suffixes.get(kind, '')}`" not in manual] == []


def test_no_label_names_a_tenant(server, worker, org, synced):
    text = ask(server.metrics_port).text + ask(worker.metrics_port).text
    connection, sync = synced
    for own in (org.org_id, org.org_id.replace("-", ""), connection[5:], sync[5:], ACCOUNT, ROLE):
        assert own not in text


def test_the_pool_and_the_process_are_shown(server, org):
    org.all("/v1/connections")
    shown = scrape(server.metrics_port)
    assert shown.value("connectord_db_pool_size") == 8
    assert 1 <= shown.value("connectord_db_pool_open") <= 8
    assert shown.value("connectord_db_pool_waiting") == 0
    assert shown.value("process_resident_memory_bytes") > 1_000_000
    assert 3 < shown.value("process_open_fds") < shown.value("process_max_fds")
    assert shown.value("process_cpu_seconds_total") > 0
    assert shown.value("process_start_time_seconds") > 1_700_000_000
    assert shown.value("connectord_build_info") == 1
    # A request is under way until its answer is sent, which its client may know first.
    wait_until(lambda: scrape(server.metrics_port).value("connectord_http_in_flight") == 0, "none is in flight")


def test_a_request_under_way_is_in_flight(server):
    """A head without its body is a request that began."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as s:
        s.sendall(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
        wait_until(lambda: scrape(server.metrics_port).value("connectord_http_in_flight") == 1, "one is in flight", 20)
    wait_until(lambda: scrape(server.metrics_port).value("connectord_http_in_flight") == 0, "none is in flight", 20)


def test_a_sync_shows_its_tasks_and_its_calls(worker, synced, server):
    def counted():
        """A sync is over before its task is counted, and a call that ends is counted before its time is."""
        now = scrape(worker.metrics_port)
        calls, timed = (now.value(f"connectord_aws_{name}") for name in ("calls_total", "call_duration_seconds_count"))
        over = all(now.value("connectord_tasks_total", kind=kind, outcome="finished") >= 1 for kind in ("verify", "sync_account"))
        return now if over and calls == timed and now.value("connectord_queue_readable") == 1 else None
    shown = wait_until(counted, lambda: requests.get(f"http://127.0.0.1:{worker.metrics_port}/metrics", timeout=30).text)
    assert shown.value("connectord_task_duration_seconds_count", kind="sync_account") >= 1
    assert shown.value("connectord_task_claims_total") >= 2
    assert shown.value("connectord_aws_calls_total", service="iam") > 5
    assert shown.value("connectord_aws_calls_total", service="sts") >= 1
    assert shown.value("connectord_worker_threads") == 8
    assert shown.value("connectord_task_leases_lost_total") == 0


def test_refusals_of_aws_are_counted_by_class(worker, aws, org):
    labels = {"service": "sts", "class": "denied"}
    before = scrape(worker.metrics_port).value("connectord_aws_errors_total", **labels)
    aws.set(external_id="of somebody else")
    org.connect(ACCOUNT, role_arn=ROLE)
    wait_until(lambda: scrape(worker.metrics_port).value("connectord_aws_errors_total", **labels) > before,
               lambda: worker.tail(), 30)


def test_throttles_retries_and_our_own_limit_are_counted(start_worker, start_awssim, start_server, pg):
    """A worker with a tenth of the usual rate, and an AWS that throttles it three times."""
    place, port = pg.database(), free_port()
    aws = start_awssim("demo")
    org = start_server(database=place).organization()
    aws.set(external_id=org.org_id)
    aws.fault("throttle", times=3, match={"operation": "ListUsers"})
    worker = start_worker(aws, database=place, aws_rates="iam=10", metrics_listen_port=port)
    org.connect(ACCOUNT, role_arn=ROLE)

    def shown():
        now = scrape(port)
        return (now.value("connectord_aws_throttles_total", service="iam") == 3
                and now.value("connectord_aws_retries_total", service="iam") >= 3
                and now.value("connectord_aws_errors_total", service="iam", **{"class": "throttled"}) == 3
                and now.value("connectord_aws_limiter_waits_total", service="iam") > 0
                and now.value("connectord_aws_limiter_wait_seconds_total", service="iam") > 0)
    wait_until(shown, lambda: worker.tail() + requests.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text, 60)


def test_attempts_to_deliver_are_counted(worker, org, receiver):
    names = "connectord_webhook_attempts_total"
    before = scrape(worker.metrics_port)
    Endpoint(org, receiver).test()
    Endpoint(org, receiver, 410).test()
    for outcome in ("delivered", "gone"):
        wait_until(lambda end=outcome: scrape(worker.metrics_port).value(names, outcome=end) >= before.value(names, outcome=end) + 1,
                   lambda end=outcome: f"one is {end}: {worker.tail()}", 30)


def test_the_queue_is_shown_with_depth_and_age(worker, server, database):
    """The organization's only slot is taken, so what is due grows old. It has no tasks of its own that could free the slot."""
    org_id = server.organization("waits").org_id
    database.rows("UPDATE org_queue SET slots = 1, running = 1 WHERE org_id = %s", org_id)
    database.rows("INSERT INTO task (org_id, task_id, kind, run_at, state, leased_until) VALUES"
                  " (%s, gen_random_uuid(), 'verify', now() - interval '1 hour', 'ready', NULL),"
                  " (%s, gen_random_uuid(), 'verify', now() + interval '1 hour', 'ready', NULL),"
                  " (%s, gen_random_uuid(), 'verify', now(), 'leased', now() + interval '1 hour')", org_id, org_id, org_id)

    def shown():
        now = scrape(worker.metrics_port)
        return (now.value("connectord_queue_tasks", state="ready") >= 1
                and now.value("connectord_queue_tasks", state="later") >= 1
                and now.value("connectord_queue_tasks", state="leased") >= 1
                and now.value("connectord_queue_oldest_ready_seconds") >= 3600)
    wait_until(shown, "the queue's age is shown", 30)
    database.rows("DELETE FROM task WHERE org_id = %s", org_id)
    database.rows("UPDATE org_queue SET running = 0 WHERE org_id = %s", org_id)


def test_the_lag_of_the_inventory_is_shown(worker, org, database):
    """A sync that was due long ago and has not ended: its connection's inventory is that old."""
    made = org.connect("123456789012")["id"]
    database.rows("DELETE FROM task WHERE org_id = %s", org.org_id)
    database.rows("INSERT INTO sync (org_id, sync_id, connection_id, cause, tick, state, started_at) VALUES"
                  " (%s, gen_random_uuid(), %s, 'schedule', now() - interval '3 hours', 'running', now())", org.org_id, made.removeprefix("conn_"))
    wait_until(lambda: scrape(worker.metrics_port).value("connectord_ingest_lag_seconds") >= 3 * 3600, "the lag is shown", 30)
    database.rows("UPDATE sync SET state = 'complete', finished_at = now() WHERE org_id = %s", org.org_id)
    wait_until(lambda: scrape(worker.metrics_port).value("connectord_ingest_lag_seconds") < 3600, "it is over", 30)


@pytest.mark.parametrize("path", ["/", "/v1/connections", "/metrics/", "/metrics?x=1", "/METRICS", "//metrics", "/%6detrics",
                                  "/v1/admin/organizations", "/openapi.json", "/metrics" + "x" * 3000])
def test_the_listener_has_nothing_else(server, worker, path):
    for port in (server.metrics_port, worker.metrics_port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)  # sends the path as it is
        connection.request("GET", path)
        assert connection.getresponse().status == 404
        connection.close()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_the_listener_only_reads(server, method):
    answer = requests.request(method, f"http://127.0.0.1:{server.metrics_port}/metrics", data=b"x" * 100, timeout=30)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET"


def test_the_api_has_no_metrics(server, org):
    for headers in ({}, {"Authorization": f"Bearer {org.key}"}):
        assert requests.get(server.url + "/metrics", headers=headers, timeout=30).status_code == 404


def test_a_worker_says_whether_it_lives_and_can_work(worker, server):
    assert ask(worker.metrics_port, path="/livez").text == "live\n"
    assert ask(worker.metrics_port, path="/readyz").text == "ready\n"
    assert ask(server.metrics_port, path="/readyz").status_code == 404


def test_a_worker_without_its_database_lives_but_is_not_ready(start_worker, database):
    port = free_port()
    made = start_worker(wait=False, metrics_listen_port=port, database_url="host=/nonexistent dbname=x")
    made.wait_log("database_away")
    answer = ask(port, path="/readyz")
    assert answer.status_code == 503 and answer.text.startswith("starting: ")
    assert ask(port, path="/livez").status_code == 200
    assert scrape(port).value("connectord_queue_readable") == 0
    assert made.stop() == 0


def listening(pid):
    """TCP ports that a process listens on."""
    inodes = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found = re.match(r"socket:\[(\d+)\]", str(fd.readlink()))
        except FileNotFoundError:
            continue  # closed meanwhile
        if found:
            inodes.add(found.group(1))
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and row[9] in inodes}


def test_it_is_off_unless_it_is_wanted(start_server, start_worker, server, worker):
    plain = start_server()
    assert listening(plain.pid) == {plain.port}
    silent = start_worker()
    assert listening(silent.pid) == set()
    assert silent.stop() == 0  # it knows no AWS, and would take the tasks of the tests behind this one
    assert listening(server.pid) == {server.port, server.metrics_port}
    assert listening(worker.pid) == {worker.metrics_port}


def test_a_taken_port_is_told_by_its_setting(start_server, server):
    second = start_server(wait=False, metrics_listen_port=server.metrics_port)
    assert second.wait_exit() != 0
    assert "metrics listener" in second.text()


def test_many_idle_connections_leave_the_api_alone(server, org):
    """The listener's connections are few and its own."""
    held = [socket.create_connection(("127.0.0.1", server.metrics_port), timeout=30) for _ in range(40)]
    try:
        assert requests.get(server.url + "/livez", timeout=30).status_code == 200
    finally:
        for one in held:
            one.close()
    wait_until(lambda: ask_or_none(server.metrics_port), "the listener answers again", 30)


def ask_or_none(port):
    try:
        return ask(port).status_code == 200
    except requests.RequestException:
        return False


def lines(process, event):
    whole = process.text().rpartition("\n")[0]  # the last one may be under way
    found = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
    return [line for line in found if line["event"] == event]


def test_a_request_is_logged_with_its_organization_and_what_it_named(server, org, synced):
    connection, sync = synced
    requests.get(f"{server.url}/v1/connections/{connection}", timeout=30,
                 headers={"Authorization": f"Bearer {org.key}", "X-Request-Id": "log-me-1"})
    requests.get(f"{server.url}/v1/syncs/{sync}", timeout=30,
                 headers={"Authorization": f"Bearer {org.key}", "X-Request-Id": "log-me-2"})
    requests.get(f"{server.url}/v1/connections/{connection}", timeout=30, headers={"X-Request-Id": "log-me-3"})
    logged = {line["request_id"]: line for line in lines(server, "request") if line["request_id"].startswith("log-me-")}
    assert logged["log-me-1"]["org_id"] == org.org_id
    assert logged["log-me-1"]["connection_id"] == connection
    assert logged["log-me-2"]["sync_id"] == sync
    assert logged["log-me-3"]["org_id"] == ""


def test_a_task_is_logged_with_organization_connection_and_sync(worker, org, synced):
    connection, sync = synced
    def mine_of(kind):
        return [line for line in lines(worker, "task_finished") if line["org_id"] == org.org_id and line["kind"] == kind]
    wait_until(lambda: mine_of("sync_account"), "the task is logged, which it is after its sync is over")
    mine = [line for line in lines(worker, "task_finished") if line["org_id"] == org.org_id]
    assert {line["connection_id"] for line in mine if line["kind"] == "sync_account"} == {connection}
    assert {line["sync_id"] for line in mine if line["kind"] == "sync_account"} == {sync}
    assert not any("request_id" in line for line in mine)  # nobody asked: they are of a new connection


def test_a_task_that_a_request_asked_for_is_logged_with_the_request(worker, org, synced):
    connection, _ = synced
    sync = expect(org.post(f"/v1/connections/{connection}/syncs", headers={"X-Request-Id": "asked-1"}), 202)["id"]
    expect(org.post(f"/v1/connections/{connection}/check", {"tiers": [1]}, headers={"X-Request-Id": "asked-2"}), 202)

    def asked():
        return {line["request_id"]: (line["kind"], line["sync_id"]) for line in lines(worker, "task_finished")
                if line["org_id"] == org.org_id and "request_id" in line}
    wait_until(lambda: asked() == {"asked-1": ("sync_account", sync), "asked-2": ("check", "")}, lambda: f"{asked()}\n{worker.tail()}", 30)


def test_no_log_holds_a_secret(server, worker, org, keys, receiver):
    """One secret of each kind passes through both processes, whose worker talks most; none is in a log."""
    secret, key_id = "c4nary/c4nary+c4naryc4naryc4naryc4naryc4", "AKIACANARYCANARYCANA"
    connection = org.connect(ACCOUNT, access_key=(key_id, secret))
    org.connection(connection["id"])
    endpoint = Endpoint(org, receiver)
    endpoint.test()
    endpoint.wait_state("delivered")
    wait_until(lambda: connection["id"] in worker.text(), "the worker has used the access key", 30)
    for key in (org.key, org.key + "x", keys.operator):
        requests.get(f"{server.url}/v1/{key}?cursor={key}", headers={"SlashID-API-Key": key, "X-Org-Id": key}, timeout=30)
        requests.get(f"{server.url}/v1/connections?cursor={key}", headers={"Authorization": f"Bearer {key}"}, timeout=30)
    assert org.post("/v1/connections", {"auth": {"secret_access_key": secret, "method": secret}}).status_code >= 400
    canaries = {"operator key": keys.operator, "API key": org.key, "secret access key": secret, "webhook secret": endpoint.secret}
    for process in (server, worker):
        log = process.text()
        assert connection["id"] in log, f"{process.name} has logged nothing of this test"
        for what, canary in canaries.items():
            for form in (canary, canary.removeprefix("whsec_"), canary[len(canary) // 2:]):
                assert form not in log, f"the {what} is in the log of {process.name}"
