"""Photographs -> features: SIFT (Lowe 2004) as RootSIFT (Arandjelovic and Zisserman 2012).

Positions are full-resolution pixels from the outer corner of the first stored pixel; an EXIF
orientation is never applied. One .npz per photograph, named by its SHA-256 and that of its mask.
"""

import hashlib
from functools import partial
from pathlib import Path

import numpy as np

from aftermap.geo.masks import mask_at_size, read_mask
from aftermap.imaging.features import Detection, descriptor_bytes, detect_rootsift
from aftermap.imaging.grey import grey_picture
from aftermap.model.camera import Frame, FrameSet
from aftermap.model.runs import Executor, Workspace
from aftermap.sfm.options import PoseOptions

GRID_CELLS = 16
"""The picture's longer side is cut into this many cells; features are taken evenly from them."""


def extract_features(
    frame_set: FrameSet, options: PoseOptions, files: Workspace, executor: Executor
) -> dict[str, Path]:
    """The feature file of every frame, by SHA-256. Files that are already there are reused."""
    work = partial(_feature_file, options=options, files=files)
    made = executor.map(work, frame_set.frames, label="features")
    return {frame.sha256: path for frame, path in zip(frame_set.frames, made, strict=True)}


def _feature_file(frame: Frame, options: PoseOptions, files: Workspace) -> Path:
    name = frame.sha256
    if frame.mask is not None:
        read_mask(frame.mask)  # also where its features are there already
        name += f"-{hashlib.sha256(Path(frame.mask).read_bytes()).hexdigest()[:16]}"
    return files.item(f"features/{name}.npz", partial(_write_features, frame, options))


def _write_features(frame: Frame, options: PoseOptions, path: Path) -> None:
    picture, factor = grey_picture(frame, options.working_side_px)
    mask = None if frame.mask is None else mask_at_size(read_mask(frame.mask), picture.shape)
    detection = Detection(most=options.features, grid_cells=GRID_CELLS, precise_upscale=True)
    found = detect_rootsift(picture, mask, detection)
    with path.open("wb") as file:
        np.savez(
            file,
            xy_px=(found.xy_px * factor).astype(np.float32),
            scale_px=(found.size_px * factor / 2).astype(np.float32),
            angle_deg=found.angle_deg,
            descriptors=descriptor_bytes(found.descriptors),
        )
