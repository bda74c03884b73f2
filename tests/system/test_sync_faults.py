"""The release gate: whatever call fails on whatever page in whatever way, nothing is deleted, the part says so, and every
other part is as complete as before."""
import itertools

import pytest
from sync_fleet import WORLD, Fleet, account_number

WAYS = {
    "access_denied": {}, "http_500": {}, "timeout": {}, "reset": {}, "cut_xml": {}, "error_in_200": {}, "throttle": {},
}
# Operation -> the parts that it decides.
LISTINGS = {
    "GetAccountAuthorizationDetails": {"users", "groups", "roles", "policies"},
    "ListUsers": {"user_details"},
    "ListRoles": {"role_details"},
    "ListPolicies": {"aws_policies", "policy_documents"},
    "ListAccessKeys": {"access_keys", "key_last_used"},
    "ListVirtualMFADevices": {"mfa"},
    "ListMFADevices": {"mfa"},
    "ListSAMLProviders": {"saml_providers"},
    "ListOpenIDConnectProviders": {"oidc_providers"},
    "ListAccountAliases": {"alias"},
    "ListInstanceProfiles": {"instance_profiles"},
}
PAGED = {"GetAccountAuthorizationDetails", "ListUsers", "ListRoles", "ListPolicies", "ListVirtualMFADevices", "ListInstanceProfiles"}
# Denied at once, the details are replaced by the fallback, whose calls this role may make.
HANDED_OVER = {("GetAccountAuthorizationDetails", 1, "access_denied")}
ACCOUNTS = 48
AGAIN_MAX = 16  # cells that may be struck a second time, because the machine stood still for as long as a deadline lasts


def cells():
    """Throttles come last: they slow an account's lane down for a while."""
    for way in WAYS:
        for operation in LISTINGS:
            for page in ((1, 2, "last") if operation in PAGED else (1,)):
                yield operation, page, way


@pytest.fixture(scope="module")
def fleet(start_awssim, start_worker, start_server, database):
    aws = start_awssim(str(WORLD))
    org = start_server().organization(worker_slots=64)
    aws.set(external_id=org.org_id)
    fast = {"aws_rates": "iam=100000,sts=100000,ec2=100000", "aws_in_flight": 4, "poll_ms": 50, "scheduler": "false"}
    patient = start_worker(aws, worker_threads=8, **fast)
    fleet = Fleet(org, database, aws, patient)
    fleet.connect([account_number(n) for n in range(ACCOUNTS)])
    patient.stop()
    aws.config(page_size=2)
    # Short deadlines: what fails, fails for seconds and not for the quarter of an hour that a customer gets.
    fleet.worker = start_worker(aws, worker_threads=16, aws_call_timeout_s=2, aws_scope_deadline_s=3, **fast)
    return fleet


def is_late(fleet, cell, account, before):
    """Nothing changed and what must be lost is, but a part that was not struck ran out of its seconds, too."""
    expected = set() if cell in HANDED_OVER else LISTINGS[cell[0]]
    rows = fleet.coverage(account)
    lost = {part for part, row in rows.items() if row["state"] != "ok"}
    return fleet.snapshot(account) == before and lost > expected and all(rows[part]["state"] == "error" for part in lost - expected)


def check(fleet, cell, account, before, state):
    operation, page, way = cell
    wrong = []
    if fleet.snapshot(account) != before:
        wrong.append("entities or edges changed")
    expected = set() if cell in HANDED_OVER else LISTINGS[operation]
    rows = fleet.coverage(account)
    lost = {part for part, row in rows.items() if row["state"] != "ok"}
    if lost != expected:
        wrong.append(f"not ok: {sorted(lost)}, should be {sorted(expected)}")
    for part in expected & lost:
        row = rows[part]
        if not row["reason"].endswith(".") or ", so " not in row["reason"]:
            wrong.append(f"{part} gives no reason: {row}")
        if way == "access_denied" and row["action"] != f"iam:{operation}":
            wrong.append(f"{part} names the action {row['action']!r}")
        if way == "throttle" and row["state"] not in ("throttled", "partial"):
            wrong.append(f"{part} is {row['state']}")
        if way == "access_denied" and row["state"] not in ("denied", "partial"):
            wrong.append(f"{part} is {row['state']}")
    if state != ("complete" if cell in HANDED_OVER else "partial"):
        wrong.append(f"the sync ended {state}")
    return [f"{operation} page {page} {way} ({account}): {w}" for w in wrong]


def test_no_failure_of_a_listing_deletes_or_spreads(fleet):
    wrong, done, again = [], 0, set()
    todo = list(cells())
    while todo:
        batch, todo = todo[:ACCOUNTS], todo[ACCOUNTS:]
        placed = dict(zip(itertools.count(), batch))
        accounts = {n: account_number(n) for n in placed}
        before = {n: fleet.snapshot(a) for n, a in accounts.items()}
        fleet.aws.clear_faults()
        for n, (operation, page, way) in placed.items():
            fleet.aws.fault(way, match={"operation": operation, "account": accounts[n], "page": page}, **WAYS[way])
        states = fleet.sync(accounts.values(), within=180)
        hits = {fault["match"]["account"]: fault["hits"] for fault in fleet.aws.faults()}
        for n, cell in placed.items():
            assert hits[accounts[n]] > 0, f"{cell} was never struck"
            if cell not in again and len(again) < AGAIN_MAX and is_late(fleet, cell, accounts[n], before[n]):
                again.add(cell)
                todo.append(cell)
                continue
            wrong += check(fleet, cell, accounts[n], before[n], states[accounts[n]])
            done += 1
    fleet.aws.clear_faults()
    assert not wrong, f"{len(wrong)} of {done} cells:\n" + "\n".join(wrong)
    assert done == len(list(cells()))


def test_after_the_faults_a_sync_is_complete_again(fleet):
    accounts = [account_number(n) for n in range(4)]
    states = fleet.sync(accounts, within=180)
    assert {states[a] for a in accounts} == {"complete"}
