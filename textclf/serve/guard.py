"""Refuse requests by their headers: DNS rebinding and request smuggling."""

import ipaddress
import re

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from textclf.core.quoting import quote_value

LOCAL = re.compile(r"(localhost\.?|127(\.\d{1,3}){3}|\[::1\])(:\d+)?", re.IGNORECASE)  # values of the header Host


class Guard:
    """Middleware that refuses ambiguous lengths and, if only this machine may call, names of other machines.

    A web page can have its own name point to 127.0.0.1 and so read what a server there answers (DNS rebinding); the
    browser then sends that name as Host. The two headers of length can make a proxy see other requests than the server
    does (request smuggling; RFC 9112, section 6.1).
    """

    def __init__(self, app: ASGIApp, local: bool) -> None:
        """Pass the other requests on to this application."""
        self.app = app
        self.local = local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with status 400, or pass the request on."""
        headers = Headers(scope=scope)
        host = headers.get("host", "localhost")  # browsers always send it
        if self.local and not LOCAL.fullmatch(host):
            mistake = f"the header Host must be localhost, 127.0.0.1 or [::1]; got {quote_value(host)}"
        elif "content-length" in headers and "transfer-encoding" in headers:
            mistake = "a request must have Content-Length or Transfer-Encoding; got both"
        else:
            await self.app(scope, receive, send)
            return
        await JSONResponse({"error": mistake}, 400, {"Connection": "close"})(scope, receive, send)


def is_local(address: str) -> bool:
    """Return whether only this machine can reach a server at this address."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
