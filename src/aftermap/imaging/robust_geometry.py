"""Robust estimation of two-view and camera geometry: the one door to OpenCV and COLMAP.

Both libraries raise on some degenerate inputs that real footage holds: two exposures of one view,
a still camera, a leader, a test card (OpenCV 5.0: ``!model.empty()`` out of USAC, where a plane
explains all but two matches that lie less than a tenth of a pixel apart; opencv issue 19639 names
the kind). Here such an input is an answer, None: the pair or the picture is skipped.

Pixels are (N, 2) in any one convention, since none of these estimates depends on half a pixel.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt
import pycolmap

from aftermap.geo.arrays import AnyArray, Array, BoolArray, FloatingArray, IntArray

Found = TypeVar("Found")

LEAST_FOR_LINES = 8
LEAST_FOR_PLANE = 4
LEAST_FOR_POSE = 4
CONFIDENCE = 0.999
SEED = 7
"""OpenCV's own generator is one for the process: without a seed an answer depends on what ran
before it."""


@dataclass(frozen=True, kw_only=True)
class PosedByPoints:
    """A camera pose: ``turn`` (3,) is its rotation vector, ``inliers`` (M,) index the points."""

    turn: Array
    rotation_cam_from_world: Array
    position: Array
    inliers: IntArray


def fundamental_matrix(
    first_px: npt.ArrayLike, second_px: npt.ArrayLike, method: int, tolerance_px: float, trials: int
) -> tuple[Array, BoolArray] | None:
    """The (3, 3) matrix F of second' F first = 0, and (N,) the matches that agree with it.

    ``method`` is one of OpenCV's, such as ``cv2.USAC_MAGSAC``; where that raises, plain RANSAC is
    asked, which does not: two frames of a forward flight whose matches lie on the horizon are a
    pair all the same. None where the matches give none.
    """
    first, second = np.asarray(first_px, np.float32), np.asarray(second_px, np.float32)
    if not _usable(LEAST_FOR_LINES, first, second):
        return None

    def asked(how: int) -> tuple[Any, Any] | None:
        return _answer(
            lambda: cv2.findFundamentalMat(first, second, how, tolerance_px, CONFIDENCE, trials)
        )

    found = asked(method) or asked(cv2.FM_RANSAC)
    if found is None or np.shape(found[0]) != (3, 3) or not np.isfinite(found[0]).all():
        return None
    inside = np.ravel(found[1]) > 0
    if len(inside) != len(first):
        return None
    return np.asarray(found[0], np.float64), np.asarray(inside, np.bool_)


def homography(first_px: npt.ArrayLike, second_px: npt.ArrayLike) -> Array | None:
    """The (3, 3) plane that puts the middle match nearest (least median of squares), or None."""
    first, second = np.asarray(first_px, np.float64), np.asarray(second_px, np.float64)
    if not _usable(LEAST_FOR_PLANE, first, second):
        return None
    found = _answer(lambda: cv2.findHomography(first, second, cv2.LMEDS))
    if found is None or np.shape(found[0]) != (3, 3) or not np.isfinite(found[0]).all():
        return None
    return np.asarray(found[0], np.float64)


def pose_by_points(
    xyz: npt.ArrayLike,
    xy_px: npt.ArrayLike,
    lens: Array,
    *,
    method: int,
    tolerance_px: float,
    trials: int,
    confidence: float,
) -> PosedByPoints | None:
    """The pose that most of (N, 3) places and their pixels agree on, without distortion, or None.

    ``lens`` is (3, 3). Places and position are in the same unit, best near the origin; ``method``
    is one of OpenCV's, such as ``cv2.SOLVEPNP_AP3P``.
    """
    places, pixels = np.asarray(xyz, np.float64), np.asarray(xy_px, np.float64)
    if not _usable(LEAST_FOR_POSE, places, pixels):
        return None
    cv2.setRNGSeed(SEED)
    found = _answer(
        lambda: cv2.solvePnPRansac(
            places,
            pixels,
            lens,
            None,
            iterationsCount=trials,
            flags=method,
            reprojectionError=tolerance_px,
            confidence=confidence,
        )
    )
    if found is None:
        return None
    done, turn, shift, inside = found
    return _posed(np.ravel(turn), np.ravel(shift), np.ravel(inside)) if done else None


def _posed(turn: AnyArray, shift: AnyArray, inside: AnyArray) -> PosedByPoints | None:
    """The pose of a rotation vector (3,) and translation (3,); None where they are no numbers."""
    if not np.isfinite([*turn, *shift]).all():
        return None
    rotation = np.asarray(cv2.Rodrigues(turn)[0], np.float64)
    return PosedByPoints(
        turn=turn.astype(np.float64),
        rotation_cam_from_world=rotation,
        position=-rotation.T @ shift,
        inliers=inside.astype(np.int64),
    )


def outline_area_px2(xy_px: npt.ArrayLike) -> float:
    """Area inside the convex outline of (N, 2) points; 0 where there are fewer than three."""
    points = np.asarray(xy_px, np.float32).reshape(-1, 2)
    points = points[np.isfinite(points).all(axis=1)]
    return float(cv2.contourArea(cv2.convexHull(points))) if len(points) > 2 else 0.0


def incremental_models(
    database: Path, folder: Path, options: pycolmap.IncrementalPipelineOptions
) -> list[pycolmap.Reconstruction]:
    """COLMAP's models of a database, those with most pictures first; none where it gives up.

    A check of its own that a degenerate model does not pass is a ValueError; what SQLite says is a
    RuntimeError and is not caught here.
    """
    return _models(lambda: pycolmap.incremental_mapping(database, folder, folder, options))


def global_models(
    database: Path, folder: Path, options: pycolmap.GlobalPipelineOptions
) -> list[pycolmap.Reconstruction]:
    """As :func:`incremental_models`, all pictures solved for at once (GLOMAP, Pan et al. 2024)."""
    return _models(lambda: pycolmap.global_mapping(database, folder, folder, options))


def _models(
    ask: Callable[[], dict[int, pycolmap.Reconstruction]],
) -> list[pycolmap.Reconstruction]:
    try:
        models = ask()
    except ValueError:
        return []
    return sorted(models.values(), key=lambda model: -model.num_reg_images())


def _usable(least: int, *sides: FloatingArray) -> bool:
    """Whether both sides have as many rows, enough of them, and all of them are numbers."""
    return len({len(side) for side in sides}) == 1 and all(
        len(side) >= least and bool(np.isfinite(side).all()) for side in sides
    )


def _answer(ask: Callable[[], Found]) -> Found | None:
    """What OpenCV answers, or None where its own checks stop it; memory that runs out is told."""
    try:
        return ask()
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError(str(error)) from error
        return None
