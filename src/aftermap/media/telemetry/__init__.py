"""Files that hold telemetry -> tracks: where the camera was, by its own account, and how surely."""

from aftermap.media.telemetry.reading import NO_TELEMETRY, track_in
from aftermap.media.telemetry.sidecars import sidecars_of

__all__ = ["NO_TELEMETRY", "sidecars_of", "track_in"]
