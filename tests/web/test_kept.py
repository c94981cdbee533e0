"""Answers that are kept."""

import threading
import time

import pytest

from aftermap.web.opened import ResponseCache


def test_two_who_ask_at_once_wait_for_one_answer():
    kept, made, got = ResponseCache(100, len), [], []

    def making():
        made.append(1)
        time.sleep(0.1)
        return b"answer"

    threads = [
        threading.Thread(target=lambda: got.append(kept.get("key", making))) for _ in range(4)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert got == [b"answer"] * 4
    assert len(made) == 1


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
