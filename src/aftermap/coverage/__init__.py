"""Where the camera of a clip was -> which ground each second of it saw, how well, how surely."""

from aftermap.coverage.index import index_clips
from aftermap.coverage.options import SightingOptions

__all__ = ["SightingOptions", "index_clips"]
