"""The AWS client against awssim: whatever the wire does, the right class, an honest tally and no hang."""
import json
import socket
import ssl
import subprocess
import threading

import pytest

from probes import Aws

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ConnectordReadOnly"
FAST = "*=100000"
PATIENT = {"call_timeout": 30, "deadline": 60}  # where nothing is waited for to its end


@pytest.fixture(scope="module")
def simulator(start_awssim):
    made = start_awssim("demo", page_size=2)
    made.set(external_id="right")
    return made


@pytest.fixture
def aws(simulator):
    simulator.clear_faults()
    simulator.clock(0)
    return Aws(simulator, role=ROLE, external_id="right", account=ACCOUNT, rates=FAST, call_timeout=2, deadline=3)


def names(outcome):
    return sorted(user["UserName"] for page in outcome.pages for user in page["Users"])


@pytest.fixture(scope="module")
def everyone(simulator):
    """The account's users, told by an undisturbed listing."""
    simulator.clear_faults()
    outcome = Aws(simulator, role=ROLE, external_id="right", account=ACCOUNT, rates=FAST)("pages", "iam:ListUsers")
    assert outcome.rc == "OK" and outcome.summary["pages"] >= 3
    return names(outcome)


def test_a_listing_reads_every_page(everyone, aws, simulator):
    since = simulator.last()
    outcome = aws("pages", "iam:ListUsers", **PATIENT)
    assert names(outcome) == everyone
    assert len(set(everyone)) == len(everyone) >= 5
    assert [call["operation"] for call in simulator.calls(since)].count("ListUsers") == outcome.calls


# Broken for good at page 1, in the middle or at the end: the class, our code, and never a success.
ENDINGS = [
    ("access_denied", "denied", "AccessDenied"),
    ("throttle", "throttled", "Throttling"),
    ("http_500", "transient", "InternalFailure"),
    ("timeout", "transient", "timeout"),
    ("reset", "transient", "connection_lost"),
    ("cut_body", "transient", "cut_body"),
    ("cut_xml", "transient", "unparsable_reply"),
    ("empty_200", "transient", "unparsable_reply"),
    ("html_200", "transient", "unparsable_reply"),
    ("garbage", "transient", "unparsable_reply"),
    ("dtd", "transient", "unparsable_reply"),
    ("error_in_200", "transient", "InternalFailure"),
    ("slow", "transient", "reply_timeout"),
    ("endless_headers", "bad_request", "reply_too_long"),
    ("big_header", "bad_request", "reply_too_long"),
    ("flood_1xx", "bad_request", "reply_too_long"),
    ("expired_token", "creds_expired", "ExpiredToken"),
]


@pytest.mark.parametrize("page", [1, 2, "last"])
@pytest.mark.parametrize("fault,kind,code", ENDINGS, ids=[fault for fault, _, _ in ENDINGS])
def test_a_page_that_stays_broken_fails_the_listing_with_its_class(aws, simulator, fault, kind, code, page):
    simulator.fault(fault, match={"operation": "ListUsers", "page": page})
    outcome = aws("pages", "iam:ListUsers", within=30)
    assert outcome.rc != "OK" and outcome.returncode == 1
    assert (outcome.kind, outcome.fault["code"]) == (kind, code), outcome
    assert len(outcome.pages) == {1: 0, 2: 1}.get(page, len(outcome.pages))
    assert simulator.faults()[0]["hits"] >= 1
    assert outcome.elapsed_s < 15
    assert outcome.err_text
    if fault == "throttle":
        assert outcome.throttles >= 1
    if fault == "access_denied":
        assert outcome.fault["deny_cause"] == "implicit" and outcome.calls == len(outcome.pages) + 1


@pytest.mark.parametrize("page", [1, 2, "last"])
@pytest.mark.parametrize("fault", ["throttle", "http_500", "reset", "cut_body", "cut_xml", "empty_200", "html_200", "garbage",
                                   "error_in_200", "expired_token"])
def test_a_page_that_breaks_once_is_read_again_in_place(everyone, aws, simulator, fault, page):
    simulator.fault(fault, times=1, match={"operation": "ListUsers", "page": page})
    outcome = aws("pages", "iam:ListUsers", **PATIENT)
    assert outcome.rc == "OK", outcome
    assert names(outcome) == everyone
    assert simulator.faults()[0]["hits"] == 1
    # In place: only the broken page was asked for twice.
    assert outcome.calls == outcome.summary["pages"] + 1 and outcome.retries == 1


def test_empty_pages_are_not_the_end(everyone, aws, simulator):
    simulator.fault("empty_pages", times=3, match={"operation": "ListUsers", "page": 2})
    outcome = aws("pages", "iam:ListUsers", **PATIENT)
    assert outcome.rc == "OK" and names(outcome) == everyone


@pytest.mark.parametrize("fault,code,calls", [("same_token", "page_loop", 3), ("big_token", "page_token", 1)])
def test_pagers_that_lie_stop_at_once(aws, simulator, fault, code, calls):
    simulator.fault(fault, match={"operation": "ListUsers"})
    outcome = aws("pages", "iam:ListUsers")
    assert (outcome.kind, outcome.fault["code"]) == ("pager", code), outcome
    assert outcome.calls <= calls and outcome.max_rss_kib < 64 * 1024


def test_an_endless_listing_keeps_memory_flat(aws, simulator):
    """That it ends at the cap is a unit test's to prove; here its pages come from a wire."""
    simulator.fault("endless", match={"operation": "ListUsers"})
    outcome = aws("pages", "iam:ListUsers", quiet=True, cancel_after=5000)
    assert outcome.kind in ("canceled", "pager"), outcome
    assert outcome.summary["pages"] > 100 and outcome.max_rss_kib < 32 * 1024, outcome


def test_an_outage_is_not_made_worse_by_retries(aws, simulator):
    simulator.fault("http_500", match={"operation": "ListAccessKeys"})
    items = "\n".join(json.dumps({"UserName": f"user-{n}"}) for n in range(1000)) + "\n"
    since = simulator.last()
    outcome = aws("each", "iam:ListAccessKeys", stdin=items, quiet=True)
    assert outcome.rc == "OK" and outcome.faults == 1000
    assert 1000 <= outcome.calls <= 1035
    sent = [call for call in simulator.calls(since) if call["operation"] == "ListAccessKeys"]
    assert len(sent) == outcome.calls


def test_each_delivers_what_there_is_and_says_what_is_not(everyone, aws, simulator):
    items = "\n".join(json.dumps({"UserName": name}) for name in [*everyone, "nobody-of-that-name"]) + "\n"
    outcome = aws("each", "iam:ListAccessKeys", stdin=items, **PATIENT)
    assert outcome.rc == "OK", outcome
    assert len([item for item in outcome.items if not item["more"]]) == len(everyone)
    assert [fault["class"] for fault in outcome.item_faults] == ["not_found"]


def test_every_slot_gets_its_turn_when_the_rate_is_tight(everyone, aws, simulator):
    """Slots that are soon free again must not go ahead of the others: the first asked are the first answered."""
    asked = [name for name in everyone for _ in range(6)][:60]
    since = simulator.last()
    outcome = aws("each", "iam:ListAccessKeys", stdin="\n".join(json.dumps({"UserName": name, "MaxItems": 1000 - n})
                                                             for n, name in enumerate(asked)) + "\n",
                  rates="iam=20,sts=100", in_flight=8, deadline=2)
    assert outcome.rc == "OK" and outcome.faults == 0, outcome
    sent = [call for call in simulator.calls(since) if call["operation"] == "ListAccessKeys"]
    assert len(sent) >= len(asked)
    assert outcome.elapsed_s > 2  # longer than the deadline: progress is what counts


# ---- credentials ----

def test_the_external_id_is_sent_and_its_absence_is_a_denial(aws, simulator):
    assert aws("warm").rc == "OK"
    for wrong in (None, "wrong"):
        outcome = aws("warm", external_id=wrong)
        assert (outcome.kind, outcome.rc) == ("denied", "DENIED")


def test_a_role_in_an_account_of_our_own_is_never_asked_for(aws, simulator):
    since = simulator.last()
    outcome = aws("warm", own_account=ACCOUNT)
    assert (outcome.rc, outcome.err_code, outcome.kind) == ("DENIED", "own_account_role", "denied")
    assert simulator.calls(since) == []


def test_an_unknown_key_is_invalid_and_a_wrong_secret_too(simulator):
    simulator.clear_faults()
    for credentials in ({"AWS_ACCESS_KEY_ID": "AKIAUNKNOWN000000000"}, {"AWS_SECRET_ACCESS_KEY": "wrong"}):
        outcome = Aws(simulator, environment=credentials)("call", "iam:ListUsers")
        assert outcome.kind == "creds_invalid", outcome
        # Asked twice: once for itself, once at home with GetCallerIdentity.
        assert outcome.calls == 2


def test_a_region_that_is_off_is_not_a_broken_key(aws, simulator):
    simulator.fault("region_off", match={"service": "ec2"})
    outcome = aws("call", "ec2:DescribeRegions", region="eu-south-1", home="us-east-1")
    assert outcome.kind == "region_disabled", outcome
    simulator.fault("region_off", match={"operation": "GetCallerIdentity"})
    outcome = aws("call", "ec2:DescribeRegions", region="eu-south-1", home="us-east-1")
    assert outcome.kind == "creds_invalid", outcome


def test_a_service_that_every_region_has_is_never_called_off(aws, simulator):
    """IAM signs for us-east-1 wherever the connection lives: refused there while the key works is no region that is off."""
    simulator.fault("region_off", match={"service": "iam"})
    outcome = aws("call", "iam:ListUsers", region="eu-west-1", home="eu-west-1")
    assert outcome.kind == "bad_request", outcome
    assert outcome.fault["code"] == "InvalidClientTokenId"


def test_a_page_without_an_api_is_no_missing_service_where_every_region_has_it(aws, simulator):
    page = {"code": "", "message": "", "status": 404}
    simulator.fault("error", match={"service": "iam"}, **page)
    outcome = aws("call", "iam:ListUsers")
    assert outcome.kind == "transient" and outcome.calls > 1, outcome
    simulator.fault("error", match={"service": "ec2"}, **page)
    assert aws("call", "ec2:DescribeRegions").kind == "unsupported"


def test_a_name_that_is_not_found_for_a_moment_is_no_verdict(simulator):
    """While other hosts are found: for IAM never, elsewhere only after seconds."""
    for service, operation in (("IAM", "iam:ListUsers"), ("EC2", "ec2:DescribeRegions")):
        lost = Aws(simulator, environment={f"AWS_ENDPOINT_URL_{service}": "http://connectord.invalid:1"}, role=ROLE,
                   external_id="right", account=ACCOUNT, rates=FAST, call_timeout=2, deadline=3)
        outcome = lost("call", operation, within=20)
        assert (outcome.kind, outcome.fault["code"]) == ("transient", "host_not_found"), outcome


def test_no_answer_from_home_is_no_verdict(aws, simulator):
    simulator.fault("region_off", match={"service": "ec2"})
    simulator.fault("http_500", match={"operation": "GetCallerIdentity"})
    outcome = aws("call", "ec2:DescribeRegions", region="eu-south-1", home="us-east-1")
    assert outcome.kind == "transient", outcome


def test_sessions_are_refreshed_early_by_one_thread(simulator):
    simulator.clear_faults()
    simulator.config(longest_session_s=8)
    try:
        since = simulator.last()
        aws = Aws(simulator, role=ROLE, external_id="right", account=ACCOUNT, rates=FAST)
        outcome = aws("call", "sts:GetCallerIdentity", threads=16, repeat=100, every=150, quiet=True, within=120)
        calls = simulator.calls(since)
    finally:
        simulator.config(longest_session_s=None)
    assert outcome.rc == "OK" and outcome.runs == 1600
    refreshes = [call for call in calls if call["operation"] == "AssumeRole"]
    # 15 s and more of work on sessions of 8 s that are renewed with 2 s left.
    assert 2 <= len(refreshes) <= 6, len(refreshes)
    assert not [call for call in calls if "Expired" in str(call.get("code"))]


def test_a_flaky_sts_costs_no_call(simulator):
    simulator.clear_faults()
    simulator.config(longest_session_s=8)
    simulator.fault("http_500", share=0.3, match={"operation": "AssumeRole"})
    try:
        since = simulator.last()
        aws = Aws(simulator, role=ROLE, external_id="right", account=ACCOUNT, rates=FAST)
        outcome = aws("call", "sts:GetCallerIdentity", threads=16, repeat=100, every=150, quiet=True, within=120)
        calls = simulator.calls(since)
    finally:
        simulator.config(longest_session_s=None)
        simulator.clear_faults()
    assert outcome.rc == "OK" and outcome.runs == 1600
    assert not [call for call in calls if "Expired" in str(call.get("code"))]


def test_refreshing_while_sts_is_down_uses_what_is_left(simulator):
    """Inside the advisory window a failed refresh is no failure of the call."""
    simulator.clear_faults()
    simulator.config(longest_session_s=60)
    try:
        aws = Aws(simulator, role=ROLE, external_id="right", account=ACCOUNT, rates=FAST)
        simulator.fault("access_denied", match={"operation": "AssumeRole", "nth": 2})
        outcome = aws("call", "sts:GetCallerIdentity", repeat=3, every=100, quiet=True)
    finally:
        simulator.config(longest_session_s=None)
        simulator.clear_faults()
    assert outcome.rc == "OK" and outcome.runs == 3


def test_rotated_keys_of_our_own_are_picked_up_without_a_restart(simulator, tmp_path):
    simulator.clear_faults()
    file = tmp_path / "credentials"
    vendor = simulator.vendor_account

    def write(key):
        fresh = tmp_path / "fresh"
        fresh.write_text(f"[default]\naws_access_key_id = {key['id']}\naws_secret_access_key = {key['secret']}\n")
        fresh.rename(file)

    old, new = ({"id": f"AKIAROTATED00000000{n}", "secret": f"rotated/secret/{n}"} for n in (1, 2))
    simulator.mutate({"op": "put_user", "account": vendor, "name": "rotating", "keys": [old, new]})
    write(old)
    aws = Aws(simulator, environment={"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None,
                                      "AWS_SHARED_CREDENTIALS_FILE": file}, rates=FAST)
    running = aws.start("call", "sts:GetCallerIdentity", repeat=25, every=200)
    assert running.stdout.readline()  # the old key works
    write(new)
    simulator.mutate({"op": "put_user", "account": vendor, "name": "rotating", "keys": [new]})
    summary = json.loads(running.stdout.readlines()[-1])
    assert running.wait(timeout=60) == 0
    assert summary["rc"] == "OK" and summary["runs"] == 25, summary
    assert summary["retries"] == 1


# ---- the clock ----

@pytest.mark.parametrize("offset", [3600, -3600, 80_000])
def test_a_wrong_clock_costs_one_call_and_is_right_after(simulator, offset):
    simulator.clear_faults()
    simulator.clock(offset)
    try:
        outcome = Aws(simulator, rates=FAST)("call", "sts:GetCallerIdentity", repeat=3)
    finally:
        simulator.clock(0)
    assert outcome.rc == "OK", outcome
    assert outcome.calls == 4 and outcome.retries == 1


def test_a_small_offset_is_left_alone_and_an_absurd_one_is_refused(simulator):
    simulator.clear_faults()
    simulator.clock(200)
    try:
        small = Aws(simulator, rates=FAST)("call", "sts:GetCallerIdentity")
        simulator.clock(3 * 86_400)
        absurd = Aws(simulator, rates=FAST)("call", "sts:GetCallerIdentity")
    finally:
        simulator.clock(0)
    assert small.rc == "OK" and small.calls == 1
    assert absurd.kind == "creds_invalid", absurd


# ---- stopping ----

@pytest.mark.parametrize("operation,fault_on,options", [
    ("iam:ListUsers", "ListUsers", {}),  # while an answer is awaited
    ("iam:ListUsers", "AssumeRole", {}),  # while the session is made
    ("iam:ListUsers", None, {"rates": "iam=0.2,sts=100"}),  # while the limiter says wait
])
def test_a_stop_is_heard_within_200_ms(aws, simulator, operation, fault_on, options):
    if fault_on:
        simulator.fault("timeout", match={"operation": fault_on})
    for _ in range(4):  # whoever does not hear it never does; a machine that stands still does so now and then
        outcome = aws("pages", operation, cancel_after=600, **{**PATIENT, **options})
        assert outcome.kind == "canceled" and outcome.elapsed_s >= 0.6, outcome
        if outcome.elapsed_s < 0.9:
            break
    assert outcome.elapsed_s < 0.9, outcome


# ---- TLS ----

class TlsDoor:
    """Terminates TLS in front of a plain port."""

    def __init__(self, directory, target):
        self.certificate = directory / "door.pem"
        key = directory / "door.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=door",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", self.certificate], check=True,
                       capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.target = target
        self.listener = context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True)
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                inside, _ = self.listener.accept()
            except ssl.SSLError:
                continue  # a client that did not like the certificate
            except OSError:
                return
            outside = socket.create_connection(self.target)
            for pair in ((inside, outside), (outside, inside)):
                threading.Thread(target=self._copy, args=pair, daemon=True).start()

    @staticmethod
    def _copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            end.close()


def test_https_is_verified_against_the_authority_that_is_configured(simulator, tmp_path):
    simulator.clear_faults()
    host, port = simulator.endpoint.removeprefix("http://").split(":")
    door = TlsDoor(tmp_path, (host, int(port)))
    aws = Aws(simulator, environment={"AWS_ENDPOINT_URL": door.url}, rates=FAST, deadline=2)
    refused = aws("call", "sts:GetCallerIdentity")
    assert (refused.kind, refused.fault["code"]) == ("transient", "tls_failed"), refused
    trusted = aws("call", "sts:GetCallerIdentity", ca_file=door.certificate, **PATIENT)
    assert trusted.rc == "OK", trusted
    # Names count as well: the certificate is the address's, not the name's.
    named = Aws(simulator, environment={"AWS_ENDPOINT_URL": door.url.replace("127.0.0.1", "localhost")}, rates=FAST, deadline=2)
    assert named("call", "sts:GetCallerIdentity", ca_file=door.certificate).fault["code"] == "tls_failed"


def test_proxies_of_the_environment_are_not_obeyed(simulator):
    simulator.clear_faults()
    proxy = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"}
    assert Aws(simulator, environment=proxy, rates=FAST)("call", "sts:GetCallerIdentity").rc == "OK"


def test_what_is_printed_on_failure_holds_no_secret(aws, simulator):
    simulator.fault("access_denied", match={"operation": "ListUsers"})
    outcome = aws("pages", "iam:ListUsers")
    said = json.dumps(outcome.summary)
    assert outcome.kind == "denied"
    assert aws.environment["AWS_SECRET_ACCESS_KEY"] not in said and "FwoG" not in said
