"""Many clients at once: every request is answered, the pool is bounded, nothing is mixed up between organizations."""
import concurrent.futures
import socket
import threading

import requests
from api import Organization
from cutter import Cutter

ACCOUNT = "123456789012"
READY = b"Z\x00\x00\x00\x05"  # what PostgreSQL says first when a connection may be used


class Counter(Cutter):
    """Counts the connections that are being made at one moment."""

    def __init__(self, cluster):
        self.starting, self.most, self.made = 0, 0, 0
        super().__init__(cluster)

    def _pass(self, source, target, answers):
        if not answers:
            return super()._pass(source, target, answers)
        with self.lock:
            self.starting, self.made = self.starting + 1, self.made + 1
            self.most = max(self.most, self.starting)
        said = b""
        while READY not in said and (data := source.recv(65536)):
            target.sendall(data)
            said += data
        with self.lock:
            self.starting -= 1
        return super()._pass(source, target, answers)


def test_parallel_clients_see_only_their_own(server):
    tenants = [server.organization() for _ in range(6)]
    for tenant in tenants:
        tenant.connect(ACCOUNT, name="of " + tenant.org_id)

    def work(i):
        tenant = tenants[i % len(tenants)]
        own = Organization(server.url, tenant.org_id, tenant.key)
        for _ in range(15):
            found = own.get("/v1/connections").json()["data"]
            assert [c["name"] for c in found] == ["of " + tenant.org_id]
            assert requests.get(server.url + "/livez", timeout=30).status_code == 200
            assert own.get("/v1/entities").json()["data"] == []
        return True
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert all(pool.map(work, range(24)))


def test_one_database_connection_serves_many_clients(start_server):
    own = start_server(db_pool=1)
    org = own.organization()

    def work(_):
        return Organization(own.url, org.org_id, org.key).get("/v1/connections").status_code
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert set(pool.map(work, range(200))) == {200}


def test_a_crowd_makes_its_connections_a_few_at_a_time(start_server, pg, database):
    counter = Counter(pg)
    try:
        own = start_server(db_pool=64, database_url=counter.url(database))
        tenants = [own.organization() for _ in range(16)]
        before, counter.most = counter.made, 0
        barrier = threading.Barrier(64)

        def work(i):
            one = tenants[i % 16]
            barrier.wait(timeout=30)
            return Organization(own.url, one.org_id, one.key).get("/v1/connections").status_code
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            assert set(pool.map(work, range(64))) == {200}
        assert counter.made - before >= 4, "the crowd found no pool of connections that were there already"
        assert counter.most <= 4
        own.stop()
    finally:
        counter.end()


def test_a_drain_answers_what_is_under_way(start_server):
    own = start_server()
    org = own.organization()

    def work(_):
        try:
            return Organization(own.url, org.org_id, org.key).get("/v1/connections").status_code
        except requests.ConnectionError:
            return "refused"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(work, i) for i in range(200)]
        for answer in answers[:21]:
            answer.result()
        assert own.stop() == 0
        statuses = [a.result() for a in answers]
    assert set(statuses) <= {200, "refused"}
    assert statuses.count(200) >= 20


def test_a_successor_keeps_the_operators_socket_while_the_old_server_drains(start_server):
    old = start_server()
    key = old.organization().key  # without one the answer comes at once, and nothing is under way
    with socket.create_connection(("127.0.0.1", old.port), timeout=30) as held:
        held.sendall(b"POST /v1/connections HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5\r\n"
                     b"Authorization: Bearer " + key.encode() + b"\r\nExpect: 100-continue\r\n\r\n")
        assert held.recv(100).startswith(b"HTTP/1.1 100"), "the request is under way"
        old.signal(15)
        old.wait_log("server_draining")
        new = start_server(admin_socket=old.admin_socket)
        assert old.alive
    assert old.wait_exit() == 0
    assert new.operator.request("GET", "/v1/admin/organizations").status_code == 200
