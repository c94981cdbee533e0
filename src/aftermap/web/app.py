"""The server of the workbench: every address, and the one table from errors to HTTP statuses.

Addresses under ``/api`` answer in JSON; pictures and clips come from ``/tiles`` and ``/media``.
No path of a file ever comes from the page: rasters and layers go by fixed names, originals by their
SHA-256, evidence by the number of its row.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Lifespan

from aftermap.errors import (
    AftermapError,
    CaseError,
    CaseInUseError,
    ControlError,
    CrsError,
    InputError,
    RecordBusyError,
)
from aftermap.web import routes_footage, routes_map, routes_review, routes_totals
from aftermap.web.dependencies import CaseDoor
from aftermap.web.desk import Desk
from aftermap.web.responses import Refusal
from aftermap.web.security import ENTRANCE, Door, Gate
from aftermap.web.tiles import DamagedError

STATIC = Path(__file__).with_name("static")
PAGES = ("app.js", "app.css", "mesh.js", "maplibre-worker.js", "LICENSES.txt", "icon.svg")

STATUS_OF: dict[type[Exception], int] = {
    InputError: 422,
    ControlError: 422,
    CrsError: 422,
    CaseError: 404,
    CaseInUseError: 503,
    RecordBusyError: 503,
    AftermapError: 500,
    DamagedError: 500,
    OSError: 500,
}
"""The nearest class counts. The map takes a 404 for a tile without anything, and says nothing.
503: the same request may be sent again."""


def workbench(desk: Desk, door: Door) -> ASGIApp:
    """The application, behind its gate."""

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(asyncio.to_thread(desk.warm))
        yield
        await warming
        desk.footage.close()
        await asyncio.to_thread(desk.writer.close)

    app = page_app(lifespan=living)
    app.state.desk = desk
    app.state.door = door
    return Gate(app, door)


def page_app(*, lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    """Every address, without a case yet; its OpenAPI schema is the contract with the page."""
    app = FastAPI(
        title="Aftermap workbench",
        version=version("aftermap"),
        lifespan=lifespan,
        responses={"4XX": {"model": Refusal}, "5XX": {"model": Refusal}},
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    for kind in (AftermapError, OSError):
        app.add_exception_handler(kind, _tell_error)
    app.add_exception_handler(RequestValidationError, _refuse)
    app.add_api_route(ENTRANCE, _enter, include_in_schema=False)
    app.add_api_route("/", _page, include_in_schema=False)
    app.add_api_route("/page/{name}", _part, include_in_schema=False)
    for part in (routes_map, routes_footage, routes_review, routes_totals):
        app.include_router(part.routes)
    return app


async def _enter(door: CaseDoor, token: str = "") -> Response:
    key = door.enter(token)
    if key is None:
        return Response(
            "This link has already been used or does not belong to this server. "
            "Start aftermap serve again, or ask a connected reviewer for an invitation.",
            status_code=403,
            media_type="text/plain",
        )
    answer = RedirectResponse("/", status_code=303)
    answer.set_cookie(door.cookie, key, httponly=True, samesite="strict", path="/")
    return answer


async def _page() -> Response:
    return FileResponse(STATIC / "index.html", media_type="text/html")


async def _part(name: str) -> Response:
    if name not in PAGES:
        return Response("Page not found.", status_code=404, media_type="text/plain")
    return FileResponse(STATIC / name, headers={"Cache-Control": "no-cache"})


async def _tell_error(_: Request, error: Exception) -> JSONResponse:
    nearest = next(kind for kind in type(error).__mro__ if kind in STATUS_OF)
    return JSONResponse({"error": str(error)}, status_code=STATUS_OF[nearest])


async def _refuse(_: Request, error: Exception) -> JSONResponse:
    details: list[Any] = list(getattr(error, "errors", list)())
    first = details[0] if details else {}
    where = ".".join(str(part) for part in first.get("loc", ())[1:])
    return JSONResponse({"error": f"{where}: {first.get('msg', 'is not valid')}"}, status_code=422)
