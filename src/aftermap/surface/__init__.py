"""A reconstruction to rasters: heights, confidence and the true orthophoto."""

from aftermap.surface.elevation import surface_of
from aftermap.surface.options import SurfaceOptions
from aftermap.surface.ortho import orthophoto_of

__all__ = ["SurfaceOptions", "orthophoto_of", "surface_of"]
