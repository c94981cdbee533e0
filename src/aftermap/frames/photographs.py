"""Photographs and frames of clips -> the frames to be placed, in one CRS and one vertical datum.

Positions go from WGS 84 to the CRS of the map; a height is never converted, only kept or left
out, because datums that merely look alike differ by tens of metres. What is left out of the prior
knowledge is said in the notes; the photograph itself stays in.
"""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from aftermap.frames.readouts import readout_of
from aftermap.geo.crs import LOCAL, WGS84, fitting_crs, projected_crs, utm_crs
from aftermap.geo.crs_operation import CrsOperation, operation_at
from aftermap.geo.great_circle import great_circle_m
from aftermap.model.camera import Frame, FrameSet, Vector3
from aftermap.model.media import GeoTag, MediaItem, VerticalDatum

RECORDED = "recorded positions"
MIN_POSITIONS = 3
"""Fewer positions fix neither the scale nor the direction of a block."""
MAX_DISTANCE_M = 50_000.0
"""A position farther than this from the median is a mistake, not part of a flight."""
HEIGHT_UNKNOWN_SIGMA_M = 1000.0
"""The standard deviation of a height that was not recorded, or not in the datum of the block.

Such a frame still needs a number: it gets the median of the heights that are known (0 where none
is). At a kilometre it pulls 10^-5 as hard as a barometric height, which is not at all.
"""

_NAMES_SHOWN = 5
_DATUM_ORDER = (
    VerticalDatum.ELLIPSOID,
    VerticalDatum.GEOID,
    VerticalDatum.BAROMETRIC,
    VerticalDatum.UNKNOWN,
    VerticalDatum.TAKEOFF_RELATIVE,
)


@dataclass(frozen=True, kw_only=True)
class FrameOptions:
    """How photographs become frames."""

    crs: str | None = None
    """The projected CRS of the map, such as "EPSG:32637"; None: the UTM zone of the block."""
    confirm_crs: tuple[str, ...] = ()
    """CRSs that the user stands by outside their area of use."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A frame that was taken out of a clip, and where the clip's telemetry puts that moment."""

    frame: Frame
    geotag: GeoTag | None = None

    @property
    def sha256(self) -> str:
        """Of the picture, not of the clip."""
        return self.frame.sha256

    @property
    def name(self) -> str:
        """The clip and the time in it."""
        return self.frame.name


Source = MediaItem | Recorded


@dataclass(frozen=True, kw_only=True)
class _Prior:
    position_m: Vector3
    sigma_m: Vector3


def frames_of(
    items: Sequence[MediaItem],
    stored: Mapping[str, Path],
    options: FrameOptions,
    footage: Sequence[Recorded] = (),
    masks: Mapping[str, Path] = MappingProxyType({}),
) -> FrameSet:
    """A frame for every photograph, with what is known of its position in the CRS of the map.

    Where fewer than three frames have a believable position the CRS is LOCAL and no frame
    has a prior position. ``stored`` is where each original is kept, by its SHA-256, and ``masks``
    what is left out of it; ``footage`` are frames of clips, which come after the photographs.
    """
    sources: tuple[Source, ...] = (*items, *footage)
    chosen_crs = None if options.crs is None else projected_crs(options.crs)
    tags, notes = _believable(sources)
    priors: dict[str, _Prior] = {}
    crs, datum = LOCAL, VerticalDatum.LOCAL
    transformation = None
    if len(tags) >= MIN_POSITIONS:
        middle = _median_lonlat_deg(list(tags.values()))
        crs = utm_crs(*middle)
        if chosen_crs is not None:
            crs = fitting_crs(chosen_crs, *middle, options.confirm_crs)
        into_crs = operation_at(RECORDED, WGS84, crs, middle, options.confirm_crs)
        datum, datum_notes = _common_datum(sources, tags)
        notes += datum_notes
        priors = _priors(tags, into_crs, datum)
        transformation = into_crs.transformation
    else:
        notes.append(_local_note(len(sources), len(tags), options.crs))
    frames = [_frame(item, stored[item.sha256], masks.get(item.sha256)) for item in items]
    frames += [one.frame for one in footage]
    return FrameSet(
        crs=crs,
        vertical_datum=datum,
        skipped=(),
        notes=tuple(notes),
        transformation=transformation,
        frames=tuple(_with_prior(frame, priors.get(frame.sha256)) for frame in frames),
    )


def camera_key_of(item: MediaItem) -> str:
    """The same for photographs of one camera at one setting.

    Portrait-stored and landscape-stored pictures differ, because their pixels lie on the sensor
    differently; so do two focal lengths of one zoom lens.
    """
    make, model = item.make or "", item.camera or ""
    named = model if model.casefold().startswith(make.casefold()) else f"{make} {model}".strip()
    who = named or make or "unknown camera"
    serial = f" no. {item.lens_serial}" if item.lens_serial else ""
    return f"{who}{serial} {item.width_px}x{item.height_px} f={item.focal.focal_px:.1f} px"


def _with_prior(frame: Frame, prior: _Prior | None) -> Frame:
    if prior is None:
        return frame
    return replace(frame, prior_position_m=prior.position_m, prior_sigma_m=prior.sigma_m)


def _frame(item: MediaItem, path: Path, mask: Path | None) -> Frame:
    return Frame(
        sha256=item.sha256,
        name=item.name,
        path=str(path),
        width_px=item.width_px,
        height_px=item.height_px,
        orientation=item.orientation,
        camera_key=camera_key_of(item),
        focal_px=item.focal.focal_px,
        focal_sigma_px=item.focal.sigma_px,
        focal_source=item.focal.source,
        relative_height_m=item.relative_height_m,
        pitch_deg=None if item.attitude is None else item.attitude.pitch_deg,
        taken_at=item.taken_at,
        readout=readout_of(item.make, item.camera, (item.width_px, item.height_px)),
        mask=None if mask is None else str(mask),
    )


def _believable(items: Sequence[Source]) -> tuple[dict[str, GeoTag], list[str]]:
    """Positions by SHA-256, without those far from the rest, each of which gets a note."""
    tags = {item.sha256: item.geotag for item in items if item.geotag is not None}
    if len(tags) < MIN_POSITIONS:
        return tags, []
    centre = _median_lonlat_deg(list(tags.values()))
    notes = []
    for item in items:
        tag = tags.get(item.sha256)
        away_m = 0.0 if tag is None else great_circle_m(centre, (tag.lon_deg, tag.lat_deg))
        if away_m > MAX_DISTANCE_M:
            del tags[item.sha256]
            notes.append(
                f"{item.name}: its recorded position is {away_m / 1000:.0f} km from "
                "the others and is not used; the image is aligned from its content"
            )
    return tags, notes


def _common_datum(
    items: Sequence[Source], tags: Mapping[str, GeoTag]
) -> tuple[VerticalDatum, list[str]]:
    """The datum of most heights; LOCAL where no height is recorded. Other heights are noted."""
    counts = Counter(tag.vertical_datum for tag in tags.values() if tag.height_m is not None)
    if not counts:
        note = (
            "no image records a height: heights are relative to the cameras, not to a vertical "
            "datum"
        )
        return VerticalDatum.LOCAL, [note]
    datum = max(counts, key=lambda one: (counts[one], -_DATUM_ORDER.index(one)))
    other = [
        f"{item.name} ({tags[item.sha256].vertical_datum.value})"
        for item in items
        if item.sha256 in tags
        and not _has_height(tags[item.sha256], datum)
        and tags[item.sha256].height_m is not None
    ]
    if not other:
        return datum, []
    more = f" and {len(other) - _NAMES_SHOWN} more" if len(other) > _NAMES_SHOWN else ""
    note = (
        f"heights refer to the vertical datum of most images ({datum.value}); the heights of "
        f"{', '.join(other[:_NAMES_SHOWN])}{more} refer to another and are not used"
    )
    return datum, [note]


def _priors(
    tags: Mapping[str, GeoTag], into_crs: CrsOperation, datum: VerticalDatum
) -> dict[str, _Prior]:
    xy_m = into_crs.moved_xy([(tag.lon_deg, tag.lat_deg) for tag in tags.values()])
    heights_m = [tag.height_m for tag in tags.values() if _has_height(tag, datum)]
    middle_m = statistics.median([h for h in heights_m if h is not None]) if heights_m else 0.0
    return {
        sha256: _prior(tag, (float(x_m), float(y_m)), datum, middle_m)
        for (sha256, tag), (x_m, y_m) in zip(tags.items(), xy_m, strict=True)
    }


def _prior(tag: GeoTag, xy_m: tuple[float, float], datum: VerticalDatum, middle_m: float) -> _Prior:
    horizontal_m = tag.sigma_horizontal_m
    if tag.height_m is None or not _has_height(tag, datum):
        return _Prior(
            position_m=(*xy_m, middle_m),
            sigma_m=(horizontal_m, horizontal_m, HEIGHT_UNKNOWN_SIGMA_M),
        )
    return _Prior(
        position_m=(*xy_m, tag.height_m),
        sigma_m=(horizontal_m, horizontal_m, tag.sigma_vertical_m),
    )


def _has_height(tag: GeoTag, datum: VerticalDatum) -> bool:
    return tag.height_m is not None and tag.vertical_datum is datum


def _median_lonlat_deg(tags: Sequence[GeoTag]) -> tuple[float, float]:
    """Median longitude and latitude, also where the block lies across the 180th meridian."""
    first = tags[0].lon_deg
    turned = [first + _wrapped_deg(tag.lon_deg - first) for tag in tags]
    lon_deg = _wrapped_deg(statistics.median(turned))
    return lon_deg, statistics.median(tag.lat_deg for tag in tags)


def _wrapped_deg(angle_deg: float) -> float:
    return (angle_deg + 180) % 360 - 180


def _local_note(photographs: int, positions: int, crs: str | None) -> str:
    """Why the block is local. A CRS that was asked for cannot be met, and that is said."""
    asked = "" if crs is None else f" and {crs} cannot be used"
    return (
        f"{positions} of {photographs} images record a position ({MIN_POSITIONS} are needed): "
        f"without ground control points the map is local and has no scale{asked}; give "
        "control points, or images with positions"
    )
