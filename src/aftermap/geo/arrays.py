"""The array types of the whole program, one name for each.

A type tells what the numbers are; shape, unit and frame are in the docstring of each function.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
"""Coordinates, angles, heights in computations: what is not said otherwise is float64."""
Float32Array = npt.NDArray[np.float32]
FloatingArray = npt.NDArray[np.floating]
BoolArray = npt.NDArray[np.bool_]
ByteArray = npt.NDArray[np.uint8]
"""Grey values, colours, and classes of few values."""
Uint16Array = npt.NDArray[np.uint16]
Uint32Array = npt.NDArray[np.uint32]
Int8Array = npt.NDArray[np.int8]
Int16Array = npt.NDArray[np.int16]
Int32Array = npt.NDArray[np.int32]
IntArray = npt.NDArray[np.int64]
IndexArray = npt.NDArray[np.intp]
"""What numpy answers where it is asked for places in an array."""
ObjectArray = npt.NDArray[np.object_]
"""Shapes of shapely, texts of any length."""
TextArray = npt.NDArray[np.str_]
GenericArray = npt.NDArray[np.generic]
"""Whatever a raster or a table holds."""
AnyArray = npt.NDArray[Any]
