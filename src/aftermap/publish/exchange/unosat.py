"""Our grades as a GeoPackage in the schema of UNOSAT's damage sites: points in EPSG:4326.

Fields of UNOSAT: ``SiteID, EventCode, Municipality, Governorate, SensorDate,
Main_Damage_Site_Class, Damage_Status``; those that we do not know are empty. Beside them stand
ours, so that nothing is lost where UNOSAT has no class: the class is then empty, and empty is not
"no visible damage".
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
from aftermap.geo.crs import WGS84

LAYER = "Damage_Sites"


@dataclass(frozen=True, kw_only=True)
class DamageSite:
    """One site. ``lonlat_deg`` lies inside its building; ``main_class`` is UNOSAT's code or None.

    ``sensor_date`` is the day of the pictures (ISO 8601). ``grade``, ``reason`` (why not assessed)
    and ``assessor`` are our own words.
    """

    site_id: str
    lonlat_deg: tuple[float, float]
    main_class: int | None
    sensor_date: str | None = None
    grade: str | None = None
    reason: str | None = None
    assessor: str | None = None


def write_unosat(path: Path, sites: Sequence[DamageSite]) -> Path:
    """A GeoPackage with one layer of damage sites, in place of what was there.

    Raises :class:`CaseError` where the disk does not take it.
    """
    texts: dict[str, list[str | None]] = {
        "SiteID": [one.site_id for one in sites],
        "EventCode": [None] * len(sites),
        "Municipality": [None] * len(sites),
        "Governorate": [None] * len(sites),
        "grade": [one.grade for one in sites],
        "not_assessed_reason": [one.reason for one in sites],
        "assessor": [one.assessor for one in sites],
    }
    fields = {name: np.array(column, object) for name, column in texts.items()}
    masks = {name: np.array([v is None for v in column]) for name, column in texts.items()}
    fields["SensorDate"] = np.array([one.sensor_date or "NaT" for one in sites], "datetime64[D]")
    masks["SensorDate"] = np.isnat(fields["SensorDate"])
    for name, values in (
        ("Main_Damage_Site_Class", [one.main_class for one in sites]),
        ("Damage_Status", [None] * len(sites)),
    ):
        masks[name] = np.array([value is None for value in values])
        fields[name] = np.array([value or 0 for value in values], np.int32)
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
