"""Addresses of the map: what the case holds, tiles, layers, and what is at a place."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response

from aftermap.errors import AftermapError, CaseError
from aftermap.record.map_layers import camera_datum
from aftermap.web.desk import Desk
from aftermap.web.layers import MAKERS
from aftermap.web.mesh_info import ADDRESS, mesh_facts, mesh_path
from aftermap.web.opened import stamp_of
from aftermap.web.spot import height_profile, moments_of, spot_at
from aftermap.web.tiles import KINDS, base_m, nothing
from aftermap.web.wire import Lat, LineSent, Lon, RasterName, TileKind

FOREVER = "private, max-age=86400, immutable"
"""Tiles are asked for with the stamp of their file, so an address never changes its answer."""


def map_routes(desk: Desk) -> APIRouter:
    """The addresses of the map."""
    routes = APIRouter()

    @routes.get("/api/case")
    def case() -> dict[str, Any]:
        return _case_facts(desk)

    @routes.get("/api/state")
    def state() -> dict[str, Any]:
        return asdict(desk.case.generation)

    @routes.get("/tiles/{kind}/{zoom}/{column}/{row}")
    def tile(kind: TileKind, zoom: int, column: int, row: int) -> Response:
        made = desk.tiles.tile(kind, zoom, column, row)
        if made is None:
            made = nothing()
        return Response(made.body, media_type=made.media_type, headers={"Cache-Control": FOREVER})

    @routes.get("/api/layers/{name}")
    def layer(name: str, request: Request) -> Response:
        tag = f'"{name}-{desk.case.generation.run}-{desk.case.generation.ended_at}"'
        if name in MAKERS and request.headers.get("if-none-match") == tag:
            return Response(status_code=304)
        return Response(
            desk.layers.text(name),
            media_type="application/geo+json",
            headers={"ETag": tag, "Cache-Control": "private, no-cache"},
        )

    _add_places(routes, desk)
    return routes


def _add_places(routes: APIRouter, desk: Desk) -> None:
    @routes.get("/api/point")
    def point(lon: Annotated[Lon, Query()], lat: Annotated[Lat, Query()]) -> dict[str, Any]:
        return asdict(spot_at(desk.case, desk.tiles, (lon, lat)))

    @routes.get("/api/seen")
    def seen(lon: Annotated[Lon, Query()], lat: Annotated[Lat, Query()]) -> list[dict[str, Any]]:
        return moments_of(desk.case, (lon, lat))

    @routes.post("/api/profile")
    def profile(sent: LineSent) -> dict[str, Any]:
        return height_profile(desk.case, desk.tiles, sent.line)

    @routes.get(ADDRESS)
    def mesh() -> Response:
        return FileResponse(
            mesh_path(desk.case), media_type="model/gltf-binary", headers={"Cache-Control": FOREVER}
        )

    @routes.get("/media/basemap")
    def basemap() -> Response:
        if desk.basemap is None:
            raise CaseError("no base map was given; start aftermap serve with --basemap FILE")
        return FileResponse(desk.basemap, media_type="application/octet-stream")


def _case_facts(desk: Desk) -> dict[str, Any]:
    place = desk.case.place
    rasters: dict[str, Any] = {}
    missing: dict[str, str] = {}
    names: tuple[RasterName, ...] = ("orthophoto", "surface", "confidence", "before")
    for name in names:
        try:
            rasters[name] = asdict(desk.tiles.facts(name))
        except AftermapError as error:
            missing[name] = str(error)
    height = None
    if "surface" in rasters:
        low, high = desk.tiles.span_m(desk.tiles.path_of("surface"))
        height = {"low_m": low, "high_m": high, "base_m": base_m(desk.tiles)}
    mesh = None
    try:
        ground_m = base_m(desk.tiles) if height else 0.0
        mesh = asdict(mesh_facts(desk.case, place, ground_m=ground_m))
    except AftermapError as error:
        missing["mesh"] = str(error)
    return {
        "name": desk.case.name,
        "crs": place.crs,
        "is_on_globe": place.is_on_globe,
        "vertical_datum": camera_datum(desk.case.package),
        "rasters": rasters,
        "missing": missing,
        "height": height,
        "mesh": mesh,
        "tiles": {kind: raster for kind, (raster, _) in KINDS.items() if raster in rasters},
        "layers": desk.layers.names(),
        "has_buildings": desk.buildings.has_any,
        "has_basemap": desk.basemap is not None,
        "basemap_stamp": stamp_of(desk.basemap) if desk.basemap else "",
        **asdict(desk.case.generation),
    }
