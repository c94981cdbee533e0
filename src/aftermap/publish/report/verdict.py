"""The figures -> the few sentences of the report's summary."""

from aftermap.geo.crs import LOCAL
from aftermap.model.camera import Reconstruction
from aftermap.publish.report.contents import MapFigures, Photographs, Trust
from aftermap.publish.report.trust import FLOATING
from aftermap.publish.shared.wording import HEIGHTS_ARE, approximate_length, figure_text


def verdict(
    reconstruction: Reconstruction, map_: MapFigures, photographs: Photographs, trust: Trust
) -> tuple[str, ...]:
    """What was produced, its vertical datum, and its accuracy: one or two sentences each."""
    unit = "units" if reconstruction.crs == LOCAL else "m"
    frames = sum(one.frame.moment is not None for one in reconstruction.placed)
    return (
        _extent(map_, photographs, unit, frames),
        HEIGHTS_ARE[reconstruction.vertical_datum],
        _absolute_accuracy(reconstruction, trust),
        *_relative_accuracy(trust, unit),
        *((_completeness(map_),) if map_.filled_fraction > 0 or map_.absent_fraction > 0 else ()),
    )


def _extent(map_: MapFigures, photographs: Photographs, unit: str, frames: int) -> str:
    were = "was" if photographs.placed == 1 else "were"
    aligned = f"{photographs.placed} of {photographs.given} input files {were} aligned"
    if photographs.left_out == 0:
        aligned = f"{photographs.placed} of {photographs.given} images {were} aligned"
    if frames:
        of_them = "all" if frames == photographs.placed else f"{frames} of them"
        aligned = f"{photographs.placed} images {were} aligned ({of_them} video frames)"
    if photographs.mapped < photographs.placed:
        aligned += f", {photographs.mapped} of them in the mapped area"
    area = figure_text(map_.area_m2, "area", unit=unit)
    return (
        f"{aligned}. The orthophoto covers {area} at a resolution of "
        f"{approximate_length(map_.pixel_m, unit=unit)}."
    )


def _absolute_accuracy(reconstruction: Reconstruction, trust: Trust) -> str:
    if trust.horizontal_m is None and reconstruction.crs == LOCAL:
        return "The map has no position, scale or north; nothing can be measured in metres."
    if trust.horizontal_m is None:
        return f"The absolute horizontal accuracy is not known: {trust.horizontal_from}."
    horizontal = approximate_length(trust.horizontal_m)
    where = f"The absolute horizontal accuracy is about {horizontal} ({trust.horizontal_from})"
    if trust.vertical_m is None and reconstruction.vertical_datum in FLOATING:
        return f"{where}."
    if trust.vertical_m is None:
        return f"{where}; the absolute vertical accuracy is not known: {trust.vertical_from}."
    vertical = approximate_length(trust.vertical_m)
    if trust.vertical_from == trust.horizontal_from:
        return (
            f"The absolute accuracy is about {horizontal} horizontally and {vertical} vertically "
            f"({trust.vertical_from})."
        )
    return f"{where}, the absolute vertical accuracy about {vertical} ({trust.vertical_from})."


def _relative_accuracy(trust: Trust, unit: str) -> tuple[str, ...]:
    across = approximate_length(trust.near_horizontal_m, unit=unit)
    near = f"The relative accuracy between neighbouring points is about {across} horizontally"
    if trust.near_vertical_m is not None:
        near += f" and {approximate_length(trust.near_vertical_m, unit=unit)} vertically"
    sentences = [f"{near}."]
    if trust.length_per_100_m is not None:
        length = approximate_length(trust.length_per_100_m)
        if trust.height_per_100_m is not None:
            height = approximate_length(trust.height_per_100_m)
            over = f"are about {length} in length and {height} in height difference"
        else:
            over = f"are about {length} in length; the tilt is not known: {trust.not_known}"
        sentences.append(f"Errors over 100 m {over}.")
    sentences.append(
        "All accuracies are one standard deviation: about one error in three is larger."
    )
    return tuple(sentences)


def _completeness(map_: MapFigures) -> str:
    measured, filled, absent = (
        figure_text(share, "share")
        for share in (map_.measured_fraction, map_.filled_fraction, map_.absent_fraction)
    )
    return (
        f"Of the mapped area, {measured} was measured, {filled} was filled from its surroundings "
        f"and {absent} has no height. Not seen does not mean undamaged."
    )
