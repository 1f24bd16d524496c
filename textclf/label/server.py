"""The page on which rows are answered, served at 127.0.0.1 alone to whoever has its token."""

import json
import secrets
import sys
import webbrowser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from textclf.core.errors import UserError
from textclf.core.failures import lines_of
from textclf.core.outputs import scratch_folder
from textclf.label.rows import AnsweredError, Session
from textclf.pages.page import STYLE, template

HOST = "127.0.0.1"
MOST_BYTES = 2**20  # of a request that are read
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
POLICY = (
    "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
)
POLICY += "; frame-ancestors 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'"

# The file that the browser opens first, for this user alone.
START = (
    '<!doctype html><meta http-equiv="refresh" content="0; url={url}"><a href="{url}">Label</a>\n'
)


class Server(ThreadingHTTPServer):
    """The page of a session, at `url`, which has the token."""

    def __init__(self, session: Session, port: int = 0) -> None:
        """Listen at a port, or with 0 at any free one; `UserError` if it can't be had."""
        try:
            super().__init__((HOST, port), Handler)
        except (OSError, OverflowError) as error:
            raise UserError(f"--port must be free; got {port} ({error})") from error
        self.session, self.lock, self.token = session, Lock(), secrets.token_urlsafe()
        self.host = f"{HOST}:{self.server_port}"
        self.url = f"http://{self.host}/?token={self.token}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report a defect; a page that was closed before it was answered is none."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def act(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Do what the page asks for, and return what it shows next."""
        session, message = self.session, ""
        with self.lock:
            try:
                if asked["do"] == "answer":
                    session.answer(asked["id"], asked["labels"])
                elif asked["do"] == "undo":
                    session.answers.undo(asked["id"])
            except AnsweredError as error:
                message = str(error)
            rows = session.answers.rows
            shown = session.row(asked["skipped"], asked["id"] if asked["do"] == "undo" else "")
            return {
                "told": message,
                "labels": [label._asdict() for label in session.labels()],
                "multilabel": session.answers.multilabel,
                "done": sum(not row.open for row in rows),
                "total": len(rows),
                "row": shown and session.see(shown),
            }


class Handler(BaseHTTPRequestHandler):
    """A request: the page by GET, what it asks for by POST."""

    server: Server
    timeout = 30  # seconds to wait for the next byte

    def do_GET(self) -> None:
        """Send the page."""
        if self._may(*parse_qs(urlsplit(self.path).query).get("token", [""])[:1]):
            file = resources.files("textclf.label").joinpath("page.html")
            page = file.read_text(encoding="utf-8")
            nonce = secrets.token_urlsafe()  # marks its script and style: nothing else runs
            page = page.replace("$style", template(STYLE)).replace("$nonce", nonce)
            self._send(200, page, "text/html; charset=utf-8", nonce)

    def do_POST(self) -> None:
        """Do what the page asks for."""
        if not self._may(self.headers.get("X-Token", "")):
            return
        try:
            length = int(self.headers.get("Content-Length", "0"))
            # What is cut off is no JSON.
            asked = json.loads(self.rfile.read(max(0, min(length, MOST_BYTES))))
            self._send(200, json.dumps(self.server.act(asked)))
            if asked["do"] == "finish":
                self.server.shutdown()
        except (UserError, OSError) as error:
            self._send(500, json.dumps({"error": "; ".join(lines_of(error) or ())}))
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            self._send(400, json.dumps({"error": str(error)}))

    def _may(self, token: str) -> bool:
        """Return whether the request is one of the page; refuse it otherwise."""
        own = self.headers["Host"] == self.server.host
        own = own and self.headers["Origin"] in (None, f"http://{self.server.host}")
        may = own and secrets.compare_digest(token.encode(), self.server.token.encode())
        if not may:
            self._send(403, json.dumps({"error": "open the address that textclf has printed"}))
        return may

    def _send(
        self, status: int, content: str, kind: str = "application/json", nonce: str = ""
    ) -> None:
        self.send_response(status)
        policy = POLICY.format(nonce=nonce)
        headers = {**HEADERS, "Content-Security-Policy": policy, "Content-Type": kind}
        for header in headers.items():
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(content.encode())

    # As in BaseHTTPRequestHandler.
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Print nothing."""


def serve(session: Session, port: int) -> None:
    """Serve the page, open it in the browser, and return when it has been finished there."""
    with Server(session, port) as server, scratch_folder(session.answers.path.resolve()) as folder:
        print(f"label at {server.url} (until Finish there, or Ctrl-C here)", flush=True)
        # All users of the machine see the arguments of a browser, so these name a file that leads
        # to the page.
        start = folder / "start.html"
        start.write_text(START.format(url=server.url), encoding="utf-8")
        # A browser in the terminal blocks.
        Thread(target=webbrowser.open, args=[start.as_uri()], daemon=True).start()
        try:
            server.serve_forever()
        finally:
            server.lock.acquire()  # an answer that is being written gets written
