"""The poses of clips and the ground -> the index of what they saw: one clip, one piece of work."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.geo.crs import LOCAL
from aftermap.geo.march import HeightWindow
from aftermap.geo.ring import hull_of
from aftermap.model.clip import Clip, product_name
from aftermap.model.runs import Executor, Skipped, Workspace
from aftermap.model.sighting import FLAT_GROUND, ClipIndex, Ground, GroundKind, SightingIndex
from aftermap.model.trajectory import Trajectory
from aftermap.viewshed.footprint_files import (
    ParquetTable,
    SightingTable,
    footprint_row,
    footprints_file,
    segment_row,
    segments_file,
    sightings_file,
)
from aftermap.viewshed.ground_cells import GroundView, cells_of
from aftermap.viewshed.moments import Second, seconds_of
from aftermap.viewshed.options import SightingOptions
from aftermap.viewshed.stac import Summary, item_of
from aftermap.viewshed.terrain import Box, GroundWindows, open_ground
from aftermap.viewshed.view import Eye, look_of


@dataclass(frozen=True, kw_only=True)
class _Work:
    """A clip with its poses: what a worker needs to know of it."""

    path: Trajectory
    clip: Clip | None


def index_clips(
    paths: Sequence[Trajectory],
    clips: Sequence[Clip],
    ground: Ground,
    files: Workspace,
    executor: Executor,
    options: SightingOptions = SightingOptions(),  # noqa: B008 - frozen
) -> SightingIndex:
    """What every clip saw of the ground, second by second.

    ``clips`` tell when a clip was taken; one without its record is indexed all the same. A clip
    that has no place on the map, or that shows no ground, is skipped with the reason.
    """
    by_sha256 = {clip.sha256: clip for clip in clips}
    skipped = [_skipped(path, reason) for path in paths if (reason := _unusable(path))]
    work = [
        _Work(path=path, clip=by_sha256.get(path.clip_sha256))
        for path in paths
        if not _unusable(path)
    ]
    index = partial(_index, ground=ground, files=files, options=options)
    made = list(executor.map(index, work, label="footprints"))
    return SightingIndex(
        clips=tuple(one for one in made if isinstance(one, ClipIndex)),
        skipped=(*skipped, *(one for one in made if isinstance(one, Skipped))),
    )


def _unusable(path: Trajectory) -> str | None:
    if not path.poses:
        return "no second of it is located, so its footprints are not known"
    if path.crs == LOCAL:
        return "it was reconstructed without scale or position, so its footprints are not known"
    return None


def _skipped(path: Trajectory, reason: str) -> Skipped:
    return Skipped(name=path.clip_name, reason=reason, sha256=path.clip_sha256)


def _index(
    work: _Work, *, ground: Ground, files: Workspace, options: SightingOptions
) -> ClipIndex | Skipped:
    path = work.path
    name = product_name(path.clip_name, path.clip_sha256)
    used, notes = _fitting(ground, path)
    kinds = ("parquet", "segments.parquet", "sightings.parquet", "stac.json")
    with ExitStack() as stack:
        parts = [stack.enter_context(files.writing(f"{name}.{kind}")) for kind in kinds]
        walk = _write_tables(path, used, parts, options)
        if walk.segments == 0:
            parts[3].write_text("{}\n", encoding="utf-8")
            return _skipped(
                path, "no second of it shows ground within range: only sky or distant ground"
            )
        with parts[0].open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        item = item_of(path, work.clip, name, walk.summary(), digest)
        parts[3].write_text(json.dumps(item, indent=1, ensure_ascii=False) + "\n", "utf-8")
    if walk.blind:
        notes = (*notes, f"{walk.blind} of {walk.blind + walk.segments} seconds show no ground")
    footprints, segments, sightings, stac = (str(files.path(f"{name}.{kind}")) for kind in kinds)
    return ClipIndex(
        clip_sha256=path.clip_sha256,
        clip_name=path.clip_name,
        name=name,
        crs=path.crs,
        ground=used.kind,
        footprints=footprints,
        item=stac,
        segments=segments,
        sightings=sightings,
        moments=walk.moments,
        segment_count=walk.segments,
        sighting_count=walk.sightings,
        notes=notes,
    )


def _fitting(ground: Ground, path: Trajectory) -> tuple[Ground, tuple[str, ...]]:
    """The ground, or level ground where its heights are measured from something else."""
    if ground.kind is GroundKind.FLAT or ground.vertical_datum in (None, path.vertical_datum):
        return ground, ()
    note = (
        f"flat ground is used: the heights of the {ground.kind.value} are "
        f"{ground.vertical_datum}, those of the clip {path.vertical_datum}"
    )
    return FLAT_GROUND, (note,)


@dataclass
class _Walk:
    """What has come together on the way through a clip."""

    moments: int = 0
    segments: int = 0
    sightings: int = 0
    blind: int = 0
    hull_m: Array = field(default_factory=lambda: np.empty((0, 2)))
    middles: list[tuple[float, float, float]] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)

    def summary(self) -> Summary:
        off_nadir, sample, circle = (
            float(np.median(known)) if len(known := column[np.isfinite(column)]) else np.nan
            for column in np.array(self.middles).T
        )
        return Summary(
            hull_m=self.hull_m,
            off_nadir_deg=off_nadir,
            ground_sample_m=sample,
            ce90_m=circle,
            sources=sorted(self.sources),
        )


def _write_tables(
    path: Trajectory, ground: Ground, parts: Sequence[Path], options: SightingOptions
) -> _Walk:
    """Write the tables of a clip, second by second; memory does not grow with its length."""
    walk = _Walk()
    shots = {pose.shot for pose in path.poses}
    eyes = {
        shot: Eye.of(path.camera_of(shot), path.ground_m, ground.sigma_m, options) for shot in shots
    }
    notes = {"aftermap:clip": path.clip_sha256, "aftermap:ground": ground.kind.value}
    with (
        open_ground(ground, path.crs, path.ground_m, options) as windows,
        footprints_file(parts[0], path.crs, notes) as footprints,
        segments_file(parts[1]) as segments,
        sightings_file(parts[2]) as sightings,
    ):
        for second in seconds_of(path):
            eye = eyes[second.poses[0].shot]
            _add_second(second, eye, windows, walk, (footprints, segments, sightings))
    walk.moments, walk.segments = footprints.count, segments.count
    walk.sightings = sightings.count
    return walk


def _add_second(
    second: Second,
    eye: Eye,
    windows: GroundWindows,
    walk: _Walk,
    tables: tuple[ParquetTable, ParquetTable, SightingTable],
) -> None:
    footprints, segments, sightings = tables
    heights = windows.over(_around([eye.box_m(pose) for pose in second.poses]))
    seen = _looked(second, eye, heights)
    for one in seen:
        footprints.add(footprint_row(one.pose, one.look))
    if not seen:
        walk.blind += 1
        return
    middle = seen[len(seen) // 2]
    chosen = set(second.best_spread(eye.options.moments_per_segment))
    looked_at = [one for one in seen if one.pose in chosen] or [middle]
    sightings.add(cells_of(segments.count, second, looked_at, eye, heights))
    outer = hull_of(np.concatenate([one.look.outer_m for one in looked_at]))
    segments.add(segment_row(second, middle, outer, eye, heights.outside_m))
    walk.hull_m = hull_of(np.concatenate([walk.hull_m, middle.look.ring_m]))
    look = middle.look
    walk.middles.append((look.off_nadir_deg, look.ground_sample_m, look.ce90_m))
    walk.sources.add(middle.pose.source.value)


def _looked(second: Second, eye: Eye, heights: HeightWindow) -> list[GroundView]:
    looks = [(pose, look_of(pose, eye, heights)) for pose in second.poses]
    return [GroundView(pose=pose, look=look) for pose, look in looks if look is not None]


def _around(boxes: Sequence[Box]) -> Box:
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)
