import os
from pathlib import Path

import pytest

from textclf.artifacts import pretrained
from textclf.artifacts.pretrained import CATALOGUE, Chosen, File, Pretrained, require
from textclf.core.errors import UserError
from textclf.core.files import sha256

DATA = b"weights"
ENTRY = Pretrained("tiny", (File("model.onnx", len(DATA), sha256(DATA)),), "MIT", "nobody", ())


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "CATALOGUE", {"tiny": ENTRY})


def put(root: Path, data: bytes) -> Path:
    path = root / "tiny" / "model.onnx"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def test_a_file_with_the_catalogues_bytes_is_returned(tmp_path: Path) -> None:
    path = put(tmp_path, DATA)
    assert require(tmp_path, "tiny", "model.onnx") == path


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, r"tiny/model\.onnx not found; run dvc repro again, which fetches it"),
        (DATA[:-1], r"tiny/model\.onnx must have 7 bytes; got 6; remove it and run dvc repro again"),
        (DATA[::-1], r"tiny/model\.onnx must have the SHA-256 \w{64}; got \w{64}; remove it and run dvc repro again"),
    ],
)
def test_a_file_that_is_missing_or_another_one_is_refused_in_a_line(
    data: bytes | None, reason: str, tmp_path: Path
) -> None:
    if data is not None:
        put(tmp_path, data)
    with pytest.raises(UserError, match=reason) as error:
        require(tmp_path, "tiny", "model.onnx")
    assert len(error.value.lines) == 1


def test_a_file_is_read_once_per_process_and_again_when_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, DATA)
    reads: list[Path] = []

    def digest(path: Path) -> str:
        reads.append(path)
        return sha256(path.read_bytes())

    monkeypatch.setattr(pretrained, "sha256_of_file", digest)
    require(tmp_path, "tiny", "model.onnx")
    require(tmp_path, "tiny", "model.onnx")
    assert reads == [path]
    put(tmp_path, DATA[::-1])
    os.utime(path, ns=(1, 1))
    with pytest.raises(UserError, match="SHA-256"):
        require(tmp_path, "tiny", "model.onnx")


def test_files_of_your_own_have_the_checksum_of_the_settings(tmp_path: Path) -> None:
    path = put(tmp_path, DATA)
    for given in (path, path.parent):
        own = Chosen(None, str(given), sha256(DATA))
        assert own.has("model.onnx")
        assert own.require(Path("none"), "model.onnx") == path
        wrong = Chosen(None, str(given), "0" * 64)
        with pytest.raises(UserError, match="put the right file there, or correct sha256"):
            wrong.require(Path("none"), "model.onnx")
        with pytest.raises(UserError, match=r"tokenizer\.json not found; put it there"):
            own.require(Path("none"), "tokenizer.json", pinned=False)
    with pytest.raises(UserError, match=r"^nowhere/mine not found; put it there"):
        Chosen(None, "nowhere/mine", sha256(DATA)).require(Path("none"), "tokenizer.json", pinned=False)


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)
def test_each_file_of_an_entry_has_a_source_with_its_checksum(entry: Pretrained) -> None:
    for file in entry.files:
        sources = [source for source in entry.sources if source.conversion or file.name in _names(source)]
        assert sources
        for source in sources:
            for original in source.originals:
                if original.file == file.name and source.conversion is None:
                    assert (original.bytes, original.sha256) == (file.bytes, file.sha256)


def _names(source: pretrained.Source) -> set[str]:
    return {original.file for original in source.originals}
