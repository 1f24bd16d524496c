"""Vectors of frozen encoders, kept by encoder and text in memory and in files.

The next run reads the files. They are no outputs: a vector has the same bytes whether it is read or
computed. The name of their folder is a hash of all that determines the vectors. A file that is
damaged or from elsewhere is ignored.
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
# Most texts that one call keeps in files.
MOST = 100_000
# Most files that stay, the newest ones, and their bytes: 260,000 vectors of 384 columns.
FILES = 500
BYTES = 400_000_000
# Bytes of the hash of a text.
HASH = 16
# Lines of /proc/cpuinfo, of x86-64 and arm64.
CPU = ("model name", "flags", "CPU part", "Features")


def remembering(fitted: Any, texts: int = 0) -> Any:
    """Return a frozen encoder that takes known vectors from the files and adds new ones.

    Any other representation stays as it is, and so does an encoder where there is no folder .dvc,
    or if it has more than `MOST` texts to transform.
    """
    return Remembering(fitted) if texts <= MOST and _can_keep(fitted) else fitted


def _can_keep(fitted: Any) -> bool:
    return getattr(getattr(fitted, "settings", None), "frozen", False) and Path(".dvc").is_dir()


class Remembering:
    """A dense representation that encodes each text once.

    That is once in this process or, if the vectors can be kept, once on this machine.
    """

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
            encoded = [*zip(new, self.inner.transform([*new.values()]), strict=True)]
            known.update(encoded)
            if self._folder and len(encoded) <= MOST:
                _write(self._folder, np.array(encoded, _dtype(self.inner)))
        vectors = np.array([known[key] for key in keys], dtype=np.float32)
        return vectors.reshape(len(keys), self.inner.columns)


def _dtype(encoder: Any) -> np.dtype[Any]:
    return np.dtype([("key", f"V{HASH}"), ("vector", np.float32, (encoder.columns,))])


def _folder_of(encoder: Any) -> Path:
    """Return the folder of an encoder.

    Its content is kept too: to know it, a graph may have to be built.
    """
    if not encoder.content:
        folder = FOLDER / _name(encoder.settings.model_dump(exclude={"class_texts"}))
        for array in _read(folder, np.dtype(np.uint8)):
            encoder.content = json.loads(array.tobytes())
        if not encoder.content:
            _write(folder, np.frombuffer(json.dumps(encoder.to_json()).encode(), np.uint8))
    return FOLDER / _name(encoder.content)


def _name(encoder: Any) -> str:
    """Return a hash of an encoder, this code, versions of libraries and the type of machine."""
    from importlib.metadata import version

    # packages.json names what is loaded, also if nothing is left to encode.
    import onnxruntime  # noqa: F401
    import tokenizers  # noqa: F401

    lines = CPUINFO.read_text(errors="replace").splitlines() if CPUINFO.exists() else []
    cpu = sorted({line for line in lines if line.startswith(CPU)})
    machine = [platform.machine(), platform.processor(), *cpu]
    versions = [version(package) for package in ("numpy", "onnx", "onnxruntime", "tokenizers")]
    content = [encoder, checksum(read_code(), ALL), versions, machine]
    return sha256(json.dumps(content, sort_keys=True).encode())


def _read(folder: Path, dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
    """Yield the array in each file of a folder that has one of this type and is not damaged."""
    for path in sorted(folder.glob("*.npz")):
        with contextlib.suppress(UserError, OSError, MemoryError):
            (array,) = read_arrays(path, "kept")
            if array.dtype == dtype:
                yield array


def _write(folder: Path, array: NDArray[Any]) -> None:
    """Add a file with an array if the disk has room, and remove the oldest files.

    Those are removed that are beyond the limits of all folders.
    """
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        with (
            atomic_path(folder / f"{uuid.uuid4().hex}.npz", folder) as temporary,
            temporary.open("wb") as file,
        ):
            write_npz(file, kept=array)
        newest_first = sorted(FOLDER.glob("*/*.npz*"), key=lambda path: -path.stat().st_mtime)
        size = 0
        for count, path in enumerate(newest_first):
            size += path.stat().st_size
            if count >= FILES or size > BYTES:
                path.unlink()
