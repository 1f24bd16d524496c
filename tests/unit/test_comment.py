"""The comment on a pull request, posted to a server that answers as GitHub and GitLab do."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from ci import comment

MARKER = "<!-- textclf:pr-report -->"
TEXT = f"{MARKER}\n\nnew, with ü"
GITHUB, GITLAB = "/repos/us/textclf/issues/7/comments", "/projects/5/merge_requests/7/notes"


class Server(ThreadingHTTPServer):
    """Comments by id, as GitHub or GitLab keep them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.comments: dict[int, str] = {}
        self.locked: set[int] = set()  # those of others
        self.status = 200  # of every change
        self.calls: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def reply(self, status: int, content: Any) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def content(self) -> str:
        length = int(self.headers["Content-Length"])
        return str(json.loads(self.rfile.read(length))["body"])

    def do_GET(self) -> None:
        where = urlparse(self.path)
        asked = {key: int(values[0]) for key, values in parse_qs(where.query).items()}
        self.server.calls.append(("GET", where.path))
        self.server.headers.append(dict(self.headers))
        first = (asked["page"] - 1) * asked["per_page"]
        listed = [{"id": number, "body": body} for number, body in self.server.comments.items()]
        self.reply(200, listed[first : first + asked["per_page"]])

    def do_POST(self) -> None:
        self.server.calls.append(("POST", self.path))
        text = self.content()
        if self.server.status == 200:
            self.server.comments[max(self.server.comments, default=0) + 1] = text
        self.reply(self.server.status, {})

    def do_PATCH(self) -> None:
        self.server.calls.append((self.command, self.path))
        text, number = self.content(), int(self.path.rpartition("/")[2])
        status = 403 if number in self.server.locked else self.server.status
        if status == 200:
            self.server.comments[number] = text
        self.reply(status, {})

    do_PUT = do_PATCH  # noqa: N815 (the name that the class calls)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def environment(server: Server, host: str) -> dict[str, str]:
    if host == "gitlab":
        return {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": server.address,
            "CI_MERGE_REQUEST_PROJECT_ID": "5",
            "CI_MERGE_REQUEST_IID": "7",
            "TEXTCLF_TOKEN": "secret",
        }
    return {
        "GITHUB_API_URL": server.address,
        "GITHUB_REPOSITORY": "us/textclf",
        "PULL_REQUEST": "7",
        "GITHUB_TOKEN": "secret",
    }


@pytest.mark.parametrize(("host", "path"), [("github", GITHUB), ("gitlab", GITLAB)])
def test_the_first_comment_is_posted(server: Server, host: str, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    server.comments = {1: "nice", 2: f"> {MARKER} as somebody quotes it"}
    assert comment.main(TEXT, environment(server, host)) == 0
    assert server.calls == [("GET", path), ("POST", path)]
    assert server.comments[3] == TEXT
    assert capsys.readouterr().out == "comment posted\n"


@pytest.mark.parametrize(
    ("host", "call"),
    [("github", ("PATCH", "/repos/us/textclf/issues/comments/2")), ("gitlab", ("PUT", f"{GITLAB}/2"))],
)
def test_a_comment_that_is_there_is_written_anew(server: Server, host: str, call: tuple[str, str]) -> None:
    server.comments = {1: "nice", 2: f"{MARKER}\n\nold"}
    assert comment.main(TEXT, environment(server, host)) == 0
    assert server.calls[1:] == [call]
    assert server.comments == {1: "nice", 2: TEXT}


@pytest.mark.parametrize(
    ("host", "name", "value"), [("github", "Authorization", "Bearer secret"), ("gitlab", "Private-Token", "secret")]
)
def test_the_token_is_sent_as_the_host_wants_it(server: Server, host: str, name: str, value: str) -> None:
    comment.main(TEXT, environment(server, host))
    assert {key.title(): sent for key, sent in server.headers[0].items()}[name] == value


def test_it_is_found_behind_many_others(server: Server) -> None:
    server.comments = dict.fromkeys(range(1, 251), "nice") | {251: f"{MARKER}\n\nold"}
    assert comment.main(TEXT, environment(server, "github")) == 0
    assert [method for method, _ in server.calls] == ["GET", "GET", "GET", "PATCH"]
    assert server.comments[251] == TEXT


def test_one_of_somebody_else_with_the_marker_is_left_alone(server: Server) -> None:
    server.comments, server.locked = {1: f"{MARKER}\n\ncopied"}, {1}
    assert comment.main(TEXT, environment(server, "gitlab")) == 0
    assert server.comments == {1: f"{MARKER}\n\ncopied", 2: TEXT}


@pytest.mark.parametrize(("host", "token"), [("github", "GITHUB_TOKEN"), ("gitlab", "TEXTCLF_TOKEN")])
def test_without_a_token_nothing_is_asked(server: Server, host: str, token: str) -> None:
    assert comment.main(TEXT, {**environment(server, host), token: ""}) == 0
    assert server.calls == []


def test_a_token_that_may_not_comment_fails_nothing(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.status = 403
    assert comment.main(TEXT, environment(server, "github")) == 0
    assert "may not comment" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "changed", "status", "line"),
    [
        ("no marker\n", {}, 200, "the comment must begin with a line that is a marker, <!-- ... -->; got 'no marker'"),
        (TEXT, {"GITHUB_API_URL": "file:///etc"}, 200, "the address of the API must begin with https://; got file:"),
        (TEXT, {}, 500, "500 Internal Server Error"),
        (TEXT, {"GITHUB_API_URL": "http://127.0.0.1:1"}, 200, "Connection refused"),
    ],
)
def test_what_goes_wrong_is_told_in_one_line(
    text: str, changed: dict[str, str], status: int, line: str, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.status = status
    assert comment.main(text, environment(server, "github") | changed) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("error: comment: ")
    assert line in said
    assert "secret" not in said


def test_a_variable_that_is_not_set_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert comment.main(TEXT, {"GITHUB_TOKEN": "secret", "GITHUB_API_URL": "http://127.0.0.1:1"}) == 2
    assert "GITHUB_REPOSITORY must be set" in capsys.readouterr().err
