"""Inventory written straight into the tables, for tests of the read side that need no collector."""
import json
import uuid

from waiting import wait_until


def wait_shown(database):
    """The feed holds back what an older transaction could still precede. The database has some of its own (autovacuum)."""
    now = database.value("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
    wait_until(lambda: database.value("SELECT pg_snapshot_xmin(pg_current_snapshot()) >= %s::xid8", now), "what ran before is over")


class Inventory:
    def __init__(self, database, org_id, connection_id):
        self.database, self.org_id, self.connection = database, org_id, connection_id.removeprefix("conn_")

    def entity(self, kind, key, name, attrs=None, deleted=False, account="123456789012"):
        made = uuid.uuid4().hex
        self.database.rows(
            "INSERT INTO entity (org_id, entity_id, connection_id, account_id, scope, part, kind, key, name, attrs, attrs_hash, deleted_at)"
            " VALUES (%s, %s, %s, %s, 'iam', 'users', %s, %s, %s, %s, '\\x00', CASE WHEN %s THEN now() END)",
            self.org_id, made, self.connection, account, kind, key, name, json.dumps(attrs or {}), deleted)
        return "ent_" + made

    def edge(self, kind, source, target, qualifier=""):
        self.database.rows(
            "INSERT INTO edge (org_id, edge_id, connection_id, scope, part, kind, src_id, dst_id, qualifier, attrs_hash)"
            " VALUES (%s, gen_random_uuid(), %s, 'iam', 'users', %s, %s, %s, %s, '\\x00')",
            self.org_id, self.connection, kind, source.removeprefix("ent_"), target.removeprefix("ent_"), qualifier)

    def change(self, entity, op, at, before=None, after=None):
        self.database.rows(
            "INSERT INTO change (org_id, at, connection_id, sync_id, subject, subject_id, kind, op, before, after)"
            " VALUES (%s, %s, %s, gen_random_uuid(), 'entity', %s, 'aws.iam_user', %s, %s, %s)",
            self.org_id, at, self.connection, entity.removeprefix("ent_"), op, json.dumps(before) if before else None,
            json.dumps(after) if after else None)
        wait_shown(self.database)

    def coverage(self, part, state, **columns):
        values = {"account_id": "123456789012", "region": "global", "scope": "iam", **columns}
        names = ", ".join(values)
        marks = ", ".join(["%s"] * len(values))
        self.database.rows(
            f"INSERT INTO coverage (org_id, connection_id, part, state, sync_id, {names}) VALUES (%s, %s, %s, %s, gen_random_uuid(), {marks})",
            self.org_id, self.connection, part, state, *values.values())

    def check(self, state="done"):
        made = uuid.uuid4().hex
        self.database.rows("INSERT INTO connection_check (org_id, check_id, connection_id, state) VALUES (%s, %s, %s, %s)",
                           self.org_id, made, self.connection, state)
        return "chk_" + made

    def permission(self, action, state, capability="iam_identities", tier=1, cause="", required=True, at="now()"):
        self.database.rows(
            "INSERT INTO connection_permission (org_id, connection_id, account_id, capability, action, tier, state, cause, known_by, required,"
            f" text, check_id, checked_at) VALUES (%s, %s, '123456789012', %s, %s, %s, %s, %s, 'live_call', %s, 'x', gen_random_uuid(), {at})",
            self.org_id, self.connection, capability, action, tier, state, cause, required)
