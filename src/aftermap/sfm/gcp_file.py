"""Ground control in the common text form: a CRS line, then ``E N H px py image [name [role]]``.

Columns are separated by blanks, tabs, commas or semicolons; further columns are passed over.
Pixels count from the outer corner of the first stored pixel. The role is ``control`` or ``check``,
as a column or at the end of the name (``P7_check``). Heights are taken as they are: with control
the map's vertical datum is that of the survey.
"""

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyproj import CRS
from pyproj.exceptions import CRSError

from aftermap.errors import ControlError
from aftermap.model.camera import Vector3

COLUMNS = "E N H px py image name"
ROLES = {"control": "control", "gcp": "control", "check": "check", "checkpoint": "check"}
ALL_HOLD = 12
"""So few marks are too good to be only looked at: all of them hold the map."""
SHOWN = 60
"""So much of a line is shown where it is not what was expected."""
_UTM = re.compile(r"^WGS\s*-?84\s*/?\s*UTM\s*(?:zone)?\s*(\d{1,2})\s*([NS])$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class GcpObservation:
    """One line: a mark in one photograph. ``image`` is what follows the pixel, split in words."""

    line: int
    position: Vector3
    xy_px: tuple[float, float]
    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ControlFile:
    """A control file as it was read; names of photographs are looked up later.

    ``confirmed`` are CRSs that the user stands by outside their area of use.
    """

    path: Path
    crs: str
    sightings: tuple[GcpObservation, ...]
    confirmed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GroundControlPoint:
    """A surveyed mark: where it is in the file's CRS, and its pixel by index of the frame.

    ``role`` is "control" or "check" where the file names it, else None.
    """

    name: str
    line: int
    position: Vector3
    role: str | None
    seen: Mapping[int, tuple[float, float]]


def control_in(path: Path, confirmed: tuple[str, ...] = ()) -> ControlFile:
    """The control file, its lines checked one by one.

    Raises ControlError with the line of the first thing that is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ControlError(f"{path}: is not a text file; save it as UTF-8 text") from error
    except OSError as error:
        raise ControlError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    lines = [(n, line.strip()) for n, line in enumerate(text.splitlines(), start=1)]
    lines = [(n, line) for n, line in lines if line and not line.startswith("#")]
    if not lines:
        raise ControlError(f"{path}: is empty; the first line names the CRS, then {COLUMNS}")
    crs = _crs(path, *lines[0])
    if len(lines) == 1:
        raise ControlError(f"{path}: has no points; after the CRS, give lines of {COLUMNS}")
    return ControlFile(
        path=path,
        crs=crs,
        sightings=tuple(_sighting(path, *line) for line in lines[1:]),
        confirmed=confirmed,
    )


def _crs(path: Path, number: int, line: str) -> str:
    utm = _UTM.match(line)
    if utm:
        return f"EPSG:{32600 + 100 * (utm[2].upper() == 'S') + int(utm[1])}"
    shown = repr(line if len(line) <= SHOWN else f"{line[:SHOWN]}...")
    try:
        crs = CRS.from_user_input(line)
    except CRSError as error:
        raise ControlError(
            f"{path}, line {number}: {shown} is not a CRS; "
            "the first line must name one, such as EPSG:32637 or WGS84 UTM 37N"
        ) from error
    if not (crs.is_projected or crs.is_geographic):
        raise ControlError(
            f"{path}, line {number}: {shown} is not a CRS for maps; name a projected one or "
            "EPSG:4326"
        )
    if crs.is_projected and not math.isclose(crs.axis_info[0].unit_conversion_factor, 1.0):
        raise ControlError(
            f"{path}, line {number}: {shown} is in {crs.axis_info[0].unit_name}, so heights would "
            "be misread; convert the points to a CRS in metres"
        )
    return line


def _sighting(path: Path, number: int, line: str) -> GcpObservation:
    words = _words(line)
    if len(words) < 6:
        raise ControlError(
            f"{path}, line {number}: has {len(words)} columns instead of {COLUMNS}; give at least "
            "the first six"
        )
    values = []
    for word, column in zip(words[:5], COLUMNS.split(), strict=False):
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ControlError(
                f"{path}, line {number}: {column} is {word!r}, which is not a number; "
                f"the columns are {COLUMNS}"
            )
        values.append(value)
    east, north, height, x, y = values
    return GcpObservation(
        line=number, position=(east, north, height), xy_px=(x, y), words=tuple(words[5:])
    )


def _words(line: str) -> list[str]:
    """The columns of a line, by the separator that it uses."""
    for separator in ("\t", ";", ","):
        if separator in line:
            row = next(csv.reader([line], delimiter=separator, skipinitialspace=True))
            return [word.strip() for word in row]
    return line.split()


def marks_of(
    control: ControlFile, names: Sequence[str], sizes_px: Sequence[tuple[int, int]]
) -> tuple[list[GroundControlPoint], list[str]]:
    """The marks, their photographs looked up by name, and what to warn of.

    A name may be given with or without its folder, in any case of letters.

    Raises ControlError where a mark has two different coordinates.
    """
    known = _indices(names)
    marks: dict[object, GroundControlPoint] = {}
    unknown: list[GcpObservation] = []
    for sighting in control.sightings:
        index, rest = _photograph(sighting.words, known)
        name, role = _name_and_role(rest)
        key = name or sighting.position
        before = marks.get(key)
        if before is not None and before.position != sighting.position:
            raise ControlError(
                f"{control.path}, line {sighting.line}: point {name} has other coordinates than on "
                f"line {before.line}; correct one of them or give the points different names"
            )
        seen = dict(before.seen) if before else {}
        if index is None:
            unknown.append(sighting)
        else:
            _check_inside(control, sighting, names[index], sizes_px[index])
            seen[index] = sighting.xy_px
        marks[key] = GroundControlPoint(
            name=name or f"mark {len(marks) + (before is None)}" if before is None else before.name,
            line=before.line if before else sighting.line,
            position=sighting.position,
            role=role or (before.role if before else None),
            seen=seen,
        )
    return list(marks.values()), _unknown_warnings(control, unknown)


def _indices(names: Sequence[str]) -> dict[str, int]:
    """Frames by their whole name and by their last part; a part that fits two frames fits none."""
    whole = {name.casefold(): i for i, name in enumerate(names)}
    last = [Path(name).name.casefold() for name in names]
    found = {part: i for i, part in enumerate(last) if last.count(part) == 1}
    return found | whole


def _photograph(words: Sequence[str], known: Mapping[str, int]) -> tuple[int | None, Sequence[str]]:
    """The frame that the words begin with, and the words after it. A name may hold blanks."""
    for count in range(len(words), 0, -1):
        index = known.get(" ".join(words[:count]).strip("\"'").casefold())
        if index is not None:
            return index, words[count:]
    return None, words[1:]


def _name_and_role(words: Sequence[str]) -> tuple[str | None, str | None]:
    name = words[0] if words else None
    role = ROLES.get(words[1].casefold()) if len(words) > 1 else None
    if name and role is None:
        role = ROLES.get(re.split(r"[-_: ]", name)[-1].casefold())
    return name, role


def _check_inside(
    control: ControlFile, sighting: GcpObservation, name: str, size_px: tuple[int, int]
) -> None:
    x, y = sighting.xy_px
    if not (0 <= x <= size_px[0] and 0 <= y <= size_px[1]):
        raise ControlError(
            f"{control.path}, line {sighting.line}: pixel {x:g}, {y:g} is outside {name}, which "
            f"is {size_px[0]} x {size_px[1]} as stored; measure it in the unrotated image"
        )


def _unknown_warnings(control: ControlFile, unknown: Sequence[GcpObservation]) -> list[str]:
    if len(unknown) == len(control.sightings):
        raise ControlError(
            f"{control.path}, line {unknown[0].line}: no image is named {unknown[0].words[0]}, "
            "and no other name matches either; use the names of the mapped images"
        )
    if not unknown:
        return []
    names = list(dict.fromkeys(s.words[0] for s in unknown))
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return [
        (
            f"{control.path.name}: {len(unknown)} lines name images that are not mapped and were "
            f"ignored ({', '.join(names[:5])}{more})."
        )
    ]


def roles_of(marks: Sequence[GroundControlPoint]) -> list[str]:
    """Which marks hold the solution and which test it, where the file does not say.

    Named roles stand, and beside them an unnamed mark is control. Without any, up to ``ALL_HOLD``
    marks are all control, and each is tested by leaving it out (``leave_one_out.py``). More are
    taken in turn, each as far as possible from those before it, so that both halves span the area.
    """
    if any(mark.role for mark in marks) or len(marks) <= ALL_HOLD:
        return [mark.role or "control" for mark in marks]
    order = farthest_first([mark.position for mark in marks])
    roles = ["check"] * len(marks)
    for index in order[::2]:
        roles[index] = "control"
    return roles


def farthest_first(positions: Sequence[Vector3]) -> list[int]:
    """Indices in an order in which each is the farthest from those before it."""
    if not positions:
        return []
    middle = [sum(p[k] for p in positions) / len(positions) for k in range(2)]
    distance = [math.dist(p[:2], middle) for p in positions]
    order = [max(range(len(positions)), key=lambda i: (distance[i], -i))]
    nearest = [math.dist(p[:2], positions[order[0]][:2]) for p in positions]
    while len(order) < len(positions):
        best = max(
            (i for i in range(len(positions)) if i not in order), key=lambda i: (nearest[i], -i)
        )
        order.append(best)
        nearest = [
            min(near, math.dist(p[:2], positions[best][:2]))
            for near, p in zip(nearest, positions, strict=True)
        ]
    return order
