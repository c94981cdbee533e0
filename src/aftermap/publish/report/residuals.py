"""Estimated against recorded and surveyed positions: means, root mean squares, wild ones.

Residuals are estimated minus recorded (GPS) or surveyed (marks), east, north, up, in metres.
"""

from collections.abc import Sequence

import numpy as np

from aftermap.geo.robust import SIGMA_PER_MAD
from aftermap.geo.tuples import vector3
from aftermap.model.camera import ControlResidual, PlacedFrame, Reconstruction, Vector3
from aftermap.publish.report.contents import ControlFigures, ControlMark, GpsFigures, Residuals

WILD_SIGMAS = 5.0
WILD_LEAST_FRAMES = 4
LEAST_SPREAD_M = 0.05

CHECK = "check"


def residual_statistics(residuals_m: Sequence[Vector3], *, none_because: str) -> Residuals:
    """Mean and root mean square; ``none_because`` says why there are none, if there are none."""
    if not residuals_m:
        return Residuals(
            count=0, mean_m=None, rms_m=None, rms_horizontal_m=None, not_known=none_because
        )
    values = np.asarray(residuals_m, float)
    rms = np.sqrt((values**2).mean(axis=0))
    return Residuals(
        count=len(values),
        mean_m=vector3(values.mean(axis=0)),
        rms_m=vector3(rms),
        rms_horizontal_m=float(np.hypot(rms[0], rms[1])),
        not_known=None,
    )


def gps_residual_m(placed: PlacedFrame) -> Vector3 | None:
    """Estimated minus recorded position; None where the photograph recorded none."""
    if placed.frame.prior_position_m is None:
        return None
    return vector3(np.subtract(placed.pose.position_m, placed.frame.prior_position_m))


def wild_frames(placed: Sequence[PlacedFrame]) -> frozenset[str]:
    """SHA-256 of the photographs whose recorded position is far from where the others put it.

    Far is more than five times both the accuracy that the photograph states and the scatter of
    its group about the group's median, horizontally or in height. A group of fewer than four
    positions cannot outvote one of them: nothing is called wild there.
    """
    wild: set[str] = set()
    for group in {frame.group for frame in placed}:
        members = [frame for frame in placed if frame.group == group]
        wild |= _wild_in([frame for frame in members if frame.frame.prior_position_m is not None])
    return frozenset(wild)


def _wild_in(placed: Sequence[PlacedFrame]) -> set[str]:
    if len(placed) < WILD_LEAST_FRAMES:
        return set()
    residuals = np.array([gps_residual_m(frame) for frame in placed], float)
    stated = np.array([frame.frame.prior_sigma_m or (0.0, 0.0, 0.0) for frame in placed], float)
    stated = np.nan_to_num(stated)
    away = np.abs(residuals - np.median(residuals, axis=0))
    spread = np.maximum(SIGMA_PER_MAD * np.median(away, axis=0), LEAST_SPREAD_M)
    limit = WILD_SIGMAS * np.maximum(stated, spread)
    horizontal = np.hypot(away[:, 0], away[:, 1]) > np.hypot(limit[:, 0], limit[:, 1])
    found = horizontal | (away[:, 2] > limit[:, 2])
    return {frame.frame.sha256 for frame, is_wild in zip(placed, found, strict=True) if is_wild}


def gps_figures(reconstruction: Reconstruction) -> GpsFigures:
    """The mapped photographs against their own recorded positions."""
    mapped = reconstruction.mapped
    wild = wild_frames(mapped)
    with_gps = [frame for frame in mapped if frame.frame.prior_position_m is not None]
    tame = [frame for frame in with_gps if frame.frame.sha256 not in wild]
    why = "no image records its position"
    horizontal, vertical = stated_sigma_m(mapped)
    return GpsFigures(
        all=residual_statistics(_residuals(with_gps), none_because=why),
        without_wild=residual_statistics(_residuals(tame), none_because=why) if wild else None,
        wild=tuple(frame.frame.name for frame in with_gps if frame.frame.sha256 in wild),
        without_position=len(mapped) - len(with_gps),
        stated_horizontal_m=horizontal,
        stated_vertical_m=vertical,
    )


def stated_sigma_m(placed: Sequence[PlacedFrame]) -> tuple[float | None, float | None]:
    """Median accuracy the drone states for its positions: horizontal (radial) and vertical."""
    sigmas = np.array(
        [
            frame.frame.prior_sigma_m
            for frame in placed
            if frame.frame.prior_position_m is not None and frame.frame.prior_sigma_m is not None
        ],
        float,
    ).reshape(-1, 3)
    sigmas = sigmas[np.isfinite(sigmas).all(axis=1)]
    if not len(sigmas):
        return None, None
    radial = float(np.median(np.hypot(sigmas[:, 0], sigmas[:, 1])))
    return radial, float(np.median(sigmas[:, 2]))


def control_figures(control: Sequence[ControlResidual]) -> ControlFigures:
    """The marks, those that held the solution apart from those that tested it."""
    none = "no ground control points were given"
    return ControlFigures(
        control=residual_statistics(
            _marked(control, checks=False), none_because=_why(control, none)
        ),
        check=residual_statistics(
            _marked(control, checks=True),
            none_because=_why(control, "no check points were given"),
        ),
        left_out=residual_statistics(
            [mark.left_out_m for mark in control if mark.left_out_m is not None],
            none_because="no control point was left out in turn",
        ),
        marks=tuple(
            ControlMark(
                name=mark.name,
                role=mark.role,
                position_m=mark.position_m,
                residual_m=mark.residual_m,
                horizontal_m=float(np.hypot(*mark.residual_m[:2])) if mark.residual_m else None,
                reprojection_px=mark.reprojection_px,
                photographs=len(mark.images),
                left_out_m=mark.left_out_m,
            )
            for mark in control
        ),
    )


def _why(control: Sequence[ControlResidual], otherwise: str) -> str:
    if not control:
        return "no ground control points were given"
    if any(mark.residual_m is None for mark in control):
        return f"{otherwise}, or none could be measured in two images"
    return otherwise


def _marked(control: Sequence[ControlResidual], *, checks: bool) -> list[Vector3]:
    return [
        mark.residual_m
        for mark in control
        if mark.residual_m is not None and (mark.role == CHECK) is checks
    ]


def _residuals(placed: Sequence[PlacedFrame]) -> list[Vector3]:
    return [residual for frame in placed if (residual := gps_residual_m(frame)) is not None]
