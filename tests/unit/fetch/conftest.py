"""A server of this machine, from which the tests of fetch download."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from textclf.fetch import network


def zip_of(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@dataclass
class Answer:
    body: bytes = b""
    status: int = 200
    length: str | None = None  # the Content-Length it claims


@dataclass
class Server:
    """An HTTP server that gives its answers in turn, the last one repeatedly.

    Without any it gives the content of a path.
    """

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    content: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def answer(self, path: str) -> Answer:
        self.requests.append(path)
        if self.answers:
            return self.answers[min(len(self.requests), len(self.answers)) - 1]
        return Answer(status=404) if (data := self.content.get(path)) is None else Answer(data)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    served = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = served.answer(self.path)
            self.send_response(answer.status)
            self.send_header("Content-Length", answer.length or str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        served.url = f"http://127.0.0.1:{listening.server_port}"
        monkeypatch.setattr(network, "PAUSE_SECONDS", 0)
        monkeypatch.setenv("NO_PROXY", "*")
        yield served
        listening.shutdown()
        thread.join()
