"""Bad input, field by field: what is refused, how, and that nothing of it is stored."""
import json

import pytest
from api import expect
from waiting import soon

ACCOUNT = "123456789012"
GOOD = {"name": "production", "authoritative_status": "primary", "aws_account_id": ACCOUNT, "region": "us-east-1",
        "auth": {"method": "assume_role", "role_arn": f"arn:aws:iam::{ACCOUNT}:role/R"}}
KEY_AUTH = {"method": "access_key", "access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}


def body(**changes):
    """GOOD with members replaced; a value of ... drops the member."""
    made = {**GOOD, **changes}
    return {k: v for k, v in made.items() if v is not ...}


def role(arn):
    return body(auth={"method": "assume_role", "role_arn": arn})


@pytest.fixture(scope="module")
def tenant(server):
    """One organization for all refusals; the last test of each table looks that nothing was stored."""
    return server.organization()


def refused(tenant, sent, pointer, statuses=(422,)):
    answer = tenant.post("/v1/connections", sent)
    assert answer.status_code in statuses, f"{sent}: {answer.status_code} {answer.text}"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert pointer in [e["pointer"] for e in answer.json()["errors"]], answer.text
    return answer.json()


R = f"arn:aws:iam::{ACCOUNT}:role/"
ROLES = [
    "", "arn", R, R[:-1], f"arn:aws:iam::{ACCOUNT}:user/R", f"arn:aws:iam::{ACCOUNT}:root",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/R/s", f"arn:aws:iam:us-east-1:{ACCOUNT}:role/R", "arn:aws:iam::12345678901:role/R",
    "arn:aws:iam::1234567890123:role/R", "arn:aws:iam::12345678901a:role/R", "arn:aws:iam::１２３４５６７８９０１２:role/R",
    "arn:aws:iam::000000000000:role/R", f"ARN:aws:iam::{ACCOUNT}:role/R", f"arn:AWS:iam::{ACCOUNT}:role/R",
    f"arn:awsx:iam::{ACCOUNT}:role/R", f"arn:aws-cn:iam::{ACCOUNT}:role/R", "arn:aws:iam::*:role/*", "arn:aws:iam::aws:role/R",
    R + "../R", R + "/R", R + "R/", R + "R%00x", R + "R\n", " " + R + "R", R + "R ", R + "R?x=1", R + "R#x", R + "R:extra", R + "Ré",
    R + "a" * 65, R + "p" * 600 + "/R", R + "p/" * 1100 + "R", R + "aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
    "arn:aws:iam::999999999999:role/R", [R + "R"], 7, None, {"arn": R + "R"}, True,
]


@pytest.mark.parametrize("arn", ROLES, ids=repr)
def test_a_role_that_is_not_one_is_refused(tenant, arn):
    refused(tenant, role(arn), "/auth/role_arn")


@pytest.mark.parametrize("arn, region", [(R + "R", "us-east-1"), (R + "path/to/R", "eu-west-3"),
                                         (f"arn:aws-cn:iam::{ACCOUNT}:role/R", "cn-north-1"),
                                         (f"arn:aws-us-gov:iam::{ACCOUNT}:role/R", "us-gov-west-1")])
def test_good_roles_of_every_partition_are_taken(org, arn, region):
    made = expect(org.post("/v1/connections", body(region=region, auth={"method": "assume_role", "role_arn": arn})), 201)
    assert made["auth"] == {"method": "assume_role", "role_arn": arn}


@pytest.mark.parametrize("change", [{"aws_account_id": ACCOUNT + "\0"}, {"auth": {"method": "assume_role", "role_arn": R + "R\0:evil"}},
                                    {"region": "us-east-1\0"}, {"cloudtrail": {"bucket": "example-trail-logs\0"}}], ids=repr)
def test_a_value_that_ends_early_for_c_is_no_value(tenant, change):
    answer = tenant.post("/v1/connections", body(**change))
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json"), answer.text


def test_an_account_may_begin_with_a_zero(org):
    account = "012345678901"
    arn = f"arn:aws:iam::{account}:role/R"
    made = expect(org.post("/v1/connections", body(aws_account_id=account, auth={"method": "assume_role", "role_arn": arn})), 201)
    assert made["aws_account_id"] == account


def test_a_role_of_our_own_account_is_forbidden_and_audited(start_server, database):
    own = start_server(vendor_account="469725248735")
    tenant = own.organization()
    sent = body(aws_account_id="469725248735", auth={"method": "assume_role", "role_arn": "arn:aws:iam::469725248735:role/R"})
    answer = tenant.post("/v1/connections", sent)
    assert (answer.status_code, answer.json()["code"]) == (403, "own_account_role")
    assert database.value("SELECT count(*) FROM audit WHERE org_id = %s AND action = 'connection.own_account_role_refused'",
                          tenant.org_id) == 1
    assert tenant.all("/v1/connections") == []


def test_our_own_account_is_known_from_the_workers_when_no_setting_names_it(start_server, pg):
    fresh = pg.database()
    tenant = start_server(database=fresh).organization()
    sent = body(aws_account_id="469725248735", auth={"method": "assume_role", "role_arn": "arn:aws:iam::469725248735:role/R"})
    made = expect(tenant.post("/v1/connections", sent), 201)  # nobody knows it yet; the worker will refuse
    fresh.rows("INSERT INTO vendor (account_id) VALUES ('469725248735')")
    for answer in (tenant.post("/v1/connections", sent), tenant.patch("/v1/connections/" + made["id"], {"auth": sent["auth"]})):
        assert (answer.status_code, answer.json()["code"]) == (403, "own_account_role")


FIELDS = {
    "/aws_account_id": ["", "123", "1234567890123", "0123456789 1", "-12345678901", "1e11", 123456789012, "１２３４５６７８９０１２",
                        "٠١٢٣٤٥٦٧٨٩٠١", ACCOUNT + "\n", "000000000000", None, [ACCOUNT]],
    "/region": ["x@attacker.com:443/#", "us-east-1\n", "us-east-١", "us-east-1.evil.com", "us-east-1/", "us-east-1?", "us-east-1#",
                "us-east-1%2eevil", "../", "169.254.169.254", "localhost", "US-EAST-1", "us-east-1 ", "-us", "us-", "u" * 65,
                "aws-global", "fips-us-east-1", "xn--us-east-1", "", None, 1, ["us-east-1"], ...],
    "/name": ["", "a" * 81, "tab\there", "line\nbreak", "bell\x07", "del\x7f", "c1\x85", "rtl\u202e", "isolate\u2066", "zero\u200bwidth",
              "joiner\u200d", "bom\ufeff", "soft\u00adhyphen", "line\u2028", "tag\U000e0041", "   ", "\u00a0", None, 5, ...],
    "/authoritative_status": ["", "Primary", "tertiary", "primary|none", None, True, ...],
    "/auth": [None, "assume_role", [], ...],
    "/paused": ["true", 0, 1, None],
    "/schedule": ["PT6H", 7, [], None],
    "/cloudtrail": ["bucket", [], None],
}


@pytest.mark.parametrize("pointer, value", [(p, v) for p, values in FIELDS.items() for v in values], ids=repr)
def test_a_field_with_a_bad_value_is_named(tenant, pointer, value):
    refused(tenant, body(**{pointer[1:]: value}), pointer)


NESTED = {
    "/cloudtrail/bucket": ["a", "b" * 64, "Aa", "a..b", "a.-b", "-ab", "192.168.0.1", "xn--a", "abc-s3alias", "a-s3alias", "bucket.s3.amazonaws.com", "x/y", "x?y", "x%2fy",
                           "arn:aws:s3:::b", "", 5, "with space"],
    "/cloudtrail/days": [0, -1, 3651, 10**9, 90.5, 90.0, "90", None, True, 9223372036854775807],
    "/cloudtrail/digest_prefix": ["", "../", "..", "a/../b", "//", "a//b", "/a", "a/", "p" * 1025, "%", "+", " ", "é", "a b/ü/?#&=", 5, None],
    "/schedule/every": ["", "PT", "P", "6h", "PT59S", "PT0S", "P366D", "P1Y", "P1M", "PT1.5H", "-PT1H", "PT1H1H", "PT1M1H", "pt1h", "PT1H ",
                        "P1W1D", "PT99999999999999999999H", 21600, None],
}


@pytest.mark.parametrize("pointer, value", [(p, v) for p, values in NESTED.items() for v in values], ids=repr)
def test_a_nested_field_with_a_bad_value_is_named(tenant, pointer, value):
    _, outer, inner = pointer.split("/")
    refused(tenant, body(**{outer: {inner: value}}), pointer)


def with_key(**changes):
    return body(auth={k: v for k, v in {**KEY_AUTH, **changes}.items() if v is not ...})


@pytest.mark.parametrize("pointer, changes, code", [
    ("/auth/access_key_id", {"access_key_id": "ASIAIOSFODNN7EXAMPLE"}, "temporary_access_key"),
    ("/auth/access_key_id", {"access_key_id": "akiaiosfodnn7example"}, "invalid_access_key_id"),
    ("/auth/access_key_id", {"access_key_id": "AKIA" + "A" * 11}, "invalid_access_key_id"),
    ("/auth/access_key_id", {"access_key_id": "AKIA" + "A" * 125}, "invalid_access_key_id"),
    ("/auth/access_key_id", {"access_key_id": ...}, "required"),
    ("/auth/secret_access_key", {"secret_access_key": "a" * 39}, "invalid_secret_access_key"),
    ("/auth/secret_access_key", {"secret_access_key": "a" * 41}, "invalid_secret_access_key"),
    ("/auth/secret_access_key", {"secret_access_key": "a" * 38 + "\r\n"}, "invalid_secret_access_key"),
    ("/auth/secret_access_key", {"secret_access_key": "a" * 10240}, "invalid_secret_access_key"),
    ("/auth/secret_access_key", {"secret_access_key": ...}, "required"),
    ("/auth/role_arn", {"role_arn": R + "R"}, "not_with_method"),
    ("/auth/method", {"method": "password"}, "unknown_choice"),
    ("/auth/method", {"method": ...}, "required"),
])
def test_an_access_key_that_is_not_one_is_refused(tenant, pointer, changes, code):
    found = refused(tenant, with_key(**changes), pointer)
    assert code in [e["code"] for e in found["errors"]]


def test_exactly_one_of_account_and_organization_is_wanted(tenant):
    refused(tenant, body(aws_account_id=...), "/aws_account_id")
    refused(tenant, body(aws_organization_id="o-abcdefghij"), "/aws_organization_id")


@pytest.mark.parametrize("value", ["O-abcdefghij", "o-" + "a" * 9, "o-" + "a" * 33, "o-ABCDEFGHIJ", "o-abcdefghi_", "", 5])
def test_an_aws_organization_that_is_not_one_is_refused(tenant, value):
    refused(tenant, body(aws_account_id=..., aws_organization_id=value), "/aws_organization_id")


def test_all_failing_fields_are_told_at_once(tenant):
    found = refused(tenant, {"name": "", "authoritative_status": "x", "aws_account_id": "1", "region": "x", "cloudtrail": {"days": 0},
                             "schedule": {"every": "x"}, "auth": {"method": "assume_role", "role_arn": "x"}}, "/name")
    assert {e["pointer"] for e in found["errors"]} == {
        "/name", "/authoritative_status", "/aws_account_id", "/region", "/cloudtrail/days", "/schedule/every", "/auth/role_arn"}


UNKNOWN = ["external_id", "tenant_id", "org_id", "id", "state", "__proto__", "Role_Arn", "roleArn", "Name", "é", "a" * 500, "a/b~c", ""]


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_field_that_does_not_exist_is_a_bad_request(tenant, name):
    answer = tenant.post("/v1/connections", {**GOOD, name: "x"})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_field"), answer.text
    answer = tenant.post("/v1/connections", body(auth={**GOOD["auth"], name: "x"}))
    assert answer.status_code == 400, answer.text


def test_an_unknown_name_is_pointed_at_as_json_pointer_wants(tenant):
    answer = tenant.post("/v1/connections", {**GOOD, "a/b~c": 1, "é" * 100: 1})
    pointers = [e["pointer"] for e in answer.json()["errors"]]
    assert pointers[0] == "/a~1b~0c" or pointers[1] == "/a~1b~0c"
    assert any(p.startswith("/ééé") and p.strip("/é") == "" for p in pointers)


GOOD_TEXT = json.dumps(GOOD)
MALFORMED = {
    "nothing": b"", "a word": b"hello", "cut": GOOD_TEXT[:-1].encode(), "two values": (GOOD_TEXT + "{}").encode(), "a list": b"[]",
    "a string": b'"x"', "null": b"null", "a number": b"7", "single quotes": b"{'name': 'x'}", "trailing comma": b'{"name": "x",}',
    "comment": b'{"name": "x" /* c */}', "NaN": b'{"name": NaN}', "byte order mark": b"\xef\xbb\xbf" + GOOD_TEXT.encode(),
    "UTF-16": GOOD_TEXT.encode("utf-16"), "overlong": b'{"name": "\xc0\xaf"}', "not UTF-8": b'{"name": "\xff"}',
    "lone surrogate": b'{"name": "\\ud800"}', "raw surrogate": b'{"name": "\xed\xa0\x80"}', "NUL escape": b'{"name": "a\\u0000b"}',
    "NUL in a key": b'{"na\\u0000me": "b"}', "raw NUL": b'{"name": "a\x00b"}',
    "duplicate key": GOOD_TEXT.replace('{"name"', '{"name": "first", "name"', 1).encode(),
    "duplicate nested key": b'{"auth": {"role_arn": "a", "role_arn": "b"}}', "number beyond range": b'{"name": 9223372036854775808}',
    "1e400": b'{"name": 1e400}', "33 deep": b'{"a":' * 33 + b"1" + b"}" * 33, "2049 deep": b"[" * 2049 + b"]" * 2049,
    "60 kB of brackets": b"[" * 60000, "control byte in a string": b'{"name": "a\x01b"}',
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_not_one_json_object_is_a_bad_request(tenant, name):
    answer = tenant.request("POST", "/v1/connections", data=MALFORMED[name], headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 415) if name == "nothing" else answer.status_code == 400, answer.text
    assert "request_id" in answer.json()


@pytest.mark.parametrize("sent", [{"days": 1e5}, {"days": 1.0}, {"days": "1"}, {"days": True}])
def test_a_number_is_a_whole_json_number(tenant, sent):
    refused(tenant, body(cloudtrail=sent), "/cloudtrail/days")


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}, {"Content-Type": "application/json; charset=utf-16"},
                                     {"Content-Type": "multipart/form-data; boundary=x"}, {"Content-Type": "application/merge-patch+json"},
                                     {"Content-Type": "application/jsonx"}, {"Content-Type": ""},
                                     {"Content-Type": "application/json", "Content-Encoding": "gzip"}], ids=str)
def test_another_media_type_or_encoding_is_refused(tenant, headers):
    answer = tenant.request("POST", "/v1/connections", data=GOOD_TEXT.encode(), headers=headers)
    assert answer.status_code == 415, answer.text


def test_a_body_has_a_size(tenant):
    for size in (65537, 1 << 20, 3 << 20):
        answer = tenant.request("POST", "/v1/connections", data=b" " * size, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    padded = GOOD_TEXT[:-1].encode() + b" " * (65536 - len(GOOD_TEXT)) + b"}"
    expect(tenant.request("POST", "/v1/connections?", data=padded, headers={"Content-Type": "application/json"}), 201)


def test_many_keys_in_a_body_are_refused_quickly(tenant):
    many = "{" + ",".join(f'"k{i}":1' for i in range(6000)) + "}"
    answer = soon(lambda: tenant.request("POST", "/v1/connections", data=many, headers={"Content-Type": "application/json"}), 2, "the refusal")
    assert answer.status_code == 400
    assert len(answer.json()["errors"]) <= 32


def test_names_that_differ_in_unicode_form_only_are_kept_as_sent(org):
    for name in ("Caf\u00e9", "Cafe\u0301", "日本語", "👩 team", "a" * 80, "é" * 80):
        made = expect(org.post("/v1/connections", body(name=name)), 201)
        assert org.connection(made["id"])["name"] == name


def test_nothing_of_what_was_refused_is_stored(tenant, database):
    """Runs last in this file: one connection was good (the padded body)."""
    assert len(tenant.all("/v1/connections")) == 1
    assert database.value("SELECT count(*) FROM task WHERE org_id = %s", tenant.org_id) == 1
    assert database.value("SELECT count(*) FROM schedule WHERE org_id = %s", tenant.org_id) == 2
    assert database.value("SELECT count(*) FROM audit WHERE org_id = %s AND target_kind = 'connection'", tenant.org_id) == 1


def test_the_server_survived_all_of_it(server):
    assert server.alive
    assert "request_failed" not in server.text()
