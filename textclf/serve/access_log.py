"""The access log: one JSON object per request, without any text, query or address of a client."""

import json
import logging
import sys
import time
from datetime import UTC, datetime
from typing import Any, TextIO

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from textclf.core.failures import complain

PATHS = {"/", "/health", "/openapi.json", "/predict"}  # any other path is logged as "other": it may contain a text
FACTS = "textclf.facts"  # key of the scope

logger = logging.getLogger("textclf.access")


class AccessLog:
    """Middleware that logs time, method, path, status, duration, sizes in bytes, and what `note` adds."""

    def __init__(self, app: ASGIApp) -> None:
        """Log the requests to this application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log it when it has been answered or has failed."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        sizes = {"received": 0, "sent": 0}
        status = 500  # if the application raises
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
        finally:
            line: dict[str, Any] = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "method": scope["method"],
                "path": scope["path"] if scope["path"] in PATHS else "other",
                "status": status,
                "milliseconds": round(1000 * (time.perf_counter() - started), 1),
                **sizes,
                **facts,
            }
            logger.info("%s", json.dumps(line))


def note(request: Request, **facts: object) -> None:
    """Add facts to the line of a request in the access log."""
    request.scope[FACTS].update(facts)


def start(stream: TextIO) -> None:
    """Write the access log to a stream from now on."""
    logger.addHandler(_Handler(stream))
    logger.setLevel(logging.INFO)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines as long as that is possible: a full disk must not end the service, nor fill the other log."""

    failed = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 (logging's)
        """Say the first time that a line is lost; logging itself prints a traceback each time."""
        if not self.failed:
            complain(f"warning: serve: lines of the access log are lost; {sys.exc_info()[1]}")
        self.failed = True
