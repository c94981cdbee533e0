"""Cells and buildings -> the stretches of clips that saw any of them, the best first.

Neighbouring seconds of a shot become one stretch, described by its best moment.
"""

import heapq
import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from aftermap.geo.uncertainty import precision_of
from aftermap.geo.viewing import FACE_LETTERS
from aftermap.model.sighting import Sighting
from aftermap.record.geopackage import GeoPackage
from aftermap.record.sighting_queries import (
    SightingRow,
    are_filled_between,
    ranks_of,
    spans_of,
    views_of_segments,
)

LONGEST_FILLED = 6
"""So many seconds at most lie between two placed frames of a stretch."""


class Stretch(NamedTuple):
    """The numbers of its best, first and last segment."""

    best: int
    first: int
    last: int


def stretches_seeing(package: GeoPackage, places: Sequence[int], *, limit: int) -> list[Sighting]:
    """The stretches of clips that saw any of some places, as the table ``sighting`` numbers them.

    Places are cells (0 and more) or buildings (below 0). Seconds that no placed frame lies in have
    no rows for buildings; between two that show one they are part of the stretch, as the camera's
    trajectory is interpolated there.
    """
    found = ranks_of(package, places)
    if places and max(places) < 0:
        found += _between(package, sorted({segment for segment, _ in found}))
    stretches = best_stretches(found, limit)
    rows = views_of_segments(package, places, [stretch.best for stretch in stretches])
    times = times_of(package, stretches)
    return [_sighting(rows[one.best], *times[one]) for one in stretches]


def best_stretches(ranks: Iterable[tuple[int, float]], limit: int) -> list[Stretch]:
    """Neighbouring segments as one, the best first; of each segment found its number and rank."""
    stretches = []
    best, rank, first, last = -1, math.inf, -1, -2
    for segment, its_rank in sorted(ranks):
        if segment != last + 1:
            stretches.append((rank, best, first, last))
            best, rank, first = segment, its_rank, segment
        elif its_rank < rank:
            best, rank = segment, its_rank
        last = segment
    stretches.append((rank, best, first, last))
    chosen = heapq.nsmallest(limit, stretches[1:])
    return [Stretch(best=best, first=first, last=last) for _, best, first, last in chosen]


def times_of(
    package: GeoPackage, stretches: Sequence[Stretch]
) -> dict[Stretch, tuple[float, float]]:
    """From and to of every stretch, in seconds of its clip."""
    times = spans_of(package, [number for one in stretches for number in (one.first, one.last)])
    return {one: (times[one.first][0], times[one.last][1]) for one in stretches}


def letters_of(faces: int) -> str:
    """The sides that a set of bits names, such as "NE"."""
    return "".join(letter for bit, letter in FACE_LETTERS.items() if faces & bit)


def _between(package: GeoPackage, segments: Sequence[int]) -> list[tuple[int, float]]:
    """The filled-in seconds between segments of one stretch, ranked last."""
    gaps = [(a, b) for a, b in pairwise(segments) if 1 < b - a <= LONGEST_FILLED + 1]
    return [
        (number, math.inf)
        for a, b in gaps
        if are_filled_between(package, a, b)
        for number in range(a + 1, b)
    ]


def _sighting(row: SightingRow, from_s: float, to_s: float) -> Sighting:
    ce90_m = None if row.ce90_dm is None else row.ce90_dm / 10
    occluded = row.occluded_percent
    return Sighting(
        clip_name=row.clip_name,
        sha256=row.clip_sha256,
        kind="clip",
        shot=row.shot,
        from_s=from_s,
        to_s=to_s,
        best_s=row.from_s + row.best_ms / 1000,
        ground_sample_m=row.gsd_mm / 1000,
        off_nadir_deg=row.off_nadir_deg,
        azimuth_deg=row.azimuth_deg,
        faces=letters_of(row.faces),
        framed_fraction=row.framed_percent / 100,
        occluded_fraction=None if occluded is None else occluded / 100,
        ce90_m=ce90_m,
        precision=precision_of(ce90_m),
        source=row.source,
        rank_m=row.rank_um / 1e6,
        segment=row.segment,
    )
