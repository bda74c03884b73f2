"""Two requests at once, of which each has begun before the other is done."""
from concurrent.futures import ThreadPoolExecutor

from waiting import wait_until

WAITING = ("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
           " AND application_name = 'connectord server' AND wait_event_type = 'Lock'")


def two_at_once(database, org_id, ask):
    """What ask() returns to either, when both had to wait for the organization's row."""
    holder = database.connect()
    holder.autocommit = False
    holder.cursor().execute("SELECT FROM organization WHERE org_id = %s FOR NO KEY UPDATE", (org_id,))
    with ThreadPoolExecutor(2) as both:
        asked = [both.submit(ask) for _ in range(2)]
        try:
            wait_until(lambda: database.value(WAITING) == 2, "both wait")
        finally:
            holder.close()
        return [one.result() for one in asked]
