import json
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny_bert
from tests.refusal import refusal
from textclf.core.errors import UserError
from textclf.core.files import sha256
from textclf.pretrained import weights
from textclf.pretrained.catalogue import CATALOGUE, File, Pretrained, Source
from textclf.pretrained.weights import Chosen, require

DATA = b"weights"
ENTRY = Pretrained("tiny", (File("model.onnx", len(DATA), sha256(DATA)),), "MIT", "nobody", ())
ARRAYS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([7.5], dtype=np.float32)}
WHOLE = tiny_bert.safetensors(ARRAYS)


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "CATALOGUE", {"tiny": ENTRY})


def put(root: Path, data: bytes) -> Path:
    path = root / "tiny" / "model.onnx"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, r"tiny/model\.onnx not found; run dvc repro again, which fetches it"),
        (
            DATA[:-1],
            r"tiny/model\.onnx must have 7 bytes; got 6; remove it and run dvc repro again",
        ),
        (
            DATA[::-1],
            (
                r"tiny/model\.onnx must have the SHA-256 \w{64}; got \w{64}; "
                r"remove it and run dvc repro again"
            ),
        ),
    ],
)
def test_a_file_that_is_missing_or_another_one_is_refused_in_a_line(
    data: bytes | None, reason: str, tmp_path: Path
) -> None:
    if data is not None:
        put(tmp_path, data)
    assert re.search(reason, refusal(require, tmp_path, "tiny", "model.onnx"))


NONE = Path("none")
FOLDER = ("config.json", "model.onnx", "model.onnx_data", "model.safetensors", "tokenizer.json")
PINNED = {"mine": FOLDER, "mine/model.onnx": ("model.onnx", "model.onnx_data", "tokenizer.json")}


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's own, in the current folder, with files that are read and others."""
    monkeypatch.chdir(tmp_path)
    for name in (*FOLDER, "README.md", ".git/HEAD", "onnx/model.onnx"):
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "mine"


def checksum(files: Iterable[str]) -> str:
    """Return the checksum of files in the folder mine, as docs/pretrained.md computes it."""
    command = f"cd mine && sha256sum {' '.join(files)} | sha256sum"
    printed = subprocess.run(  # noqa: S602
        command, shell=True, check=True, capture_output=True, text=True
    )
    return printed.stdout[:64]


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize("path", PINNED)
def test_files_of_your_own_have_the_checksum_of_the_settings(path: str) -> None:
    own = Chosen(None, path, checksum(PINNED[path]))
    assert own.has("model.onnx")
    assert own.require(NONE, "model.onnx") == Path("mine/model.onnx")
    assert own.require(NONE, "tokenizer.json") == Path("mine/tokenizer.json")


@pytest.mark.parametrize("name", [*FOLDER, "README.md", ".git/HEAD", "onnx/model.onnx"])
@pytest.mark.parametrize("path", PINNED)
def test_a_change_of_any_file_that_is_read_is_refused(path: str, name: str, mine: Path) -> None:
    own = Chosen(None, path, checksum(PINNED[path]))
    (mine / name).write_text("changed")
    if name not in PINNED[path]:
        assert own.require(NONE, "tokenizer.json")
        return
    assert refusal(own.require, NONE, "tokenizer.json") == (
        f"{path}: sha256 must be the checksum of its files together ({', '.join(PINNED[path])}); "
        f"got {own.sha256}; set it to {checksum(PINNED[path])} in params.yaml, "
        "or put the right files there"
    )


@pytest.mark.usefixtures("mine")
def test_the_checksum_that_the_settings_lack_is_told() -> None:
    earlier = sha256(b"model.safetensors")  # of the weights alone, as earlier versions had it
    for given in (None, earlier):
        with pytest.raises(
            UserError, match=f"; got {given or 'null'}; set it to {checksum(FOLDER)} in params.yaml"
        ):
            Chosen(None, "mine", given).verify_own()


def test_files_of_your_own_that_are_missing_are_named(mine: Path) -> None:
    own = Chosen(None, "mine", checksum(FOLDER))
    (mine / "tokenizer.json").unlink()
    assert refusal(own.require, NONE, "tokenizer.json").startswith(
        "mine/tokenizer.json not found; put it there"
    )
    for path in ("nowhere/mine", "nowhere"):
        for check in (lambda own: own.require(NONE, "tokenizer.json"), Chosen.verify_own):
            assert refusal(check, Chosen(None, path, sha256(DATA))).startswith(
                f"{path} not found; put it there"
            )


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)
def test_each_file_of_an_entry_has_a_source_with_its_checksum(entry: Pretrained) -> None:
    for file in entry.files:
        sources = [
            source for source in entry.sources if source.conversion or file.name in _names(source)
        ]
        assert sources
        for source in sources:
            for original in source.originals:
                if original.file == file.name and source.conversion is None:
                    assert (original.bytes, original.sha256) == (file.bytes, file.sha256)


def _names(source: Source) -> set[str]:
    return {original.file for original in source.originals}


def with_header(header: Any, body: bytes = b"\0" * 8) -> bytes:
    encoded = json.dumps(header).encode()
    return len(encoded).to_bytes(8, "little") + encoded + body


def entry(dtype: str = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


def test_arrays_are_read_by_name(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(WHOLE)
    arrays = weights.read_safetensors(path)
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == np.float32


OTHERS = [
    with_header([]),
    with_header({"a": 1}),
    with_header(entry(dtype="F8")),
    with_header(entry(shape=[3])),
    with_header(entry(offsets=[0, 16], shape=[4])),
    with_header(entry(offsets=[0])),
]


def test_a_truncated_file_and_one_of_another_form_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    for data in (*OTHERS, *(WHOLE[:length] for length in range(len(WHOLE)))):
        path.write_bytes(data)
        assert refusal(weights.read_safetensors, path).startswith(
            f"{path} must be a whole safetensors file; "
        )
