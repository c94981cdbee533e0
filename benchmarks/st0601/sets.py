"""The sets that ST 0601 carries inside itself: RVT, VMTI, SAR, range images, composites.

They say nothing of where the camera is, and are read so that nothing that came is lost. Names are
those of ST 0806, ST 0903, ST 1206, ST 1002 and ST 1602, by their tags.
"""

from typing import Any

from aftermap.media.telemetry.misb.imap import imap_value
from aftermap.media.telemetry.misb.klv import ber_oid
from aftermap.media.telemetry.misb.klv_values import (
    HEIGHT,
    LATITUDE,
    LONGITUDE,
    Reader,
    imap,
    real,
    signed,
    unsigned,
)
from benchmarks.st0601.arrays import array_by_rows, array_of, section_value
from benchmarks.st0601.packs import core_identifier
from benchmarks.st0601.values import Fields, each, local_set, raw, text, uuid


def _named(names: str, reader: Reader, first: int) -> dict[int, tuple[str, Reader]]:
    return {first + k: (name, reader) for k, name in enumerate(names.split(", "))}


def _location(data: bytes) -> dict[str, float | None]:
    return {
        "latitude": imap_value(data[:4], -90, 90),
        "longitude": imap_value(data[4:8], -180, 180),
        "altitude": imap_value(data[8:10], -900, 19_000),
    }


def _motion(data: bytes) -> dict[str, float | None]:
    names = ("east", "north", "up")
    return {name: imap_value(data[2 * k : 2 * k + 2], -900, 900) for k, name in enumerate(names)}


def _row_column(data: bytes) -> dict[str, int]:
    return {"row": data[0], "column": data[1]}


def _runs(data: bytes) -> list[dict[str, int]]:
    """Runs of pixels: where each begins and how long it is."""
    return [
        {"index": unsigned(piece[1 : 1 + piece[0]]), "length": _last_length(piece[1 + piece[0] :])}
        for piece in each(bytes)(data)
    ]


def _last_length(data: bytes) -> int:
    return data[0] if data[0] < 0x80 else unsigned(data[1:])


def _data_type(data: bytes) -> dict[str, int]:
    return {"type": data[0] >> 6, "id": data[0] & 0x3F}


def _range_kinds(data: bytes) -> dict[str, int]:
    kinds = data[0]
    return {
        "compression-method": kinds & 0x07,
        "data-type": kinds >> 3 & 0x07,
        "source": kinds >> 6 & 0x01,
    }


def _target(data: bytes) -> dict[str, Any]:
    number = ber_oid(data, 0)
    if number is None:
        raise ValueError("a target without a number")
    return {"id": number[0], "set": local_set(_TARGET)(data[number[1] :])}


_OPERATIONS = _named("text, source icon, source, label, operation", text, 6)
_INTEREST: Fields = {
    **_named("number", unsigned, 1),
    2: ("latitude", LATITUDE),
    3: ("longitude", LONGITUDE),
    4: ("altitude", HEIGHT),
    5: ("type", signed),
    **_OPERATIONS,
}
_AREA: Fields = {
    **_named("number", unsigned, 1),
    2: ("corner 1 latitude", LATITUDE),
    3: ("corner 1 longitude", LONGITUDE),
    4: ("corner 3 latitude", LATITUDE),
    5: ("corner 3 longitude", LONGITUDE),
    6: ("type", signed),
    **_named("text, source, label, operation", text, 7),
}
RVT: Fields = {
    **_named("time stamp, true airspeed, indicated airspeed, telemetry accuracy", unsigned, 2),
    **_named("frag circle radius, frame code, version, video data rate", unsigned, 6),
    10: ("file format", text),
    11: ("user data", local_set({1: ("type", _data_type), 2: ("data", raw)})),
    12: ("point of interest", local_set(_INTEREST)),
    13: ("area of interest", local_set(_AREA)),
    14: ("MGRS zone", unsigned),
    15: ("MGRS square", text),
    **_named("MGRS easting, MGRS northing, frame centre MGRS zone", unsigned, 16),
    19: ("frame centre MGRS square", text),
    **_named("frame centre MGRS easting, frame centre MGRS northing", unsigned, 20),
}

_OFFSET = imap(-19.2, 19.2)
_MASK: Fields = {
    1: ("polygon", each(unsigned)),
    2: ("runs", _runs),
}
_OBJECT: Fields = {
    **_named("ontology, class", text, 1),
    3: ("ontology id", unsigned),
    4: ("confidence", imap(0, 100)),
}
_TRACKER: Fields = {
    1: ("track", uuid),
    **_named("status, start, end", unsigned, 2),
    5: ("boundary", each(_location)),
    6: ("algorithm", text),
    **_named("confidence, points", unsigned, 7),
    9: ("history", each(_location)),
    10: ("velocity", _motion),
    11: ("acceleration", _motion),
    12: ("algorithm number", unsigned),
}
_CHIP: Fields = {1: ("type", text), 2: ("uri", text), 3: ("picture", raw)}
_TARGET: Fields = {
    **_named("centroid, top left, bottom right, priority, confidence, history", unsigned, 1),
    **_named("share of pixels, colour, intensity", unsigned, 7),
    **_named("latitude offset, longitude offset", _OFFSET, 10),
    12: ("height above ellipsoid", imap(-900, 19_000)),
    **_named("top left latitude, top left longitude", _OFFSET, 13),
    **_named("bottom right latitude, bottom right longitude", _OFFSET, 15),
    17: ("location", _location),
    18: ("boundary", each(_location)),
    **_named("row, column", unsigned, 19),
    21: ("focal plane", _row_column),
    22: ("algorithm", unsigned),
    101: ("mask", local_set(_MASK)),
    102: ("object", local_set(_OBJECT)),
    103: ("features", local_set(dict(_named("schema, feature", text, 1)))),
    104: ("tracker", local_set(_TRACKER)),
    105: ("chip", local_set(_CHIP)),
    106: ("chips", each(local_set(_CHIP))),
    107: ("objects", each(local_set(_OBJECT))),
}
VMTI: Fields = {
    2: ("time stamp", unsigned),
    3: ("system", text),
    **_named("version, targets, targets reported, frame, width, height", unsigned, 4),
    10: ("sensor", text),
    **_named("horizontal field of view, vertical field of view", imap(0, 180), 11),
    13: ("core identifier", core_identifier),
    101: ("targets", each(_target)),
    102: (
        "algorithms",
        each(
            local_set(
                {
                    1: ("number", unsigned),
                    **_named("name, version, class", text, 2),
                    5: ("frames", unsigned),
                }
            )
        ),
    ),
    103: (
        "ontologies",
        each(
            local_set(
                {**_named("number, parent", unsigned, 1), **_named("ontology, class", text, 3)}
            )
        ),
    ),
}

_FINE = imap(0, 1e6)
SAR: Fields = {
    1: ("grazing angle", imap(0, 90)),
    2: ("squint angle", imap(-90, 90)),
    **_named("look direction, image plane", unsigned, 3),
    **_named("range resolution, cross-range resolution", _FINE, 5),
    **_named("range pixel, cross-range pixel", _FINE, 7),
    **_named("rows, columns", unsigned, 9),
    **_named("range direction, true north", imap(0, 360), 11),
    13: ("layover", imap(0, 360)),
    14: ("aperture", imap(0, 90)),
    15: ("aperture duration", unsigned),
    16: ("ground track", imap(0, 360)),
    17: ("least velocity", imap(0, 100)),
    18: ("pulse frequency", _FINE),
    19: ("pulse factor", imap(0, 1)),
    20: ("centre frequency", imap(0, 1e12)),
    21: ("bandwidth", imap(0, 1e11)),
    22: ("cross section", array_of(real)),
    23: ("reference time", unsigned),
    24: ("reference grazing", imap(0, 90)),
    25: ("reference squint", imap(-90, 90)),
    26: ("reference direction", imap(0, 360)),
    27: ("reference layover", imap(0, 360)),
    28: ("version", unsigned),
}
RANGE_IMAGE: Fields = {
    1: ("time stamp", unsigned),
    11: ("version", unsigned),
    12: ("kinds", _range_kinds),
    **_named("range, uncertainty, row, column", real, 13),
    **_named("sections in x, sections in y", unsigned, 17),
    19: (
        "transformation",
        local_set(
            {
                **_named("x numerator x, x numerator y, x numerator constant", real, 1),
                10: ("version", unsigned),
                11: ("type", unsigned),
            }
        ),
    ),
    20: ("section", section_value),
}
_PIXEL_ERRORS = [(0.0, 100.0), (0.0, 100.0), (-1.0, 1.0)] * 2
_PLACE_ERRORS = [(0.0, 1000.0), (0.0, 1000.0), (-1.0, 1.0), (0.0, 1000.0), (-1.0, 1.0), (-1.0, 1.0)]
REGISTRATION: Fields = {
    1: ("version", unsigned),
    **_named("algorithm, algorithm version", text, 2),
    4: ("pixels", array_of(unsigned)),
    5: ("places", array_of(real)),
    6: ("second image", text),
    7: ("configuration", uuid),
    8: ("heights", array_of(real)),
    9: ("errors of pixels", array_by_rows(_PIXEL_ERRORS)),
    10: ("errors of places", array_by_rows(_PLACE_ERRORS)),
}
COMPOSITE: Fields = {
    **_named("time stamp, version, rows, columns, area rows, area columns", unsigned, 1),
    **_named("area x, area y", signed, 7),
    **_named("sub-image rows, sub-image columns", unsigned, 9),
    **_named("sub-image x, sub-image y", signed, 11),
    **_named("active rows, active columns", unsigned, 13),
    **_named("active x, active y", signed, 15),
    **_named("transparency, order", unsigned, 17),
}
