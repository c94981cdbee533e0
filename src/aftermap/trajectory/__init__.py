"""Where the camera of a clip was, moment by moment: from a reconstruction, or from telemetry."""

from aftermap.trajectory.from_reconstruction import trajectories_of

__all__ = ["trajectories_of"]
