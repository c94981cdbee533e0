"""Depths of all views -> the depths that others confirm, and how many views each rests on.

A depth stays where enough other views have the same one, and fewer look through it than agree (the
checks of Merrell et al. 2007 and of Schoenberger et al. 2016, section 4.5). Done twice: the second
time only what was confirmed confirms or looks through.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aftermap.geo.arrays import Array, ByteArray, Float32Array
from aftermap.surface.consistency_kernel import count_agreement, rim_trimmed
from aftermap.surface.saving import save_whole
from aftermap.surface.undistorted import PinholeView

LEAST_AGREEING = 1
STEEP_RIM_PX, SLANTING_RIM_PX = 1, 2
SLANTING_DOWN_SINE = 0.9
"""A pixel's error at an edge is longer on the ground the flatter the look."""
RIM_SHARE = 0.012


@dataclass(frozen=True, kw_only=True)
class ConfirmTask:
    """One view, those around it, and where their depths are and the answer goes.

    ``files`` are the .npy of inverse z of ``view`` and then of ``others``.
    """

    view: PinholeView
    others: tuple[PinholeView, ...]
    files: tuple[str, ...]
    file: str


def confirm(task: ConfirmTask) -> str:
    """Write the confirmed inverse z of a view (float32, NaN for none), and beside it its views."""
    target = Path(task.file)
    if not target.exists():
        inverse, views = confirmed_depths(task)
        save_whole(views_file(task.file), views)
        save_whole(target, inverse)
    return task.file


def views_file(file: str) -> Path:
    """Where the number of views that see each depth is kept, beside the depths."""
    return Path(file).with_suffix(".views.npy")


def confirmed_depths(task: ConfirmTask) -> tuple[Float32Array, ByteArray]:
    """(rows, columns) inverse z, 1 / m, that others confirm, and how many views see it.

    The view itself is counted.
    """
    is_slanting = -task.view.rotation[2, 2] < SLANTING_DOWN_SINE
    rim_px = SLANTING_RIM_PX if is_slanting else STEEP_RIM_PX
    own = rim_trimmed(np.load(task.files[0]), level(task.view), rim_px, RIM_SHARE)
    agreeing, through = np.zeros(own.shape, np.uint8), np.zeros(own.shape, np.uint8)
    for other, file in zip(task.others, task.files[1:], strict=True):
        count_agreement(
            own, np.load(file), way(task.view, other), way(other, task.view), agreeing, through
        )
    kept = (agreeing >= LEAST_AGREEING) & (through < agreeing)
    inverse = np.where(kept, own, np.nan).astype(np.float32)
    return inverse, np.where(kept, agreeing + 1, 0).astype(np.uint8)


def level(view: PinholeView) -> Array:
    """(3,) which times a pixel (u, v, 1) is how far below the camera its ray comes per z."""
    return np.asarray(-view.rotation[:, 2] @ np.linalg.inv(view.calibration), float)


def way(view: PinholeView, other: PinholeView) -> Array:
    """(2, 3, 3) A and B: a pixel with inverse z v of one view to the other's, A + v B[:, 2]."""
    turn = other.rotation @ view.rotation.T
    shift = other.rotation @ (view.centre_m - other.centre_m)
    found = np.zeros((2, 3, 3))
    found[0] = other.calibration @ turn @ np.linalg.inv(view.calibration)
    found[1, :, 2] = other.calibration @ shift
    return found
