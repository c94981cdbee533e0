"""Where a camera that is read row by row, on the move, sees a place.

The pose of a picture is that of its middle row. During the readout the camera moves straight on
and turns evenly: Vautherin et al. 2016, Photogrammetric accuracy and modeling of rolling shutter
cameras (ISPRS Annals III-3), with turns.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from aftermap.geo.arrays import Array
from aftermap.geo.lens import projected_px

ROW_ROUNDS = 3
"""Which row shows a place and where it is seen follow from each other; a round gains 20 times."""
FARTHEST_SHARE = 2.0
"""Places that far outside the picture, in heights of it, are seen where it would end."""


def rolled_px(
    xyz_cam: npt.ArrayLike,
    params: Sequence[float],
    height_px: float,
    moved_cam: npt.ArrayLike,
    turned_cam: npt.ArrayLike,
) -> Array:
    """(N, 2) pixels of (N, 3) places in the camera's axes at its middle row; NaN behind it.

    ``moved_cam`` (3,) is by how much the camera moves, in these axes, and ``turned_cam`` (3,) by
    how much it turns about them (radians), from the first row to the last.
    """
    xyz = np.asarray(xyz_cam, float)
    moved, turned = np.asarray(moved_cam, float), np.asarray(turned_cam, float)
    seen = projected_px(xyz, params)
    for _ in range(ROW_ROUNDS):
        share = np.nan_to_num(seen[:, 1] / height_px - 0.5)
        share = np.clip(share, -FARTHEST_SHARE, FARTHEST_SHARE)[:, None]
        turn = Rotation.from_rotvec(share * turned)
        seen = projected_px(turn.apply(xyz - share * moved), params)
    return seen
