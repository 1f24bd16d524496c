"""Downloads: a file, or what a program downloads; every failure is one line."""

import contextlib
import subprocess
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

from textclf.core.progress import bar
from textclf.core.quoting import first_line

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS = 5
READ_SECONDS = 20
SECONDS = CONNECT_SECONDS, READ_SECONDS
TRIES = 2
PAUSE_SECONDS = 1
CHUNK = 2**16  # bytes
# What a damaged zip raises.
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError)

T = TypeVar("T")


class SourceError(Exception):
    """Why a source did not provide a file, in one line."""


class UnreachableError(SourceError):
    """A failure that may be temporary: the same request is tried again."""


def retry(download: Callable[[], T]) -> T:
    """Return the result of a download, which is tried again if the source was not reached."""
    for _ in range(TRIES - 1):
        try:
            return download()
        except UnreachableError:
            time.sleep(PAUSE_SECONDS)
    return download()


def download(url: str, file: IO[bytes], limit: int) -> None:
    """Write the content of a URL to a file.

    Raises `SourceError` if it can't be downloaded or has more bytes than `limit`.
    """
    with _response(url) as response:
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        with contextlib.closing(bar("download", total, "byte")) as progress:
            count = 0
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                progress.update(len(chunk))
                count += len(chunk)
                if count > limit:
                    raise SourceError(f"more than the {limit} bytes expected")


def run_program(
    command: Sequence[str],
    files: tuple[Path, str],
    *,
    name: str,
    late: str,
    seconds: float,
    within: Path | None = None,
) -> Path:
    """Return the only one of the `files`, a folder and a pattern, once a program has run.

    Raises `SourceError` if there is not exactly one. The program runs in the folder `within`.
    `name` is its name in errors, `late` what it did not do in so many seconds.
    """
    folder, pattern = files
    try:
        done = subprocess.run(  # noqa: S603
            command,
            cwd=within,
            timeout=seconds,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SourceError(f"{name} {late} within {seconds} s") from None
    paths = list(folder.glob(pattern))
    if done.returncode or len(paths) != 1:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        lines = lines or [f"{name} exited with {done.returncode}"]
        errors = [line for line in lines if line.startswith("ERROR:")] or lines  # pip also warns
        raise UnreachableError(first_line(errors[-1].removeprefix("ERROR: ")))
    return paths[0]


@contextlib.contextmanager
def _response(url: str) -> Iterator["requests.Response"]:
    """Yield the response to a request.

    What `requests` raises in the block becomes a `SourceError` of one line.
    """
    import requests  # takes long to import

    try:
        with (
            requests.Session() as session,
            session.get(url, stream=True, timeout=SECONDS) as response,
        ):
            response.raise_for_status()
            yield response
    except requests.HTTPError as error:
        status = error.response.status_code
        kind = UnreachableError if status >= 500 else SourceError
        raise kind(f"HTTP status {status}") from error
    except requests.ConnectionError as error:
        raise UnreachableError(f"no connection ({_root_cause(error)})") from error
    except requests.RequestException as error:
        raise UnreachableError(f"{type(error).__name__} ({_root_cause(error)})") from error


def _root_cause(error: BaseException) -> str:
    """Return the innermost reason of a chain of network errors.

    The outer ones contain addresses of objects.
    """
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
