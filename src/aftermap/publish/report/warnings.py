"""What to know before using the map, in the words of a map user, from the figures of the report.

Each rule is one function with its threshold beside it; none ever says that something is fine.
Grave cautions come first.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from aftermap.geo.crs import LOCAL
from aftermap.model.camera import Camera, Reconstruction
from aftermap.model.media import FocalSource, VerticalDatum
from aftermap.publish.report.contents import (
    Caution,
    ControlFigures,
    FlyingHeight,
    GpsFigures,
    MapFigures,
    Photographs,
    Spread,
    Trust,
)
from aftermap.publish.report.trust import FLOATING
from aftermap.publish.shared.wording import (
    NARROW,
    approximate_length,
    figure_text,
    visible_text,
    worded,
)

FEW_PHOTOGRAPHS = 10
HEIGHT_MISMATCH_FRACTION = 0.02
FREED_FOCAL_FRACTION = 0.02
LEFT_OUT_FRACTION = 0.10
FILLED_FRACTION = 0.10
THIN_FRACTION = 0.20
THIN_PHOTOGRAPHS = 3
GPS_TIMES_STATED = 2.0
GPS_RMS_M = 10.0
REPROJECTION_PX = 1.5
CHECK_TIMES_SAMPLE = 3.0
FEW_CHECKS = 3
LEANING_M_PER_100_M = 0.5


@dataclass(frozen=True, kw_only=True)
class WarningFigures:
    """The figures the rules look at."""

    reconstruction: Reconstruction
    map: MapFigures
    coverage: Spread
    trust: Trust
    gps: GpsFigures
    control: ControlFigures
    flying_height: FlyingHeight
    photographs: Photographs


def cautions(measured: WarningFigures) -> tuple[Caution, ...]:
    """All that apply, the grave ones first, then in the order of the rules."""
    has_clips = any(one.frame.moment is not None for one in measured.reconstruction.placed)
    found = [
        replace(caution, text=worded(caution.text, has_clips=has_clips))
        for rule in RULES
        for caution in [rule(measured)]
        if caution is not None
    ]
    found += [
        Caution(code="reconstruction", text=text, grave=False)
        for text in measured.reconstruction.warnings
    ]
    return tuple(sorted(found, key=lambda caution: not caution.grave))


def _local(measured: WarningFigures) -> Caution | None:
    if measured.reconstruction.crs != LOCAL:
        return None
    return Caution(
        code="local",
        grave=True,
        text="This map has no place on the globe, no scale and no north: no photograph says where "
        "it was taken. Shapes can be compared; lengths, areas and heights cannot be read from it. "
        "Ground control points (--gcp) would give it all three.",
    )


def _vertical(measured: WarningFigures) -> Caution | None:
    """How surely up is up; one that is not trusted has a line of its own from the poses."""
    vertical = measured.reconstruction.vertical
    if vertical is None or not vertical.is_trusted:
        return None
    by = ", ".join(witness.name for witness in vertical.witnesses if witness.is_used)
    aside = [witness.name for witness in vertical.witnesses if not witness.is_used]
    without = f"; {aside[0]} says otherwise and was left aside" if aside else ""
    return Caution(
        code="vertical",
        grave=False,
        text=f"Which way is up was found from the pictures alone ({by}{without}), to "
        f"{vertical.sigma_deg:.1f} degrees (one sigma). Heights lean by as much across the map.",
    )


def _datum(measured: WarningFigures) -> Caution | None:
    datum = measured.reconstruction.vertical_datum
    if datum not in FLOATING or datum is VerticalDatum.LOCAL:
        return None
    return Caution(
        code="heights_without_level",
        grave=False,
        text=f"Heights are not tied to a known level: {FLOATING[datum]}. Use differences of height "
        "inside the map; do not compare its heights with another map's without shifting one of "
        "them, and do not use them for flood levels.",
    )


def _recorded_height(measured: WarningFigures) -> Caution | None:
    flight = measured.flying_height
    share = flight.difference_fraction
    if share is None or abs(share) <= HEIGHT_MISMATCH_FRACTION:
        return None
    more = "higher" if share > 0 else "lower"
    return Caution(
        code="height_mismatch",
        grave=True,
        text=f"Heights may be wrong by about {abs(share) * 100:.0f}{NARROW}%. The map puts the "
        f"camera {approximate_length(flight.above_ground_m)} above the ground below it; the "
        "drone recorded "
        f"{approximate_length(flight.recorded_m)} above where it took off, so the map has it "
        f"{more}. "
        f"{_held(measured.reconstruction.cameras)} If the drone took off from ground as high as "
        "the ground in the map, the focal length is the likely cause: measure a known height or "
        "add ground control points before relying on any height.",
    )


def _held(cameras: tuple[Camera, ...]) -> str:
    if any(_is_held(camera) for camera in cameras):
        return (
            "The focal length was held at the value the photographs record, which these "
            "photographs cannot confirm."
        )
    return "The focal length was estimated from the photographs together with what they record."


def _is_held(camera: Camera) -> bool:
    return abs(camera.focal_px - camera.focal_prior_px) <= 1e-3 * camera.focal_prior_px


def _unchecked_focal(measured: WarningFigures) -> Caution | None:
    reconstruction = measured.reconstruction
    known = measured.flying_height.count or reconstruction.control
    if known or reconstruction.crs == LOCAL:
        return None
    return Caution(
        code="heights_unchecked",
        grave=False,
        text="Nothing here checks the scale of heights: the photographs record no height above "
        "take-off and there are no ground control points. A focal length that is wrong by a "
        "percentage makes every height wrong by about as much, with no other sign of it.",
    )


def _assumed_focal(measured: WarningFigures) -> Caution | None:
    reconstruction = measured.reconstruction
    mapped = {placed.camera for placed in reconstruction.mapped}
    sources = [reconstruction.cameras[number].focal_prior_source for number in mapped]
    if FocalSource.ASSUMED not in sources:
        return None
    return Caution(
        code="focal_assumed",
        grave=True,
        text="The photographs do not say which lens took them, so its focal length was assumed. "
        "Shapes on the ground hold, heights may be wrong by a tenth or more.",
    )


def _freed_focal(measured: WarningFigures) -> Caution | None:
    for camera in measured.reconstruction.cameras:
        freed = camera.focal_if_freed_px
        if freed is None:
            continue
        share = freed / camera.focal_px - 1
        if abs(share) > FREED_FOCAL_FRACTION:
            return Caution(
                code="focal_disagrees",
                grave=False,
                text="Left free, the focal length would move by "
                f"{figure_text(share, 'signed share')} "
                f"(from {figure_text(camera.focal_px, 'focal')} to "
                f"{figure_text(freed, 'focal')}). On level "
                "ground seen from straight above that is usual and means little; with slanting "
                "photographs it would mean that the recorded focal length is wrong.",
            )
    return None


def _few(measured: WarningFigures) -> Caution | None:
    mapped = measured.photographs.mapped
    if mapped >= FEW_PHOTOGRAPHS:
        return None
    return Caution(
        code="few_photographs",
        grave=False,
        text=f"The map stands on {mapped} photographs only. With fewer than {FEW_PHOTOGRAPHS}, "
        "one bad position or one blurred picture can bend all of it.",
    )


def _left_out(measured: WarningFigures) -> Caution | None:
    photographs = measured.photographs
    if photographs.left_out <= LEFT_OUT_FRACTION * photographs.given:
        return None
    return Caution(
        code="many_left_out",
        grave=False,
        text=f"{photographs.left_out} of {photographs.given} {_what_is_counted(measured)} are not "
        "in the map. Each is listed below with its reason; what only they show is not in the map.",
    )


def _what_is_counted(measured: WarningFigures) -> str:
    has_clips = any(one.frame.moment is not None for one in measured.reconstruction.placed)
    return "files, frames and stretches of clips" if has_clips else "files given"


def _groups(measured: WarningFigures) -> Caution | None:
    photographs = measured.photographs
    apart = photographs.placed - photographs.mapped
    groups = len(photographs.groups)
    if not apart or groups < 2:  # one group: the others are frames with something over them
        return None
    return Caution(
        code="disconnected",
        grave=True,
        text=f"The photographs fall into {groups} groups that share no view. Only the largest, "
        f"{photographs.mapped} photographs, is mapped; {apart} placed photographs are not in the "
        "map. Photographs of the ground in between would join them.",
    )


def _filled(measured: WarningFigures) -> Caution | None:
    filled = measured.map.filled_fraction
    if filled <= FILLED_FRACTION:
        return None
    return Caution(
        code="much_filled",
        grave=False,
        text=f"{figure_text(filled, 'share')} of the surface was filled in from its "
        "surroundings, because "
        "fewer than two photographs agree there. Filled ground is hatched wherever it is "
        "shown: its heights were not measured, and what stands there may be missing.",
    )


def _thin(measured: WarningFigures) -> Caution | None:
    thin = sum(
        each.fraction
        for each in measured.coverage.classes
        if each.most is not None and each.most < THIN_PHOTOGRAPHS
    )
    if thin <= THIN_FRACTION:
        return None
    return Caution(
        code="thin_coverage",
        grave=False,
        text=f"{figure_text(thin, 'share')} of the surface is seen by fewer than "
        f"{THIN_PHOTOGRAPHS} "
        "photographs. One error there has nothing to be outvoted by.",
    )


def _gps(measured: WarningFigures) -> Caution | None:
    gps = measured.gps
    rms = (gps.without_wild or gps.all).rms_horizontal_m
    stated = gps.stated_horizontal_m
    if rms is None:
        return None
    limit = GPS_RMS_M if stated is None else min(GPS_RMS_M, GPS_TIMES_STATED * stated)
    if rms <= limit:
        return None
    claimed = f", where the drone states {approximate_length(stated)}" if stated is not None else ""
    return Caution(
        code="gps_scatter",
        grave=False,
        text=f"The recorded positions scatter by {approximate_length(rms)} about the places "
        "where the "
        f"photographs fit together{claimed}. The place of the whole map is uncertain by at least "
        "that much. Reception between tall buildings or jamming can cause it.",
    )


def _wild(measured: WarningFigures) -> Caution | None:
    wild = measured.gps.wild
    if not wild:
        return None
    named = ", ".join(visible_text(name) for name in wild[:5])
    more = f" and {len(wild) - 5} more" if len(wild) > 5 else ""
    said = "says it was" if len(wild) == 1 else "say they were"
    return Caution(
        code="gps_wild",
        grave=False,
        text=f"{_photographs(len(wild))} {said} taken far from where the pictures "
        f"themselves put them: {named}{more}. Jammed or forged satellite signals do this. If most "
        "positions were forged alike, nothing here could tell.",
    )


def _photographs(count: int) -> str:
    return "One photograph" if count == 1 else f"{count} photographs"


def _leaning(measured: WarningFigures) -> Caution | None:
    trust = measured.trust
    if measured.reconstruction.crs == LOCAL or trust.length_per_100_m is None:
        return None
    lean = trust.height_per_100_m
    if lean is not None and lean <= LEANING_M_PER_100_M:
        return None
    size = (
        "by an unknown amount"
        if lean is None
        else f"by about {approximate_length(lean)} in every 100 metres"
    )
    why = f": {trust.not_known}" if lean is None else ", as GPS heights scatter"
    return Caution(
        code="leaning",
        grave=False,
        text=f"The whole map may lean {size}{why}. Heights compared across the map carry that; "
        "heights of single buildings above their own street do not.",
    )


def _reprojection(measured: WarningFigures) -> Caution | None:
    error = measured.reconstruction.reprojection_px
    if error <= REPROJECTION_PX:
        return None
    return Caution(
        code="loose_fit",
        grave=False,
        text=f"The photographs fit together loosely ({figure_text(error, 'px')} reprojection "
        "error; below "
        "1 is usual). Blur, a rolling shutter or a lens the model does not fit may be the cause.",
    )


def _checked(measured: WarningFigures) -> Caution | None:
    if measured.control.check.count or measured.reconstruction.crs == LOCAL:
        return None
    return Caution(
        code="not_checked",
        grave=False,
        text="Accuracy on the ground has not been checked independently: no surveyed points were "
        "kept aside as check points. Figures of accuracy here come from the same photographs and "
        "the same GPS that made the map.",
    )


def _few_checks(measured: WarningFigures) -> Caution | None:
    count = measured.control.check.count
    if not 0 < count < FEW_CHECKS:
        return None
    return Caution(
        code="few_checks",
        grave=False,
        text=f"Only {count} check {'point was' if count == 1 else 'points were'} measured: too few "
        "to speak for the whole map.",
    )


def _check_error(measured: WarningFigures) -> Caution | None:
    error = measured.control.check.rms_horizontal_m
    limit = CHECK_TIMES_SAMPLE * measured.map.ground_sample_m
    if error is None or error <= limit:
        return None
    return Caution(
        code="check_error",
        grave=True,
        text=f"The check points are off by {approximate_length(error)} on the ground, more than "
        f"{CHECK_TIMES_SAMPLE:.0f} pixels of the photographs ({approximate_length(limit)}). "
        "Look at the marks "
        "one by one below: a mark on the wrong stone shows as one large residual.",
    )


RULES: tuple[Callable[[WarningFigures], Caution | None], ...] = (
    _local,
    _recorded_height,
    _assumed_focal,
    _groups,
    _check_error,
    _checked,
    _few_checks,
    _datum,
    _vertical,
    _unchecked_focal,
    _freed_focal,
    _leaning,
    _gps,
    _wild,
    _few,
    _left_out,
    _filled,
    _thin,
    _reprojection,
)
