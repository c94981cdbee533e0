"""The styles of district, and which code makes each."""

from aftermap.geo.arrays import BoolArray
from aftermap_twin.city.district import make_city
from aftermap_twin.options import TwinOptions
from aftermap_twin.scene import Scene
from aftermap_twin.site import Extent


def make_scene(options: TwinOptions, extent: Extent, often_seen: BoolArray) -> Scene:
    """The district over ``extent``; marks lie where ``often_seen``.

    That is a mask (rows, columns) of HEIGHT_STEP_M samples.
    """
    return make_city(options, extent, often_seen)
