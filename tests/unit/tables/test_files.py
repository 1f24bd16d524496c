"""Which files of a folder are read, in which order, and what is refused."""

import contextlib
import errno
import gc
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.refusal import refusal
from tests.unit.tables.tables import ROWS, SAME, compressed, data, frame_of, pairs
from textclf.core.errors import UserError
from textclf.tables import corpus
from textclf.tables.compression import open_bytes, stored
from textclf.tables.corpus import Corpus
from textclf.tables.files import describe_folders, find_files
from textclf.tables.formats import ENDINGS
from textclf.tables.layout import Layout


@pytest.mark.parametrize("name", SAME)
def test_a_named_format_takes_precedence_over_the_ending_which_may_be_in_capitals(
    read: Callable[..., Corpus], name: str
) -> None:
    assert pairs(read({"data.old": SAME[name]}, format=ENDINGS[name.removeprefix("c")])) == ROWS
    assert pairs(read({f"{name.upper()}.GZ": compressed(SAME[name], ".gz")})) == ROWS


def test_a_folder_is_read_in_the_order_of_names_without_hidden_files(
    read: Callable[..., Corpus],
) -> None:
    hidden = dict.fromkeys((".hidden.csv", ".git/x.csv", "b/.DS_Store"), "no table")
    tables = {
        "z.csv": "label,text\n0,a\n",
        "b/a.jsonl": '{"text": "b", "label": 1}\n',
        "b.tsv": "text\tlabel\nc\t2\n",
    }
    got = read(hidden | tables)
    assert ["|".join(row) for row in frame_of(got).itertuples(index=False)] == [
        "b.tsv:2|c|2",
        "b/a.jsonl:1|b|1",
        "z.csv:2|a|0",
    ]


def test_ids_and_labels_are_composed_as_macos_may_give_names_of_files_decomposed(
    tmp_path: Path,
) -> None:
    for folder, file in (("gru\u0308n", "e\u0301.txt"), ("rot", "b.txt")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).write_text("a text")
    rows = frame_of(corpus.read(tmp_path, data()))
    assert [*zip(rows["id"], rows["label"], strict=True)] == [
        ("gr\xfcn/\xe9.txt", "gr\xfcn"),
        ("rot/b.txt", "rot"),
    ]
    described = list(describe_folders(find_files(tmp_path, Layout({"text": "text"}))))
    assert described == [
        "2 files, each a text whose label is the name of its folder (gr\xfcn, rot)"
    ]


@pytest.mark.skipif(sys.platform == "darwin", reason="one of the two files would be the other")
def test_files_whose_ids_would_be_the_same_are_refused(tmp_path: Path) -> None:
    for name in ("e\u0301.csv", "\xe9.csv"):
        (tmp_path / name).write_bytes(SAME["c.csv"])
    with pytest.raises(
        UserError, match=r"must have a name of its own; .* is the same in NFC; rename one"
    ):
        find_files(tmp_path, Layout({"text": "text"}))


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ("*.csv", ["a"]),
        ("**/*.csv", ["a", "b"]),
        ("b/*", ["b"]),
        ("[!a]*/*.csv", ["b"]),
        ("?.csv", ["a"]),
    ],
)
def test_a_glob_chooses_files_of_the_folder(
    read: Callable[..., Corpus], pattern: str, texts: list[str]
) -> None:
    files = {
        "a.csv": "text,label\na,0\na,1\n",
        "b/b.csv": "text,label\nb,0\nb,1\n",
        "README.md": "# Read me",
    }
    assert frame_of(read(files, files=pattern))["text"].tolist() == [
        text for text in texts for _ in "01"
    ]


def test_a_folder_may_be_called_like_a_file_and_a_file_may_be_a_link_into_the_cache_of_dvc(
    tmp_path: Path,
) -> None:
    (tmp_path / "x.csv" / "y.csv").mkdir(parents=True)
    cached = (
        tmp_path / "files" / "md5" / "0a" / "5f0a29e2d4ab7c5c3f1e6d7b8a9c0d"
    )  # as of cache.type symlink
    cached.parent.mkdir(parents=True)
    cached.write_bytes(SAME["c.csv"])
    (tmp_path / "x.csv" / "y.csv" / "link.csv").symlink_to(cached)
    assert pairs(corpus.read(tmp_path / "x.csv", data())) == ROWS


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder for a user that is not root: to root no folder is closed."""
    with (
        tempfile.TemporaryDirectory() as folder
    ):  # not tmp_path, whose parents are closed to others
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize(
    ("closed", "pattern", "read"),
    [
        (".", "**/*", False),
        (".", "*.csv", False),
        ("sub", "**/*", False),
        ("sub", "**/*.csv", False),
        ("sub/deep", "**/*.csv", False),
        ("sub", "sub/*.csv", False),
        ("sub", "*.csv", True),
        ("sub/deep", "sub/*.csv", True),
        (".hidden", "**/*.csv", True),
    ],
)
def test_a_folder_without_permission_is_an_error(
    as_nobody: Path, closed: str, pattern: str, read: bool
) -> None:
    for name in ("c.csv", "sub/c.csv", "sub/deep/c.csv", ".hidden/c.csv"):
        (as_nobody / name).parent.mkdir(exist_ok=True)
        (as_nobody / name).write_bytes(SAME["c.csv"])
    (as_nobody / closed).chmod(0)
    layout = Layout({"text": "text"}, files=pattern)
    if os.getuid() == 0:
        os.seteuid(65534)
    try:
        if read:
            assert find_files(as_nobody, layout)
        else:
            with pytest.raises(PermissionError) as error:
                find_files(as_nobody, layout)
            assert error.value.filename == str(as_nobody / closed)
    finally:
        os.seteuid(os.getuid())
        (as_nobody / closed).chmod(0o755)


NO_FILE = "must be a file; got a broken link or a device; remove it"
NOT_FOLLOWED = "itself; got a link, which is not followed;"


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("../../nothing", NO_FILE),
        ("odd.csv", NO_FILE),  # a loop
        (None, NO_FILE),  # a pipe
        ("../../folder", f"must be a folder {NOT_FOLLOWED} set data.path to it"),
        ("../../file", f"must be a file {NOT_FOLLOWED} put the file itself there"),
    ],
)
def test_links_and_devices_in_a_folder_are_errors(
    tmp_path: Path, target: str | None, line: str
) -> None:
    (tmp_path / "own" / "sub").mkdir(parents=True)
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file", tmp_path / "own" / "c.csv"):
        path.write_bytes(SAME["c.csv"])
    odd = tmp_path / "own" / "sub" / "odd.csv"
    os.mkfifo(odd) if target is None else odd.symlink_to(target)
    assert refusal(corpus.read, tmp_path / "own", data()) == f"{odd} {line}"
    assert pairs(corpus.read(tmp_path / "own", data(files="*.csv"))) == ROWS


@pytest.mark.parametrize("files", ["**/*.csv", "*/*.csv", "sub/*.csv"])
def test_a_linked_folder_that_would_be_looked_into_is_an_error(tmp_path: Path, files: str) -> None:
    path = tmp_path / "own"
    (path / "other").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    for folder in (path, path / "other", tmp_path / "elsewhere"):
        (folder / "c.csv").write_bytes(SAME["c.csv"])
    (path / "sub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(
        UserError, match="/own/sub must be a folder itself; got a link, which is not followed"
    ):
        corpus.read(path, data(files=files))
    assert pairs(corpus.read(path, data(files="*.csv"))) == ROWS


class Worn(io.RawIOBase):
    """A file on a failing disk."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, _: int, __: int = io.SEEK_SET) -> int:
        return 99  # bytes, so that a reader of Parquet goes on

    def readinto(self, _: object) -> int:
        raise OSError(errno.EIO, "Input/output error")


def test_the_copy_of_a_compressed_file_is_closed_and_removed_even_if_nobody_ends_its_reader(
    tmp_path: Path,
) -> None:
    path = tmp_path / "c.csv.gz"
    path.write_bytes(compressed(SAME["c.csv"], ".gz"))

    def copies() -> Iterator[Any]:
        with open_bytes(path) as stream, stored(stream, path) as copy:
            yield copy

    cycle: list[Any] = [copies()]
    copy = next(cycle[0])
    assert copy.read_bytes() == SAME["c.csv"]
    for number in range(100):  # Windows opens no file twice that is removed when it is closed
        with contextlib.suppress(OSError):  # no file has it
            assert not os.path.samestat(os.fstat(number), copy.stat())
    cycle.append(cycle)
    del cycle
    gc.collect()
    assert not copy.parent.exists()


@pytest.mark.parametrize("name", [*SAME, "c.csv.gz", "c.csv.zst", "c.parquet.gz"])
def test_an_error_of_the_file_system_is_raised_as_it_is(
    read: Callable[..., Corpus], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("textclf.tables.read.open_bytes", lambda _: io.BufferedReader(Worn()))
    with pytest.raises(OSError, match="Input/output error") as error:
        read({name: b""})
    assert error.value.errno == errno.EIO


def test_a_file_beside_folders_of_classes_is_named(tmp_path: Path) -> None:
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for number in range(10):
            (tmp_path / label / f"{number}.txt").write_text("a text")
    assert len(find_files(tmp_path, Layout({"label": "label"}))) == 20
    (tmp_path / "README.txt").write_text("read me")
    assert refusal(find_files, tmp_path, Layout({"label": "label"})) == (
        f"{tmp_path}/README.txt must be in a folder named for its class, as the other files are; "
        "move it elsewhere, or set data.files to */*.txt"
    )
    layout = Layout({"label": "label"}, files="*/*.txt")
    assert [file.format for file in find_files(tmp_path, layout)] == ["folders"] * 20
