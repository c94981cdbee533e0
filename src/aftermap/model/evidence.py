"""Pictures that show a building, and what ties each of them to an original."""

from dataclasses import dataclass
from enum import StrEnum

from aftermap.model.runs import Skipped


class EvidenceKind(StrEnum):
    """What a picture is: cut out of the orthophoto, of an original, or drawn from heights."""

    ORTHOPHOTO = "orthophoto"
    VIEW = "view"
    PROFILE = "profile"


@dataclass(frozen=True, kw_only=True)
class CropWindow:
    """Where in its original a crop was cut: the box around it, and how it was laid upright.

    The box is in whole pixels of the original as stored, from its outer corner. ``turn_deg`` is how
    far the crop was turned clockwise, ``scale`` how many of its pixels one of the original became.
    Both are exact where the turn is a whole quarter and the scale 1; otherwise pixels were
    interpolated. The lens's distortion is left in.
    """

    left_px: int
    top_px: int
    width_px: int
    height_px: int
    turn_deg: float
    scale: float


@dataclass(frozen=True, kw_only=True)
class SourceShare:
    """An original that a part of an orthophoto crop was taken from, and the share of that part."""

    sha256: str
    name: str
    fraction: float
    clip_sha256: str | None = None
    time_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One picture of one building.

    ``path`` is the finished file, ``name`` where it belongs below ``products/evidence/`` and
    ``file_sha256`` the digest of its bytes. ``original_sha256`` is of the photograph or clip that
    the picture was cut from (of the orthophoto or the surface for the two other kinds);
    ``time_s`` is set for clips and ``time_exact`` is the same as a fraction. ``sources`` are set
    for an orthophoto crop. What does not apply to a kind, or is not known, is None. ``rank``
    counts the pictures of a building from 1, the best first.
    """

    building: int
    source_id: str
    kind: EvidenceKind
    rank: int
    path: str
    name: str
    file_sha256: str
    original_sha256: str
    original_name: str
    time_s: float | None = None
    time_exact: str | None = None
    taken_at: str | None = None
    window: CropWindow | None = None
    distance_m: float | None = None
    azimuth_deg: float | None = None
    off_nadir_deg: float | None = None
    ground_sample_m: float | None = None
    framed_fraction: float | None = None
    occluded_fraction: float | None = None
    faces: int | None = None
    ce90_m: float | None = None
    is_masked: bool = False
    sources: tuple[SourceShare, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EvidenceSet:
    """The pictures of those buildings that were chosen, and what could not be shown, with reasons.

    ``pictured`` are the places in ``Buildings`` of the buildings that have any.
    """

    rows: tuple[Evidence, ...]
    pictured: tuple[int, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
