"""Waiting for a condition with a deadline: the only kind of waiting that tests do."""
import time

POLL_S = 0.03


class Late(AssertionError):
    """A condition did not come true in time."""


def wait_until(condition, what, within=30.0, poll=POLL_S):
    """Returns the first true value of condition(); raises Late(what) after `within` seconds.

    `what` is a sentence, or a function that makes one (to tell the state at the end)."""
    deadline = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise Late(f"not within {within:g} s: {what() if callable(what) else what}")
        time.sleep(poll)
