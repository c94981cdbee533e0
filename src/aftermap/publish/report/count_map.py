"""Counts to a map of their classes: arrays in, (rows, columns, 4) out."""

from collections.abc import Sequence

import numpy as np

from aftermap.geo.arrays import BoolArray, ByteArray, Uint16Array
from aftermap.publish.report.contents import CountClass
from aftermap.publish.shared.ramps import VIRIDIS, coloured
from aftermap.publish.shared.relief import with_alpha, with_hatch


def classed(
    counts: Uint16Array,
    known: BoolArray,
    classes: Sequence[CountClass],
) -> ByteArray:
    """(rows, columns, 4) colours of the classes of (rows, columns) counts.

    A known cell with a count of 0 is hatched.
    """
    rgb = np.zeros((*counts.shape, 3), np.float32)
    for each, share in zip(classes, class_shares(classes), strict=True):
        member = counts >= each.least
        if each.most is not None:
            member &= counts <= each.most
        rgb[member] = coloured(share, VIRIDIS) if each.least else 0
    return with_hatch(with_alpha(rgb, known), known & (counts == 0))


def class_shares(classes: Sequence[CountClass]) -> list[float]:
    """Where along the ramp each class takes its colour; the class of zero has none of its own."""
    coloured_classes = [each for each in classes if each.least]
    steps = max(1, len(coloured_classes) - 1)
    return [coloured_classes.index(each) / steps if each.least else 0.0 for each in classes]
