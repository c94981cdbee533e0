"""Addresses of reviewing: who reviews, the buildings, and what is decided of them."""

import asyncio
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from aftermap.errors import InputError
from aftermap.record.building_rows import has_building
from aftermap.web.desk import Desk
from aftermap.web.grading import Decision, Saved, Undo
from aftermap.web.security import Door, Session, session_of
from aftermap.web.wire import REASONS, GradeSent, Me, UndoSent


def review_routes(desk: Desk, door: Door) -> APIRouter:
    """The addresses of reviewing."""
    routes = APIRouter()
    _add_people(routes, door)
    _add_buildings(routes, desk)
    return routes


def _add_people(routes: APIRouter, door: Door) -> None:
    @routes.get("/api/me")
    def me(request: Request) -> dict[str, Any]:
        return _told(session_of(request))

    @routes.post("/api/me")
    def name(sent: Me, request: Request) -> dict[str, Any]:
        session = session_of(request)
        session.reviewer = sent.reviewer
        session.is_blind = sent.is_blind
        return _told(session)

    @routes.post("/api/invitations")
    def invitation() -> dict[str, str]:
        return {"address": door.invitation()}


def _add_buildings(routes: APIRouter, desk: Desk) -> None:
    @routes.get("/api/buildings")
    def buildings(request: Request) -> Response:
        text = desk.buildings.layer(is_blind=session_of(request).is_blind)
        return Response(text, media_type="application/geo+json")

    @routes.get("/api/queue")
    def queue(request: Request) -> Response:
        text = desk.buildings.queue(is_blind=session_of(request).is_blind)
        return Response(text, media_type="application/json")

    @routes.get("/api/building")
    def building(source_id: str, request: Request) -> dict[str, Any]:
        session = session_of(request)
        return desk.buildings.one(source_id, reviewer=session.reviewer, is_blind=session.is_blind)

    @routes.get("/api/grades")
    def grades(request: Request) -> dict[str, Any]:
        session = session_of(request)
        return desk.buildings.grades(reviewer=session.reviewer, is_blind=session.is_blind)

    @routes.post("/api/grades")
    async def grade(sent: GradeSent, request: Request) -> dict[str, Any]:
        work = Decision(
            source_id=sent.source_id,
            reviewer=_reviewer(request),
            grade=sent.grade,
            not_assessed_reason=sent.not_assessed_reason,
            note=sent.note,
            at=sent.at,
        )
        _refuse_unknown(desk, sent.source_id)
        return _plain(await asyncio.wrap_future(desk.writer.decide(work)))

    @routes.post("/api/undo")
    async def undo(sent: UndoSent, request: Request) -> dict[str, Any]:
        work = Undo(source_id=sent.source_id, reviewer=_reviewer(request), at=sent.at)
        return _plain(await asyncio.wrap_future(desk.writer.decide(work)))


def _refuse_unknown(desk: Desk, source_id: str) -> None:
    """Raise for a building that the case does not have; one look by index."""
    if not has_building(desk.case.package, source_id):
        raise InputError(f"{source_id[:80]}: is not a building of this case")


def _reviewer(request: Request) -> str:
    reviewer = session_of(request).reviewer
    if not reviewer:
        raise InputError("enter your name first: every grade is recorded under a name")
    return reviewer


def _told(session: Session) -> dict[str, Any]:
    return {"reviewer": session.reviewer, "is_blind": session.is_blind, "reasons": REASONS}


def _plain(saved: Saved) -> dict[str, Any]:
    return {**asdict(saved), "grade": saved.grade and saved.grade.value}
