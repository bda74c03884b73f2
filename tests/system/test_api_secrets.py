"""Secrets are never readable back: canaries go in, and nothing that leaves the server holds them."""
from api import expect

ACCOUNT = "123456789012"
SECRET = "CanarySecretCanarySecretCanarySecret+/01"


def auth(secret=SECRET):
    return {"method": "access_key", "access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": secret}


def test_a_canary_is_in_no_answer_no_log_and_no_dump(start_server, database):
    own = start_server(log_level="debug")
    org = own.organization()
    body = {"name": "canary", "authoritative_status": "none", "aws_account_id": ACCOUNT, "region": "us-east-1", "auth": auth()}
    answers = [
        org.post("/v1/connections", body),
        org.post("/v1/connections", {**body, "region": "nowhere"}),
        org.post("/v1/connections", {**body, "auth": auth(SECRET + "x")}),
        org.post("/v1/connections", {**body, "auth": {**auth(), "method": "assume_role"}}),
        org.post("/v1/connections", {**body, "secret": SECRET}),
        org.request("POST", "/v1/connections", data='{"auth": {"secret_access_key": "' + SECRET, headers={"Content-Type": "application/json"}),
        org.request("POST", "/v1/connections", data='{"auth": {"secret_access_key": "' + SECRET + '"}}', headers={"Content-Type": "text/plain"}),
        org.get("/v1/entities", name_prefix=SECRET),
        org.get("/v1/entities", **{SECRET[:20]: "x"}),
        org.request("GET", "/v1/connections", headers={"Authorization": "Bearer " + SECRET}),
    ]
    assert [a.status_code for a in answers] == [201, 422, 422, 422, 400, 400, 415, 200, 400, 401]
    made = expect(answers[0], 201)
    answers += [org.get("/v1/connections"), org.get("/v1/connections/" + made["id"]),
                org.patch("/v1/connections/" + made["id"], {"auth": auth(), "name": "again"})]
    for answer in answers:
        assert SECRET[:20] not in answer.text
        assert "secret_access_key" not in answer.text or answer.status_code == 422
    text = own.text()
    assert SECRET[:20] not in text
    assert org.key.split("_")[3] not in text
    assert own.operator.key not in text
    everything = database.dump()
    assert "AKIAIOSFODNN7EXAMPLE" in everything, "the dump holds the connection"
    for encoded in (SECRET, SECRET.encode().hex(), org.key.split("_")[3]):
        assert encoded not in everything


def test_the_same_secret_is_sealed_differently_each_time(org, database):
    for name in "ab":
        expect(org.post("/v1/connections", {"name": name, "authoritative_status": "none", "aws_account_id": ACCOUNT, "region": "us-east-1",
                                            "auth": auth()}), 201)
    sealed = [bytes(row[0]) for row in database.rows("SELECT sealed_secret_access_key FROM connection WHERE org_id = %s", org.org_id)]
    assert len(set(sealed)) == 2
    assert all(s.startswith(b"cs1") and len(s) == 131 + 40 for s in sealed)


def test_the_server_process_cannot_be_read_from_outside(server):
    """Not dumpable: the environment and the memory of the process belong to root alone."""
    with open(f"/proc/{server.pid}/limits", encoding="utf-8") as limits:
        core = next(line for line in limits if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]


def test_a_server_without_its_keys_says_so_and_ends(start_server, keys):
    for settings, words in (({"seal_public_file": None}, "seal_public_file"), ({"seal_public_file": "/nonexistent/seal.pub"}, "seal.pub"),
                            ({"operator_key_file": None}, "operator_key_file"), ({"operator_key_file": "/nonexistent/op"}, "/nonexistent/op")):
        own = start_server(wait=False, **settings)
        assert own.wait_exit() == 78, own.text()
        assert words in own.text()
