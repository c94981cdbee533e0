"""The accuracy of the map, from what georeferences it. One standard deviation throughout.

Absolute: check points where there are any; else ground control points, each predicted without
itself; else the accuracy that the
drone states for its GPS, which averaging does not improve, as all images share its bias. Relative:
neighbouring points from the reprojection error and the geometry of the flight, and scale and tilt
over 100 m by propagating the scatter of the positions that determine them (least squares for a
similarity and for a plane).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.geo.crs import LOCAL
from aftermap.model.camera import Reconstruction, Vector3
from aftermap.model.datum import DatumTransformation
from aftermap.model.media import VerticalDatum
from aftermap.model.outlines import PLACE_ROLE
from aftermap.model.spread import HEIGHTS_GSD
from aftermap.publish.report.contents import ControlFigures, GpsFigures, Residuals, Trust
from aftermap.publish.report.flight_figures import height_to_base

FROM_GPS = "from the drone's GPS, not verified with check points"
LEAST_CONTROL = 3
MOST_LEFT_OUT = 12
"""So many of the control points are left out in turn."""
LEAST_FOR_SCATTER = 6
STRAIGHT = 0.05
"""Positions whose width is under this share of their length lie on a line: no level across it."""

FLOATING = {
    VerticalDatum.BAROMETRIC: "the drone recorded barometric heights, which drift",
    VerticalDatum.TAKEOFF_RELATIVE: "heights are relative to the take-off point, whose height is "
    "not known",
    VerticalDatum.UNKNOWN: "the images do not state the reference of their heights",
    VerticalDatum.GROUND: "heights are above the ground below the cameras, whose own level is not "
    "known",
    VerticalDatum.LOCAL: "the map is not georeferenced",
}


def trust_in(
    reconstruction: Reconstruction,
    gps: GpsFigures,
    control: ControlFigures,
    ground_sample_m: float,
) -> Trust:
    """Absolute and relative accuracy, each with its source."""
    horizontal, horizontal_from = _horizontal(reconstruction, gps, control)
    vertical, vertical_from = _vertical(reconstruction, gps, control)
    error_m = ground_sample_m * max(1.0, reconstruction.reprojection_px)
    ratio = height_to_base(reconstruction.mapped)
    length, height, why = _over_100_m(reconstruction, gps, control)
    return Trust(
        horizontal_m=horizontal,
        horizontal_from=horizontal_from,
        vertical_m=vertical,
        vertical_from=vertical_from,
        near_horizontal_m=error_m,
        near_vertical_m=error_m * ratio if ratio is not None else None,
        length_per_100_m=length,
        height_per_100_m=height,
        not_known=why,
        other_machine_vertical_m=HEIGHTS_GSD * ground_sample_m,
        transformation=reconstruction.transformation,
    )


def _horizontal(
    reconstruction: Reconstruction, gps: GpsFigures, control: ControlFigures
) -> tuple[float | None, str]:
    from_marks = _from_marks(reconstruction, control)
    if from_marks is not None:
        return _transformed(
            from_marks.horizontal_m, from_marks.basis, reconstruction.transformation
        )
    rms = _tame(gps).rms_horizontal_m
    if reconstruction.crs == LOCAL or rms is None:
        return None, "no image records its position"
    if gps.stated_horizontal_m is None:
        basis = "from the scatter of the GPS positions only; the drone states no accuracy"
        return _transformed(rms, basis, reconstruction.transformation)
    return _transformed(max(gps.stated_horizontal_m, rms), FROM_GPS, reconstruction.transformation)


def _transformed(
    before_m: float | None, basis: str, transformation: DatumTransformation | None
) -> tuple[float | None, str]:
    """The accuracy after a datum transformation, whose error is that of the whole map."""
    if transformation is None or before_m is None:
        return before_m, basis
    code = f", {transformation.code}" if transformation.code else ""
    name = f"the datum transformation {transformation.name}{code}"
    if transformation.accuracy_m is None:
        return None, f"{name}, states no accuracy"
    with_it = f"{basis}, and {transformation.accuracy_m:g} m for {name}"
    return math.hypot(before_m, transformation.accuracy_m), with_it


def _vertical(
    reconstruction: Reconstruction, gps: GpsFigures, control: ControlFigures
) -> tuple[float | None, str]:
    from_marks = _from_marks(reconstruction, control)
    if from_marks is not None and not _are_places(control):
        return from_marks.vertical_m, from_marks.basis
    floating = FLOATING.get(reconstruction.vertical_datum)
    if floating is not None:
        return None, floating
    rms = _tame(gps).rms_m
    if rms is None or gps.stated_vertical_m is None:
        return None, "no image states the accuracy of its height"
    return max(gps.stated_vertical_m, rms[2]), FROM_GPS


def _tame(gps: GpsFigures) -> Residuals:
    return gps.without_wild or gps.all


@dataclass(frozen=True, kw_only=True)
class _FromMarks:
    """What marks say of the accuracy, and by which of them."""

    horizontal_m: float | None
    vertical_m: float | None
    basis: str


def _from_marks(reconstruction: Reconstruction, control: ControlFigures) -> _FromMarks | None:
    check, left_out = control.check, control.left_out
    if check.count:
        points = f"{check.count} check points" if check.count > 1 else "one check point"
        return _FromMarks(
            horizontal_m=check.rms_horizontal_m,
            vertical_m=check.rms_m[2] if check.rms_m else None,
            basis=f"from {points} not used in the adjustment",
        )
    if control.control.count >= LEAST_CONTROL and _are_places(control):
        return _FromMarks(
            horizontal_m=control.control.rms_horizontal_m,
            vertical_m=None,
            basis=f"from the residuals of the known places of {control.control.count} buildings; "
            "the true error is larger",
        )
    formal_m = reconstruction.control_sigma_m
    if formal_m is None:
        return _fitted(control) if control.control.count >= LEAST_CONTROL else None
    if _has_untested(reconstruction, left_out) or left_out.rms_m is None:
        return _FromMarks(
            horizontal_m=formal_m[0],
            vertical_m=formal_m[1],
            basis="from the covariance of the adjustment only; there are too few ground control "
            "points to test it",
        )
    return _FromMarks(
        horizontal_m=max(formal_m[0], left_out.rms_horizontal_m or 0.0),
        vertical_m=max(formal_m[1], left_out.rms_m[2]),
        basis=f"from leave-one-out at {left_out.count} ground control points, each predicted by "
        "the adjustment without it, and no less than the adjustment's own uncertainty",
    )


def _fitted(control: ControlFigures) -> _FromMarks:
    """Residuals of marks that were fitted to do not say how accurate the map is."""
    return _FromMarks(
        horizontal_m=None,
        vertical_m=None,
        basis=f"no check point tests the map, and the residuals of the {control.control.count} "
        "ground control points used in the adjustment do not",
    )


def _has_untested(reconstruction: Reconstruction, left_out: Residuals) -> bool:
    """Whether a mark that holds the map could not be left out; of many, only some are."""
    if left_out.count >= MOST_LEFT_OUT:
        return False
    return any(
        mark.role == "control" and mark.is_used and mark.left_out_m is None and mark.residual_m
        for mark in reconstruction.control
    )


def _are_places(control: ControlFigures) -> bool:
    """Whether places of buildings, known in plan only, hold the map."""
    return any(mark.role == PLACE_ROLE for mark in control.marks)


def _over_100_m(
    reconstruction: Reconstruction, gps: GpsFigures, control: ControlFigures
) -> tuple[float | None, float | None, str | None]:
    """Errors of a length and of a height difference over 100 m, and why one is not known."""
    if reconstruction.crs == LOCAL and control.control.count < LEAST_CONTROL:
        return None, None, "no recorded position gives the map a scale or a level"
    positions, sigma = _holding(reconstruction, gps, control)
    if len(positions) < LEAST_CONTROL or sigma is None:
        return None, None, "fewer than three positions of known accuracy georeference the map"
    away = positions[:, :2] - positions[:, :2].mean(axis=0)
    across, along = (float(np.sqrt(max(value, 0))) for value in np.linalg.eigvalsh(away.T @ away))
    one_axis = math.hypot(sigma[0], sigma[1]) / math.sqrt(2)
    length = 100 * one_axis / math.hypot(across, along)
    if _are_places(control):
        count = control.control.count
        length *= math.sqrt(count / max(count - 2, 1))  # four numbers were fitted to two of each
        return length, None, "the vertical comes from the images alone"
    if across < STRAIGHT * along:
        why = "the positions that georeference the map are collinear, so it may be tilted across"
        return length, None, why
    return length, 100 * sigma[2] / across, None


def _holding(
    reconstruction: Reconstruction, gps: GpsFigures, control: ControlFigures
) -> tuple[Array, Vector3 | None]:
    """(N, 3) positions that determine scale and tilt, and the standard deviation of each axis."""
    if control.control.count >= LEAST_CONTROL:
        marks = [mark for mark in control.marks if mark.residual_m is not None]
        tested = max((control.check, control.left_out), key=lambda one: one.count)
        tested = tested if tested.count >= LEAST_CONTROL else control.control
        return _positions([mark.position_m for mark in marks]), tested.rms_m
    frames = [f for f in reconstruction.mapped if f.frame.prior_position_m is not None]
    positions = _positions([frame.pose.position_m for frame in frames])
    tame = _tame(gps)
    if tame.count >= LEAST_FOR_SCATTER and tame.rms_m is not None:
        return positions, tame.rms_m
    if gps.stated_horizontal_m is None or gps.stated_vertical_m is None:
        return positions, None
    each = gps.stated_horizontal_m / math.sqrt(2)
    return positions, (each, each, gps.stated_vertical_m)


def _positions(positions_m: Sequence[Vector3]) -> Array:
    return np.asarray(positions_m, float).reshape(-1, 3)
