"""What every address may ask for: the case that is served, its door, and the session of a request.

FastAPI hands these to a route that names them as the type of a parameter.
"""

from typing import Annotated

from fastapi import Depends, Request

from aftermap.web.desk import Desk
from aftermap.web.security import Door, Session, session_of


async def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


async def _door(request: Request) -> Door:
    door: Door = request.app.state.door
    return door


async def _session(request: Request) -> Session:
    return session_of(request)


CaseDesk = Annotated[Desk, Depends(_desk)]
CaseDoor = Annotated[Door, Depends(_door)]
AskingSession = Annotated[Session, Depends(_session)]
