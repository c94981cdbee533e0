"""``aftermap.toml`` to one frozen :class:`Settings`, the command line laid over it."""

import difflib
import tomllib
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from aftermap.errors import InputError

SETTINGS_NAME = "aftermap.toml"


class Quality(StrEnum):
    """How much work a map is worth."""

    DRAFT = "draft"
    STANDARD = "standard"
    FINE = "fine"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a user may set for a case.

    quality: draft for a first look in the field, standard for a map to measure on, fine for
        smaller cells at several times the cost.
    crs: the map's projected CRS as "EPSG:n"; None is the UTM zone of the scene.
    gcp: the file of ground control points; None is a map without control.
    reference: an orthophoto of the place, to find clips by that carry no telemetry.
    masks: a folder of masks of photographs and clips, beyond those that lie beside them.
    dem: the heights that belong to it; None is the surface.tif beside it.
    footprints: outlines of buildings, in anything that GDAL reads; None grades no buildings.
    outlines: a folder of buildings outlined in the pictures; where places of theirs are known and
        nothing else places the map, these do.
    footprints_crs: the CRS of that file where it names none itself.
    id_field: its field with the buildings' ids; None is osm_id, else id, else the feature's number.
    streets: lines of streets; None takes the space between buildings.
    before: an orthophoto of the time before the damage, and
    before_surface: its surface, heights of roofs included.
    proxies: whether each clip gets a small copy for playing, at 2 to 3 times what decoding costs.
    draw_filled: whether photographs are draped, under a hatch, over ground that was not measured.
    model: what grades: one learnt from reviewed labels, or a user's own; None is the shipped one.
    confirm_crs: CRSs that are right though they are not made for the place, by their codes.
    """

    quality: Quality = Quality.STANDARD
    crs: str | None = None
    gcp: Path | None = None
    reference: Path | None = None
    masks: Path | None = None
    dem: Path | None = None
    footprints: Path | None = None
    outlines: Path | None = None
    footprints_crs: str | None = None
    id_field: str | None = None
    streets: Path | None = None
    before: Path | None = None
    before_surface: Path | None = None
    model: Path | None = None
    proxies: bool = True
    draw_filled: bool = False
    confirm_crs: tuple[str, ...] = ()

    @property
    def has_buildings(self) -> bool:
        """Whether any buildings are named, to be graded."""
        return self.footprints is not None or self.outlines is not None


FILES = (
    "gcp",
    "masks",
    "reference",
    "dem",
    "footprints",
    "outlines",
    "streets",
    "before",
    "before_surface",
    "model",
)
SWITCHES = ("proxies", "draw_filled")
NAMES = ("confirm_crs",)

NEW_FILE = """\
# Settings of this Aftermap case. Command-line options override them.
# Remove the "#" to set a value.

# Processing quality and cost: "draft", "standard" or "fine".
#quality = "standard"

# Coordinate reference system of the map, projected and in metres. Default: the scene's UTM zone.
#crs = "EPSG:32637"

# CRSs of the map or of an input that are right, although their area of use does not include the
# place. Default: none.
#confirm_crs = ["EPSG:23037"]

# Ground control points: a CRS line, then one "E N H px py image name" per line. Default: none.
# Relative paths start at this folder.
#gcp = "gcp_list.txt"

# Folder of masks named NAME.EXT.png; black areas of an image are excluded, such as captions, smoke
# and people. NAME_mask.png beside an image is found without this setting.
#masks = "masks"

# Orthophoto for locating clips without telemetry, and its elevation model. Default: none; clips are
# located from their telemetry and from the other footage.
#reference = "earlier/orthophoto.tif"
#dem = "earlier/surface.tif"

# Write a small copy of each clip for playback to products/clips/. Takes 2 to 3 times as long as
# decoding the clip.
#proxies = true

# Unmeasured ground is hatched in the orthophoto; true also drapes images over it.
#draw_filled = false

# Building footprints to grade (OSM, GeoJSON, shapefile, ...), the field with their ids, and their
# CRS if the file declares none; street centre lines; pre-event orthophoto and surface model.
#footprints = "buildings.geojson"
#id_field = "osm_id"
#footprints_crs = "EPSG:4326"
#streets = "streets.geojson"
#before = "before/orthophoto.tif"
#before_surface = "before/surface.tif"

# Instead of footprints: a folder of buildings outlined in the images themselves.
#outlines = "outlines"

# Grading model: one trained with aftermap learn, or an .onnx file.
#model = "learnt.json"
"""


def settings_for(case: Path, *, quality: str | None = None, **chosen: Any) -> Settings:
    """The settings of a run: the command line, then the case's file, then the defaults.

    ``chosen`` are the other settings by name, as they were given on the command line; None is not
    given.
    """
    given = {name: value for name, value in chosen.items() if value not in (None, ())}
    if quality is not None:
        given["quality"] = Quality(quality)
    for name in FILES:
        if name in given:
            given[name] = given[name].absolute()
    return replace(settings_in(case / SETTINGS_NAME), **given)


def settings_in(path: Path) -> Settings:
    """The settings that a file holds; the defaults where there is no such file.

    Raises InputError where it cannot be read or is not valid TOML.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):  # where a case cannot be, its opening says so
        return Settings()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror or error}); check path and permissions"
        ) from error
    except ValueError as error:
        raise InputError(f"{path}: is not valid TOML ({error}); correct that line") from error
    _refuse_unknown(path, values)
    return Settings(**{key: _value(path, key, value) for key, value in values.items()})


def _refuse_unknown(path: Path, values: dict[str, Any]) -> None:
    known = [field.name for field in fields(Settings)]
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise InputError(f"{path}: there is no setting {key!r}; {hint}")


def _value(path: Path, key: str, value: object) -> Any:
    if key in SWITCHES:
        if not isinstance(value, bool):
            raise InputError(f"{path}: {key} must be true or false, not {value!r}")
        return value
    if key in NAMES:
        listed = value if isinstance(value, list) else [value]
        if not all(isinstance(one, str) for one in listed):
            raise InputError(f'{path}: {key} must be a list such as ["EPSG:23037"]')
        return tuple(listed)
    if not isinstance(value, str):
        raise InputError(f"{path}: {key} must be text in quotes, not {value!r}")
    if key in FILES:
        return path.parent.absolute() / value
    if key == "quality":
        if value not in list(Quality):
            known = ", ".join(Quality)
            raise InputError(f"{path}: {value!r} is no quality; use one of {known}")
        return Quality(value)
    return value
