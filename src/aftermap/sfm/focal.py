"""How far the photographs themselves may decide on the focal length.

Seen straight down from one height, a longer lens and a deeper scene give the same pictures. What
then decides is tilt jitter, lens distortion and the rolling shutter, and the formal uncertainty
of an adjustment knows nothing of the last. Measured on the 18 nadir photographs of the public
brighton_beach set: freed, the focal length moves by 22 % with a formal sigma of 0.8 %, for 5 % of
reprojection error. So the evidence of the pictures counts at a fraction of its formal weight:
the recorded focal length enters the adjustment with its sigma divided by a trust factor, and the
sigma that is reported is the formal one times that factor. A wrong record is overruled as far as
the photographs can tell: with 5 % added to it, a synthetic nadir flight over houses of up to 25 m
with 0.05 px of noise ends near the truth; over nearly level ground it stays at the record, and the
comparison with the recorded height above take-off has to warn.

A flight straight ahead is as weak: a longer lens and a faster flight through a deeper scene give
nearly the same pictures, and k1 takes up the rest. Three stretches of one drone's clips (dorian)
give, each alone, 1429, 1433 and 1458 px with formal sigmas of 2.5, 1.3 and 0.8 px: 30 times too
small, as on the nadir set. So it has the same factor, however far the camera turns on its way.
"""

from dataclasses import dataclass, replace

import numpy as np

from aftermap.model.camera import Frame
from aftermap.model.media import FocalSource
from aftermap.sfm.block import BundleBlock
from aftermap.sfm.bundle import HELD

OBLIQUE_DEG = 15.0
"""Viewing directions that spread by more than this fix the focal length."""
LEVELS_SHARE = 0.1
"""Cameras whose heights above the ground vary by more than this share fix it too."""
AHEAD_SHARE = 0.85
"""A flight whose steps lie along the view by more than this (a cosine) goes straight ahead."""
WEAK_FACTOR = 30.0
FIRM_FACTOR = 4.0
MIN_FRAMES = 3
"""A camera with fewer photographs keeps the lens that was recorded."""

RECORDED = {
    FocalSource.XMP_CALIBRATED: "the manufacturer's calibration",
    FocalSource.SENSOR_DATABASE: "the focal length in EXIF and the sensor size",
    FocalSource.FOCAL_PLANE_RESOLUTION: "the focal length and pixel size in EXIF",
    FocalSource.FOCAL_35MM: "the 35 mm equivalent in EXIF",
    FocalSource.ASSUMED: "an assumed field of view, because the images record none",
}


@dataclass(frozen=True, kw_only=True)
class FocalReport:
    """What became of one camera's focal length, in pixels. Sigmas are of one standard deviation."""

    sigma_px: float
    decision: str
    freed_px: float | None
    freed_sigma_px: float | None
    warning: str | None


def focal_prior_weight(block: BundleBlock) -> float:
    """By how much the formal uncertainty of the focal length is taken to be too small."""
    return FIRM_FACTOR if _is_determined(block) else WEAK_FACTOR


def with_focal_weight(block: BundleBlock, factor: float) -> BundleBlock:
    """The block with every recorded focal length held by its sigma over the factor."""
    lens_sigma = block.knowns.lens_sigma.copy()
    for k, key in enumerate(block.camera_keys):
        frames = [f for f in block.frames if f.camera_key == key]
        if len(frames) < MIN_FRAMES:
            lens_sigma[k] = HELD * np.maximum(np.abs(block.knowns.lenses[k]), 1)
        else:
            lens_sigma[k, 0] = frames[0].focal_sigma_px / factor
    return replace(block, knowns=replace(block.knowns, lens_sigma=lens_sigma))


def focal_report(
    block: BundleBlock, camera: int, variance_px2: float, factor: float
) -> FocalReport:
    """What to say of a camera's focal length, from its variance in the adjustment.

    What the pictures alone say follows from taking the recorded value out again (both Gaussian).
    """
    key = block.camera_keys[camera]
    frames = [f for f in block.frames if f.camera_key == key]
    recorded = frames[0]
    focal = float(block.state.lenses[camera, 0])
    if len(frames) < MIN_FRAMES:
        return FocalReport(
            sigma_px=recorded.focal_sigma_px,
            decision=f"fixed at {_source(recorded)}: too few images by this camera to test it",
            freed_px=None,
            freed_sigma_px=None,
            warning=None,
        )
    prior_weight = (factor / recorded.focal_sigma_px) ** 2
    own_weight = 1 / variance_px2 - prior_weight
    freed = freed_sigma = None
    if own_weight > 1e-3 * prior_weight:
        freed = (focal / variance_px2 - recorded.focal_px * prior_weight) / own_weight
        freed_sigma = float(1 / np.sqrt(own_weight))
    return FocalReport(
        sigma_px=factor * float(np.sqrt(variance_px2)),
        decision=_decision(block, recorded, focal, own_weight / prior_weight, factor),
        freed_px=freed,
        freed_sigma_px=freed_sigma,
        warning=_warning(recorded, focal),
    )


def _decision(block: BundleBlock, recorded: Frame, focal: float, odds: float, factor: float) -> str:
    source = _source(recorded)
    moved = 100 * (focal / recorded.focal_px - 1)
    if factor == 1:
        return f"estimated with the ground control points ({moved:+.2f} % from {source})"
    if _is_determined(block):
        why = "the images have different viewing directions or flying heights"
        return f"estimated, because {why} ({moved:+.2f} % from {source})"
    if odds > 1:
        return (
            "estimated, because the images clearly confirm or contradict the recorded value "
            f"({moved:+.2f} % from {source})"
        )
    if _goes_ahead(block):
        return (
            f"held near {source} ({moved:+.2f} %), because forward motion cannot separate focal "
            "length and depth"
        )
    return (
        f"held near {source} ({moved:+.2f} %), because nadir images from one height cannot "
        "separate focal length and flying height"
    )


def _warning(recorded: Frame, focal: float) -> str | None:
    if recorded.focal_source is FocalSource.ASSUMED:
        return None
    moved = focal / recorded.focal_px - 1
    if abs(moved) < max(0.015, 1.5 * recorded.focal_sigma_px / recorded.focal_px):
        return None
    return (
        f"The recorded focal length ({recorded.focal_px:.0f} px) may be wrong: the images fit "
        f"much better with {focal:.0f} px, which was used. Heights above ground differ by "
        f"{abs(moved) * 100:.1f} % between the two."
    )


def _source(frame: Frame) -> str:
    return RECORDED[frame.focal_source]


def _is_determined(block: BundleBlock) -> bool:
    if block.located and _height_spread(block) > LEVELS_SHARE:
        return True
    spread = _view_spread_deg(block) > OBLIQUE_DEG
    return spread and (block.located or not _goes_ahead(block))


def _goes_ahead(block: BundleBlock) -> bool:
    """Whether most steps from one frame to the next lie along the view."""
    steps = np.diff(block.state.positions, axis=0)
    length = np.linalg.norm(steps, axis=1)
    ahead = np.abs(np.einsum("ni,ni->n", steps, block.state.rotations[1:, 2]))
    return bool(np.median(ahead / np.maximum(length, 1e-12)) > AHEAD_SHARE)


def _view_spread_deg(block: BundleBlock) -> float:
    """90th percentile of the angle between a viewing direction and their mean."""
    axes = block.state.rotations[:, 2]
    mean = axes.mean(axis=0)
    mean /= max(float(np.linalg.norm(mean)), 1e-9)
    return float(np.degrees(np.percentile(np.arccos(np.clip(axes @ mean, -1, 1)), 90)))


def _height_spread(block: BundleBlock) -> float:
    """Spread of the cameras' heights, as a share of their height above the ground."""
    heights = block.state.positions[:, 2]
    above = float(np.median(heights)) - float(np.median(block.state.points[:, 2]))
    return float(np.std(heights)) / max(above, 1e-9)
