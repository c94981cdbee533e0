"""Costs are those of the whole tree of processes."""

import resource
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from waiting import wait_until

from aftermap.cost import MemoryPeak, Meter
from aftermap.execute import LocalExecutor
from aftermap.progress import NoProgress

MEGABYTE = 1 << 20


CLOCK_TICKS_S = 0.05
"""Linux counts the time of a process in hundredths of a second, those of three are summed."""


def busy(seconds: float) -> float:
    """The CPU seconds that it took, at least those asked for."""
    began = time.process_time()
    while time.process_time() < began + seconds:
        pass
    return time.process_time() - began


def holding(folder: Path, size_bytes: int, name: str) -> int:
    """Holds memory from the file of its name until there is one that says go."""
    held = np.ones(size_bytes, np.uint8)
    (folder / name).touch()
    wait_until((folder / "go").exists)
    return int(held[-1])


def own_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def test_cpu_time_of_workers_counts():
    with LocalExecutor(2, progress=NoProgress(), preload=()) as executor:
        list(executor.map(busy, [0, 0], label="start"))
        before = own_cpu_s()
        with Meter() as meter:
            spent = sum(executor.map(busy, [0.3, 0.3], label="busy"))
        own = own_cpu_s() - before
    assert spent >= 0.6
    assert meter.cost.cpu_s == pytest.approx(spent + own, abs=CLOCK_TICKS_S)


def test_waiting_costs_time_and_no_cpu():
    before = own_cpu_s()
    with Meter() as meter:
        began = time.monotonic()
        threading.Event().wait(0.3)
        waited = time.monotonic() - began
    assert meter.cost.wall_s >= waited
    assert meter.cost.cpu_s == pytest.approx(own_cpu_s() - before, abs=CLOCK_TICKS_S)


def test_memory_of_workers_counts_while_they_hold_it(tmp_path, monkeypatch):
    """They hold it until it has been looked at."""
    looks, look = [], MemoryPeak.look
    monkeypatch.setattr(MemoryPeak, "look", lambda *given: looks.append(look(*given)))

    def let_go():
        wait_until(lambda: (tmp_path / "a").exists() and (tmp_path / "b").exists())
        enough = len(looks) + 2  # one may have begun before
        wait_until(lambda: len(looks) >= enough)
        (tmp_path / "go").touch()

    with LocalExecutor(2, progress=NoProgress(), preload=("numpy",)) as executor:
        list(executor.map(busy, [0, 0], label="start"))
        with Meter() as idle:
            pass
        with Meter() as full:
            waiter = threading.Thread(target=let_go)
            waiter.start()
            work = partial(holding, tmp_path, 100 * MEGABYTE)
            list(executor.map(work, ["a", "b"], label="hold"))
            waiter.join()
    grown = full.cost.peak_memory_bytes - idle.cost.peak_memory_bytes
    assert 180 * MEGABYTE <= grown <= 260 * MEGABYTE
