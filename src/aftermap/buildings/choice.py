"""Which buildings get pictures, which of their views are cut out, and what the files are called."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow.parquet as pq

from aftermap.model.building import Buildings, ViewTable
from aftermap.model.runs import Skipped

FACE_BITS = (1, 2, 4, 8)
NAME_LETTERS = 48


@dataclass(frozen=True, kw_only=True)
class EvidenceOptions:
    """How much is shown.

    ``views``: pictures of each building at most; six show it from above, from four sides, and in a
    clip. ``all_up_to``: so many buildings are all shown without being asked for: 500 take some
    minutes and 1 GB. ``nadir_deg``: up to here a view is from above. ``free_occluded``: a view with
    less of the roof hidden is preferred to any with more. ``apart_deg``, ``apart_s``: further views
    differ from those chosen by so much in direction, or by so much time in one clip.
    """

    views: int = 6
    all_up_to: int = 500
    nadir_deg: float = 25.0
    free_occluded: float = 0.3
    apart_deg: float = 30.0
    apart_s: float = 2.0


@dataclass(frozen=True, kw_only=True)
class ViewRow:
    """One row of a view table."""

    building: int
    frame: int
    clip_sha256: str | None
    time_s: float | None
    distance_m: float
    azimuth_deg: float
    off_nadir_deg: float
    ground_sample_m: float
    framed_fraction: float
    occluded_fraction: float
    faces: int
    ce90_m: float | None
    rank_m: float


def buildings_to_show(
    buildings: Buildings,
    options: EvidenceOptions,
    *,
    queue: Sequence[str] = (),
    asked: Sequence[str] = (),
) -> tuple[tuple[int, ...], tuple[Skipped, ...]]:
    """Places in ``Buildings`` of those to show, in their order; and ids that no building has.

    All where they are few; else those in ``queue`` (a sample, or what is to be reviewed) and those
    ``asked`` for by their id.
    """
    at: dict[str, list[int]] = {}
    for place, one in enumerate(buildings.buildings):
        at.setdefault(one.footprint.source_id, []).append(place)
    unknown = [name for name in dict.fromkeys([*asked, *queue]) if name not in at]
    skipped = tuple(
        Skipped(name=name, reason="no footprint has this id; look it up in the footprint file")
        for name in unknown
    )
    if len(buildings.buildings) <= options.all_up_to:
        return tuple(range(len(buildings.buildings))), skipped
    places = {place for name in (*queue, *asked) for place in at.get(name, ())}
    return tuple(sorted(places)), skipped


def views_to_show(
    views: ViewTable, chosen: Sequence[int], options: EvidenceOptions
) -> dict[int, tuple[ViewRow, ...]]:
    """The views that are cut out of each chosen building, the first one the best."""
    if not chosen:
        return {}
    table = pq.read_table(views.path, filters=[("building", "in", list(chosen))])
    found: dict[int, list[ViewRow]] = {place: [] for place in chosen}
    for row in table.drop_columns(["sha256"]).to_pylist():
        found[row["building"]].append(ViewRow(**row))
    return {place: _choose_of_building(rows, options) for place, rows in found.items()}


def folder_names(buildings: Buildings) -> tuple[str, ...]:
    """What each building's folder is called: its id as far as every disk takes it, and a digest.

    The digest keeps ids apart that look alike to a disk; buildings with one id are told apart by
    their number in the file.
    """
    ids = [one.footprint.source_id for one in buildings.buildings]
    once = {name: ids.count(name) == 1 for name in set(ids)} if len(set(ids)) < len(ids) else {}
    return tuple(
        _safe(name) + ("" if once.get(name, True) else f"-{one.footprint.feature}")
        for name, one in zip(ids, buildings.buildings, strict=True)
    )


def _safe(name: str) -> str:
    letters = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_")[:NAME_LETTERS]
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{letters or 'building'}-{digest}"


def _choose_of_building(views: Sequence[ViewRow], options: EvidenceOptions) -> tuple[ViewRow, ...]:
    """From above, of each side and out of a clip first; then what differs most from those."""
    ordered = sorted(views, key=lambda v: (v.occluded_fraction > options.free_occluded, v.rank_m))
    wanted = [[v for v in ordered if v.off_nadir_deg <= options.nadir_deg]]
    wanted += [[v for v in ordered if v.faces & bit] for bit in FACE_BITS]
    wanted += [[v for v in ordered if v.clip_sha256 is not None]]
    first = {like[0].frame: like[0] for like in wanted if like}
    for one in ordered:
        if len(first) < options.views and all(_differs(one, o, options) for o in first.values()):
            first[one.frame] = one
    return tuple(sorted(first.values(), key=ordered.index)[: options.views])


def _differs(one: ViewRow, other: ViewRow, options: EvidenceOptions) -> bool:
    if one.clip_sha256 == other.clip_sha256 and one.time_s is not None and other.time_s is not None:
        return abs(one.time_s - other.time_s) >= options.apart_s
    turn = abs((one.azimuth_deg - other.azimuth_deg + 180) % 360 - 180)
    sideways = min(one.off_nadir_deg, other.off_nadir_deg) / 90 * turn
    return max(sideways, abs(one.off_nadir_deg - other.off_nadir_deg)) >= options.apart_deg / 3
