"""A command to what it cost: CPU seconds, wall seconds and peak memory of its whole process tree.

CPU time is user plus system time from getrusage(RUSAGE_CHILDREN). That counts only processes that
were waited for, so this process makes itself the reaper of the command's orphans (Linux,
prctl(2), PR_SET_CHILD_SUBREAPER) and waits for every one of them: servers that hand out worker
processes outlive the command that started them by a moment.

Memory is the proportional set size (PSS) summed over the command and all its descendants, from
/proc/PID/smaps_rollup: a page shared by several processes counts once. It is read every
SAMPLE_EVERY_S seconds where the plain resident sizes leave room for a new peak (aftermap/cost.py).
"""

import ctypes
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aftermap.cost import MemoryPeak, tree_pids

SAMPLE_EVERY_S = 0.1
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a command took. ``peak_memory_bytes`` is of all its processes together."""

    cpu_s: float
    wall_s: float
    peak_memory_bytes: int

    def figures(self) -> dict[str, Any]:
        """As they are written to a result."""
        return asdict(self)


def aftermap_command(*words: str | Path | int) -> list[str]:
    """The command line of the aftermap that belongs to this Python."""
    return [str(Path(sys.executable).with_name("aftermap")), *map(str, words)]


def run(command: Sequence[str | Path], log: Path, *, allowed: Sequence[int] = (0,)) -> Cost:
    """Run a command, its output to ``log``; what it cost.

    Exits this program if the command ends with another code than those ``allowed``.
    """
    _adopt_orphans()
    print("$", *command, flush=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began_s = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(list(map(str, command)), stdout=output, stderr=output)
        watch = _MemoryWatch()
        code = process.wait()
    wall_s = time.monotonic() - began_s
    _wait_for_orphans()
    peak_bytes = watch.stopped()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if code not in allowed:
        sys.exit(f"{command[0]} ended with {code}; see {log}")
    cpu_s = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    return Cost(cpu_s=cpu_s, wall_s=wall_s, peak_memory_bytes=peak_bytes)


def _adopt_orphans() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        sys.exit("cannot become the reaper of child processes; the benchmarks need Linux")


def _wait_for_orphans() -> None:
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


class _MemoryWatch:
    """Looks at the memory of all descendants of this process, from a thread of its own."""

    def __init__(self) -> None:
        self._peak = MemoryPeak()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stopped(self) -> int:
        """The peak in bytes."""
        self._ended.set()
        self._thread.join()
        return self._peak.bytes

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLE_EVERY_S):
            self._peak.look(tree_pids()[1:])
