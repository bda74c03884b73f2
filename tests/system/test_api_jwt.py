"""JWTs: what an honest issuer signs gets in for exactly what it says, and nothing else does. Tokens are npm jose's."""
import base64
import concurrent.futures
import hashlib
import hmac
import json
import time
import uuid

import pytest
import requests
from api import refused_in_time
from issuer import ISSUER, Issuer
from processes import binary, clean_environment, run
from waiting import soon, wait_until


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    for name, alg in (("rs", "RS256"), ("ps", "PS256"), ("es", "ES256"), ("es384", "ES384")):
        made.key(name, alg)
    yield made
    made.close()


@pytest.fixture
def alone():
    """An issuer that a test may break."""
    made = Issuer()
    made.key("first", "ES256")
    yield made
    made.close()


@pytest.fixture(scope="module")
def trusting(start_server, issuer):
    return start_server(**issuer.settings())


@pytest.fixture(scope="module")
def tenant(trusting):
    return trusting.organization("tokens")


def ask(server, token, path="/v1/connections", method="GET", **kwargs):
    headers = {"Authorization": f"Bearer {token}", **kwargs.pop("headers", {})}
    return requests.request(method, server.url + path, headers=headers, timeout=30, **kwargs)


def part(value):
    text = value if isinstance(value, (str, bytes)) else json.dumps(value)
    return base64.urlsafe_b64encode(text if isinstance(text, bytes) else text.encode()).rstrip(b"=").decode()


def with_hmac(header, claims, secret):
    head = f"{part(header)}.{part(claims)}"
    return f"{head}.{part(hmac.new(secret, head.encode(), hashlib.sha256).digest())}"


@pytest.mark.parametrize("name", ["rs", "ps", "es", "es384"])
def test_what_npm_jose_signs_is_accepted(trusting, tenant, issuer, name):
    assert ask(trusting, issuer.token(name, tenant.org_id)).status_code == 200
    alias = requests.get(trusting.url + "/v1/connections", headers={"SlashID-API-Key": issuer.token(name, tenant.org_id)}, timeout=30)
    assert alias.status_code == 200


def test_a_token_shows_its_own_organization_only(trusting, tenant, issuer):
    mine = tenant.connect("123456789012")
    other = trusting.organization()
    token = issuer.token("es", other.org_id)
    assert ask(trusting, token).json()["data"] == []
    assert ask(trusting, token, "/v1/connections/" + mine["id"]).status_code == 404
    assert ask(trusting, token, headers={"X-Org-Id": other.org_id}).status_code == 200
    refused = [ask(trusting, token, headers={"X-Org-Id": org, "X-Request-Id": "same"}) for org in (tenant.org_id, str(uuid.uuid4()))]
    assert {(a.status_code, a.json()["code"]) for a in refused} == {(403, "wrong_organization")}
    assert refused[0].text == refused[1].text


def test_scopes_are_what_the_token_names(trusting, tenant, issuer):
    for claim in ("syncs:read nonsense", ["syncs:read", 7, "nonsense"]):
        token = issuer.token("es", tenant.org_id, scope=claim)
        assert ask(trusting, token, "/v1/syncs").status_code == 200
        refused = ask(trusting, token)
        assert refused.status_code == 403 and "connections:read" in refused.json()["detail"]
    for claim in (None, "", 7, {"connections:read": True}, ["connections:read syncs:read"]):
        assert ask(trusting, issuer.token("es", tenant.org_id, scope=claim)).status_code == 403, claim


def test_a_role_may_stand_in_place_of_scopes(start_server, issuer):
    own = start_server(**issuer.settings(jwt_role_claim="https://issuer.example/role", jwt_org_claim="https://issuer.example/org"))
    org = own.organization()

    def status(role, method="GET"):
        claims = {"https://issuer.example/role": role, "https://issuer.example/org": org.org_id}
        return ask(own, issuer.token("rs", None, **claims), method=method, json={} if method == "POST" else None).status_code
    assert [status("viewer"), status("viewer", "POST"), status("editor", "POST")] == [200, 403, 422]
    assert status("root") == 403 and status(["owner"]) == 403


def test_the_subject_is_the_actor(trusting, tenant, issuer, database):
    body = {"name": "by token", "authoritative_status": "none", "aws_account_id": "123456789012", "region": "us-east-1",
            "auth": {"method": "assume_role", "role_arn": "arn:aws:iam::123456789012:role/R"}}
    odd = "zürich user " + "x" * 90
    for subject in ("auth0|5f1", odd):
        made = ask(trusting, issuer.token("es", tenant.org_id, sub=subject, scope="connections:write"), method="POST", json=body)
        assert made.status_code == 201, made.text
    actors = [r[0] for r in database.rows("SELECT actor FROM audit WHERE org_id = %s AND actor LIKE 'jwt:%%' ORDER BY at", tenant.org_id)]
    assert actors == ["jwt:auth0|5f1", "jwt:sha256:" + hashlib.sha256(odd.encode()).hexdigest()[:32]]


def forgeries(issuer, org_id):
    good, now = issuer.claims(org_id), int(time.time())
    head = {"alg": "RS256", "kid": "rs"}
    honest = issuer.token("rs", org_id)
    first, second, third = honest.split(".")
    modulus = issuer.public["rs"]["n"]
    duplicated = json.dumps(good)[:-1] + f', "org_id": "{org_id}"}}'
    yield "no signature, alg none", f"{part({'alg': 'none'})}.{part(good)}."
    yield "alg None", f"{part({'alg': 'None', 'kid': 'rs'})}.{part(good)}.{third}"
    yield "no alg", issuer.raw("rs", {"kid": "rs"}, good)
    yield "signature cut off", f"{first}.{second}."
    for what, secret in (("the PEM", issuer.pems["rs"].encode()), ("the modulus", base64.urlsafe_b64decode(modulus + "==")),
                         ("the modulus's text", modulus.encode()), ("nothing", b"")):
        yield f"HS256 with {what}", with_hmac({"alg": "HS256", "kid": "rs"}, good, secret)
    yield "payload of another token", f"{first}.{part({**good, 'sub': 'other'})}.{third}"
    yield "header of another token", f"{part({**head, 'typ': 'at+jwt'})}.{second}.{third}"
    yield "wrong issuer", issuer.token("rs", org_id, iss="https://issuer.example/realm/")
    yield "no issuer", issuer.token("rs", org_id, iss=None)
    yield "wrong audience", issuer.token("rs", org_id, aud="connectord")
    yield "no audience", issuer.token("rs", org_id, aud=None)
    yield "audience list without us", issuer.token("rs", org_id, aud=["a", "b"])
    yield "audience is an object", issuer.raw("rs", head, {**good, "aud": {"connectord-tests": 1}})
    yield "expired", issuer.token("rs", org_id, iat=now - 600, exp=now - 61)
    yield "not yet", issuer.token("rs", org_id, nbf=now + 120)
    yield "issued in the future", issuer.token("rs", org_id, iat=now + 120)
    yield "no exp", issuer.token("rs", org_id, exp=None)
    for value in ("soon", str(now + 300), -1, 1e300, None, True):
        yield f"exp {value}", issuer.raw("rs", head, {**good, "exp": value})
    yield "nbf is text", issuer.raw("rs", head, {**good, "nbf": "0"})
    yield "no subject", issuer.token("rs", org_id, sub=None)
    yield "no organization", issuer.token("rs", None)
    yield "organization in upper case", issuer.token("rs", org_id.upper())
    yield "organization without hyphens", issuer.token("rs", org_id.replace("-", ""))
    yield "organization zero", issuer.token("rs", "00000000-0000-0000-0000-000000000000")
    yield "organizations", issuer.raw("rs", head, {**good, "org_id": [org_id]})
    yield "crit", issuer.raw("rs", {**head, "crit": ["exp"]}, good)
    yield "crit of b64", issuer.raw("rs", {**head, "crit": ["b64"], "b64": False}, good)
    yield "empty crit", issuer.raw("rs", {**head, "crit": []}, good)
    yield "another type", issuer.raw("rs", {**head, "typ": "logout+jwt"}, good)
    yield "kid is a number", issuer.raw("rs", {**head, "kid": 1}, good)
    yield "kid is empty", issuer.raw("rs", {**head, "kid": ""}, good)
    yield "no kid", issuer.raw("rs", {"alg": "RS256"}, good)
    yield "kid of an EC key", issuer.raw("rs", {**head, "kid": "es"}, good)
    yield "kid of another RSA key", issuer.raw("rs", {**head, "kid": "ps"}, good)
    yield "ES256 with a P-384 key", issuer.raw("es384", {"alg": "ES256", "kid": "es384"}, good, alg="ES256")
    yield "an algorithm not in the list", issuer.raw("rs", {"alg": "RS512", "kid": "rs"}, good, alg="RS512")
    yield "key in the header", issuer.raw("ps", {**head, "jwk": issuer.public["ps"]}, good, alg="RS256")
    yield "address in the header", issuer.raw("ps", {**head, "kid": "new", "jku": issuer.server.url.replace("/jwks", "/mine")}, good, alg="RS256")
    yield "duplicated claim", issuer.raw("rs", head, duplicated)
    yield "duplicated header", issuer.raw("rs", '{"alg": "none", "kid": "rs", "alg": "RS256"}', good)
    yield "payload is a list", issuer.raw("rs", head, [good])
    yield "payload is no JSON", issuer.raw("rs", head, "{")
    yield "deep payload", issuer.raw("rs", head, json.dumps({**good, "deep": 0})[:-2] + "[" * 100 + "]" * 100 + "}")
    yield "9 KiB", issuer.token("rs", org_id, more="x" * 9000)
    yield "padding", f"{first}.{second}.{third}="
    yield "standard base64", f"{first}.{second}.{base64.b64encode(base64.urlsafe_b64decode(third + '==')).decode().rstrip('=')}+"
    yield "a fourth part", f"{honest}.{third}"
    yield "two dots and nothing", ".."
    yield "only a header", f"{first}.."


def test_forgeries_are_refused(trusting, tenant, issuer):
    accepted = [(name, a.status_code) for name, token in forgeries(issuer, tenant.org_id)
                for a in [ask(trusting, token)] if a.status_code != 401]
    assert accepted == []
    assert ask(trusting, issuer.token("rs", tenant.org_id)).status_code == 200, "the honest one still gets in"
    assert issuer.server.elsewhere == 0, "no address in a token is followed"


def test_changing_any_byte_of_a_token_spoils_it(trusting, tenant, issuer):
    token = issuer.token("es", tenant.org_id)
    for at in range(0, len(token), 7):
        if token[at] != ".":
            changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1:]
            assert ask(trusting, changed).status_code == 401, at


def test_what_the_clock_allows(trusting, tenant, issuer):
    now = int(time.time())
    for claims in ({"exp": now - 30, "iat": now - 90}, {"nbf": now + 30}, {"exp": now + 300.75}, {"aud": ["x", "connectord-tests"]},
                   {"iat": None}):
        assert ask(trusting, issuer.token("es", tenant.org_id, **claims)).status_code == 200, claims
    assert ask(trusting, issuer.raw("es", {"alg": "ES256", "kid": "es", "typ": "at+JWT"}, issuer.claims(tenant.org_id))).status_code == 200


def test_no_token_outlives_its_end(start_server, issuer):
    own = start_server(**issuer.settings(jwt_leeway_s=0))
    org = own.organization()
    end, token = 0, ""

    def let_in():
        nonlocal end, token
        end = int(time.time()) + 3
        token = issuer.token("es", org.org_id, exp=end)
        return ask(own, token).status_code == 200
    wait_until(let_in, "it is used before its end")
    refused_in_time(lambda: ask(own, token).status_code != 401, "the token", end + 1.5 - time.time())


def test_an_organization_that_is_not_there_is_answered_like_one_that_goes(trusting, issuer, database):
    going = trusting.organization()
    token, nobody = issuer.token("es", going.org_id), issuer.token("es", str(uuid.uuid4()))
    assert ask(trusting, token).status_code == 200
    database.rows("UPDATE organization SET state = 'deleting' WHERE org_id = %s", going.org_id)
    refused_in_time(lambda: ask(trusting, token).status_code != 403, "the deleted organization", 7)
    answers = [ask(trusting, t, headers={"X-Request-Id": "same"}) for t in (token, nobody)]
    assert [a.status_code for a in answers] == [403, 403] and answers[0].text == answers[1].text


def test_unknown_keys_cost_one_fetch_and_then_none(start_server, alone):
    began = time.monotonic()
    own = start_server(**alone.settings(jwt_jwks_min_s=4))
    org = own.organization()
    assert ask(own, alone.token("first", org.org_id)).status_code == 200
    assert alone.server.fetches == 1
    strangers = [alone.token("first", org.org_id, header={"kid": f"k{i}"}) for i in range(20)]
    assert {ask(own, t).status_code for t in strangers} == {401}
    fetched = alone.server.fetches
    if time.monotonic() - began < 4:
        assert fetched == 1, "within the interval nothing is fetched"
    wait_until(lambda: ask(own, strangers[0]).status_code == 401 and alone.server.fetches >= 2, "one fetch is allowed again", within=20)
    before, fetched = time.monotonic(), alone.server.fetches
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        assert set(pool.map(lambda t: ask(own, t).status_code, strangers)) == {401}
    assert alone.server.fetches <= fetched + (time.monotonic() - before) // 4 + 1


def test_a_new_key_is_found_and_an_old_one_is_forgotten(start_server, alone):
    own = start_server(**alone.settings(jwt_jwks_ttl_s=2))
    org = own.organization()
    assert ask(own, alone.token("first", org.org_id)).status_code == 200
    alone.key("second", "RS256")
    wait_until(lambda: ask(own, alone.token("second", org.org_id)).status_code == 200, "the new key is found", within=20)
    alone.server.keys = [alone.public["second"]]
    wait_until(lambda: ask(own, alone.token("first", org.org_id, jti=uuid.uuid4().hex)).status_code == 401, "the old key is forgotten",
               within=20)
    assert ask(own, alone.token("second", org.org_id)).status_code == 200
    assert ask(own, alone.token("second", org.org_id, header={"kid": None})).status_code == 200, "one key needs no name"


def test_made_up_key_names_hold_few_requests_and_fill_no_log(start_server, alone):
    own = start_server(**alone.settings(jwt_jwks_ttl_s=2))
    org = own.organization()
    good, strange = alone.token("first", org.org_id), alone.token("first", org.org_id, header={"kid": "made up"})
    assert ask(own, good).status_code == 200
    alone.server.mode, before = "slow", alone.server.fetches
    wait_until(lambda: alone.server.fetches > before, "a fetch is under way", within=20)
    with concurrent.futures.ThreadPoolExecutor(44) as pool:
        asked = [pool.submit(ask, own, strange) for _ in range(44)]
        wait_until(lambda: sum(f.done() for f in asked) >= 12, "those beyond 32 are answered while it lasts", within=4)
        assert ask(own, good).status_code == 200
        alone.server.mode = "ok"
        alone.server.leave.set()
    assert {f.result().status_code for f in asked} == {401}
    told, began = own.text().count("token_refused"), time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: ask(own, good[:-8] + "AAAAAAAA").status_code, range(150))) == {401}
    assert own.text().count("token_refused") - told <= 10 * (2 + time.monotonic() - began)


@pytest.mark.parametrize("mode", ["error", "redirect", "garbage", "huge", "slow"])
def test_a_key_set_that_cannot_be_had_is_said_so_and_hurts_nobody_else(start_server, alone, mode):
    alone.server.mode = mode
    own = start_server(**alone.settings())
    org = own.organization()
    answer = ask(own, alone.token("first", org.org_id))
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "keys_unavailable", "1")
    assert soon(lambda: org.get("/v1/connections"), 1.5, "what needs no token").status_code == 200
    own.wait_log("jwks_unavailable")
    assert alone.server.elsewhere == 0, "redirects are not followed"
    alone.server.mode = "ok"
    alone.server.leave.set()
    wait_until(lambda: ask(own, alone.token("first", org.org_id)).status_code == 200, "tokens work again", within=30)
    own.wait_log("jwks_back")


def test_an_old_key_set_is_used_while_it_cannot_be_fetched_but_not_for_ever(start_server, alone):
    own = start_server(**alone.settings(jwt_jwks_ttl_s=1, jwt_jwks_stale_s=6))
    org = own.organization()
    assert ask(own, alone.token("first", org.org_id)).status_code == 200
    alone.server.mode = "error"
    before = alone.server.fetches
    wait_until(lambda: alone.server.fetches >= before + 2, "it was tried again", within=20)
    assert ask(own, alone.token("first", org.org_id, jti="a")).status_code == 200
    wait_until(lambda: ask(own, alone.token("first", org.org_id, jti=uuid.uuid4().hex)).status_code == 503, "the set is too old", within=30)


def test_a_set_of_private_symmetric_weak_and_foreign_keys_verifies_nothing(start_server, alone):
    weak = alone.maker.ask(do="weak", kid="weak")["jwk"]
    alone.algs["weak"] = "RS256"
    enc = alone.key("enc", "RS256", members={"use": "enc"})
    other_alg = alone.key("other", "RS256", members={"alg": "PS256"})
    secret = part(b"0123456789abcdef0123456789abcdef")
    alone.server.keys = [weak, enc, other_alg, {"kty": "oct", "kid": "oct", "k": secret, "alg": "HS256"}, {**alone.public["first"], "d": "AA"}]
    own = start_server(**alone.settings())
    org = own.organization()
    good = alone.claims(org.org_id)
    tokens = [alone.raw(name, {"alg": alone.algs[name], "kid": name}, good) for name in ("weak", "enc", "other", "first")]
    tokens.append(with_hmac({"alg": "HS256", "kid": "oct"}, good, b"0123456789abcdef0123456789abcdef"))
    assert {ask(own, t).status_code for t in tokens} == {401}


def test_the_key_set_may_be_a_file(start_server, alone, tmp_path):
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [alone.public["first"]]}))
    own = start_server(**alone.settings(jwt_jwks_url=None, jwt_jwks_file=path, jwt_allow_http=None))
    org = own.organization()
    assert ask(own, alone.token("first", org.org_id)).status_code == 200
    alone.key("second", "PS256")
    path.write_text(json.dumps({"keys": [alone.public["second"]]}))
    wait_until(lambda: ask(own, alone.token("second", org.org_id)).status_code == 200, "the file is read again", within=20)


def test_without_an_issuer_no_token_is_taken(server, org, issuer):
    assert ask(server, issuer.token("rs", org.org_id)).status_code == 401


def test_no_token_enters_the_log(trusting, tenant, issuer):
    good, bad = issuer.token("es", tenant.org_id), issuer.token("es", tenant.org_id, aud="other")
    assert [ask(trusting, t).status_code for t in (good, bad)] == [200, 401]
    trusting.wait_log("wrong_audience")
    assert all(piece not in trusting.text() for t in (good, bad) for piece in t.split(".")[1:])


@pytest.mark.parametrize("changed, says", [
    ({"jwt_algorithms": "RS256,HS256"}, "jwt_algorithms"), ({"jwt_algorithms": "none"}, "jwt_algorithms"), ({"jwt_algorithms": ""}, "jwt_algorithms"),
    ({"jwt_audience": ""}, "jwt_audience"), ({"jwt_org_claim": ""}, "jwt_org_claim"), ({"jwt_allow_http": "false"}, "jwt_jwks_url"),
    ({"jwt_jwks_url": "file:///etc/passwd"}, "jwt_jwks_url"), ({"jwt_jwks_url": ""}, "jwt_jwks_url"), ({"jwt_jwks_file": "x"}, "jwt_jwks_file")])
def test_settings_that_cannot_be_meant_end_the_start(keys, changed, says):
    settings = {"jwt_issuer": ISSUER, "jwt_audience": "a", "jwt_jwks_url": "http://127.0.0.1:1/jwks", "jwt_allow_http": "true",
                "database_url": "host=127.0.0.1 port=1", "seal_public_file": keys.seal_public, "listen_port": 0, **changed}
    env = clean_environment(**{f"CONNECTORD_{k.upper()}": v for k, v in settings.items()})
    done = run([binary(), "server"], env=env)
    assert done.returncode == 78 and says in done.stderr, done.stderr
