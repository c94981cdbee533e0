"""Our grades as a GeoPackage in the schema of UNOSAT's damage sites: points in EPSG:4326.

Fields of UNOSAT: ``SiteID, EventCode, Municipality, Governorate, SensorDate,
Main_Damage_Site_Class, Damage_Status``; those that we do not know are empty. Beside them stand
ours, so that nothing is lost where UNOSAT has no class: the class is then empty, and empty is not
"no visible damage". ``Confidence`` and ``Status`` say how sure a site is. ``Damage_Status`` stays
empty: there UNOSAT writes the change since an earlier date, which one assessment does not know.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from aftermap.errors import CaseError
from aftermap.geo.arrays import AnyArray, BoolArray
from aftermap.geo.crs import WGS84

LAYER = "Damage_Sites"


@dataclass(frozen=True, kw_only=True)
class DamageSite:
    """One site. ``lonlat_deg`` lies inside its building; ``main_class`` is UNOSAT's code or None.

    ``sensor_date`` is the day of the pictures (ISO 8601). ``grade`` (the most probable one),
    ``grades`` (all that it may be, with spaces between), ``status``, ``reason`` (why not assessed)
    and ``assessor`` are our own words; ``confidence`` (0 to 1) is the probability of ``grade``.
    """

    site_id: str
    lonlat_deg: tuple[float, float]
    main_class: int | None
    sensor_date: str | None = None
    confidence: float | None = None
    status: str | None = None
    grade: str | None = None
    grades: str | None = None
    reason: str | None = None
    assessor: str | None = None


def write_unosat(path: Path, sites: Sequence[DamageSite]) -> Path:
    """A GeoPackage with one layer of damage sites, in place of what was there.

    Raises :class:`CaseError` where the disk does not take it.
    """
    fields, masks = _columns(sites)
    lonlat = np.array([one.lonlat_deg for one in sites], float).reshape(-1, 2)
    part = path.with_name(f".part-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        pyogrio.raw.write(
            part,
            shapely.to_wkb(shapely.points(lonlat)),
            list(fields.values()),
            list(fields),
            field_mask=[masks[name] for name in fields],
            layer=LAYER,
            driver="GPKG",
            geometry_type="Point",
            crs=WGS84,
        )
        part.replace(path)
    except (OSError, DataSourceError, DataLayerError, FeatureError) as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise CaseError(
            f"{path}: could not be written ({error}); free some space or make the folder "
            "writable, and run the command again"
        ) from error
    return path


def _columns(sites: Sequence[DamageSite]) -> tuple[dict[str, AnyArray], dict[str, BoolArray]]:
    """(N,) values of every field by name, and where each is empty."""
    nothing = [None] * len(sites)
    texts: dict[str, Sequence[str | None]] = {
        "SiteID": [one.site_id for one in sites],
        "EventCode": nothing,
        "Municipality": nothing,
        "Governorate": nothing,
        "Status": [one.status for one in sites],
        "grade": [one.grade for one in sites],
        "grades": [one.grades for one in sites],
        "not_assessed_reason": [one.reason for one in sites],
        "assessor": [one.assessor for one in sites],
    }
    fields: dict[str, AnyArray] = {n: np.array(column, object) for n, column in texts.items()}
    masks = {name: _is_empty(column) for name, column in texts.items()}
    fields["SensorDate"] = np.array([one.sensor_date or "NaT" for one in sites], "datetime64[D]")
    masks["SensorDate"] = np.isnat(fields["SensorDate"])
    numbers: tuple[tuple[str, type, Sequence[float | None]], ...] = (
        ("Main_Damage_Site_Class", np.int32, [one.main_class for one in sites]),
        ("Damage_Status", np.int32, nothing),
        ("Confidence", np.float64, [one.confidence for one in sites]),
    )
    for name, kind, values in numbers:
        masks[name] = _is_empty(values)
        fields[name] = np.array([value or 0 for value in values], kind)
    return fields, masks


def _is_empty(values: Sequence[object]) -> BoolArray:
    return np.array([value is None for value in values], bool)
