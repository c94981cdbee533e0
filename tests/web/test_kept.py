"""Answers that are kept."""

import threading

import pytest
from waiting import wait_until

from aftermap.web.opened import ResponseCache


def test_two_who_ask_at_once_wait_for_one_answer():
    """Whoever makes it goes on only when all four have come to ask."""
    kept, made, got = ResponseCache(1000, len), [], []
    for key in range(20):
        asked = []

        def making(key=key, asked=asked):
            made.append(key)
            wait_until(lambda: len(asked) == 4)
            return b"answer"

        def asking(key=key, asked=asked, making=making):
            asked.append(1)
            got.append(kept.get(key, making))

        threads = [threading.Thread(target=asking) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert got == [b"answer"] * 80
    assert made == list(range(20))


def test_what_failed_is_tried_again():
    kept = ResponseCache(100, len)
    with pytest.raises(ZeroDivisionError):
        kept.get("key", lambda: bytes(1 // 0))
    assert kept.get("key", lambda: b"answer") == b"answer"


def test_the_oldest_goes_when_there_is_no_room():
    kept = ResponseCache(10, len)
    kept.get("a", lambda: b"12345")
    kept.get("b", lambda: b"12345")
    kept.get("a", lambda: b"")
    kept.get("c", lambda: b"12345")
    assert kept.get("a", lambda: b"new") == b"12345"
    assert kept.get("b", lambda: b"new") == b"new"
