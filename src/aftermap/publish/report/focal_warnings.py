"""What the images themselves say of the focal length -> what to warn of heights.

A wrong focal length scales all heights of nadir images of level ground, and nothing else shows it.
Images that look in several directions or from several heights determine it: then a difference to
the recorded height above take-off says something of the take-off point, and nothing of the map.
"""

import math

from aftermap.model.camera import Camera, Reconstruction
from aftermap.model.media import FocalSource
from aftermap.publish.report.contents import Caution, CautionCode, FlyingHeight
from aftermap.publish.shared.wording import NARROW, approximate_length

HEIGHT_MISMATCH_FRACTION = 0.02
CANNOT_EXPLAIN_SIGMAS = 3.0
"""A focal length so surely known is not the cause of a difference."""
DETERMINED_FRACTION = 0.01
"""Heights whose scale the images know to this need no other check of it."""


def image_sigma_fraction(reconstruction: Reconstruction) -> float:
    """Sigma of the focal length by the images alone, as a share of it: the worst mapped camera's.

    The stated sigma is that of the images and of the recorded value together, both Gaussian, with
    the trust factor of the images in it; what was recorded is taken out again. Infinite where the
    images say nothing that was not recorded.
    """
    worst = 0.0
    for number in {placed.camera for placed in reconstruction.mapped}:
        recorded = [p.frame.focal_sigma_px for p in reconstruction.mapped if p.camera == number]
        worst = max(worst, _of_camera(reconstruction.cameras[number], recorded[0]))
    return worst


def _of_camera(camera: Camera, recorded_sigma_px: float) -> float:
    if camera.focal_if_freed_px is None or camera.focal_sigma_px <= 0 or recorded_sigma_px <= 0:
        return math.inf
    own = camera.focal_sigma_px**-2.0 - recorded_sigma_px**-2.0
    return 1 / math.sqrt(own) / camera.focal_px if own > 0 else math.inf


def height_mismatch(reconstruction: Reconstruction, flight: FlyingHeight) -> Caution | None:
    """The height above ground in the map differs from the recorded height above take-off."""
    share = flight.difference_fraction
    if share is None or abs(share) <= HEIGHT_MISMATCH_FRACTION:
        return None
    more = "higher" if share > 0 else "lower"
    differs = (
        f"The flying height is {approximate_length(flight.above_ground_m)} above ground in the "
        f"map, {more} than the {approximate_length(flight.recorded_m)} above take-off recorded by "
        "the drone."
    )
    known = image_sigma_fraction(reconstruction)
    if CANNOT_EXPLAIN_SIGMAS * known < abs(share):
        return Caution(
            code=CautionCode.HEIGHT_MISMATCH,
            grave=False,
            text=f"{differs} The images determine the focal length to {100 * known:.2f}{NARROW}%, "
            "so it is not the cause: the take-off point lies higher or lower than the mapped "
            "ground, or the recorded heights drift. The scale of heights is not in doubt.",
        )
    return Caution(
        code=CautionCode.HEIGHT_MISMATCH,
        grave=True,
        text=f"Heights may be wrong by about {abs(share) * 100:.0f}{NARROW}%. {differs} "
        f"{_held(reconstruction.cameras)} If the take-off point is as high as the mapped "
        "ground, the focal length is the likely cause: measure a known height or add ground "
        "control points before relying on any height.",
    )


def _held(cameras: tuple[Camera, ...]) -> str:
    if any(_is_held(camera) for camera in cameras):
        return (
            "The focal length was fixed at the recorded value, which these images cannot confirm."
        )
    return "The focal length was estimated from the images and the recorded value."


def _is_held(camera: Camera) -> bool:
    return abs(camera.focal_px - camera.focal_prior_px) <= 1e-3 * camera.focal_prior_px


def heights_unchecked(reconstruction: Reconstruction) -> Caution | None:
    """Nothing that was recorded checks the scale of heights; None where the images do."""
    if image_sigma_fraction(reconstruction) <= DETERMINED_FRACTION:
        return None
    return Caution(
        code=CautionCode.HEIGHTS_UNCHECKED,
        grave=False,
        text="The scale of heights has not been checked: the images record no height above "
        "take-off, and there are no ground control points. A relative error of the focal length "
        "causes a similar relative error of all heights, and no other figure reveals it. Measure a "
        "known height before relying on heights.",
    )


def focal_assumed(reconstruction: Reconstruction) -> Caution | None:
    """A typical focal length was assumed, because the images record none."""
    mapped = {placed.camera for placed in reconstruction.mapped}
    sources = [reconstruction.cameras[number].focal_prior_source for number in mapped]
    if FocalSource.ASSUMED not in sources:
        return None
    known = image_sigma_fraction(reconstruction)
    if known <= DETERMINED_FRACTION:
        return Caution(
            code=CautionCode.FOCAL_ASSUMED,
            grave=False,
            text="The images record no focal length. It was estimated from the images alone, to "
            f"{100 * known:.2f}{NARROW}% (one standard deviation); heights are as sure as that.",
        )
    return Caution(
        code=CautionCode.FOCAL_ASSUMED,
        grave=True,
        text="The images record no focal length, so a typical value was assumed. The horizontal "
        "geometry is reliable, but heights may be wrong by 10 % or more.",
    )
