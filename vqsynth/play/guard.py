"""Who may ask: Host and Origin of every request, the one-time token, and the headers of every answer."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vqsynth.play.answers import Refused, answer

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; font-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
"""Nothing from elsewhere, no script but the page's own, and the isolation that shared buffers need."""
COOKIE = "vqsynth_play"
OPEN = ("/api/hello", "/api/token")
"""What is answered without a token."""


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Gate:
    """Knows which hosts the server is, and whether somebody has shown the token.

    Args:
        host: that the server listens at.
        port: likewise.

    Attributes:
        token: to be shown once; None on the loopback, and after it was spent.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.closed = not is_loopback(host)
        self.token: str | None = secrets.token_urlsafe(24) if self.closed else None
        self._cookie = secrets.token_urlsafe(32)

    def check(self, headers: Headers) -> None:
        """Refuse another site's page, and a foreign name that leads here (DNS rebinding).

        Raises:
            Refused: Host or Origin is not this server's.
        """
        host = headers.get("host", "")
        if not self._is_mine(host):
            raise Refused(403, "this address is not the server's own; open the one that vqsynth play printed")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin)[:2] not in {("http", host), ("https", host)}:
            raise Refused(403, "a page of another site must not ask here")
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Refused(403, "a page of another site must not ask here")

    def spend(self, token: str) -> str:
        """Take the token, which is then spent, and give the cookie that stands for it.

        Raises:
            Refused: it is another one, or was taken before.
        """
        if self.token is None or not hmac.compare_digest(self.token.encode(), token.encode()):
            raise Refused(401, "the token is wrong or was used before; start vqsynth play again for a new one", "token")
        self.token = None
        return self._cookie

    def lets_in(self, headers: Headers) -> bool:
        """Whether the token is not needed, or was shown."""
        if not self.closed:
            return True
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and hmac.compare_digest(cookie.value.encode(), self._cookie.encode())

    def _is_mine(self, host: str) -> bool:
        try:
            parts = urlsplit(f"http://{host}")
            name, port = parts.hostname or "", parts.port or 80
        except ValueError:
            return False
        if port != self.port or "@" in host:
            return False
        # An address cannot be rebound, a name can.
        return is_loopback(name) or name == self.host or (self.closed and _is_address(name))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Guard:
    """Middleware: checks every request and every WebSocket, and puts the headers on every answer.

    Args:
        app: that is guarded.
        gate: what is let in.
    """

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self.app, self.gate = app, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a connection."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if scope["path"].startswith("/api"):
                    headers["cache-control"] = "no-store"
            await send(message)

        headers = Headers(scope=scope)
        try:
            self.gate.check(headers)
            if scope["type"] == "websocket" and headers.get("origin") is None:
                raise Refused(403, "a WebSocket must say which page it comes from")
            if scope["path"].startswith("/api") and scope["path"] not in OPEN and not self.gate.lets_in(headers):
                raise Refused(401, "open the address with the token that vqsynth play printed")
        except Refused as error:
            if scope["type"] == "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 4403})
            else:
                await answer(error.answer, error.status)(scope, receive, dressed)
            return
        await self.app(scope, receive, dressed)
