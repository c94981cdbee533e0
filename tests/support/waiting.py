"""Waiting for what another thread or process does: by its condition, never by the clock."""

import time
from collections.abc import Callable

HANGS_AFTER_S = 300
"""Far above what any machine needs: it ends a test that would hang, and measures nothing."""


def wait_until(
    condition: Callable[[], object], *, pause: Callable[[float], None] = time.sleep
) -> None:
    """Return as soon as ``condition()`` holds; fails where it would wait for ever.

    ``pause`` takes seconds; a page of Playwright needs its own, which serves its events meanwhile.
    """
    given_up_at = time.monotonic() + HANGS_AFTER_S
    while not condition():
        assert time.monotonic() < given_up_at, f"never came: {condition}"
        pause(0.02)
