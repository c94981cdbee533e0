"""Costs are those of the whole tree of processes."""

import time

import numpy as np

from aftermap.cost import Meter
from aftermap.execute import LocalExecutor
from aftermap.progress import NoProgress

MEGABYTE = 1 << 20


def busy(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def holding(size_bytes: int) -> int:
    held = np.ones(size_bytes, np.uint8)
    time.sleep(0.7)
    return int(held[-1])


def test_cpu_time_of_workers_counts():
    with LocalExecutor(2, progress=NoProgress(), preload=()) as executor:
        list(executor.map(busy, [0, 0], label="start"))
        with Meter() as meter:
            list(executor.map(busy, [0.3, 0.3], label="busy"))
    assert 0.55 <= meter.cost.cpu_s < 1.5
    assert meter.cost.wall_s >= 0.25


def test_waiting_costs_no_cpu():
    with Meter() as meter:
        time.sleep(0.3)
    assert meter.cost.wall_s >= 0.3
    assert meter.cost.cpu_s < 0.15


def test_memory_of_workers_counts_while_they_hold_it():
    with LocalExecutor(2, progress=NoProgress(), preload=("numpy",)) as executor:
        list(executor.map(holding, [1, 1], label="start"))
        with Meter() as idle:
            time.sleep(0.1)
        with Meter() as full:
            list(executor.map(holding, [100 * MEGABYTE, 100 * MEGABYTE], label="hold"))
    grown = full.cost.peak_memory_bytes - idle.cost.peak_memory_bytes
    assert 180 * MEGABYTE <= grown <= 260 * MEGABYTE
