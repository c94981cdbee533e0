"""How fast ``seen`` answers on 10 million frames: synthetic flights in 1-second segments.

    .venv/bin/python -m benchmarks.seen_index --work WORK [--frames 10000000]

Flights over a level town of 5 by 4 km go through `index_clips` and into the record of a case:
segments with their R*Tree, and `sighting` rows by cell. Then 2,000 spots and 500 fresh polygons are
asked for. Marching over a surface of a metre, every frame of a clip at 30 Hz, is timed on its own.
benchmarks/results/seen.json is written.
"""

import argparse
import resource
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from aftermap.geo.arrays import Array
from aftermap.geo.axes import rotation_cam_from_world
from aftermap.model.camera import Camera, CameraPose
from aftermap.model.media import FocalSource, VerticalDatum
from aftermap.model.sighting import FLAT_GROUND, Ground, GroundKind, SightingIndex
from aftermap.model.trajectory import ClipPose, PoseSource, Trajectory
from aftermap.record import Case
from aftermap.record.workspace import StageFolder
from aftermap.search.in_polygon import clips_in_ring
from aftermap.search.places import clips_at_xy
from aftermap.viewshed import index_clips
from benchmarks.machine import write_result

TOWN_M = (5000.0, 4000.0)
CORNER_M = (500_000.0, 3_978_000.0)
GROUND_M = 250.0
RATE_HZ = 30
CLIP_S = 600
SPOTS, POLYGONS = 2000, 500
PITCHES_DEG = (-90.0, -60.0, -45.0)

CAMERA = Camera(
    model="OPENCV",
    width_px=3840,
    height_px=2160,
    params=(2800.0, 2800.0, 1920.0, 1080.0, 0.0, 0.0, 0.0, 0.0),
    focal_prior_px=2800.0,
    focal_prior_source=FocalSource.FOCAL_35MM,
    focal_sigma_px=28.0,
    focal_decision="held",
)


class _Here:
    """Work in this process."""

    def map(self, work: Any, items: Any, *, label: str) -> Iterator[Any]:  # noqa: ARG002
        return map(work, items)


def main() -> None:
    """Fly, index, ask and write down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, required=True, help="work folder, some GB free")
    parser.add_argument("--frames", type=int, default=10_000_000)
    options = parser.parse_args()
    built = _build(options.work, options.frames)
    with_case = _asked(options.work / "case")
    print(write_result("seen", {"index": built, **with_case, "marching": _marching(options.work)}))


def _build(work: Path, frames: int) -> dict[str, Any]:
    random = np.random.default_rng(3)
    seconds = frames // RATE_HZ
    index_s = record_s = 0.0
    with Case.create_or_open(work / "case") as case:
        for number in range(-(-seconds // CLIP_S)):
            path = _flight(number, min(CLIP_S, seconds - number * CLIP_S), random)
            started = time.perf_counter()
            index = index_clips([path], [], FLAT_GROUND, StageFolder(folder=work / "s"), _Here())
            indexed = time.perf_counter()
            case.replace_clips(index)
            index_s += indexed - started
            record_s += time.perf_counter() - indexed
            _remove(index)
        rows = {
            name: case.package.rows(f"SELECT count(*) FROM {name}")[0][0]  # noqa: S608
            for name in ("segment", "sighting")
        }
    return {
        "frames": frames,
        "segments": rows["segment"],
        "sightings": rows["sighting"],
        "index_s": index_s,
        "record_s": record_s,
        "file_bytes": (work / "case" / "case.gpkg").stat().st_size,
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def _asked(case_path: Path) -> dict[str, Any]:
    random = np.random.default_rng(4)
    started = time.perf_counter()
    with Case.open_to_read(case_path) as case:
        opened_s = time.perf_counter() - started
        places = CORNER_M + random.random((SPOTS, 2)) * TOWN_M
        spots = [
            _timed(lambda x=x, y=y: clips_at_xy(case.package, (x, y), limit=20)) for x, y in places
        ]
        rings = [_building(place, random) for place in places[:POLYGONS]]
        fresh = [_timed(lambda r=r: clips_in_ring(case.package, r, limit=20)) for r in rings]
    return {
        "open_s": opened_s,
        "spot": _figures(spots),
        "polygon": _figures(fresh),
    }


def _marching(work: Path) -> dict[str, Any]:
    """One clip of 30 s at 30 Hz, slanted, over blocks 12 m high with streets between them."""
    east, north = np.meshgrid(np.arange(2000), np.arange(2000))
    roofs = ((east % 40 < 25) & (north % 50 < 30)).astype(np.float32)
    surface = work / "surface.tif"
    corner = (CORNER_M[0] - 1000, CORNER_M[1] + 1000)
    with rasterio.open(
        surface,
        "w",
        driver="GTiff",
        width=2000,
        height=2000,
        count=1,
        dtype="float32",
        crs="EPSG:32637",
        transform=rasterio.Affine(1, 0, corner[0], 0, -1, corner[1]),
        tiled=True,
    ) as raster:
        raster.write(GROUND_M + 12 * roofs, 1)
    still = _flight(0, 30, np.random.default_rng(5))
    poses = tuple(
        _pose(0, (CORNER_M[0] + 0.3 * i, CORNER_M[1], GROUND_M + 100), 0.5, -35.0, Fraction(i, 30))
        for i in range(900)
    )
    ground = Ground(kind=GroundKind.SURFACE, path=str(surface), sigma_m=0.3)
    files = StageFolder(folder=work / "s")
    for _ in range(2):  # the first time compiles
        started = time.process_time()
        made = index_clips([replace(still, poses=poses)], [], ground, files, _Here()).clips[0]
        cpu_s = time.process_time() - started
    return {
        "frames": made.moments,
        "segments": made.segment_count,
        "sightings": made.sighting_count,
        "cpu_ms_per_frame": cpu_s / made.moments * 1000,
    }


def _timed(ask: Any) -> tuple[float, int]:
    started = time.perf_counter()
    found = len(ask())
    return time.perf_counter() - started, found


def _figures(asked: list[tuple[float, int]]) -> dict[str, Any]:
    times_ms = np.array([seconds for seconds, _ in asked]) * 1000
    return {
        "asked": len(asked),
        "median_ms": np.median(times_ms),
        "p95_ms": np.percentile(times_ms, 95),
        "max_ms": times_ms.max(),
        "stretches_median": np.median([found for _, found in asked]),
    }


def _building(place: Array, random: np.random.Generator) -> Array:
    """The outline of a building, turned at random."""
    angle = random.random() * np.pi
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(place + (np.array([[-9, -6], [9, -6], [9, 6], [-9, 6]]) @ turn.T))


def _flight(number: int, seconds: int, random: np.random.Generator) -> Trajectory:
    """Ten minutes of lines over the town at 8 m/s and 60 to 160 m; one pose a second.

    Frames between are what the poses stand for: the index keeps one row for each second.
    """
    height = random.uniform(60, 160)
    start, heading = random.random(2) * TOWN_M, random.random() * 2 * np.pi
    pitch = float(random.choice(PITCHES_DEG))
    position, poses = start, []
    for second in range(seconds):
        if second % 60 == 0:
            heading += np.pi / 2 * random.choice([-1, 1])
        position = position + 8 * np.array([np.sin(heading), np.cos(heading)])
        if ((position < 0) | (position > TOWN_M)).any():
            heading += np.pi
            position = np.clip(position, 0, TOWN_M)
        poses.append(_pose(second, (*(CORNER_M + position), GROUND_M + height), heading, pitch))
    return Trajectory(
        clip_sha256=f"{number:064x}",
        clip_name=f"flight_{number:04d}.mp4",
        crs="EPSG:32637",
        vertical_datum=VerticalDatum.ELLIPSOID,
        camera=CAMERA,
        poses=tuple(poses),
        ground_m=GROUND_M,
    )


def _pose(
    second: int, position: Any, heading: float, pitch: float, time_s: Fraction | None = None
) -> ClipPose:
    rotation = rotation_cam_from_world(float(np.degrees(heading)), pitch, 0.0)
    covariance = np.diag([0.25, 0.25, 0.25, *([np.radians(0.3) ** 2] * 3)])
    pose = CameraPose(
        rotation_cam_from_world=tuple(map(tuple, rotation.tolist())),  # type: ignore[arg-type]
        position_m=tuple(float(value) for value in position),  # type: ignore[arg-type]
        covariance_m2=tuple(map(tuple, covariance[:3, :3].tolist())),  # type: ignore[arg-type]
    )
    return ClipPose(
        time_s=Fraction(2 * second + 1, 2) if time_s is None else time_s,
        shot=0,
        pose=pose,
        covariance=tuple(map(tuple, covariance.tolist())),  # type: ignore[arg-type]
        source=PoseSource.RECONSTRUCTION,
    )


def _remove(index: SightingIndex) -> None:
    for clip in index.clips:
        for name in (clip.footprints, clip.segments, clip.sightings, clip.item):
            Path(name).unlink()


if __name__ == "__main__":
    main()
