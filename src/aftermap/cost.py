"""What a piece of work costs on this machine: wall time, CPU time, and memory at its peak.

Work is done by this process and by the worker processes below it, so everything is summed over
the tree of processes, from Linux's /proc (man 5 proc). Memory is the proportional set size, in
which a page that several processes share counts once. Where there is no /proc the numbers come
from getrusage: then children count only once they have ended, and the peak is since the start.
"""

import ctypes
import os
import resource
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

SAMPLE_EVERY_S = 0.25
GROWN = 1.02
"""The proportional size is read again where the resident one has grown by so much since the last
time: to read it takes 15 to 20 ms of each process's half a gigabyte, and holds its memory up."""
READ_AGAIN_S = 10.0
"""Or after so long: pages that were shared may have become a process's own."""

_PROC = Path("/proc")
_HAS_PROC = sys.platform == "linux" and (_PROC / "self" / "smaps_rollup").exists()


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Wall seconds, CPU seconds of all processes, and the most memory held at one time."""

    wall_s: float
    cpu_s: float
    peak_memory_bytes: int


class MemoryPeak:
    """The most memory that processes held together, as far as they were looked at: ``bytes``.

    The proportional size is slow to read (a walk of the page tables), so it is read only where the
    plain resident size, which is never smaller, leaves room for a new peak, and has grown or is due
    again.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self._read_at_bytes, self._read_at_s = 0, -READ_AGAIN_S

    def look(self, pids: Sequence[int]) -> None:
        """Take in the memory of this moment, of processes that Linux knows by these numbers."""
        resident, now_s = sum(map(_resident_bytes, pids)), time.monotonic()
        is_due = resident > GROWN * self._read_at_bytes or now_s > self._read_at_s + READ_AGAIN_S
        if resident > self.bytes and is_due:
            self._read_at_bytes, self._read_at_s = resident, now_s
            self.bytes = max(self.bytes, sum(map(_proportional_bytes, pids)))


class Meter:
    """Measures the block that it is put around; read :attr:`cost` afterwards.

    A light thread looks at the memory four times a second; shorter peaks are missed.
    """

    cost: Cost

    def __enter__(self) -> Self:
        self._began_s = time.monotonic()
        self._began_cpu_s = tree_cpu_s()
        self._memory = MemoryPeak()
        self._ended = threading.Event()
        self._sampler = threading.Thread(target=self._watch, name="aftermap-memory", daemon=True)
        self._sampler.start()
        return self

    def _watch(self) -> None:
        while True:
            self._sample()
            if self._ended.wait(SAMPLE_EVERY_S):
                return

    def _sample(self) -> None:
        """Take in the memory of this moment."""
        if _HAS_PROC:
            self._memory.look(tree_pids())
        else:
            self._memory.bytes = max(self._memory.bytes, _peak_by_getrusage_bytes())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._sampler.join()
        self.cost = Cost(
            wall_s=time.monotonic() - self._began_s,
            cpu_s=max(0.0, tree_cpu_s() - self._began_cpu_s),
            peak_memory_bytes=self._memory.bytes,
        )


def tree_cpu_s() -> float:
    """CPU seconds used so far by this process and everything below it, alive or ended."""
    if not _HAS_PROC:
        times = os.times()
        return times.user + times.system + times.children_user + times.children_system
    ticks = sum(map(_cpu_ticks, tree_pids()))
    return ticks / os.sysconf("SC_CLK_TCK")


def give_back_memory() -> None:
    """Return freed memory to the system: glibc keeps what it thinks will be asked for again."""
    with suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def tree_memory_bytes() -> int:
    """Memory held now by this process and everything below it; 0 where that is not known."""
    return sum(map(_proportional_bytes, tree_pids())) if _HAS_PROC else 0


def tree_pids() -> list[int]:
    """This process and all its descendants."""
    pids = [os.getpid()]
    for pid in pids:  # grows while it is walked
        for task in _listed(_PROC / str(pid) / "task"):
            pids += [int(child) for child in _read(task / "children").split()]
    return pids


def _listed(folder: Path) -> list[Path]:
    with suppress(OSError):
        return list(folder.iterdir())
    return []


def _read(path: Path) -> str:
    """The text of a /proc file; nothing where the process has ended meanwhile."""
    with suppress(OSError):
        return path.read_text(encoding="ascii", errors="replace")
    return ""


def _cpu_ticks(pid: int) -> int:
    """User and system time of a process, and of the children that it has waited for."""
    after_name = _read(_PROC / str(pid) / "stat").rpartition(")")[2].split()
    return sum(map(int, after_name[11:15]))


def _resident_bytes(pid: int) -> int:
    fields = _read(_PROC / str(pid) / "statm").split()
    return int(fields[1]) * resource.getpagesize() if fields else 0


def _proportional_bytes(pid: int) -> int:
    for line in _read(_PROC / str(pid) / "smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _peak_by_getrusage_bytes() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return (own + children) * unit
