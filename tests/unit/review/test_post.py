"""The comment on a pull request, posted to an API that answers as GitHub's and GitLab's do."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from tests.verify import ROOT
from textclf.review import post

MARKER = "<!-- textclf:pr-report -->"
TEXT, OLD = f"{MARKER}\n\nnew, with ü", f"{MARKER}\n\nold"
GITHUB, GITLAB = "/repos/us/textclf/issues/7/comments", "/projects/5/merge_requests/7/notes"
SOMEBODY, BOT, IMPOSTOR, DEPENDABOT = 1, 2, 3, 4
LOGINS = {SOMEBODY: "somebody", BOT: "github-actions[bot]", IMPOSTOR: "github-actions", DEPENDABOT: "dependabot[bot]"}


class Server(HTTPServer):
    """Comments (author and text) by id; the token belongs to `caller`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.comments: dict[int, tuple[int | None, str]] = {}  # the author is None if the account was deleted
        self.caller = BOT
        self.tells_account = False  # GitLab does; GitHub does, but not to a workflow's token
        self.status = 200  # of every change
        self.calls: list[tuple[str, str]] = []
        self.headers: dict[str, str] = {}  # of the last request


class Handler(BaseHTTPRequestHandler):
    server: Server

    def handle_request(self) -> None:
        """Answer any method as the two APIs do."""
        server, address, gitlab = self.server, urlparse(self.path), "PRIVATE-TOKEN" in self.headers
        server.calls.append((self.command, address.path))
        server.headers = dict(self.headers)
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}").get("body")
        answer: Any = {}
        status = 200
        if address.path == "/user":
            status, answer = (200, self.account(server.caller, gitlab)) if server.tells_account else (403, {})
        elif self.command == "GET":
            query = {key: int(values[0]) for key, values in parse_qs(address.query).items()}
            ids = sorted(server.comments, reverse=gitlab)  # GitHub lists the oldest first, GitLab the newest
            start = (query["page"] - 1) * query["per_page"]
            answer = [self.shown(number, gitlab) for number in ids[start : start + query["per_page"]]]
        elif self.command == "POST":
            status = 201 if server.status == 200 else server.status
            if status == 201:
                server.comments[len(server.comments) + 1] = server.caller, body
        else:
            number = int(address.path.rpartition("/")[2])
            author = server.comments[number][0]
            status = 403 if gitlab and author != server.caller else server.status
            if status == 200:
                server.comments[number] = author, body
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    do_GET = do_POST = do_PATCH = do_PUT = handle_request  # noqa: N815

    def shown(self, number: int, gitlab: bool) -> dict[str, Any]:
        author, body = self.server.comments[number]
        key = "author" if gitlab else "user"
        return {"id": number, "body": body, key: None if author is None else self.account(author, gitlab)}

    @staticmethod
    def account(number: int, gitlab: bool) -> dict[str, Any]:
        login = LOGINS[number]
        if gitlab:
            return {"id": number, "username": login}
        return {"id": number, "login": login, "type": "Bot" if login.endswith("[bot]") else "User"}

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
    address = f"http://127.0.0.1:{server.server_port}"
    if host == "gitlab":
        server.tells_account = True
        variables = {"GITLAB_CI": "true", "CI_API_V4_URL": address, "TEXTCLF_TOKEN": "secret"}
        return variables | {"CI_MERGE_REQUEST_PROJECT_ID": "5", "CI_MERGE_REQUEST_IID": "7"}
    variables = {"GITHUB_API_URL": address, "GITHUB_REPOSITORY": "us/textclf", "GITHUB_TOKEN": "secret"}
    return variables | {"PULL_REQUEST": "7"}


@pytest.mark.parametrize(
    ("host", "path", "update", "header", "value"),
    [
        ("github", GITHUB, ("PATCH", "/repos/us/textclf/issues/comments/3"), "Authorization", "Bearer secret"),
        ("gitlab", GITLAB, ("PUT", f"{GITLAB}/3"), "Private-Token", "secret"),
    ],
)
def test_the_first_comment_is_posted_with_the_token_and_then_updated(
    server: Server,
    host: str,
    path: str,
    update: tuple[str, str],
    header: str,
    value: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    others = {1: (SOMEBODY, "nice"), 2: (BOT, f"> {MARKER} as somebody quotes it")}
    server.comments = dict(others)
    for text in (OLD, TEXT):
        assert post.main(text, environment(server, host)) == 0
        assert server.comments == others | {3: (BOT, text)}
    assert server.calls == [("GET", path), ("POST", path), ("GET", path), ("GET", "/user"), update]
    assert {name.title(): sent for name, sent in server.headers.items()}[header] == value
    assert capsys.readouterr().out.startswith("comment posted\n")


def test_our_comment_is_found_on_a_later_page(server: Server) -> None:
    for number in range(1, 251):
        server.comments[number] = SOMEBODY, "nice"
    server.comments[251] = BOT, OLD
    assert post.main(TEXT, environment(server, "github")) == 0
    assert server.calls.count(("GET", GITHUB)) == 3
    assert server.comments[251] == (BOT, TEXT)


@pytest.mark.parametrize(
    ("host", "author"),
    [("github", SOMEBODY), ("github", IMPOSTOR), ("github", DEPENDABOT), ("github", None), ("gitlab", SOMEBODY)],
)
def test_a_marked_comment_of_somebody_else_stays_as_it_is(server: Server, host: str, author: int | None) -> None:
    server.comments = {1: (author, f"{MARKER}\n\nthe gate passed")}
    before = dict(server.comments)
    assert post.main(OLD, environment(server, host)) == 0
    assert post.main(TEXT, environment(server, host)) == 0
    assert server.comments == before | {2: (BOT, TEXT)}


def test_a_personal_token_on_github_updates_that_persons_comment(server: Server) -> None:
    server.comments = {1: (BOT, OLD), 2: (SOMEBODY, OLD)}
    server.caller, server.tells_account = SOMEBODY, True
    assert post.main(TEXT, environment(server, "github")) == 0
    assert server.comments == {1: (BOT, OLD), 2: (SOMEBODY, TEXT)}


def test_a_token_of_an_unknown_account_on_gitlab_updates_nothing(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.comments = {1: (BOT, OLD)}
    variables = environment(server, "gitlab")
    server.tells_account = False
    assert post.main(TEXT, variables) == 0
    assert server.comments == {1: (BOT, OLD), 2: (BOT, TEXT)}
    assert "the token may not ask for its own account" in capsys.readouterr().out


@pytest.mark.parametrize(("host", "token"), [("github", "GITHUB_TOKEN"), ("gitlab", "TEXTCLF_TOKEN")])
def test_without_a_token_that_may_comment_nothing_fails(
    server: Server, host: str, token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert post.main(TEXT, {**environment(server, host), token: ""}) == 0
    assert server.calls == []
    server.status = 403
    assert post.main(TEXT, environment(server, host)) == 0
    assert "may not comment" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "changed", "status", "line"),
    [
        ("no marker\n", {}, 200, "the comment must begin with a marker, a line <!-- ... -->; got 'no marker'"),
        (TEXT, {"GITHUB_API_URL": "file:///etc"}, 200, "the address of the API must begin with https://; got file:"),
        (TEXT, {}, 500, "500 Internal Server Error"),
        (TEXT, {"GITHUB_API_URL": "http://127.0.0.1:1"}, 200, "Connection refused"),
    ],
)
def test_an_error_is_one_line_without_the_token(
    text: str, changed: dict[str, str], status: int, line: str, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.status = status
    assert post.main(text, environment(server, "github") | changed) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("error: comment: ")
    assert line in error
    assert "secret" not in error


def test_a_missing_variable_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert post.main(TEXT, {"GITHUB_TOKEN": "secret", "GITHUB_API_URL": "http://127.0.0.1:1"}) == 2
    assert "GITHUB_REPOSITORY must be set" in capsys.readouterr().err


def test_posting_loads_only_the_standard_library_and_what_importing_textclf_loads() -> None:
    def python(*arguments: str) -> str:
        command = [sys.executable, "-S", *arguments]  # without site-packages
        return subprocess.run(
            command, cwd=ROOT, env={}, input=TEXT, check=True, capture_output=True, encoding="utf-8"
        ).stdout

    assert python("-m", "textclf.review.post").startswith("no token, so no comment")
    loaded = set(python("-c", "import sys, textclf.review.post; print(*sys.modules)").split())
    own = {name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names} - {"__main__"}
    assert own == {
        "textclf",
        "textclf.core",
        "textclf.core.arithmetic",
        "textclf.review",
        "textclf.review.post",
        "textclf.version",
    }
