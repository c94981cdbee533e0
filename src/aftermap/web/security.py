"""Who may talk to the workbench: one-time addresses, sessions, and where a request comes from.

A page of a stranger that is open in the same browser can send requests to this computer. So every
request must name this server (Host: no DNS rebinding), must not come from another page
(Sec-Fetch-Site, and Origin wherever something is written), and must carry the cookie of a session.
A session begins with an address that works once. Cookies of one host are shared by all its ports,
so the port is in the cookie's name.
"""

import hmac
import ipaddress
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = "127.0.0.1"
ENTRANCE = "/enter"
READING = ("GET", "HEAD")
LARGEST_BODY_BYTES = 1 << 20

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "worker-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self'",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), usb=()",
}


@dataclass
class Session:
    """One browser that came in. ``reviewer`` is the name that its user gave, "" before.

    One who works blind is sent no grade but their own. ``was_shown``: model grades were sent to
    this browser, so that no grade from it is blind any more, under whatever name.
    """

    reviewer: str = ""
    is_blind: bool = True
    was_shown: bool = False


@dataclass
class Door:
    """The addresses that still work, and the sessions that came in by them."""

    port: int
    names: tuple[str, ...]
    _invitations: set[str] = field(default_factory=set)
    _sessions: dict[str, Session] = field(default_factory=dict)

    @property
    def cookie(self) -> str:
        """The name of the cookie of this server."""
        return f"aftermap_{self.port}"

    @property
    def address(self) -> str:
        """Where the page is, without a token."""
        return f"http://{_in_address(self.names[0])}:{self.port}"

    def invitation(self) -> str:
        """A new address that lets one browser in, once."""
        token = secrets.token_urlsafe(32)
        self._invitations.add(token)
        return f"{self.address}{ENTRANCE}?token={token}"

    def enter(self, token: str) -> str | None:
        """The cookie of a new session, and the end of the token; None where it is not known."""
        for known in self._invitations:
            if hmac.compare_digest(known.encode(), token.encode()):
                self._invitations.discard(known)
                key = secrets.token_urlsafe(32)
                self._sessions[key] = Session()
                return key
        return None

    def session(self, cookies: str | None) -> Session | None:
        """The session that a Cookie header names."""
        try:
            found = SimpleCookie(cookies or "").get(self.cookie)
        except CookieError:
            return None
        return None if found is None else self._sessions.get(found.value)

    def is_host(self, host: str | None) -> bool:
        """Whether a Host header names this server."""
        return host in {f"{_in_address(name)}:{self.port}" for name in self.names}

    def is_origin(self, origin: str | None) -> bool:
        """Whether an Origin header is that of a page of this server."""
        return origin is not None and self.is_host(origin.removeprefix("http://"))


def host_names(listen: str, others: Iterable[str] = ()) -> tuple[str, ...]:
    """The names under which a server that listens there may be asked, the printed one first."""
    address = ipaddress.ip_address(listen)
    ours: tuple[str, ...] = (listen,)
    if address.is_loopback or address.is_unspecified:
        ours = (LOOPBACK, "localhost", "::1")
    first = (listen,) if address.is_loopback else ()
    return tuple(dict.fromkeys((*others, *first, *ours)))


class Gate:
    """Lets through what :class:`Door` knows, and puts the headers on all that goes out."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        refused = self._refusal(scope)
        app = self._app if refused is None else PlainTextResponse(refused[1], refused[0])
        await app(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        if not self._door.is_host(headers.get("host")):
            return 421, "The server does not accept this host name."
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return 403, (
                "Requests from other pages are not allowed. If you followed a link, copy its "
                "address into the address bar of the browser instead."
            )
        session = self._door.session(headers.get("cookie"))
        scope.setdefault("state", {})["session"] = session
        if scope["path"] == ENTRANCE and scope["method"] == "GET":
            return None
        if session is None:
            return 401, (
                "Open this page with the link that aftermap serve prints; each link works "
                "once. Start aftermap serve again, or ask a connected reviewer for an invitation."
            )
        if scope["method"] not in READING:
            return self._refusal_to_write(headers)
        return None

    def _refusal_to_write(self, headers: Headers) -> tuple[int, str] | None:
        if not self._door.is_origin(headers.get("origin")):
            return 403, "Only the workbench page itself may send changes."
        if headers.get("content-type", "").split(";")[0] != "application/json":
            return 415, "The request must be JSON."
        length = headers.get("content-length", "")
        if not length.isdigit() or int(length) > LARGEST_BODY_BYTES:
            return 413, "The request is too large."
        return None


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sending


def _in_address(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def session_of(request: Any) -> Session:
    """The session of a request that came through the gate."""
    session: Session = request.scope["state"]["session"]
    return session
