"""Vectors of frozen encoders, kept by encoder and text: in memory, and in files that the next run reads.

The files are no outputs: a vector has the same bytes whether it is read or computed. The name of
their folder is a hash of all that determines the vectors. A file that is damaged or from elsewhere
is ignored.
"""

import contextlib
import json
import platform
import uuid
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.features import read_arrays
from textclf.core.arithmetic import CPUINFO
from textclf.core.code import ALL, checksum, read_code
from textclf.core.errors import UserError
from textclf.core.files import sha256, write_npz
from textclf.core.ownership import RECORDS
from textclf.core.workers import atomic_path

FOLDER = RECORDS / "vectors"
MOST = 100_000  # texts that one call keeps in files
FILES, BYTES = 500, 400_000_000  # of the newest files, which stay: 260,000 vectors of 384 columns
HASH = 16  # bytes of the hash of a text
CPU = ("model name", "flags", "CPU part", "Features")  # lines of /proc/cpuinfo, of x86-64 and arm64


def remembering(fitted: Any, texts: int = 0) -> Any:
    """Return a frozen encoder that takes known vectors from the files and adds new ones; any other as it is.

    It stays as it is where there is no folder .dvc, and if it has more than `MOST` texts to
    transform.
    """
    return Remembering(fitted) if texts <= MOST and _can_keep(fitted) else fitted


def _can_keep(fitted: Any) -> bool:
    return getattr(getattr(fitted, "settings", None), "frozen", False) and Path(".dvc").is_dir()


class Remembering:
    """A dense representation that encodes each text once: in this process or, if they can be kept, on this machine."""

    def __init__(self, inner: Any) -> None:
        """Read the vectors of an encoder."""
        self.inner, self._known, self._folder = inner, dict[bytes, NDArray[np.float32]](), None
        if _can_keep(inner):
            self._folder = _folder_of(inner)
            for array in _read(self._folder, _dtype(inner)):
                self._known.update(zip(array["key"].tolist(), array["vector"], strict=True))

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the representation itself."""
        return getattr(self.inner, name)

    def transform(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """Return the vectors of the texts, (texts, columns) float32."""
        texts, known = list(texts), self._known
        keys = [
            blake2b(text.encode(errors="surrogatepass"), digest_size=HASH).digest()
            for text in texts
        ]
        if new := {key: text for key, text in zip(keys, texts, strict=True) if key not in known}:
            made = [*zip(new, self.inner.transform([*new.values()]), strict=True)]
            known.update(made)
            if self._folder and len(made) <= MOST:
                _write(self._folder, np.array(made, _dtype(self.inner)))
        return np.array([known[key] for key in keys], dtype=np.float32).reshape(
            len(keys), self.inner.columns
        )


def _dtype(encoder: Any) -> np.dtype[Any]:
    return np.dtype([("key", f"V{HASH}"), ("vector", np.float32, (encoder.columns,))])


def _folder_of(encoder: Any) -> Path:
    """Return the folder of an encoder, whose content is kept too: to know it, a graph may have to be built."""
    if not encoder.content:
        folder = FOLDER / _name(encoder.settings.model_dump(exclude={"class_texts"}))
        for array in _read(folder, np.dtype(np.uint8)):
            encoder.content = json.loads(array.tobytes())
        if not encoder.content:
            _write(folder, np.frombuffer(json.dumps(encoder.to_json()).encode(), np.uint8))
    return FOLDER / _name(encoder.content)


def _name(encoder: Any) -> str:
    """Return a hash of an encoder, this code, the versions of libraries and the type of the machine."""
    from importlib.metadata import version

    import onnxruntime  # noqa: F401 (packages.json names what is loaded, also if nothing is left to encode)
    import tokenizers  # noqa: F401

    lines = CPUINFO.read_text(errors="replace").splitlines() if CPUINFO.exists() else []
    machine = [
        platform.machine(),
        platform.processor(),
        *sorted({line for line in lines if line.startswith(CPU)}),
    ]
    versions = [version(package) for package in ("numpy", "onnx", "onnxruntime", "tokenizers")]
    return sha256(
        json.dumps(
            [encoder, checksum(read_code(), ALL), versions, machine], sort_keys=True
        ).encode()
    )


def _read(folder: Path, dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
    """Yield the array in each file of a folder that has one of this type and is not damaged."""
    for path in sorted(folder.glob("*.npz")):
        with contextlib.suppress(UserError, OSError, MemoryError):
            (array,) = read_arrays(path, "kept")
            if array.dtype == dtype:
                yield array


def _write(folder: Path, array: NDArray[Any]) -> None:
    """Add a file with an array if the disk has room, and remove the oldest files of all folders beyond the limits."""
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        with (
            atomic_path(folder / f"{uuid.uuid4().hex}.npz", folder) as temporary,
            temporary.open("wb") as file,
        ):
            write_npz(file, kept=array)
        size = 0
        for count, path in enumerate(
            sorted(FOLDER.glob("*/*.npz*"), key=lambda each: -each.stat().st_mtime)
        ):
            size += path.stat().st_size
            if count >= FILES or size > BYTES:
                path.unlink()
