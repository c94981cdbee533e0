"""Pictures and settings -> what surface, orthophoto and mesh will take: CPU time, memory, disk.

The coefficients are in ``stage_costs.json``, with the runs that they were fitted to;
``python -m benchmarks.costs fit`` writes that file anew from the costs of finished runs. CPU time
and disk grow with the pictures and their megapixels, memory with the pictures, the workers and the
megapixels of the largest picture. Depths are matched in smaller pictures, and cells of the mesh are
as large as their pixels; colours are read from the pictures as they are.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from statistics import median
from typing import Any

COSTS_NAME = "stage_costs.json"
STAGES = ("surface", "orthophoto", "mesh")
MESH_FULL_PICTURES = 100
"""With about so many pictures a mesh has all the cells it may (``MeshOptions.most_cells``)."""
USUAL_SOURCES = 6
"""Coefficients of the surface are for so many pictures that each one is compared with."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What a map is made of. Megapixels are of all pictures together, and of the largest one.

    ``matched`` ones are at the size at which depths are matched; ``sources`` is how many pictures
    each is compared with.
    """

    pictures: int
    sources: int
    megapixels: float
    largest_megapixels: float
    matched_megapixels: float
    largest_matched_megapixels: float


@dataclass(frozen=True, kw_only=True)
class Need:
    """CPU seconds of all processes, and the most memory and disk that are held at one time."""

    cpu_s: float
    memory_bytes: float
    disk_bytes: float


@dataclass(frozen=True, kw_only=True)
class StageCosts:
    """The coefficients of one stage.

    CPU time and disk: per picture and per megapixel. Memory: of the main process, for each
    picture, of each worker, and of each worker per megapixel of the largest picture. ``kept`` disk,
    per megapixel, is what the finished stage leaves.
    """

    picture_cpu_s: float
    megapixel_cpu_s: float
    main_memory_bytes: float
    picture_memory_bytes: float
    worker_memory_bytes: float
    worker_megapixel_memory_bytes: float
    picture_disk_bytes: float
    megapixel_disk_bytes: float
    megapixel_kept_bytes: float


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Coefficients by stage; ``busy_fraction`` is how much of the cores' time the stages use."""

    stages: Mapping[str, StageCosts]
    busy_fraction: float


def workload_of(
    sizes_px: Sequence[tuple[int, int]], *, matched_side_px: int, sources: int
) -> Workload:
    """The work on pictures of these sizes, matched at a longest side of ``matched_side_px``."""
    if not sizes_px:
        return Workload(
            pictures=0,
            sources=sources,
            megapixels=0.0,
            largest_megapixels=0.0,
            matched_megapixels=0.0,
            largest_matched_megapixels=0.0,
        )
    side_px = min(float(matched_side_px), float(median(max(size) for size in sizes_px)))
    full = [width * height / 1e6 for width, height in sizes_px]
    shrunk = [min(1.0, side_px / max(size)) ** 2 for size in sizes_px]
    matched = [one * share for one, share in zip(full, shrunk, strict=True)]
    return Workload(
        pictures=len(full),
        sources=sources,
        megapixels=sum(full),
        largest_megapixels=max(full),
        matched_megapixels=sum(matched),
        largest_matched_megapixels=max(matched),
    )


def megapixels_of(stage: str, work: Workload) -> tuple[float, float]:
    """The megapixels that the work of a stage grows with, and those of the largest picture."""
    total = work.megapixels if stage == "orthophoto" else work.matched_megapixels
    largest = work.largest_matched_megapixels if stage == "surface" else work.largest_megapixels
    return total, largest


def memory_pictures(stage: str, work: Workload) -> int:
    """The pictures that count for the memory of a stage; a mesh has only so many cells."""
    return min(work.pictures, MESH_FULL_PICTURES) if stage == "mesh" else work.pictures


def sources_factor(stage: str, work: Workload) -> float:
    """How the pictures that each one is compared with scale the work of a stage."""
    return work.sources / USUAL_SOURCES if stage == "surface" else 1.0


def need_of(stage: str, work: Workload, workers: int, costs: Costs | None = None) -> Need:
    """What one stage will take."""
    one = (costs or shipped_costs()).stages[stage]
    total, largest = megapixels_of(stage, work)
    cpu_s = one.picture_cpu_s * work.pictures + one.megapixel_cpu_s * total
    per_worker = one.worker_memory_bytes + one.worker_megapixel_memory_bytes * largest
    return Need(
        cpu_s=cpu_s * sources_factor(stage, work),
        memory_bytes=(
            one.main_memory_bytes
            + one.picture_memory_bytes * memory_pictures(stage, work)
            + workers * per_worker
        ),
        disk_bytes=one.picture_disk_bytes * work.pictures + one.megapixel_disk_bytes * total,
    )


def kept_bytes(stage: str, work: Workload, costs: Costs | None = None) -> float:
    """What a finished stage leaves on the disk."""
    return (costs or shipped_costs()).stages[stage].megapixel_kept_bytes * (
        megapixels_of(stage, work)[0]
    )


def need_of_all(
    stages: Sequence[str], work: Workload, workers: int, costs: Costs | None = None
) -> Need:
    """What stages take that run one after the other; what each leaves lies beside the next."""
    needs = [need_of(stage, work, workers, costs) for stage in stages]
    left = disk = 0.0
    for stage, need in zip(stages, needs, strict=True):
        disk = max(disk, left + need.disk_bytes)
        left += kept_bytes(stage, work, costs)
    return Need(
        cpu_s=sum(need.cpu_s for need in needs),
        memory_bytes=max((need.memory_bytes for need in needs), default=0.0),
        disk_bytes=disk,
    )


def wall_s(cpu_s: float, workers: int, cores: int, costs: Costs | None = None) -> float:
    """How long CPU seconds take where nothing else is at work."""
    return cpu_s / (min(workers, cores) * (costs or shipped_costs()).busy_fraction)


@cache
def shipped_costs() -> Costs:
    """The coefficients that this version was measured with."""
    return costs_from(json.loads(files("aftermap").joinpath(COSTS_NAME).read_text("utf-8")))


def costs_from(kept: Mapping[str, Any]) -> Costs:
    """The coefficients of a ``stage_costs.json``."""
    return Costs(
        stages={name: StageCosts(**kept["stages"][name]) for name in STAGES},
        busy_fraction=float(kept["busy_fraction"]),
    )


def as_kept(costs: Costs) -> dict[str, Any]:
    """Coefficients as a ``stage_costs.json`` holds them."""
    return asdict(costs)
