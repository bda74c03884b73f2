"""The server and its database: away, behind, back."""
import requests
from api import expect
from waiting import wait_until


def test_a_schema_that_is_behind_is_not_served(start_server, pg):
    empty = pg.empty_database()
    own = start_server(wait=False, database=empty)
    assert own.wait_exit(15) == 78
    assert "migrate" in own.text()


def test_a_database_that_is_away_means_503_until_it_is_back(start_server, pg, database):
    own = start_server(database_url=f"host={pg.socket_dir} port=1 dbname={database.name} user=connectord_app connect_timeout=2")
    live = requests.get(own.url + "/livez", timeout=5)
    ready = requests.get(own.url + "/readyz", timeout=10)
    assert (live.status_code, ready.status_code) == (200, 503)
    assert int(ready.headers["Retry-After"]) >= 1
    assert ready.json()["code"] == "unavailable"
    assert pg.socket_dir not in ready.text


def test_a_restart_of_the_database_is_survived(start_server, pg, database):
    own = start_server()
    org = own.organization()
    made = org.connect("123456789012")
    pg.stop("fast")  # the cluster commits asynchronously: "immediate" would lose what was just created
    try:
        assert requests.get(own.url + "/livez", timeout=5).status_code == 200
        down = org.get("/v1/connections")
        assert down.status_code == 503, down.text
        assert "Retry-After" in down.headers
    finally:
        pg.start()
    wait_until(lambda: org.get("/v1/connections").status_code == 200, "the server finds its database again", within=20)
    assert expect(org.get("/v1/connections/" + made["id"]), 200)["id"] == made["id"]
