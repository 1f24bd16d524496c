"""The page's server over HTTP: who may ask, what is stored, and what a blind person is sent."""

import http.client
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from textclf.label.rows import LabelFile, Row, Session, read_rows, write_rows
from textclf.label.server import MOST_BYTES, Server


@contextmanager
def served(path: Path, *rows: Row, known: Sequence[str] = ("a", "b"), blind: bool = False) -> Iterator[Server]:
    write_rows(path, rows or [Row("1", "one", suggested="secret", why="random"), Row("2", "two")])
    with Server(Session(LabelFile(path), "ann", [*known], {}, blind)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def talk(server: Server, method: str, body: bytes | None = None, path: str = "/", **headers: str) -> tuple[Any, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, names)
    response = connection.getresponse()
    return response, response.read()


def ask(server: Server, do: str, skipped: tuple[str, ...] = (), status: int = 200, **asked: Any) -> Any:
    body = json.dumps({"do": do, "skipped": skipped, **asked}).encode()
    response, content = talk(server, "POST", body, X_Token=server.token)
    assert response.status == status, content
    return json.loads(content)


def test_who_has_not_the_token_or_comes_from_another_page_is_refused(tmp_path: Path) -> None:
    with served(tmp_path / "f.csv") as server:
        own = f"127.0.0.1:{server.server_port}"
        body = b'{"do": "answer", "id": "1", "labels": ["a"], "skipped": []}'
        right = {"X_Token": server.token}
        wrong = [{}, {"X_Token": "x"}, {"X_Token": "é"}]
        wrong += [{**right, "Host": each} for each in ("evil.example", "127.0.0.1")]
        wrong += [{**right, "Origin": each} for each in ("http://evil.example", "null", f"https://{own}", "")]
        for headers in wrong:
            response, content = talk(server, "POST", body, **headers)
            assert (response.status, b"one" in content) == (403, False), headers
        for path in ("/", "/?token=x", "/?token=", f"/{server.token}"):
            assert talk(server, "GET", path=path)[0].status == 403
        assert all(row.open for row in read_rows(tmp_path / "f.csv"))
        assert talk(server, "POST", body, **right, Origin=f"http://{own}", Host=own)[0].status == 200
        assert server.server_address[0] == "127.0.0.1", "and no other address of this machine"


def test_nothing_runs_on_the_page_but_its_own_script(tmp_path: Path) -> None:
    with served(tmp_path / "f.csv") as server:
        response, page = talk(server, "GET", path=server.url[server.url.index("/?") :])
        other, _ = talk(server, "GET", path=server.url[server.url.index("/?") :])
    policy = response.headers["Content-Security-Policy"]
    nonce = policy.partition("script-src ")[2].partition("'; ")[0].removeprefix("'nonce-")
    assert page.count(f'nonce="{nonce}"'.encode()) == 2
    assert policy != other.headers["Content-Security-Policy"]
    assert {"default-src 'none'", "frame-ancestors 'none'"} <= {*policy.split("; ")}
    headers = [response.headers[name] for name in ("Cache-Control", "Referrer-Policy", "X-Content-Type-Options")]
    assert headers == ["no-store", "no-referrer", "nosniff"]


def test_answers_skips_and_undo_lead_from_row_to_row(tmp_path: Path) -> None:
    with served(tmp_path / "f.csv") as server:
        assert ask(server, "next")["row"]["id"] == "1"
        assert ask(server, "next", ("1",))["row"]["id"] == "2"
        assert ask(server, "next", ("1", "2"))["row"]["id"] == "1"
        assert ask(server, "answer", ("1",), id="2", labels=["new"])["row"]["id"] == "1"
        view = ask(server, "answer", id="1", labels=None)
        assert (view["row"], view["done"], view["total"]) == (None, 2, 2)
        assert [label["name"] for label in view["labels"]] == ["a", "b", "secret", "new"], "keys stay as they were"
        assert ask(server, "undo", id="2")["row"]["id"] == "2"
        again = ask(server, "answer", id="1", labels=["a"])
        assert again["told"] == "this text has been answered meanwhile: discarded"
    assert [(row.label, row.by) for row in read_rows(tmp_path / "f.csv")] == [("", "ann"), ("", "")]


@pytest.mark.parametrize("labels", [[""], [" "], ["a\nb"], ["a\0"], ["\ud800"], [["a"]], 5])
def test_a_label_that_could_not_be_read_again_is_refused(labels: Any, tmp_path: Path) -> None:
    with served(tmp_path / "f.csv") as server:
        assert ask(server, "answer", id="1", labels=labels, status=400)["error"]
        response, _ = talk(server, "POST", b" " * (MOST_BYTES + 1), X_Token=server.token)
        assert response.status == 400
    assert read_rows(tmp_path / "f.csv")[0].open


def test_what_a_blind_person_is_sent_has_no_suggestion(tmp_path: Path) -> None:
    row = Row("1", "one", suggested="b", probability="0.75", why="bob: b")
    with served(tmp_path / "f.csv", row) as server:
        seen = ask(server, "next")["row"]
        assert seen["facts"] == {"suggested": "b", "probability": "0.75", "why": "bob: b"}
        assert seen["default"] == ["b"]
    with served(tmp_path / "f.csv", row, blind=True) as server:
        assert ask(server, "next")["row"] == {"id": "1", "text": "one", "review": False, "default": [], "facts": {}}
