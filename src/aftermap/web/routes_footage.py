"""Addresses of footage: clips and photographs, their pictures, and placing a clip by hand."""

import asyncio
from dataclasses import asdict
from fractions import Fraction
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response

from aftermap.errors import InputError
from aftermap.record.case import ACTOR
from aftermap.record.geopackage import GeoPackage
from aftermap.record.mark_table import add_mark, graphic_originals
from aftermap.record.media_table import recorded_photographs
from aftermap.web.dependencies import AskingSession, CaseDesk
from aftermap.web.desk import Desk
from aftermap.web.footage_responses import (
    ClickList,
    ClipPath,
    ClipTimes,
    CopyAnswer,
    FootageList,
    GraphicMark,
    PhotographSummary,
    PlacingState,
    SolvedView,
)
from aftermap.web.locate import Click, refuse_without_surface
from aftermap.web.tiles import Tile
from aftermap.web.wire import ClickSent, ClicksSent, MarkSent

Time = Annotated[str, Query(pattern=r"^-?\d{1,18}(/[1-9]\d{0,17})?$")]
KEPT = {"Cache-Control": "private, max-age=86400"}

routes = APIRouter()


@routes.get("/api/footage")
def footage(desk: CaseDesk) -> FootageList:
    """All clips and photographs of the case."""
    photographs = recorded_photographs(desk.case.package)
    return FootageList(
        clips=desk.footage.clips(),
        photographs=[PhotographSummary(**asdict(one)) for one in photographs],
        graphic=sorted(graphic_originals(desk.case.package)),
    )


@routes.post("/api/graphic")
async def mark(sent: MarkSent, session: AskingSession, desk: CaseDesk) -> GraphicMark:
    """Record that an original is graphic, or that it is not after all.

    Raises InputError before a name was given, CaseError for what is no original.
    """
    reviewer = session.reviewer
    if not reviewer:
        raise InputError("enter your name first: every mark is recorded under a name")
    await asyncio.to_thread(desk.case.original, sent.sha256)

    def write(package: GeoPackage) -> None:
        add_mark(
            package, sha256=sent.sha256, is_graphic=sent.is_graphic, reviewer=reviewer, actor=ACTOR
        )

    await asyncio.wrap_future(desk.writer.write(write))
    return GraphicMark(sha256=sent.sha256, is_graphic=sent.is_graphic)


@routes.get("/api/clips/{sha256}/times")
def times(sha256: str, desk: CaseDesk) -> ClipTimes:
    """When each picture of a clip is shown."""
    return desk.footage.times(sha256)


@routes.get("/api/clips/{sha256}/path", response_model=ClipPath)
def path(sha256: str, desk: CaseDesk) -> Response:
    """What each placed moment of a clip saw."""
    return Response(desk.footage.path(sha256), media_type="application/json")


@routes.post("/api/clips/{sha256}/copy")
def copy(sha256: str, desk: CaseDesk) -> CopyAnswer:
    """Begin to make the copy of a clip that the page plays."""
    desk.footage.make_copy(sha256)
    found = next(one for one in desk.footage.clips() if one.sha256 == sha256)
    return CopyAnswer(copy_state=found.copy_state)


@routes.get("/media/clips/{sha256}", response_class=FileResponse)
def film(sha256: str, desk: CaseDesk) -> Response:
    """The file of a clip that the page plays, by ranges."""
    played, _ = desk.footage.playable_file(sha256)
    return FileResponse(played, media_type="video/mp4")


@routes.get("/media/clips/{sha256}/still", response_class=Response)
def still(sha256: str, time_s: Time, desk: CaseDesk) -> Response:
    """The picture of a clip at exactly one moment."""
    return _picture(desk.pictures.still(desk.footage.clip(sha256), Fraction(time_s)))


@routes.get("/media/photographs/{sha256}", response_class=Response)
def photograph(
    sha256: str, desk: CaseDesk, side_px: Annotated[int, Query(ge=16, le=6000)] = 1600
) -> Response:
    """A photograph, its longer side at most so many pixels."""
    return _picture(desk.pictures.photograph(sha256, side_px))


@routes.get("/media/evidence/{number}", response_class=FileResponse)
def evidence(number: int, sha256: str, desk: CaseDesk) -> Response:
    """A picture of a building."""
    return FileResponse(desk.buildings.picture(number, sha256), headers=KEPT)


@routes.get("/api/clips/{sha256}/clicks")
def clicks(sha256: str, desk: CaseDesk) -> ClickList:
    """The clicks that were kept of a clip."""
    return ClickList(clicks=desk.placing.kept_clicks(desk.footage.clip(sha256)))


@routes.post(
    "/api/clips/{sha256}/solve",
    response_model=SolvedView,
    responses={204: {"description": "Another click has come meanwhile."}},
)
async def solve(
    sha256: str, sent: ClicksSent, request: Request, desk: CaseDesk
) -> SolvedView | Response:
    """The camera of one picture from what was clicked in it.

    Raises InputError where the clicks fix none.
    """
    if not sent.clicks:
        raise InputError("click points in the frame and on the map first")
    async with desk.solving:
        if await request.is_disconnected():  # another click has come meanwhile
            return Response(status_code=204)
        return await asyncio.to_thread(_solve_view, desk, sha256, sent)


@routes.post("/api/clips/{sha256}/place", response_model_exclude_unset=True)
def place(sha256: str, sent: ClicksSent, desk: CaseDesk) -> PlacingState:
    """Keep the clicks, and begin to place the clip by them."""
    desk.placing.start(sha256, _clicks(sent.clicks))
    return PlacingState(state="working")


@routes.get("/api/clips/{sha256}/place", response_model_exclude_unset=True)
def placing(sha256: str, desk: CaseDesk) -> PlacingState:
    """How far the placing of a clip is."""
    return desk.placing.state(sha256)


def _solve_view(desk: Desk, sha256: str, sent: ClicksSent) -> SolvedView:
    refuse_without_surface(desk.case)
    return desk.locating.solve_view(desk.footage.clip(sha256), _clicks(sent.clicks))


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


def _picture(made: Tile) -> Response:
    return Response(made.body, media_type=made.media_type, headers=KEPT)
