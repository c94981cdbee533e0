"""Each control mark as the map would show it had it not held the map: how accurate the map is.

Leave-one-out cross-validation (Stone 1974, J. R. Statist. Soc. B 36, 111): for each mark the block
is adjusted again without it, from where the adjustment with all marks ended, and the mark is
triangulated from its pixels with those cameras. So all marks hold the map, and each tests it.
docs/decisions/0020-leave-one-out.md.
"""

from dataclasses import replace

import numpy as np

from aftermap.geo.arrays import Array, BoolArray
from aftermap.sfm.block import BundleBlock
from aftermap.sfm.bundle import gauss_newton_step
from aftermap.sfm.gcp import MIN_CONTROL, Survey, straightness, triangulated_marks
from aftermap.sfm.gcp_file import farthest_first
from aftermap.sfm.triangulate import thinned

MOST_LEFT_OUT = 12
"""So many marks are left out in turn, those that span the area; more would only say it again."""
MOST_STEPS = 6
ARRIVED_M = 1e-3
STRAIGHT = 0.05
"""Marks whose width is under this share of their length hold no turn about the line."""


def left_out_residuals(
    block: BundleBlock, survey: Survey, used: BoolArray, numbers: dict[int, int], *, located: bool
) -> Array:
    """(N, 3) metres, each mark as predicted without itself minus as it was surveyed.

    NaN where it cannot be: a mark that does not hold the map, or without which the others do not
    hold it. ``block`` is adjusted, its last points are the ``used`` (N,) marks; ``located`` says
    that recorded positions help to hold it.
    """
    found = np.full((len(used), 3), np.nan)
    order = farthest_first([mark.position for mark in survey.marks])
    for i in [i for i in order if used[i]][:MOST_LEFT_OUT]:
        others = used.copy()
        others[i] = False
        if located or _hold(survey.positions_m[others]):
            found[i] = _predicted_m(block, survey, used, i, numbers) - survey.positions_m[i]
    return found


def straight_warnings(survey: Survey, used: BoolArray, *, located: bool) -> list[str]:
    """One warning with the marks that hold the map, where they lie in a line; else none.

    ``used`` (N,) says which marks of the survey hold the map; ``located`` that recorded positions
    do too.
    """
    if straightness(survey.positions_m[used]) >= STRAIGHT:
        return []
    held = "only the recorded positions hold" if located else "nothing holds"
    return [
        (
            f"The points that georeference the map ({_names(survey, used)}) are collinear: {held} "
            "its rotation about their line, so heights beside the line may be wrong. Survey a "
            "point away from it."
        )
    ]


def untested_warnings(survey: Survey, used: BoolArray, left_out_m: Array) -> list[str]:
    """One warning with the marks that the others cannot test, where there are any; else none.

    ``used`` (N,) says which marks hold the map; ``left_out_m`` (N, 3) metres are their residuals
    from :func:`left_out_residuals`, NaN where there is none.
    """
    untested = used & ~np.isfinite(left_out_m).all(axis=1)
    if not untested.any() or np.count_nonzero(used) > MOST_LEFT_OUT:
        return []
    them = "it" if np.count_nonzero(untested) == 1 else "one of them"
    return [
        (
            f"The accuracy at {_names(survey, untested)} is not tested: without {them} the other "
            "points do not hold the map. Survey more points, not in a line."
        )
    ]


def unheld_warning(survey: Survey) -> str:
    """Why the marks do not hold the map."""
    control = np.array([role == "control" for role in survey.roles])
    needed = f"at least {MIN_CONTROL} non-collinear points must each be marked in two mapped images"
    if control.sum() >= MIN_CONTROL and straightness(survey.positions_m[control]) < STRAIGHT:
        needed += f", and {_names(survey, control)} are collinear"
    return f"The ground control points do not georeference the map: {needed}."


def _names(survey: Survey, which: BoolArray) -> str:
    names = [mark.name for mark, is_one in zip(survey.marks, which, strict=True) if is_one]
    more = len(names) - MOST_LEFT_OUT
    return ", ".join(names[:MOST_LEFT_OUT]) + (f" and {more} more" if more > 0 else "")


def _hold(positions_m: Array) -> bool:
    """Whether marks alone fix place, size and turn of a block."""
    return len(positions_m) >= MIN_CONTROL and straightness(positions_m) >= STRAIGHT


def _predicted_m(
    block: BundleBlock, survey: Survey, used: BoolArray, mark: int, numbers: dict[int, int]
) -> Array:
    """(3,) where the block, adjusted without a mark, sees it.

    The steps are undamped and begin where all marks put the block, so one or two arrive; a test
    holds them against adjustments from the beginning.
    """
    points = len(block.state.points)
    stays = np.ones(points, bool)
    stays[points - int(used.sum()) + int(used[:mark].sum())] = False
    everywhere = np.ones(len(block.sights.frame), bool)
    state, sights, which = thinned(block.state, block.sights, everywhere, stays)
    knowns = replace(
        block.knowns,
        points=block.knowns.points[stays],
        point_sigma=block.knowns.point_sigma[stays],
    )
    place, offset_m = np.full(3, np.inf), np.zeros(3)
    for _ in range(MOST_STEPS):
        state, offset_m = gauss_newton_step(state, sights, block.sigma_px[which], knowns, offset_m)
        places, _ = triangulated_marks(replace(block, state=state), survey, numbers)
        moved_m = float(np.linalg.norm(places[mark] - place))
        place = places[mark]
        if moved_m < ARRIVED_M:
            break
    return np.asarray(place + block.offset_m)
