"""Media items to frames: which pictures go in, and what is known of each beforehand."""

from aftermap.frames.photographs import FrameOptions, camera_key_of, frames_of

__all__ = ["FrameOptions", "camera_key_of", "frames_of"]
