"""Waiting for a condition with a deadline: the only kind of waiting that tests do."""
import time

POLL_S = 0.03


class Late(AssertionError):
    """A condition did not come true in time."""


def wait_until(condition, what, within=30.0, poll=POLL_S):
    """Returns the first true value of condition(); raises Late(what) when a look that began after `within` seconds found none.

    `what` is a sentence, or a function that makes one (to tell the state at the end)."""
    deadline = time.monotonic() + within
    while True:
        last = time.monotonic() >= deadline
        value = condition()
        if value:
            return value
        if last:
            raise Late(f"not within {within:g} s: {what() if callable(what) else what}")
        time.sleep(poll)


def soon(ask, seconds, what, tries=3):
    """What the first ask() gives that takes less than that; raises Late(what). Whoever is held up is held up each time; that the
    machine stood still happens once."""
    took = []
    while len(took) < tries:
        began = time.monotonic()
        value = ask()
        took.append(time.monotonic() - began)
        if took[-1] < seconds:
            return value
    raise Late(f"{what}: took {took} s, and not less than {seconds:g}")
