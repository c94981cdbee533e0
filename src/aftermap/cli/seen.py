"""``aftermap seen``: which footage shows a location, at what time, how well and how accurately."""

import json
from pathlib import Path

import click

from aftermap.cli.options import PATH, LonLat, LonLatParam, debug_option
from aftermap.errors import CaseError

LIMIT = 20


@click.command("seen")
@click.argument("case", type=PATH)
@click.option(
    "--at", "at", type=LonLatParam(), help="Location in degrees, WGS 84, longitude first."
)
@click.option("--polygon", type=PATH, help="GeoJSON file with one polygon; its outer ring is used.")
@click.option("--building", help="source_id of an assessed building.")
@click.option("--json", "form", flag_value="json", help="Print JSON.")
@click.option("--geojson", "form", flag_value="geojson", help="Print image footprints as GeoJSON.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=LIMIT,
    show_default=True,
    help="Largest number of results.",
)
@debug_option
def seen_command(
    case: Path,
    at: LonLat | None,
    polygon: Path | None,
    building: str | None,
    form: str | None,
    limit: int,
) -> None:
    """Find the footage of CASE that shows a location or a building, the best view first.

    One line per clip section: start and end, best time, GSD, off-nadir angle, viewing direction,
    occluded fraction and positional accuracy (CE90). Writes nothing.
    """
    if sum(given is not None for given in (at, polygon, building)) != 1:
        raise click.UsageError("give exactly one of --at LON,LAT, --polygon FILE and --building ID")
    click.echo(_answer(case, at, polygon, building, form, limit))


def _answer(
    path: Path,
    at: LonLat | None,
    polygon: Path | None,
    building: str | None,
    form: str | None,
    limit: int,
) -> str:
    from aftermap import search  # noqa: PLC0415
    from aftermap.record import Case  # noqa: PLC0415

    ring = () if polygon is None else search.ring_in(polygon)
    with Case.open_to_read(path) as case:
        if case.is_unfinished():
            raise CaseError(f"{path}: has no finished map run; run aftermap map, then search again")
        if building is not None:
            found = search.seen_of_building(case.package, building, limit=limit)
        elif at is not None:
            found = search.seen_at_point(case, at, limit=limit)
        else:
            found = search.seen_in_polygon(case, ring, limit=limit)
        if form == "geojson":
            features = search.sightings_geojson(case.package, found)
            return json.dumps(features, ensure_ascii=False)
    if form == "json":
        plain = [search.sighting_json(one) for one in found]
        return json.dumps(plain, ensure_ascii=False, indent=1)
    if not found:
        return "no results: no footage of the case shows this location"
    return search.sightings_table(found)
