"""What to know before using the map, from the figures of the report.

Each rule is one function with its threshold beside it; no rule ever says that something is fine.
Grave cautions come first. "Images" are photographs and frames of clips.
"""

from collections.abc import Callable
from dataclasses import dataclass

from aftermap.geo.crs import LOCAL
from aftermap.model.camera import Reconstruction
from aftermap.model.media import VerticalDatum
from aftermap.publish.report.contents import (
    Caution,
    CautionCode,
    ControlFigures,
    FlyingHeight,
    GpsFigures,
    MapFigures,
    Photographs,
    Spread,
    Trust,
)
from aftermap.publish.report.focal_warnings import (
    focal_assumed,
    height_mismatch,
    heights_unchecked,
)
from aftermap.publish.report.trust import FLOATING
from aftermap.publish.shared.wording import (
    approximate_length,
    figure_text,
    visible_text,
)

FEW_PHOTOGRAPHS = 10
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
    found = [caution for rule in RULES if (caution := rule(measured)) is not None]
    found += [
        Caution(code=CautionCode.RECONSTRUCTION, text=text, grave=False)
        for text in measured.reconstruction.warnings
    ]
    return tuple(sorted(found, key=lambda caution: not caution.grave))


def _local(measured: WarningFigures) -> Caution | None:
    if measured.reconstruction.crs != LOCAL:
        return None
    return Caution(
        code=CautionCode.LOCAL,
        grave=True,
        text="This map is not georeferenced: it has no position, scale or north, because no image "
        "records where it was taken. Shapes can be compared, but lengths, areas and heights cannot "
        "be measured. Add ground control points (--gcp) to georeference it.",
    )


def _vertical(measured: WarningFigures) -> Caution | None:
    """The accuracy of the vertical; an untrusted one has a warning of its own from the poses."""
    vertical = measured.reconstruction.vertical
    if vertical is None or not vertical.is_trusted:
        return None
    by = ", ".join(witness.name for witness in vertical.witnesses if witness.is_used)
    aside = [witness.name for witness in vertical.witnesses if not witness.is_used]
    without = f"; {aside[0]} disagrees and was not used" if aside else ""
    return Caution(
        code=CautionCode.VERTICAL,
        grave=False,
        text=f"The vertical direction was estimated from the images only ({by}{without}), with a "
        f"standard deviation of {vertical.sigma_deg:.1f} degrees. Heights may be tilted by as much "
        "across the map.",
    )


def _datum(measured: WarningFigures) -> Caution | None:
    datum = measured.reconstruction.vertical_datum
    if datum not in FLOATING or datum is VerticalDatum.LOCAL:
        return None
    return Caution(
        code=CautionCode.HEIGHTS_WITHOUT_LEVEL,
        grave=False,
        text=f"Heights do not refer to a known vertical datum: {FLOATING[datum]}. Use height "
        "differences within this map only. Before comparing heights with another map, shift one of "
        "them. Do not use these heights for flood levels.",
    )


def _recorded_height(measured: WarningFigures) -> Caution | None:
    return height_mismatch(measured.reconstruction, measured.flying_height)


def _unchecked_focal(measured: WarningFigures) -> Caution | None:
    reconstruction = measured.reconstruction
    known = measured.flying_height.count or reconstruction.control
    if known or reconstruction.crs == LOCAL:
        return None
    return heights_unchecked(reconstruction)


def _assumed_focal(measured: WarningFigures) -> Caution | None:
    return focal_assumed(measured.reconstruction)


def _freed_focal(measured: WarningFigures) -> Caution | None:
    for camera in measured.reconstruction.cameras:
        freed = camera.focal_if_freed_px
        if freed is None:
            continue
        share = freed / camera.focal_px - 1
        if abs(share) > FREED_FOCAL_FRACTION:
            return Caution(
                code=CautionCode.FOCAL_DISAGREES,
                grave=False,
                text="Self-calibration would change the focal length by "
                f"{figure_text(share, 'signed share')} "
                f"(from {figure_text(camera.focal_px, 'focal')} to "
                f"{figure_text(freed, 'focal')}). For nadir images of level ground this is common "
                "and not significant; with oblique images it indicates that the recorded focal "
                "length is wrong.",
            )
    return None


def _few(measured: WarningFigures) -> Caution | None:
    mapped = measured.photographs.mapped
    if mapped >= FEW_PHOTOGRAPHS:
        return None
    return Caution(
        code=CautionCode.FEW_PHOTOGRAPHS,
        grave=False,
        text=f"The map is based on only {mapped} images. With fewer than {FEW_PHOTOGRAPHS}, one "
        "wrong position or one blurred image can distort the whole map.",
    )


def _left_out(measured: WarningFigures) -> Caution | None:
    photographs = measured.photographs
    if photographs.left_out <= LEFT_OUT_FRACTION * photographs.given:
        return None
    return Caution(
        code=CautionCode.MANY_LEFT_OUT,
        grave=False,
        text=f"{photographs.left_out} of {photographs.given} {_what_is_counted(measured)} were not "
        "used. They are listed below with the reason. Ground that only they show is missing from "
        "the map.",
    )


def _what_is_counted(measured: WarningFigures) -> str:
    has_clips = any(one.frame.moment is not None for one in measured.reconstruction.placed)
    return "files, frames and clip sections" if has_clips else "input files"


def _groups(measured: WarningFigures) -> Caution | None:
    photographs = measured.photographs
    apart = photographs.placed - photographs.mapped
    groups = len(photographs.groups)
    if not apart or groups < 2:  # one group: the others are frames with something over them
        return None
    return Caution(
        code=CautionCode.DISCONNECTED,
        grave=True,
        text=f"The images form {groups} groups without overlap. Only the largest group, of "
        f"{photographs.mapped} images, is mapped; {apart} aligned images are not in the map. Add "
        "images of the ground in between to connect the groups.",
    )


def _filled(measured: WarningFigures) -> Caution | None:
    filled = measured.map.filled_fraction
    if filled <= FILLED_FRACTION:
        return None
    return Caution(
        code=CautionCode.MUCH_FILLED,
        grave=False,
        text=f"{figure_text(filled, 'share')} of the surface was filled from its surroundings, "
        "because fewer than two images agree there. Filled areas are hatched: their heights were "
        "not measured, and objects there may be missing.",
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
        code=CautionCode.THIN_COVERAGE,
        grave=False,
        text=f"{figure_text(thin, 'share')} of the surface is covered by fewer than "
        f"{THIN_PHOTOGRAPHS} images. Errors there cannot be detected by comparison. Add images "
        "with more overlap.",
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
    claimed = f"; the drone states {approximate_length(stated)}" if stated is not None else ""
    return Caution(
        code=CautionCode.GPS_SCATTER,
        grave=False,
        text=f"The recorded positions differ from the estimated ones by {approximate_length(rms)} "
        f"(RMS{claimed}). The absolute position of the map is uncertain by at least as much. "
        "Multipath between tall buildings or GNSS jamming can cause this.",
    )


def _wild(measured: WarningFigures) -> Caution | None:
    wild = measured.gps.wild
    if not wild:
        return None
    named = ", ".join(visible_text(name) for name in wild[:5])
    more = f" and {len(wild) - 5} more" if len(wild) > 5 else ""
    many = f"{len(wild)} recorded positions are outliers"
    if len(wild) == 1:
        many = "One recorded position is an outlier"
    return Caution(
        code=CautionCode.GPS_WILD,
        grave=False,
        text=f"{many}: {named}{more}. GNSS jamming or spoofing can cause this. Spoofing that "
        "shifts most positions alike cannot be detected here.",
    )


def _leaning(measured: WarningFigures) -> Caution | None:
    trust = measured.trust
    if measured.reconstruction.crs == LOCAL or trust.length_per_100_m is None:
        return None
    lean = trust.height_per_100_m
    if lean is not None and lean <= LEANING_M_PER_100_M:
        return None
    size = (
        "by an unknown amount" if lean is None else f"by about {approximate_length(lean)} per 100 m"
    )
    why = f": {trust.not_known}" if lean is None else ", because of the scatter of GPS heights"
    return Caution(
        code=CautionCode.LEANING,
        grave=False,
        text=f"The whole map may be tilted {size}{why}. This affects heights compared across the "
        "map, but not the height of a building above its street.",
    )


def _reprojection(measured: WarningFigures) -> Caution | None:
    error = measured.reconstruction.reprojection_px
    if error <= REPROJECTION_PX:
        return None
    return Caution(
        code=CautionCode.LOOSE_FIT,
        grave=False,
        text=f"The reprojection error of {figure_text(error, 'px')} is high (below 1 px is usual). "
        "Blur, a rolling shutter or lens distortion that the camera model does not describe may be "
        "the cause.",
    )


def _checked(measured: WarningFigures) -> Caution | None:
    control = measured.control
    if control.check.count or control.left_out.count or measured.reconstruction.crs == LOCAL:
        return None
    return Caution(
        code=CautionCode.NOT_CHECKED,
        grave=False,
        text="Absolute accuracy has not been verified independently: there are no check points, "
        "and too few ground control points to leave each out in turn. "
        "The accuracy figures come from the same images and the same GPS as the map.",
    )


def _few_checks(measured: WarningFigures) -> Caution | None:
    count = measured.control.check.count
    if not 0 < count < FEW_CHECKS:
        return None
    return Caution(
        code=CautionCode.FEW_CHECKS,
        grave=False,
        text=f"Only {count} check {'point was' if count == 1 else 'points were'} measured, too few "
        "to represent the whole map.",
    )


def _tested_by(control: ControlFigures) -> str:
    return "check point" if control.check.count else "leave-one-out"


def _check_error(measured: WarningFigures) -> Caution | None:
    control = measured.control
    tested = control.check if control.check.count else control.left_out
    error = tested.rms_horizontal_m
    limit = CHECK_TIMES_SAMPLE * measured.map.ground_sample_m
    if error is None or error <= limit:
        return None
    return Caution(
        code=CautionCode.CHECK_ERROR,
        grave=True,
        text=f"The horizontal {_tested_by(control)} RMSE is {approximate_length(error)}, more than "
        f"{CHECK_TIMES_SAMPLE:.0f} image pixels ({approximate_length(limit)}). Check the residual "
        "of each point below: a misidentified point shows as one large residual.",
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
