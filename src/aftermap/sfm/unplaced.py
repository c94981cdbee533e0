"""Frames that could not be joined -> a reconstruction that holds nothing, and says why."""

import math

from aftermap.errors import AftermapError
from aftermap.model.camera import FrameSet, Reconstruction
from aftermap.model.runs import Skipped


def unplaced_reconstruction(frame_set: FrameSet, error: AftermapError) -> Reconstruction:
    """No camera and no point; every frame is left out for the reason that the error gives."""
    reason = f"not aligned: {error}"
    left_out = tuple(
        Skipped(name=frame.name, reason=reason, sha256=frame.sha256) for frame in frame_set.frames
    )
    return Reconstruction(
        crs=frame_set.crs,
        vertical_datum=frame_set.vertical_datum,
        cameras=(),
        placed=(),
        skipped=(*frame_set.skipped, *left_out),
        points="",
        mapped_group=0,
        group_sizes=(),
        reprojection_px=math.nan,
    )
