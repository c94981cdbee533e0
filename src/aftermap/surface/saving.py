"""An array -> a .npy that is there whole or not at all, also after a kill."""

from pathlib import Path

import numpy as np

from aftermap.geo.arrays import GenericArray


def save_whole(target: Path, values: GenericArray) -> None:
    """Write values (...) to a temporary name beside ``target`` and rename.

    An earlier file is replaced.
    """
    part = target.with_suffix(".part")
    with part.open("wb") as stream:
        np.save(stream, values)
    part.replace(target)
