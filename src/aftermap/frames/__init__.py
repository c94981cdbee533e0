"""Media items to frames: which pictures go in, and what is known of each beforehand."""

from aftermap.frames.clip_frames import ClipFrameOptions, ClipFrames, clip_frames
from aftermap.frames.given_masks import given_masks, notes_on, with_given_mask
from aftermap.frames.photographs import FrameOptions, Recorded, camera_key_of, frames_of
from aftermap.frames.recorded import with_found_pose, with_recorded_positions

__all__ = [
    "ClipFrameOptions",
    "ClipFrames",
    "FrameOptions",
    "Recorded",
    "camera_key_of",
    "clip_frames",
    "frames_of",
    "given_masks",
    "notes_on",
    "with_found_pose",
    "with_given_mask",
    "with_recorded_positions",
]
