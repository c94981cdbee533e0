"""What this machine has left: disk below a folder, and memory, within a container's limits too.

Memory is Linux's MemAvailable (man 5 proc), or less where the control group of this process allows
less (cgroup v2, memory.max; kernel documentation "Control Group v2", read 2026-11). Elsewhere it is
not known.
"""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aftermap.cost import tree_memory_bytes

MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")


@dataclass(frozen=True, kw_only=True)
class Room:
    """Bytes that work may take: free disk; memory that is available, or held by this program.

    None where that is not known.
    """

    disk_bytes: int | None
    memory_bytes: int | None


def room_at(folder: Path) -> Room:
    """What is left for work in a folder, which need not be there yet."""
    disk = None
    with suppress(OSError):
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        disk = shutil.disk_usage(there).free
    memory = available_memory_bytes()
    if memory is not None:
        memory += tree_memory_bytes()
    return Room(disk_bytes=disk, memory_bytes=memory)


def available_memory_bytes(
    meminfo: Path = MEMINFO, cgroup: Path = CGROUP, own: Path = OWN_CGROUP
) -> int | None:
    """Memory that can be had without swapping; None where the system does not say."""
    known = [_meminfo_bytes(meminfo), _cgroup_bytes(cgroup, own)]
    return min((one for one in known if one is not None), default=None)


def _meminfo_bytes(meminfo: Path) -> int | None:
    for line in _read(meminfo).splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    return None


def _cgroup_bytes(cgroup: Path, own: Path) -> int | None:
    """The least that this process's control group and those above it still allow."""
    name = next((line[3:] for line in _read(own).splitlines() if line.startswith("0::")), "/")
    inner = cgroup / name.strip().lstrip("/")
    left = []
    for folder in (inner, *inner.parents):
        limit, used = _read(folder / "memory.max").strip(), _read(folder / "memory.current").strip()
        if limit.isdigit() and used.isdigit():
            left.append(max(0, int(limit) - int(used) + _reclaimable_bytes(folder)))
        if folder == cgroup:
            break
    return min(left, default=None)


def _reclaimable_bytes(folder: Path) -> int:
    """Files held in memory that can be dropped."""
    for line in _read(folder / "memory.stat").splitlines():
        if line.startswith("inactive_file "):
            return int(line.split()[1])
    return 0


def _read(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="ascii", errors="replace")
    return ""
