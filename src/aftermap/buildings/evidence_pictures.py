"""Buildings, their views and the originals -> pictures that show each building, tied to originals.

A picture is read once for all the buildings that are cut out of it. Every file is written whole or
not at all; its digest, the digest of the original and the window in it are in its row. Grades are
not needed and not looked at: the pictures are the same whatever anybody says of the building.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np

from aftermap.buildings.choice import (
    EvidenceOptions,
    ViewRow,
    buildings_to_show,
    folder_names,
    views_to_show,
)
from aftermap.buildings.crops import Drawn, crop_of, drawn_of
from aftermap.buildings.lettering import Caption, compass, readable, with_caption
from aftermap.buildings.levels import levels_of, on_low_ground
from aftermap.buildings.plans import Planned, plan_and_profile
from aftermap.buildings.written import digest_of, write_jpeg
from aftermap.errors import InputError
from aftermap.geo.arrays import ByteArray
from aftermap.geo.masks import mask_at_size, read_mask
from aftermap.geo.measured_heights import measured_over
from aftermap.geo.polygon import shape_of
from aftermap.model.building import Building, Buildings, ViewTable
from aftermap.model.camera import Camera, PlacedFrame, Reconstruction
from aftermap.model.evidence import Evidence, EvidenceKind, EvidenceSet
from aftermap.model.raster import Elevation, Orthophoto
from aftermap.model.runs import Executor, Skipped, Workspace

Moments = Callable[[Path, Sequence[Fraction]], Iterator[tuple[Fraction, ByteArray]]]
"""The pictures of a clip at exact times, (H, W, 3) uint8 BGR, in order of time."""

AROUND_M = 40.0
MARCH_CELL_M = 0.5
MOMENTS_AT_ONCE = 12
KEPT_BUILDINGS = 128
"""Neighbouring pictures show the same buildings: their surroundings are kept, 25 MB of them."""


@dataclass(frozen=True, kw_only=True)
class Clips:
    """The kept originals of clips by their SHA-256, and how a picture is read out of one."""

    paths: Mapping[str, Path]
    pictures_at: Moments


@dataclass(frozen=True, kw_only=True)
class EvidenceSources:
    """What pictures of buildings are made from."""

    cameras: Reconstruction
    elevation: Elevation
    orthophoto: Orthophoto
    clips: Clips


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Buildings that are shown where not all are, by their id, and what they should look like.

    ``queue`` are those of a sample or of a review, ``asked`` those somebody named. ``expected_m``
    is the height that a building should have, by its place in ``Buildings``; without it the storeys
    of the footprint file tell, where it has any.
    """

    queue: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    expected_m: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Shown:
    """A view that is to be cut out: of which building, and as which file."""

    view: ViewRow
    building: Building
    rank: int
    name: str


@dataclass(frozen=True, kw_only=True)
class _Sight:
    """A placed picture, and all that is cut out of it."""

    placed: PlacedFrame
    lens: Camera
    shown: tuple[_Shown, ...]


@dataclass(frozen=True, kw_only=True)
class _Reel:
    """A photograph, or a few moments of one clip in order of time; ``clip`` is its kept file."""

    name: str
    clip: Path | None
    sights: tuple[_Sight, ...]


def evidence_of(
    buildings: Buildings,
    views: ViewTable,
    material: EvidenceSources,
    wanted: Wanted,
    files: Workspace,
    executor: Executor,
    options: EvidenceOptions = EvidenceOptions(),  # noqa: B008 - frozen
) -> EvidenceSet:
    """The orthophoto crop, the profile and the best views of each building that is to be shown.

    All buildings where they are few, else those that are wanted. Files lie below ``evidence/``.
    What cannot be read or shown is skipped with the reason, and the rest goes on.
    """
    chosen, skipped = buildings_to_show(buildings, options, queue=wanted.queue, asked=wanted.asked)
    names = folder_names(buildings)
    shown = views_to_show(views, chosen, options)
    cut = partial(
        _cut_out, elevation=material.elevation, pictures_at=material.clips.pictures_at, files=files
    )
    rows: list[Evidence] = []
    left_out = list(skipped)
    reels = _reels(shown, buildings, names, material)
    for found, missing in executor.map(cut, reels, label="evidence"):
        rows += found
        left_out += missing
    if chosen:
        rows += _plans(buildings, chosen, names, material, wanted, files, executor)
    order = list(EvidenceKind)
    rows.sort(key=lambda row: (row.building, order.index(row.kind), row.rank))
    return EvidenceSet(
        rows=tuple(rows),
        pictured=tuple(dict.fromkeys(row.building for row in rows)),
        skipped=tuple(left_out),
        notes=_notes(buildings, chosen),
    )


def _plans(
    buildings: Buildings,
    chosen: Sequence[int],
    names: Sequence[str],
    material: EvidenceSources,
    wanted: Wanted,
    files: Workspace,
    executor: Executor,
) -> list[Evidence]:
    orthophoto, elevation = material.orthophoto, material.elevation
    plan = partial(
        plan_and_profile,
        orthophoto=orthophoto,
        elevation=elevation,
        files=files,
        frames=tuple(_origin_of(one) for one in material.cameras.placed),
        digests=(digest_of(orthophoto.image.path), digest_of(elevation.surface.path)),
    )
    work = [
        Planned(
            place=place,
            building=buildings.buildings[place],
            folder=names[place],
            expected_m=wanted.expected_m.get(place),
        )
        for place in chosen
    ]
    found = executor.map(plan, work, label="plans and profiles")
    return [row for rows in found for row in rows]


def _notes(buildings: Buildings, chosen: Sequence[int]) -> tuple[str, ...]:
    count = len(buildings.buildings)
    if len(chosen) == count:
        return ()
    shown = f"{len(chosen)} of {count} buildings have evidence images"
    return (
        f"{shown}: buildings to be reviewed and those given with --show; add more with --show ID",
    )


def _origin_of(placed: PlacedFrame) -> tuple[str, str, str | None, float | None]:
    """Digest and name of a picture, and the clip and time that it was taken from."""
    moment = placed.frame.moment
    if moment is None:
        return placed.frame.sha256, placed.frame.name, None, None
    return placed.frame.sha256, placed.frame.name, moment.clip_sha256, float(moment.time_s)


def _reels(
    shown: Mapping[int, Sequence[ViewRow]],
    buildings: Buildings,
    names: Sequence[str],
    material: EvidenceSources,
) -> list[_Reel]:
    """All that is cut out, by the file that it is read from."""
    by_frame: dict[int, list[_Shown]] = {}
    for place, some in shown.items():
        for rank, view in enumerate(some, start=1):
            name = f"{names[place]}/view-{rank}.jpg"
            by_frame.setdefault(view.frame, []).append(
                _Shown(view=view, building=buildings.buildings[place], rank=rank, name=name)
            )
    photographs: list[_Reel] = []
    moments: dict[str, list[_Sight]] = {}
    cameras, clips = material.cameras, material.clips
    for frame in sorted(by_frame):
        placed = cameras.placed[frame]
        lens = cameras.cameras[placed.camera]
        sight = _Sight(placed=placed, lens=lens, shown=tuple(by_frame[frame]))
        if placed.frame.moment is None:
            photographs.append(_Reel(name=placed.frame.name, clip=None, sights=(sight,)))
        else:
            moments.setdefault(placed.frame.moment.clip_sha256, []).append(sight)
    return photographs + [
        _Reel(name=part[0].placed.frame.name, clip=clips.paths.get(sha256), sights=tuple(part))
        for sha256, sights in moments.items()
        for part in _in_parts(sorted(sights, key=_time_s))
    ]


def _time_s(sight: _Sight) -> Fraction:
    moment = sight.placed.frame.moment
    return Fraction(0) if moment is None else moment.time_s


def _in_parts(sights: Sequence[_Sight]) -> Iterator[Sequence[_Sight]]:
    for first in range(0, len(sights), MOMENTS_AT_ONCE):
        yield sights[first : first + MOMENTS_AT_ONCE]


def _cut_out(
    reel: _Reel, *, elevation: Elevation, pictures_at: Moments, files: Workspace
) -> tuple[list[Evidence], list[Skipped]]:
    """Everything that is cut out of one photograph, or out of a stretch of one clip."""
    rows: list[Evidence] = []
    skipped: list[Skipped] = []
    try:
        for sight, picture in _pictures(reel, pictures_at):
            for shown in sight.shown:
                row = _view_row(sight, shown, picture, elevation, files)
                if row is None:
                    reason = f"{shown.building.footprint.source_id}: is outside the image"
                    skipped.append(Skipped(name=sight.placed.frame.name, reason=reason))
                else:
                    rows.append(row)
    except InputError as error:
        reason = f"no evidence was cut from it: {error}"
        skipped.append(Skipped(name=reel.name, reason=reason))
    return rows, skipped


def _pictures(reel: _Reel, pictures_at: Moments) -> Iterator[tuple[_Sight, ByteArray]]:
    """The sights of a reel with the pixels of the original, as stored."""
    if reel.sights[0].placed.frame.moment is None:
        frame = reel.sights[0].placed.frame
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        picture = cv2.imread(frame.path, flags)
        if picture is None:
            raise InputError(f"{frame.name}: cannot be read; run aftermap verify on the case")
        yield reel.sights[0], np.asarray(picture, np.uint8)
        return
    if reel.clip is None:
        raise InputError(f"{reel.name}: its clip is not in the case; map the clip again")
    by_time = {_time_s(sight): sight for sight in reel.sights}
    for time_s, pixels in pictures_at(reel.clip, list(by_time)):
        yield by_time[time_s], pixels


def _view_row(
    sight: _Sight, shown: _Shown, picture: ByteArray, elevation: Elevation, files: Workspace
) -> Evidence | None:
    frame, view = sight.placed.frame, shown.view
    mask = None if frame.mask is None else mask_at_size(read_mask(frame.mask), picture.shape)
    drawn = _lines_of(shown.building, elevation)
    crop = crop_of(picture, sight.placed, sight.lens, drawn, mask)
    if crop is None:
        return None
    moment, window, name = frame.moment, crop.window, f"evidence/{shown.name}"
    original = frame.sha256 if moment is None else moment.clip_sha256
    second = _second_line(view, window.scale, drawn.unmeasured)
    pixel_m = view.ground_sample_m / window.scale if view.off_nadir_deg <= 25 else None
    lines = _first_line(sight), second, f"SHA-256 {original}"
    caption = Caption(lines=lines, north_deg=crop.north_deg, pixel_m=pixel_m)
    digest = write_jpeg(with_caption(crop.picture, caption), files, name)
    return Evidence(
        building=view.building,
        source_id=shown.building.footprint.source_id,
        kind=EvidenceKind.VIEW,
        rank=shown.rank,
        path=str(files.path(name)),
        name=shown.name,
        file_sha256=digest,
        original_sha256=original,
        original_name=frame.name if moment is None else moment.clip_name,
        time_s=None if moment is None else float(moment.time_s),
        time_exact=None if moment is None else str(moment.time_s),
        taken_at=frame.taken_at,
        window=window,
        distance_m=view.distance_m,
        azimuth_deg=view.azimuth_deg,
        off_nadir_deg=view.off_nadir_deg,
        ground_sample_m=view.ground_sample_m,
        framed_fraction=view.framed_fraction,
        occluded_fraction=view.occluded_fraction,
        faces=view.faces,
        ce90_m=view.ce90_m,
        is_masked=mask is not None,
    )


def _first_line(sight: _Sight) -> str:
    """The name, which for a moment of a clip holds its time code; or when it was taken."""
    frame = sight.placed.frame
    parts = [readable(frame.name)]
    if frame.moment is None and frame.taken_at:
        parts.append(frame.taken_at.replace("T", " "))
    if frame.mask is not None:
        parts.append("striped: masked")
    return " · ".join(parts)


def _second_line(view: ViewRow, scale: float, unmeasured: str | None) -> str:
    parts = [
        f"from {compass(view.azimuth_deg)} {view.azimuth_deg:.0f}°",
        f"{view.off_nadir_deg:.0f}° off nadir",
        f"{view.distance_m:.0f} m away",
        f"{view.ground_sample_m * 100:.1f} cm a pixel",
        f"{view.occluded_fraction:.0%} hidden",
    ]
    if view.framed_fraction < 0.995:
        parts.append(f"{view.framed_fraction:.0%} in the picture")
    if scale != 1:
        parts.append(f"enlarged {scale:g} times" if scale > 1 else f"reduced to 1:{1 / scale:g}")
    if unmeasured is not None:
        parts.append(f"{unmeasured} not measured: the outline may lie beside it")
    return " · ".join(parts)


@lru_cache(maxsize=KEPT_BUILDINGS)
def _lines_of(building: Building, elevation: Elevation) -> Drawn:
    shape = shape_of(building.polygons_m)
    west, south, east, north = shape.buffer(AROUND_M).bounds
    over = measured_over(elevation, (west, south), (east, north), cell_m=MARCH_CELL_M)
    levels = levels_of(shape, over.measured_m, over.grid)
    whole = on_low_ground(over.measured_m, over.grid, otherwise_m=0.0)
    ground = levels.ground_m if math.isfinite(levels.ground_m) else whole.outside_m
    roof = levels.roof_m if math.isfinite(levels.roof_m) else ground
    unmeasured = [
        name
        for name, level in (("ground", levels.ground_m), ("roof", levels.roof_m))
        if not math.isfinite(level)
    ]
    drawn = drawn_of(building.polygons_m, ground, roof, whole)
    return replace(drawn, unmeasured=" and ".join(unmeasured) or None)
