"""The page's server over HTTP: who may ask, what is stored, and what a blind person is sent."""

import http.client
import json
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from tests.processes import ROOT
from textclf.label.rows import LabelFile, Row, Session, read_rows, write_rows
from textclf.label.server import MOST_BYTES, Server


@contextmanager
def served(
    path: Path, *rows: Row, known: Sequence[str] = ("a", "b"), blind: bool = False
) -> Iterator[Server]:
    write_rows(path, rows or [Row("1", "one", suggested="secret", why="random"), Row("2", "two")])
    with Server(Session(LabelFile(path), "ann", [*known], {}, blind)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def talk(
    server: Server, method: str, body: bytes | None = None, path: str = "/", **headers: str
) -> tuple[Any, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, names)
    response = connection.getresponse()
    return response, response.read()


def ask(
    server: Server, do: str, skipped: tuple[str, ...] = (), status: int = 200, **asked: Any
) -> Any:
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
        wrong += [
            {**right, "Origin": each}
            for each in ("http://evil.example", "null", f"https://{own}", "")
        ]
        for headers in wrong:
            response, content = talk(server, "POST", body, **headers)
            assert (response.status, b"one" in content) == (403, False), headers
        for path in ("/", "/?token=x", "/?token=", f"/{server.token}"):
            assert talk(server, "GET", path=path)[0].status == 403
        assert all(row.open for row in read_rows(tmp_path / "f.csv"))
        assert (
            talk(server, "POST", body, **right, Origin=f"http://{own}", Host=own)[0].status == 200
        )
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
    headers = [
        response.headers[name]
        for name in ("Cache-Control", "Referrer-Policy", "X-Content-Type-Options")
    ]
    assert headers == ["no-store", "no-referrer", "nosniff"]


def test_answers_skips_and_undo_lead_from_row_to_row(tmp_path: Path) -> None:
    with served(tmp_path / "f.csv") as server:
        assert ask(server, "next")["row"]["id"] == "1"
        assert ask(server, "next", ("1",))["row"]["id"] == "2"
        assert ask(server, "next", ("1", "2"))["row"]["id"] == "1"
        assert ask(server, "answer", ("1",), id="2", labels=["new"])["row"]["id"] == "1"
        view = ask(server, "answer", id="1", labels=None)
        assert (view["row"], view["done"], view["total"]) == (None, 2, 2)
        assert [label["name"] for label in view["labels"]] == ["a", "b", "secret", "new"], (
            "keys stay as they were"
        )
        assert ask(server, "undo", id="2")["row"]["id"] == "2"
        again = ask(server, "answer", id="1", labels=["a"])
        assert again["told"] == "this text has been answered meanwhile: discarded"
    assert [(row.label, row.by) for row in read_rows(tmp_path / "f.csv")] == [("", "ann"), ("", "")]


@pytest.mark.parametrize("body", [b"[" * 500_000, b'{"a":' * 150_000, b'{"do": ' + b"[" * 500_000])
def test_json_that_is_nested_deeply_is_a_mistake(body: bytes, tmp_path: Path) -> None:
    with served(tmp_path / "f.csv") as server:
        response, content = talk(server, "POST", body, X_Token=server.token)
        assert (response.status, content.count(b"\n")) == (400, 0)
        assert ask(server, "next")["row"]["id"] == "1"


BROWSER = """\
#!{python}
import subprocess, sys, time
from pathlib import Path
Path("arguments").write_text("\\n".join(sys.argv[1:]))
processes = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True)
Path("seen").write_text(processes.stdout)
Path("done").touch()
"""


@pytest.mark.posix  # a browser that is a script
def test_the_token_is_in_no_argument_but_in_a_file_of_this_user_alone(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(BROWSER.format(python=sys.executable))
    browser.chmod(0o755)
    write_rows(tmp_path / "f.csv", [Row("1", "one")])
    command = [sys.executable, "-c", "from textclf import cli; cli.main()", "label", "f.csv"]
    environment = {**os.environ, "BROWSER": f"{browser} %s", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().split()[2]
            token = url.partition("token=")[2]
            while not (tmp_path / "done").exists() and process.poll() is None:
                time.sleep(0.01)
            address = (tmp_path / "arguments").read_text()
            seen = (tmp_path / "seen").read_text()
            start = Path(url2pathname(urlsplit(address).path))
            assert (address[:8], stat.S_IMODE(start.parent.stat().st_mode)) == ("file:///", 0o700)
            assert str(start) in seen
            assert token not in seen
            assert f'content="0; url={url}"' in start.read_text()
            # Not by SIGINT, which a process in the background may ignore.
            connection = http.client.HTTPConnection(urlsplit(url).netloc)
            connection.request(
                "POST", "/", json.dumps({"do": "finish", "skipped": []}), {"X-Token": token}
            )
            assert connection.getresponse().status == 200
            process.wait(60)
        finally:
            process.kill()
    assert not start.parent.exists()


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
        assert ask(server, "next")["row"] == {
            "id": "1",
            "text": "one",
            "review": False,
            "default": [],
            "facts": {},
            "other": {"id": "1"},
        }
