"""Photographs -> features: SIFT (Lowe 2004) as RootSIFT (Arandjelovic and Zisserman 2012).

Positions are full-resolution pixels from the outer corner of the first stored pixel; an EXIF
orientation is never applied. One .npz per photograph, named by its SHA-256 and that of its mask.
"""

import hashlib
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from aftermap.geo.arrays import ByteArray
from aftermap.geo.axes import corner_from_opencv_px
from aftermap.geo.masks import read_mask
from aftermap.imaging.features import evenly_spread, rootsift
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
    return files.item(f"features/{name}.npz", partial(_extract, frame, options))


def _extract(frame: Frame, options: PoseOptions, path: Path) -> None:
    picture, factor = grey_picture(frame, options.working_side_px)
    sift = cv2.SIFT.create(
        nfeatures=0, contrastThreshold=0.02, edgeThreshold=10, enable_precise_upscale=True
    )
    found = sift.detect(picture, _mask_of(frame, picture.shape))
    xy = np.array([k.pt for k in found], np.float32).reshape(-1, 2)
    response = np.array([k.response for k in found], np.float32)
    order = evenly_spread(xy, response, max(picture.shape) / GRID_CELLS)[: options.features]
    kept, descriptors = sift.compute(picture, [found[i] for i in order])
    if descriptors is None:
        descriptors = np.zeros((0, 128), np.float32)
    xy = np.array([k.pt for k in kept], np.float32).reshape(-1, 2)
    with path.open("wb") as file:
        np.savez(
            file,
            xy_px=(corner_from_opencv_px(xy) * factor).astype(np.float32),
            scale_px=np.array([k.size * factor / 2 for k in kept], np.float32),
            angle_deg=np.array([k.angle for k in kept], np.float32),
            descriptors=rootsift(descriptors),
        )


def _mask_of(frame: Frame, shape: tuple[int, ...]) -> ByteArray | None:
    """Where features may lie, at the size of the picture; None is everywhere."""
    if frame.mask is None:
        return None
    size = (shape[1], shape[0])
    resized = cv2.resize(read_mask(frame.mask), size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(resized, np.uint8)
