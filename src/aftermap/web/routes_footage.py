"""Addresses of footage: clips and photographs, their pictures, and placing a clip by hand."""

import asyncio
from concurrent.futures import Future
from dataclasses import asdict
from fractions import Fraction
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from aftermap.errors import InputError
from aftermap.localization.correspondences import correspondences_in
from aftermap.model.clip import Clip
from aftermap.record.case import ACTOR
from aftermap.record.geopackage import GeoPackage
from aftermap.record.mark_table import add_mark, graphic_originals
from aftermap.record.media_table import recorded_photographs
from aftermap.web.desk import Desk
from aftermap.web.locate import (
    Click,
    LocateResult,
    keep_clicks,
    locate_clip,
    refuse_without_surface,
)
from aftermap.web.security import session_of
from aftermap.web.tiles import Tile
from aftermap.web.wire import ClickSent, ClicksSent, MarkSent

Time = Annotated[str, Query(pattern=r"^-?\d{1,18}(/[1-9]\d{0,17})?$")]
KEPT = {"Cache-Control": "private, max-age=86400"}


def footage_routes(desk: Desk) -> APIRouter:
    """The addresses of footage."""
    routes = APIRouter()
    _add_looking(routes, desk)
    _add_clips(routes, desk)
    _add_pictures(routes, desk)
    _add_solving(routes, desk)
    _add_placing(routes, desk)
    return routes


def _add_looking(routes: APIRouter, desk: Desk) -> None:
    @routes.get("/api/footage")
    def footage() -> dict[str, Any]:
        return {
            "clips": [asdict(one) for one in desk.footage.clips()],
            "photographs": [asdict(one) for one in recorded_photographs(desk.case.package)],
            "graphic": sorted(graphic_originals(desk.case.package)),
        }

    @routes.post("/api/graphic")
    async def mark(sent: MarkSent, request: Request) -> dict[str, Any]:
        reviewer = session_of(request).reviewer
        if not reviewer:
            raise InputError("enter your name first: every mark is recorded under a name")
        await asyncio.to_thread(desk.case.original, sent.sha256)
        work = _marking(sent, reviewer)
        await asyncio.wrap_future(desk.writer.write(work))
        return {"sha256": sent.sha256, "is_graphic": sent.is_graphic}


def _add_clips(routes: APIRouter, desk: Desk) -> None:
    @routes.get("/api/clips/{sha256}/times")
    def times(sha256: str) -> dict[str, Any]:
        return desk.footage.times(sha256)

    @routes.get("/api/clips/{sha256}/path")
    def path(sha256: str) -> Response:
        return Response(desk.footage.path(sha256), media_type="application/json")

    @routes.post("/api/clips/{sha256}/copy")
    def copy(sha256: str) -> dict[str, Any]:
        desk.footage.make_copy(sha256)
        return {"copy": next(one.copy for one in desk.footage.clips() if one.sha256 == sha256)}

    @routes.get("/media/clips/{sha256}")
    def film(sha256: str) -> Response:
        played, _ = desk.footage.played(sha256)
        return FileResponse(played, media_type="video/mp4")


def _add_pictures(routes: APIRouter, desk: Desk) -> None:
    @routes.get("/media/clips/{sha256}/still")
    def still(sha256: str, time_s: Time) -> Response:
        return _picture(desk.pictures.still(desk.footage.clip(sha256), Fraction(time_s)))

    @routes.get("/media/photographs/{sha256}")
    def photograph(sha256: str, side_px: Annotated[int, Query(ge=16, le=6000)] = 1600) -> Response:
        return _picture(desk.pictures.photograph(sha256, side_px))

    @routes.get("/media/evidence/{number}")
    def evidence(number: int, sha256: str) -> Response:
        return FileResponse(desk.buildings.picture(number, sha256), headers=KEPT)


def _add_solving(routes: APIRouter, desk: Desk) -> None:
    solving = asyncio.Lock()

    @routes.get("/api/clips/{sha256}/clicks")
    def clicks(sha256: str) -> dict[str, Any]:
        clip = desk.footage.clip(sha256)
        return {"clicks": _kept_clicks(desk, clip)}

    @routes.post("/api/clips/{sha256}/solve")
    async def solve(sha256: str, sent: ClicksSent, request: Request) -> Response:
        if not sent.clicks:
            raise InputError("click points in the frame and on the map first")
        async with solving:
            if await request.is_disconnected():  # another click has come meanwhile
                return Response(status_code=204)
            return JSONResponse(await asyncio.to_thread(_solved, desk, sha256, sent))


def _add_placing(routes: APIRouter, desk: Desk) -> None:
    jobs: dict[str, Future[LocateResult]] = {}

    @routes.post("/api/clips/{sha256}/place")
    def place(sha256: str, sent: ClicksSent) -> dict[str, Any]:
        refuse_without_surface(desk.case)
        clip = desk.footage.clip(sha256)
        if sha256 in jobs and not jobs[sha256].done():
            raise InputError(f"{clip.name}: is already being located; wait until that has finished")
        ties = keep_clicks(desk.case, clip, _clicks(sent.clicks))
        jobs[sha256] = desk.footage.in_background(locate_clip, desk.case.path, clip, ties)
        return {"state": "working"}

    @routes.get("/api/clips/{sha256}/place")
    def progress(sha256: str) -> dict[str, Any]:
        job = jobs.get(sha256)
        if job is None:
            return {"state": "none"}
        if not job.done():
            return {"state": "working"}
        if job.cancelled() or job.exception() is not None:
            return {"state": "failed", "error": "locating stopped unexpectedly; save again"}
        ended = job.result()
        return {"state": "failed" if ended.error else "done", **asdict(ended)}


def _solved(desk: Desk, sha256: str, sent: ClicksSent) -> dict[str, Any]:
    refuse_without_surface(desk.case)
    return desk.locating.solved(desk.footage.clip(sha256), _clicks(sent.clicks))


def _marking(sent: MarkSent, reviewer: str) -> Any:
    def work(package: GeoPackage) -> None:
        add_mark(
            package, sha256=sent.sha256, is_graphic=sent.is_graphic, reviewer=reviewer, actor=ACTOR
        )

    return work


def _clicks(sent: list[ClickSent]) -> list[Click]:
    return [
        Click(
            time_s=one.time_s,
            xy_px=(one.px, one.py),
            lonlat_deg=(one.lon, one.lat),
            height_m=one.height_m,
        )
        for one in sent
    ]


def _kept_clicks(desk: Desk, clip: Clip) -> list[dict[str, Any]]:
    """The clicks that were kept of a clip before, as the page sends them."""
    path = desk.case.path / "ties" / f"{clip.sha256}.csv"
    if not path.is_file():
        return []
    return [
        {
            "time_s": str(tie.time_s),
            "px": tie.xy_px[0],
            "py": tie.xy_px[1],
            "lon": tie.lonlat_deg[0],
            "lat": tie.lonlat_deg[1],
            "height_m": tie.height_m,
        }
        for tie in correspondences_in(path)
    ]


def _picture(made: Tile) -> Response:
    return Response(made.body, media_type=made.media_type, headers=KEPT)
