"""The comment on a pull request, posted to a server that answers as GitHub and GitLab do."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from ci import comment

MARKER = "<!-- textclf:pr-report -->"
TEXT = f"{MARKER}\n\nnew, with ü"
BOT = 41898282  # the account of every workflow's token on GitHub
GITHUB, GITLAB = "/repos/us/textclf/issues/7/comments", "/projects/5/merge_requests/7/notes"


@dataclass
class Written:
    """A comment, and the id of the account that wrote it."""

    body: str
    by: int = 1


class Server(ThreadingHTTPServer):
    """Comments by id, as GitHub or GitLab keep them; who calls is told by the token.

    On GitHub who may write may change the comments of anyone, and the token of a workflow may not ask whose it is.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.comments: dict[int, Written] = {}
        self.accounts = {
            1: {"login": "somebody", "type": "User"},
            BOT: {"login": "github-actions[bot]", "type": "Bot"},
            3: {"login": "github-actions", "type": "User"},  # who has nothing to do with it
            4: {"login": "dependabot[bot]", "type": "Bot"},
        }
        self.caller = BOT
        self.may_ask = False  # whose the token is; so on GitLab, and on GitHub of a person's token
        self.gone: set[int] = set()  # accounts
        self.status = 200  # of every change
        self.calls: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def texts(self) -> dict[int, str]:
        return {number: comment.body for number, comment in self.comments.items()}


class Handler(BaseHTTPRequestHandler):
    server: Server

    @property
    def on_gitlab(self) -> bool:
        return "PRIVATE-TOKEN" in self.headers

    def reply(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def content(self) -> str:
        length = int(self.headers["Content-Length"])
        return str(json.loads(self.rfile.read(length))["body"])

    def shown(self, number: int) -> dict[str, Any]:
        comment = self.server.comments[number]
        author = None if comment.by in self.server.gone else self.account(comment.by)
        return {"id": number, "body": comment.body, "author" if self.on_gitlab else "user": author}

    def account(self, number: int) -> dict[str, Any]:
        names = self.server.accounts[number]
        return {"id": number, "username": names["login"]} if self.on_gitlab else {"id": number, **names}

    def do_GET(self) -> None:
        where = urlparse(self.path)
        self.server.calls.append(("GET", where.path))
        self.server.headers.append(dict(self.headers))
        if where.path == "/user":
            refused = {"message": "Resource not accessible by integration"}
            allowed = self.server.may_ask
            self.reply(200 if allowed else 403, self.account(self.server.caller) if allowed else refused)
            return
        asked = {key: int(values[0]) for key, values in parse_qs(where.query).items()}
        first = (asked["page"] - 1) * asked["per_page"]
        # GitHub has the oldest first, GitLab the newest.
        listed = [self.shown(number) for number in sorted(self.server.comments, reverse=self.on_gitlab)]
        self.reply(200, listed[first : first + asked["per_page"]])

    def do_POST(self) -> None:
        self.server.calls.append(("POST", self.path))
        text = self.content()
        if self.server.status == 200:
            self.server.comments[max(self.server.comments, default=0) + 1] = Written(text, self.server.caller)
        self.reply(201 if self.server.status == 200 else self.server.status, {})

    def do_PATCH(self) -> None:
        self.server.calls.append((self.command, self.path))
        text, number = self.content(), int(self.path.rpartition("/")[2])
        theirs = self.server.comments[number].by != self.server.caller
        status = 403 if theirs and self.on_gitlab else self.server.status
        if status == 200:
            self.server.comments[number].body = text
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
        server.may_ask = True
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
    server.comments = {1: Written("nice"), 2: Written(f"> {MARKER} as somebody quotes it", BOT)}
    assert comment.main(TEXT, environment(server, host)) == 0
    assert server.calls == [("GET", path), ("POST", path)]
    assert server.comments[3] == Written(TEXT, BOT)
    assert capsys.readouterr().out == "comment posted\n"


@pytest.mark.parametrize(
    ("host", "call"),
    [("github", ("PATCH", "/repos/us/textclf/issues/comments/2")), ("gitlab", ("PUT", f"{GITLAB}/2"))],
)
def test_a_comment_that_is_there_is_written_anew(server: Server, host: str, call: tuple[str, str]) -> None:
    server.comments = {1: Written("nice"), 2: Written(f"{MARKER}\n\nold", BOT)}
    assert comment.main(TEXT, environment(server, host)) == 0
    assert server.calls[1:] == [("GET", "/user"), call]
    assert server.texts == {1: "nice", 2: TEXT}


@pytest.mark.parametrize(
    ("host", "name", "value"), [("github", "Authorization", "Bearer secret"), ("gitlab", "Private-Token", "secret")]
)
def test_the_token_is_sent_as_the_host_wants_it(server: Server, host: str, name: str, value: str) -> None:
    comment.main(TEXT, environment(server, host))
    assert {key.title(): sent for key, sent in server.headers[0].items()}[name] == value


def test_it_is_found_behind_many_others(server: Server) -> None:
    server.comments = dict.fromkeys(range(1, 251), Written("nice")) | {251: Written(f"{MARKER}\n\nold", BOT)}
    assert comment.main(TEXT, environment(server, "github")) == 0
    assert [call for call in server.calls if call != ("GET", "/user")] == [
        *[("GET", GITHUB)] * 3,
        ("PATCH", "/repos/us/textclf/issues/comments/251"),
    ]
    assert server.texts[251] == TEXT


@pytest.mark.parametrize("host", ["github", "gitlab"])
@pytest.mark.parametrize("by", [1, 3, 4])
def test_one_of_somebody_else_with_the_marker_is_left_alone(server: Server, host: str, by: int) -> None:
    forged = f"{MARKER}\n\nthe gate passed"
    server.comments = {1: Written(forged, by)}
    assert comment.main(TEXT, environment(server, host)) == 0
    assert server.comments == {1: Written(forged, by), 2: Written(TEXT, BOT)}
    assert comment.main(f"{TEXT}, again", environment(server, host)) == 0
    assert server.texts == {1: forged, 2: f"{TEXT}, again"}


def test_one_whose_author_is_gone_is_left_alone(server: Server) -> None:
    server.comments, server.gone = {1: Written(f"{MARKER}\n\nold")}, {1}
    assert comment.main(TEXT, environment(server, "github")) == 0
    assert list(server.comments) == [1, 2]


def test_a_persons_token_on_github_writes_the_persons_own_anew(server: Server) -> None:
    server.comments = {1: Written(f"{MARKER}\n\na workflow's", BOT), 2: Written(f"{MARKER}\n\nold", 1)}
    server.caller, server.may_ask = 1, True
    assert comment.main(TEXT, environment(server, "github")) == 0
    assert server.texts == {1: f"{MARKER}\n\na workflow's", 2: TEXT}


def test_a_token_of_gitlab_that_may_not_ask_whose_it_is_changes_none(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.comments = {1: Written(f"{MARKER}\n\nold", BOT)}
    variables = environment(server, "gitlab")
    server.may_ask = False
    assert comment.main(TEXT, variables) == 0
    assert server.texts == {1: f"{MARKER}\n\nold", 2: TEXT}
    assert "whose the token is can't be asked" in capsys.readouterr().out


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
