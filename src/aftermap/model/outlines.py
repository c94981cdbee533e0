"""Buildings as somebody outlined them in the pictures, and where some are known to be."""

from dataclasses import dataclass
from pathlib import Path

PLACE_ROLE = "place"
"""The role among the marks of a map of a building's known place, which has no height."""


@dataclass(frozen=True, kw_only=True)
class PictureOutline:
    """A building in one picture: the picture's file name, its mask, and the building's value in it.

    ``is_cut`` is set where the edge of the picture cuts the building.
    """

    picture: str
    mask: Path
    mask_value: int
    is_cut: bool


@dataclass(frozen=True, kw_only=True)
class OutlinedBuilding:
    """A building by its id, with its outlines in the order of the pictures' names.

    ``lonlat_deg`` (WGS 84) and ``levels`` (storeys) are None where nobody says.
    """

    source_id: str
    outlines: tuple[PictureOutline, ...]
    lonlat_deg: tuple[float, float] | None = None
    levels: float | None = None


@dataclass(frozen=True, kw_only=True)
class OutlinedBuildings:
    """What a folder of outlines holds; ``sha256`` is of all its files that are used."""

    folder_name: str
    sha256: str
    buildings: tuple[OutlinedBuilding, ...]


@dataclass(frozen=True, kw_only=True)
class KnownPlace:
    """Where a building is known to be, and the middle of it by the name of the picture.

    ``seen_px`` are pixels from the outer corner of the first; ``half_height_m`` is roughly how high
    that middle is above the ground.
    """

    name: str
    lonlat_deg: tuple[float, float]
    half_height_m: float
    seen_px: tuple[tuple[str, tuple[float, float]], ...]
