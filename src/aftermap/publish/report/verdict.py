"""The figures to the few sentences that a reader takes away."""

from aftermap.geo.crs import LOCAL
from aftermap.model.camera import Reconstruction
from aftermap.publish.report.contents import MapFigures, Photographs, Trust
from aftermap.publish.report.trust import FLOATING
from aftermap.publish.shared.wording import HEIGHTS_ARE, approximate_length, figure_text, worded


def verdict(
    reconstruction: Reconstruction, map_: MapFigures, photographs: Photographs, trust: Trust
) -> tuple[str, ...]:
    """What was made, what its heights are, and how far to trust it: one sentence each or two."""
    unit = "units" if reconstruction.crs == LOCAL else "m"
    frames = sum(one.frame.moment is not None for one in reconstruction.placed)
    sentences = (
        _made(map_, photographs, unit, frames),
        HEIGHTS_ARE[reconstruction.vertical_datum],
        _against_the_world(reconstruction, trust),
        *_inside_the_map(trust, unit),
        *((_filled(map_),) if map_.filled_fraction > 0 or map_.absent_fraction > 0 else ()),
    )
    return tuple(worded(sentence, has_clips=frames > 0) for sentence in sentences)


def _made(map_: MapFigures, photographs: Photographs, unit: str, frames: int) -> str:
    were = "was" if photographs.placed == 1 else "were"
    placed = f"{photographs.placed} of {photographs.given} files given {were} placed"
    if photographs.left_out == 0:
        placed = f"{photographs.placed} of {photographs.given} photographs {were} placed"
    if frames:
        of_them = "all" if frames == photographs.placed else f"{frames} of them"
        placed = f"{photographs.placed} photographs {were} placed, {of_them} frames of clips"
    if photographs.mapped < photographs.placed:
        placed += f", {photographs.mapped} of them in the part that is mapped"
    area = figure_text(map_.area_m2, "area", unit=unit)
    return (
        f"{placed}; the map covers {area} at {approximate_length(map_.pixel_m, unit=unit)} "
        "per pixel."
    )


def _against_the_world(reconstruction: Reconstruction, trust: Trust) -> str:
    if trust.horizontal_m is None and reconstruction.crs == LOCAL:
        return "The map has no place, scale or north, so nothing on it can be measured in metres."
    if trust.horizontal_m is None:
        return f"How far its place can be trusted is not known: {trust.horizontal_from}."
    where = f"Against the world, trust its place to about {approximate_length(trust.horizontal_m)}"
    if trust.vertical_m is None and reconstruction.vertical_datum in FLOATING:
        return f"{where} ({trust.horizontal_from})."
    if trust.vertical_m is None:
        return (
            f"{where} ({trust.horizontal_from}); how far its level can be trusted is not known: "
            f"{trust.vertical_from}."
        )
    level = f"and its level to about {approximate_length(trust.vertical_m)} ({trust.vertical_from})"
    if trust.vertical_from == trust.horizontal_from:
        return f"{where} {level}."
    return f"{where} ({trust.horizontal_from}) {level}."


def _inside_the_map(trust: Trust, unit: str) -> tuple[str, ...]:
    across = approximate_length(trust.near_horizontal_m, unit=unit)
    near = f"Inside the map, neighbouring points hold to about {across}"
    if trust.near_vertical_m is not None:
        near += (
            f" and their heights to about {approximate_length(trust.near_vertical_m, unit=unit)}"
        )
    sentences = [f"{near}."]
    if trust.length_per_100_m is not None:
        over = (
            "Over 100 metres a length may be wrong by about "
            f"{approximate_length(trust.length_per_100_m)}"
        )
        if trust.height_per_100_m is not None:
            over += (
                f" and a difference of height by about {approximate_length(trust.height_per_100_m)}"
            )
        else:
            over += f"; how far the map leans is not known: {trust.not_known}"
        sentences.append(f"{over}.")
    sentences.append("All of these are one standard deviation: about one in three is further off.")
    return tuple(sentences)


def _filled(map_: MapFigures) -> str:
    measured, filled, absent = (
        figure_text(share, "share")
        for share in (map_.measured_fraction, map_.filled_fraction, map_.absent_fraction)
    )
    return (
        f"Of the mapped area {measured} was measured, {filled} was filled from its surroundings "
        f"and not measured, and {absent} has no height: not seen is never undamaged."
    )
