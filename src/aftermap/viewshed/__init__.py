"""Where the camera of a clip was -> which ground each second of it saw, how well, how surely."""

from aftermap.viewshed.index import index_clips
from aftermap.viewshed.options import SightingOptions

__all__ = ["SightingOptions", "index_clips"]
