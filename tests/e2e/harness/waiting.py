"""Wait for a condition, never for a time."""

import os
import time

# Sanitizer builds are several times slower; the factor stretches every deadline, never a successful run.
FACTOR = float(os.environ.get("HAWKER_TEST_PATIENCE", "1"))


def patience(seconds):
    return seconds * FACTOR


def stretched(milliseconds):
    """As an option: how long something may take that a test has to be faster than."""
    return f"{round(patience(milliseconds))}ms"


def eventually(condition, what="the condition", within=30.0):
    """The first true value of `condition()`; AssertionError naming `what` when the deadline passes."""
    deadline = time.monotonic() + patience(within)
    pause = 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {within:g} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
