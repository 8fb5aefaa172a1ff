"""Waiting for what must come. Long, because whatever else the machine has to do may be faster; no test waits for time to
pass."""

import time

PATIENCE = 120
"""Seconds after which what has not come is taken as missing."""


def until(condition, what):
    """Asks again and again until `condition()` is true; fails with `what`, a text or a function that gives one."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what() if callable(what) else what
        # The processor belongs to those that are waited for.
        time.sleep(0.005)
