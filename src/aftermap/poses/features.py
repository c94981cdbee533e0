"""Photographs -> features: SIFT (Lowe 2004) as RootSIFT (Arandjelovic and Zisserman 2012).

Positions are full-resolution pixels from the outer corner of the first stored pixel; an EXIF
orientation is never applied. One .npz per photograph, named by its SHA-256 and that of its mask.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
import numpy.typing as npt

from aftermap.errors import CaseError, InputError
from aftermap.geo.axes import corner_from_opencv_px
from aftermap.geo.masks import read_mask
from aftermap.model.camera import Frame, FrameSet
from aftermap.model.runs import Executor, Workspace
from aftermap.poses.options import PoseOptions

ROOTSIFT_NORM = 512.0
"""Length of a stored descriptor, as in COLMAP: one byte per component."""
GRID_CELLS = 16
"""The picture's longer side is cut into this many cells; features are taken evenly from them."""


@dataclass(frozen=True, kw_only=True)
class Features:
    """Features of one photograph, the most useful first.

    ``xy_px`` (N, 2) float32 full-resolution corner-origin pixels, ``scale_px`` (N,) and
    ``angle_deg`` (N,) float32, ``descriptors`` (N, 128) uint8 of length about 512.
    """

    xy_px: npt.NDArray[np.float32]
    scale_px: npt.NDArray[np.float32]
    angle_deg: npt.NDArray[np.float32]
    descriptors: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.xy_px)


def features_of(
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


@lru_cache(maxsize=64)
def load_features(path: Path) -> Features:
    """The features that :func:`features_of` wrote. A few are kept, since neighbours meet again."""
    try:
        with path.open("rb") as file, np.load(file) as archive:
            return Features(
                xy_px=archive["xy_px"],
                scale_px=archive["scale_px"],
                angle_deg=archive["angle_deg"],
                descriptors=archive["descriptors"],
            )
    except (BadZipFile, EOFError, ValueError, KeyError) as error:
        raise CaseError(
            f"{path}: is damaged; delete it and run the same command again, which makes it anew"
        ) from error


def grey_picture(frame: Frame, side_px: int | None = None) -> tuple[npt.NDArray[np.uint8], float]:
    """The stored picture in grey, and how many full-resolution pixels one of its pixels spans.

    With a side it is shrunk by averaging to about that size; JPEG halves while decoding.
    """
    flags = cv2.IMREAD_GRAYSCALE
    reduced = 1
    if side_px is not None and max(frame.width_px, frame.height_px) >= 2 * side_px:
        flags, reduced = cv2.IMREAD_REDUCED_GRAYSCALE_2, 2
    picture = cv2.imread(frame.path, flags | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None:
        raise InputError(f"{frame.name}: cannot be decoded; remove it or copy it again")
    if side_px is None or max(picture.shape) <= side_px:
        return np.asarray(picture, np.uint8), float(reduced)
    shrink = side_px / max(picture.shape)
    size = (round(picture.shape[1] * shrink), round(picture.shape[0] * shrink))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), reduced * picture.shape[1] / size[0]


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


def _mask_of(frame: Frame, shape: tuple[int, ...]) -> npt.NDArray[np.uint8] | None:
    """Where features may lie, at the size of the picture; None is everywhere."""
    if frame.mask is None:
        return None
    size = (shape[1], shape[0])
    resized = cv2.resize(read_mask(frame.mask), size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(resized, np.uint8)


def evenly_spread(
    xy_px: npt.NDArray[np.float32], response: npt.NDArray[np.float32], cell_px: float
) -> npt.NDArray[np.intp]:
    """Order that takes the strongest of every cell first, then the second of every cell, ..."""
    cells = np.floor(xy_px / cell_px).astype(np.int64)
    cell = cells[:, 1] * 100_000 + cells[:, 0]
    by_cell = np.lexsort((-response, cell))
    _, first = np.unique(cell[by_cell], return_index=True)
    start = np.repeat(first, np.diff(np.append(first, len(by_cell))))
    place = np.empty(len(by_cell), np.int64)
    place[by_cell] = np.arange(len(by_cell)) - start
    return np.lexsort((-response, place))


def rootsift(descriptors: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """(N, 128) bytes: square roots of the L1-normalised SIFT; then L2 is Hellinger's distance."""
    raw = np.asarray(descriptors, np.float32)
    share = raw / np.maximum(raw.sum(axis=1, keepdims=True), 1e-9)
    return np.asarray(np.clip(np.round(ROOTSIFT_NORM * np.sqrt(share)), 0, 255), np.uint8)


def unit(descriptors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Stored descriptors at unit length, so that a dot product is their likeness."""
    real = descriptors.astype(np.float32)
    length = np.linalg.norm(real, axis=1, keepdims=True)
    return np.asarray(real / np.maximum(length, 1e-9), np.float32)
