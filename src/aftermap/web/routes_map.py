"""Addresses of the map: what the case holds, tiles, layers, and what is at a place."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from aftermap.errors import AftermapError, CaseError
from aftermap.record.map_layers import camera_datum, has_own_streets
from aftermap.web.dependencies import CaseDesk
from aftermap.web.desk import Desk
from aftermap.web.layers import MAKERS
from aftermap.web.mesh_info import ADDRESS, mesh_facts, mesh_path
from aftermap.web.opened import stamp_of
from aftermap.web.responses import (
    CaseFacts,
    FeatureCollection,
    HeightProfile,
    HeightSpan,
    MeshFacts,
    PointInfo,
    RasterFacts,
    RunState,
    SightingFacts,
)
from aftermap.web.spot import height_profile, moments_of, spot_at
from aftermap.web.tiles import KINDS, base_m, nothing
from aftermap.web.wire import Lat, LineSent, Lon, RasterName, TileKind

FOREVER = "private, max-age=86400, immutable"
"""Tiles are asked for with the stamp of their file, so an address never changes its answer."""
RASTERS: tuple[RasterName, ...] = ("orthophoto", "surface", "confidence", "before")


class GeoJsonResponse(JSONResponse):
    """A layer."""

    media_type = "application/geo+json"


routes = APIRouter()


@routes.get("/api/case")
def case_facts(desk: CaseDesk) -> CaseFacts:
    """What the case holds, for the page."""
    rasters, missing = _rasters(desk)
    mesh, trouble = _mesh(desk, has_surface="surface" in rasters)
    place = desk.case.place
    return CaseFacts(
        name=desk.case.name,
        crs=place.crs,
        is_on_globe=place.is_on_globe,
        vertical_datum=camera_datum(desk.case.package),
        rasters=rasters,
        missing=missing | trouble,
        height=_height_span(desk) if "surface" in rasters else None,
        mesh=mesh,
        tiles={kind: raster for kind, (raster, _) in KINDS.items() if raster in rasters},
        layers=desk.layers.names(),
        has_buildings=desk.buildings.has_any,
        has_own_streets=has_own_streets(desk.case.package),
        has_basemap=desk.basemap is not None,
        basemap_stamp=stamp_of(desk.basemap) if desk.basemap else "",
        **asdict(desk.case.generation),
    )


@routes.get("/api/state")
def run_state(desk: CaseDesk) -> RunState:
    """Which answer the record holds, and whether a run is under way."""
    return RunState(**asdict(desk.case.generation))


@routes.get("/tiles/{kind}/{zoom}/{column}/{row}", response_class=Response)
def tile(kind: TileKind, zoom: int, column: int, row: int, desk: CaseDesk) -> Response:
    """A tile of 512 by 512 pixels in Web Mercator; a clear one where the raster has nothing."""
    made = desk.tiles.tile(kind, zoom, column, row)
    if made is None:
        made = nothing()
    return Response(made.body, media_type=made.media_type, headers={"Cache-Control": FOREVER})


@routes.get("/api/layers/{name}", response_class=GeoJsonResponse, response_model=FeatureCollection)
def layer(name: str, request: Request, desk: CaseDesk) -> Response:
    """A layer; nothing where the page has it already."""
    tag = f'"{name}-{desk.case.generation.run}-{desk.case.generation.ended_at}"'
    if name in MAKERS and request.headers.get("if-none-match") == tag:
        return Response(status_code=304)
    return Response(
        desk.layers.text(name),
        media_type=GeoJsonResponse.media_type,
        headers={"ETag": tag, "Cache-Control": "private, no-cache"},
    )


@routes.get("/api/point")
def point_info(
    lon: Annotated[Lon, Query()], lat: Annotated[Lat, Query()], desk: CaseDesk
) -> PointInfo:
    """What the map says of a place."""
    return spot_at(desk.case, desk.tiles, (lon, lat))


@routes.get("/api/seen")
def seen(
    lon: Annotated[Lon, Query()], lat: Annotated[Lat, Query()], desk: CaseDesk
) -> list[SightingFacts]:
    """The stretches of clips and the photographs that saw a place, the best first."""
    return moments_of(desk.case, (lon, lat))


@routes.post("/api/profile")
def profile(sent: LineSent, desk: CaseDesk) -> HeightProfile:
    """Heights along a line."""
    return height_profile(desk.case, desk.tiles, sent.line)


@routes.get(ADDRESS, response_class=FileResponse)
def mesh_file(desk: CaseDesk) -> Response:
    """The mesh, binary glTF."""
    return FileResponse(
        mesh_path(desk.case), media_type="model/gltf-binary", headers={"Cache-Control": FOREVER}
    )


@routes.get("/media/basemap", response_class=FileResponse)
def basemap(desk: CaseDesk) -> Response:
    """The base map of the command line, PMTiles. Raises CaseError where none was given."""
    if desk.basemap is None:
        raise CaseError("no base map was given; start aftermap serve with --basemap FILE")
    return FileResponse(desk.basemap, media_type="application/octet-stream")


def _rasters(desk: Desk) -> tuple[dict[RasterName, RasterFacts], dict[str, str]]:
    """What is known of each raster, and of each that is missing why."""
    rasters: dict[RasterName, RasterFacts] = {}
    missing: dict[str, str] = {}
    for name in RASTERS:
        try:
            rasters[name] = desk.tiles.facts(name)
        except AftermapError as error:
            missing[name] = str(error)
    return rasters, missing


def _height_span(desk: Desk) -> HeightSpan:
    low, high = desk.tiles.span_m(desk.tiles.path_of("surface"))
    return HeightSpan(low_m=low, high_m=high, base_m=base_m(desk.tiles))


def _mesh(desk: Desk, *, has_surface: bool) -> tuple[MeshFacts | None, dict[str, str]]:
    """The facts of the mesh; None, and why, where there is none."""
    try:
        ground_m = base_m(desk.tiles) if has_surface else 0.0
        return mesh_facts(desk.case, desk.case.place, ground_m=ground_m), {}
    except AftermapError as error:
        return None, {"mesh": str(error)}
