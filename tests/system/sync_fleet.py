"""Many accounts of one organization, connected and synced side by side."""
from pathlib import Path

from waiting import wait_until

WORLD = Path(__file__).resolve().parents[1] / "data/worlds/sync-fleet.yaml"
FIRST = 200_000_000_000


def account_number(n):
    return str(FIRST + n)


def role_of(account, name="ConnectordReadOnly"):
    return f"arn:aws:iam::{account}:role/{name}"


class Fleet:
    def __init__(self, org, database, aws, worker):
        self.org, self.database, self.aws, self.worker = org, database, aws, worker
        self.connections = {}

    def connect(self, accounts):
        """Connects and waits for every first sync, which must be complete."""
        for account in accounts:
            self.connections[account] = self.org.connect(account, role_arn=role_of(account))["id"]
        self.wait_states({a: "complete" for a in accounts})

    def states(self):
        return dict(self.database.rows(
            "SELECT c.aws_account_id, (SELECT s.state FROM sync s WHERE s.org_id = c.org_id AND s.connection_id = c.connection_id"
            " ORDER BY s.sync_id DESC LIMIT 1) FROM connection c WHERE c.org_id = %s", self.org.org_id))

    def over(self, accounts):
        states = self.states()
        return all(states.get(a) in ("complete", "partial", "failed", "canceled") for a in accounts) and states

    def wait_states(self, want, within=120):
        states = wait_until(lambda: self.over(want), lambda: f"{self.states()}\n{self.worker.tail()}", within)
        wrong = {a: (states[a], self.coverage(a)) for a in want if states[a] != want[a]}
        assert not wrong, f"{wrong}\n{self.worker.tail()}"

    def sync(self, accounts, within=120):
        """One more sync of each, all at once; returns account -> state."""
        for account in accounts:
            self.org.sync(self.connections[account])
        return wait_until(lambda: self.over(accounts), lambda: f"{self.states()}\n{self.worker.tail()}", within)

    def coverage(self, account):
        return {part: {"state": state, "action": action, "reason": reason, "code": code, "via": via}
                for part, state, action, reason, code, via in self.database.rows(
                    "SELECT part, state, action, reason, reason_code, via FROM coverage WHERE org_id = %s AND account_id = %s",
                    self.org.org_id, account)}

    def not_ok(self, account):
        return {part for part, row in self.coverage(account).items() if row["state"] != "ok"}

    def snapshot(self, account):
        return (self.database.rows(
            "SELECT entity_id, kind, key, name, part, attrs::text, incarnation, stub, deleted_at, changed_at FROM entity"
            " WHERE org_id = %s AND account_id = %s ORDER BY entity_id", self.org.org_id, account),
            self.database.rows(
            "SELECT edge_id, kind, src_id, dst_id, qualifier, attrs::text, deleted_at, changed_at FROM edge"
            " WHERE org_id = %s AND account_id = %s ORDER BY edge_id", self.org.org_id, account))
