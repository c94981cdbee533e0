"""Media items to frames: which pictures go in, and what is known of each beforehand."""

from aftermap.frames.clip_frames import ClipFrames, ClipOptions, clip_frames
from aftermap.frames.given_masks import given_masks, notes_on, with_given_mask
from aftermap.frames.photographs import FrameOptions, Recorded, camera_key_of, frames_of
from aftermap.frames.recorded import found, recorded

__all__ = [
    "ClipFrames",
    "ClipOptions",
    "FrameOptions",
    "Recorded",
    "camera_key_of",
    "clip_frames",
    "found",
    "frames_of",
    "given_masks",
    "notes_on",
    "recorded",
    "with_given_mask",
]
