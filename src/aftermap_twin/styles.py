"""The styles of district, and which code makes each."""

from aftermap.geo.arrays import BoolArray
from aftermap_twin.blocks.district import make_blocks
from aftermap_twin.city.district import make_city
from aftermap_twin.options import Style, TwinOptions
from aftermap_twin.scene import Scene
from aftermap_twin.site import Extent
from aftermap_twin.village.district import make_village


def make_scene(options: TwinOptions, extent: Extent, often_seen: BoolArray) -> Scene:
    """The district over ``extent``; marks lie where ``often_seen``.

    That is a mask (rows, columns) of HEIGHT_STEP_M samples.
    """
    if options.style is Style.VILLAGE:
        return make_village(options, extent, often_seen)
    if options.style is Style.BLOCKS:
        return make_blocks(options, extent, often_seen)
    return make_city(options, extent, often_seen)
