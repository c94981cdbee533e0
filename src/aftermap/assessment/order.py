"""Values -> their median and quantiles, without what numpy's cost for a few thousand."""

import numpy as np

from aftermap.geo.arrays import FloatingArray


def quantiles_of(values: FloatingArray, *shares: float) -> list[float]:
    """The values at these shares of the order of (N,) known values, interpolated; N at least 1."""
    ordered = np.sort(values)
    last = len(ordered) - 1
    found = []
    for share in shares:
        at = share * last
        low = int(at)
        below, above = float(ordered[low]), float(ordered[min(low + 1, last)])
        found.append(below + (at - low) * (above - below))
    return found


def middle_of(values: FloatingArray) -> float:
    """The median of (N,) known values, N at least 1."""
    return quantiles_of(values, 0.5)[0]
