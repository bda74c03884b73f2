"""docs/api.md and docs/audit.md are true: their blocks are run as printed, against a real server, worker and simulated AWS."""
import json
import re
import subprocess

import pytest
from api import expect
from processes import ROOT, binary, clean_environment
from receiver import Receiver

ACCOUNT = "111122223333"
RATES = "iam=1000,sts=1000,ec2=1000,account=1000,sso-admin=1000"
PAGE = (ROOT / "docs/api.md").read_text()
SH = re.compile(r"^```sh\n(.*?)^```", re.M | re.S)
BLOCKS = SH.findall(PAGE)
LISTS = {"setup": "policies", "users": "data", "page": "data", "coverage": "data"}


def follow(commands, folder, org, **env):
    """The commands after the page's helpers, as somebody types them who stops at the first that fails."""
    env = clean_environment(URL=org.url, KEY=org.key, ORG_ID=org.org_id, **env)
    run = subprocess.run(["bash", "-euo", "pipefail", "-c", f"{BLOCKS[0]}\n{commands}"], cwd=folder, env=env, capture_output=True,
                         text=True, timeout=240)
    assert run.returncode == 0, f"{run.stdout[-3000:]}\n{run.stderr}\nfiles: {sorted(p.name for p in folder.iterdir())}"
    return run.stdout


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.end()


@pytest.fixture(scope="module")
def server(start_server):
    return start_server(webhook_allow_http="true")


@pytest.fixture(scope="module")
def done(start_awssim, server, start_worker, receiver, tmp_path_factory):
    """The folder in which the page was followed to its end, by an organization whose customer granted what step 1 says."""
    aws = start_awssim("demo")
    start_worker(aws, aws_rates=RATES, webhook_allow_http="true", webhook_allow_private="127.0.0.0/8")
    org = server.organization()
    setup = expect(org.get("/v1/aws/setup", tiers="1,2"), 200)
    aws.set(external_id=setup["external_id"])
    aws.mutate(*({"op": "put_inline_policy", "account": ACCOUNT, "role": "ConnectordReadOnly", "name": policy["name"],
                  "document": policy["document"]} for policy in setup["policies"]))
    folder = tmp_path_factory.mktemp("follows")
    follow("\n".join(BLOCKS[1:]), folder, org, HOOK=receiver.url + "/hook")
    return folder, org


def read(folder, name):
    return json.loads((folder / f"{name}.json").read_text())


def test_the_page_has_a_block_for_each_of_its_steps():
    assert len(re.findall(r"^## (?:\d+\.|And:)", PAGE, re.M)) == 11
    assert len(BLOCKS) == 12


def test_what_it_looks_at_is_there(done):
    folder, org = done
    for name, member in LISTS.items():
        assert read(folder, name)[member], name
    assert read(folder, "setup")["external_id"] == read(folder, "made")["external_id"] == org.org_id
    assert len(read(folder, "page")["data"]) == 100 and read(folder, "page")["has_more"] is True


def test_what_the_customer_granted_is_all_that_is_asked_for(done):
    report = read(done[0], "check")["report"]
    assert report["verdict"]["state"] == "verified" and report["external_id"]["enforced"] is True
    assert report["permissions"]["summary"]["denied"] == 0 and report["patch"] is None


def test_it_ends_with_a_synced_connection_whose_schedule_was_changed(done):
    folder, org = done
    connection = org.connection(read(folder, "made")["id"])
    assert connection["status"]["state"] == "synced", connection["status"]
    assert connection["last_sync"]["state"] == "complete"
    assert connection["schedule"]["every"] == read(folder, "patched")["schedule"]["every"] == "PT1H"
    assert connection["version"] == read(folder, "before")["version"] + 1


def test_its_webhook_is_told(done, receiver):
    webhook = read(done[0], "webhook")
    assert webhook["id"].startswith("whk_") and webhook["secret"].startswith("whsec_")
    assert json.loads(receiver.wait("/hook", 1)[0].body)["type"] in ("webhook.test", *webhook["events"])


def test_what_it_says_of_sending_again_is_true(done):
    folder, org = done
    create = next(block for block in BLOCKS if "Idempotency-Key: connect-production" in block)
    first = read(folder, "made")["id"]
    follow(create, folder, org)
    assert read(folder, "made")["id"] == first
    assert len(org.all("/v1/connections")) == 1


def test_the_audit_page_proves_what_the_page_did(done, server):
    folder, org = done
    (folder / "bin").mkdir()
    (folder / "bin/connectord").symlink_to(binary())
    page = (ROOT / "docs/audit.md").read_text()
    said = follow(f"PATH={folder}/bin:$PATH\n" + "\n".join(SH.findall(page)), folder, org,
                  ADMIN_SOCKET=server.admin_socket, OPERATOR_KEY=server.operator.key)
    assert re.search(rf"{org.org_id} hold together, end (\d+):[0-9a-f]{{64}}, as noted$", said, re.M)
    assert re.search(r"of the operator hold together, end (\d+):[0-9a-f]{64};", said)
    actions = {json.loads(line)["entry"]["action"] for line in (folder / "audit.ndjson").read_text().splitlines()}
    assert {"connection.created", "check.started", "connection.changed", "webhook.created"} <= actions
