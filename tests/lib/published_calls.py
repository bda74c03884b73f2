"""What all of the system tests' calls to AWS needed is published: awssim's call logs against the permission catalogue."""
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))

from catalogue import actions_of, capabilities  # noqa: E402


def is_ours(call):
    """Asked of a customer: made in a session of ours or with a key. Some tests open sessions by other names, and what nobody signs
    belongs to the operator's own identity."""
    principal = call.get("principal") or ""
    session = principal.rsplit("/", 1)[-1]
    return bool(principal) and (":assumed-role/" not in principal or session.startswith("connectord"))


def main(place):
    published = set().union(*(actions_of(capability) for capability in capabilities().values()))
    needed, calls = {}, 0
    for log in Path(place).glob("*.ndjson"):
        with log.open() as lines:
            for call in map(json.loads, lines):
                calls += 1
                if call.get("action") and is_ours(call):
                    needed.setdefault(call["action"], f"{call['service']} {call['operation']}")
    strange = {action: where for action, where in needed.items() if action not in published}
    for action, where in sorted(strange.items()):
        print(f"{action} is needed by {where} and is not in base/permission.yaml")
    print(f"{calls} calls needed {len(needed)} actions")
    bad = len(strange) + (calls < 2000)  # fewer, and the logs were not written
    print(f"{int(not bad)} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
