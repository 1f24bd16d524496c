"""What is done to every request: a line in the access log, and refusals by its headers."""

import asyncio
import json
import logging
import re
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from textclf.core.failures import complain
from textclf.core.quoting import quote_value

# Any other path is logged as "other": it may contain a text.
PATHS = {"/", "/health", "/openapi.json", "/predict"}
# The key of the scope under which there is what the access log says besides of a request.
FACTS = "textclf.facts"
# The values of the header Host that name this machine.
LOCAL = re.compile(r"(localhost\.?|127(\.\d{1,3}){3}|\[::1\])(:\d+)?", re.IGNORECASE)

logger = logging.getLogger("textclf.access")


@dataclass(frozen=True)
class AccessLog:
    """Middleware that logs each request as JSON, without a text, query or address of a client.

    Its keys are time, method, path, status, duration, sizes in bytes, and what `FACTS` in the scope
    has.
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log it when it has been answered or has failed."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        sizes = {"received": 0, "sent": 0}
        status: int | None = None
        facts: dict[str, object] = {}
        scope[FACTS] = facts

        async def count_received() -> Message:
            message = await receive()
            sizes["received"] += len(message.get("body", b""))
            return message

        async def count_sent(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            sizes["sent"] += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, count_received, count_sent)
        except (
            asyncio.CancelledError
        ):  # by uvicorn, `--timeout` after SIGTERM; it would print a traceback
            if status is None:
                await JSONResponse({"error": "the server has been stopped"}, 503)(
                    scope, receive, count_sent
                )
        finally:
            line: dict[str, Any] = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "method": scope["method"],
                "path": scope["path"] if scope["path"] in PATHS else "other",
                "status": status or 500,  # if the application has raised
                "milliseconds": round(1000 * (time.perf_counter() - started), 1),
                **sizes,
                **facts,
            }
            logger.info("%s", json.dumps(line))


def start_log(stream: TextIO) -> None:
    """Write the access log to a stream from now on."""
    logger.addHandler(_Handler(stream))
    logger.setLevel(logging.INFO)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines while it can: a full disk must not end the service, nor fill the other log."""

    failed = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 (logging's)
        """Say the first time that a line is lost; logging itself prints a traceback each time."""
        if not self.failed:
            complain(f"warning: serve: lines of the access log are lost; {sys.exc_info()[1]}")
        self.failed = True


@dataclass(frozen=True)
class Guard:
    """Middleware against DNS rebinding and request smuggling (RFC 9112, section 6.1).

    A web page can have its own name point to 127.0.0.1 and read what a server there answers; Host
    then has that name.
    """

    app: ASGIApp
    local: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with status 400, or pass the request on."""
        headers = Headers(scope=scope)
        host = headers.get("host", "localhost")  # browsers always send it
        if self.local and not LOCAL.fullmatch(host):
            mistake = (
                f"the header Host must be localhost, 127.0.0.1 or [::1]; got {quote_value(host)}"
            )
        elif "content-length" in headers and "transfer-encoding" in headers:
            mistake = "a request must have Content-Length or Transfer-Encoding; got both"
        else:
            await self.app(scope, receive, send)
            return
        await JSONResponse({"error": mistake}, 400, {"Connection": "close"})(scope, receive, send)
