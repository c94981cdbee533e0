"""Where the camera of a clip was, moment by moment: from a reconstruction, or from telemetry."""

from aftermap.trajectory.from_reconstruction import flown

__all__ = ["flown"]
