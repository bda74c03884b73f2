"""quickstart_check.py FILE: is the last line of what quickstart --once printed the summary of a complete sync?"""
import json
import subprocess
import sys

lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
summary = json.loads(lines[-1])
left = subprocess.run(["pgrep", "-f", "connectord up --no-first-organization"], capture_output=True, text=True, check=False).stdout.split()
checks = {
    "one line": len(lines) == 1,
    "members": sorted(summary) == ["calls", "connection", "coverage", "entities", "external_id_enforced", "status"],
    "complete": summary["status"] == "complete",
    "external ID enforced": summary["external_id_enforced"] is True,
    "users and roles": summary["entities"].get("aws.iam_user", 0) > 5 and summary["entities"].get("aws.iam_role", 0) > 5,
    "nothing denied": set(summary["coverage"]) <= {"ok", "skipped_by_config"} and summary["coverage"].get("ok", 0) > 0,
    "calls": summary["calls"] > 0,
    "nothing left running": not left,
}
for name, holds in checks.items():
    if not holds:
        print(f"quickstart: {name} does not hold")
print(f"{sum(checks.values())} passed, {len(checks) - sum(checks.values())} failed")
sys.exit(0 if all(checks.values()) else 1)
