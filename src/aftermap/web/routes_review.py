"""Addresses of reviewing: who reviews, the buildings, and what is decided of them."""

import asyncio
from functools import partial

from fastapi import APIRouter
from fastapi.responses import Response

from aftermap.errors import InputError
from aftermap.model.reviewer import name_folded
from aftermap.record.building_rows import has_building
from aftermap.record.case import ACTOR
from aftermap.record.geopackage import GeoPackage
from aftermap.record.reviews import Showing, add_showing, shown_since
from aftermap.web.dependencies import AskingSession, CaseDesk, CaseDoor
from aftermap.web.desk import Desk
from aftermap.web.grading import Decision, Undo
from aftermap.web.responses import (
    BuildingFacts,
    FeatureCollection,
    GradesByReviewer,
    Invitation,
    Me,
    QueueColumns,
    SavedReview,
)
from aftermap.web.routes_map import GeoJsonResponse
from aftermap.web.security import Session
from aftermap.web.wire import REASONS, GradeSent, MeSent, UndoSent

routes = APIRouter()


@routes.get("/api/me")
def me(session: AskingSession, desk: CaseDesk) -> Me:
    """Who reviews in this browser."""
    return _me(session, desk)


@routes.post("/api/me")
async def take_name(sent: MeSent, session: AskingSession, desk: CaseDesk) -> Me:
    """Keep the name that was given in this browser, and whether its reviewer works blind.

    Who does not is recorded as shown the model grades, on the disk before any is sent.
    """
    if session.was_shown or not sent.is_blind:
        await asyncio.wrap_future(desk.writer.write(partial(_note_showing, sent.reviewer)))
        session.was_shown = True
    session.reviewer = sent.reviewer
    session.is_blind = sent.is_blind
    return _me(session, desk)


@routes.post("/api/invitations")
def invite(door: CaseDoor) -> Invitation:
    """Make an address that lets another browser in, once."""
    return Invitation(address=door.invitation())


@routes.get("/api/buildings", response_class=GeoJsonResponse, response_model=FeatureCollection)
def building_layer(session: AskingSession, desk: CaseDesk) -> Response:
    """The outlines of the buildings."""
    text = desk.buildings.layer(is_blind=session.is_blind)
    return Response(text, media_type=GeoJsonResponse.media_type)


@routes.get("/api/queue", response_model=QueueColumns)
def queue(session: AskingSession, desk: CaseDesk) -> Response:
    """Every building, without its outline."""
    text = desk.buildings.queue(is_blind=session.is_blind)
    return Response(text, media_type="application/json")


@routes.get("/api/building", response_model_exclude_unset=True)
def building(source_id: str, session: AskingSession, desk: CaseDesk) -> BuildingFacts:
    """One building."""
    return desk.buildings.facts_of(source_id, reviewer=session.reviewer, is_blind=session.is_blind)


@routes.get("/api/grades")
def grades(session: AskingSession, desk: CaseDesk) -> GradesByReviewer:
    """The newest grades of all buildings."""
    return desk.buildings.grades(reviewer=session.reviewer, is_blind=session.is_blind)


@routes.post("/api/grades")
async def grade(sent: GradeSent, session: AskingSession, desk: CaseDesk) -> SavedReview:
    """Write a decision to the record; answered once it is on the disk."""
    work = Decision(
        source_id=sent.source_id,
        reviewer=_reviewer(session),
        grade=sent.grade,
        not_assessed_reason=sent.not_assessed_reason,
        note=sent.note,
        at=sent.at,
        was_shown=session.was_shown,
    )
    _refuse_unknown(desk, sent.source_id)
    return await asyncio.wrap_future(desk.writer.decide(work))


@routes.post("/api/undo")
async def undo(sent: UndoSent, session: AskingSession, desk: CaseDesk) -> SavedReview:
    """Take back the last decision of the reviewer; answered once that is on the disk."""
    work = Undo(
        source_id=sent.source_id,
        reviewer=_reviewer(session),
        at=sent.at,
        was_shown=session.was_shown,
    )
    return await asyncio.wrap_future(desk.writer.decide(work))


def _refuse_unknown(desk: Desk, source_id: str) -> None:
    """Raise InputError for a building that the case does not have; one look by index."""
    if not has_building(desk.case.package, source_id):
        raise InputError(f"{source_id[:80]}: is not a building of this case")


def _reviewer(session: Session) -> str:
    """The name of the reviewer. Raises InputError before one was given."""
    if not session.reviewer:
        raise InputError("enter your name first: every grade is recorded under a name")
    return session.reviewer


def _note_showing(reviewer: str, package: GeoPackage) -> None:
    add_showing(package, reviewer, Showing.PAGE, actor=ACTOR)


def _me(session: Session, desk: Desk) -> Me:
    shown = shown_since(desk.case.package)
    return Me(
        reviewer=session.reviewer,
        is_blind=session.is_blind,
        was_shown=session.was_shown or name_folded(session.reviewer) in shown,
        reasons=list(REASONS),
    )
