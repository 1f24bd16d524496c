"""Files of pretrained weights, verified before any use, and their arrays.

They are those of an entry of the catalogue, or the user's own.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from textclf.core.errors import UserError
from textclf.core.files import sha256, sha256_of_file, whole_file
from textclf.core.quoting import list_names
from textclf.pretrained.catalogue import CATALOGUE, CONFIG, GRAPH, TOKENIZER, WEIGHTS

AGAIN = "run dvc repro again, which fetches it"
TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
}


def require(root: Path, name: str, file: str) -> Path:
    """Return the path of an entry's file; `UserError` if it is missing or has other bytes."""
    known = CATALOGUE[name].file(file)
    assert known is not None, f"{name} has no file {file}"  # noqa: S101 (settings admit none)
    return verify(root / name / file, known.sha256, known.bytes)


def verify(path: Path, sha256: str, size: int | None = None) -> Path:
    """Return the path of a file that has this SHA-256 and size.

    Raises `UserError` if it has not, or does not exist.
    """
    if not path.is_file():
        raise UserError(f"{path} not found; {AGAIN}")
    remedy = f"remove it and {AGAIN}"
    if size is not None and path.stat().st_size != size:
        raise UserError(f"{path} must have {size:,} bytes; got {path.stat().st_size:,}; {remedy}")
    digest = sha256_of_file(path)
    if digest != sha256:
        raise UserError(f"{path} must have the SHA-256 {sha256}; got {digest}; {remedy}")
    return path


@dataclass(frozen=True)
class Chosen:
    """Weights that settings name: an entry of the catalogue, or the user's own files at `path`."""

    pretrained: str | None
    path: str | None  # a folder, or an ONNX file beside its tokenizer.json
    # Of the output of `sha256sum` for all of the user's files that are read, ordered by name.
    sha256: str | None

    @property
    def name(self) -> str:
        """Return the name of the folder below data/pretrained or models/pretrained."""
        return self.pretrained or f"own-{(self.sha256 or '')[:16]}"

    def require(self, root: Path, file: str) -> Path:
        """Return the path of a file, verified as `require` does or by `verify_own`.

        `root` is data/pretrained.
        """
        if self.pretrained is not None:
            return require(root, self.pretrained, file)
        path, chosen = self._own(file), Path(self.path or "")
        if not path.is_file():
            self._fail_to_find(path if chosen.exists() else chosen)
        self.verify_own()
        return path

    def has(self, file: str) -> bool:
        """Return whether a file of this name is in the catalogue, or in the user's folder."""
        if self.pretrained is not None:
            return CATALOGUE[self.pretrained].file(file) is not None
        return self._own(file).is_file()

    def own_files(self) -> list[Path]:
        """Return the user's files that may be read, by name.

        They are those that are named here, and external data of ONNX.
        """
        graph = self._own(GRAPH)
        names = {TOKENIZER} if Path(self.path or "").is_file() else {CONFIG, TOKENIZER, WEIGHTS}
        entries = graph.parent.iterdir() if graph.parent.is_dir() else ()
        files = [file for file in entries if file.name in names or is_part(file.name, graph)]
        # By name and not by path: as Windows orders paths, A and a are the same.
        return sorted(filter(Path.is_file, files), key=lambda file: file.name)

    def verify_own(self) -> None:
        """Raise `UserError` unless the user's files have the checksum of the settings.

        Pass if the settings name none.
        """
        if self.pretrained is not None:
            return
        files = self.own_files()
        if not files:
            self._fail_to_find(Path(self.path or ""))
        lines = [f"{sha256_of_file(file)}  {file.name}\n" for file in files]
        checksum = sha256("".join(lines).encode())
        if checksum != self.sha256:
            names = list_names([file.name for file in files])
            raise UserError(
                f"{self.path}: sha256 must be the checksum of its files together ({names}); "
                f"got {self.sha256 or 'null'}; "
                f"set it to {checksum} in params.yaml, or put the right files there"
            )

    def _own(self, file: str) -> Path:
        """Return the path of a file of the user's; an ONNX file at `path` is its model.onnx."""
        path = Path(self.path or "")
        if path.is_file():
            return path if file == GRAPH else path.parent / file
        return path / file

    def _fail_to_find(self, path: Path) -> NoReturn:
        raise UserError(
            f"{path} not found; put it there, or name other pretrained weights in params.yaml"
        )


def is_part(name: str, graph: Path) -> bool:
    """Return whether a name is that of an ONNX file or its external data, as model.onnx.data."""
    return name.startswith(graph.name)


def read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file by their names: https://huggingface.co/docs/safetensors.

    Raises `UserError` if it is incomplete or has types that numpy lacks.
    """
    with whole_file(path, "safetensors"):
        data = path.read_bytes()
        start = 8 + int.from_bytes(data[:8], "little")  # of the arrays
        header, body = json.loads(data[8:start]), memoryview(data)[start:]
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        return {name: _array(entry, body) for name, entry in entries.items()}


def _array(entry: dict[str, Any], body: memoryview) -> NDArray[Any]:
    start, end = entry["data_offsets"]
    return np.frombuffer(body[start:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
