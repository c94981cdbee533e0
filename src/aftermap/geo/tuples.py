"""Arrays -> the tuples of plain floats that the records of the model hold."""

import numpy as np
import numpy.typing as npt

from aftermap.model.camera import Matrix3, Matrix6, Row6, Vector3


def vector3(values: npt.ArrayLike) -> Vector3:
    """Three numbers: a place, a motion, a standard deviation of each axis."""
    a, b, c = np.asarray(values, float).tolist()
    return a, b, c


def matrix3(values: npt.ArrayLike) -> Matrix3:
    """(3, 3) row by row: a rotation, or the covariance of a place."""
    a, b, c = (vector3(row) for row in np.asarray(values, float))
    return a, b, c


def row6(values: npt.ArrayLike) -> Row6:
    """Six numbers: place and turn together."""
    a, b, c, d, e, f = np.asarray(values, float).tolist()
    return a, b, c, d, e, f


def matrix6(values: npt.ArrayLike) -> Matrix6:
    """(6, 6) row by row: the covariance of place and turn."""
    a, b, c, d, e, f = (row6(row) for row in np.asarray(values, float))
    return a, b, c, d, e, f
