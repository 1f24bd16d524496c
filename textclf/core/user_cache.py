"""Texts that take long to compute, kept in the user's cache folder for the next process.

A text that is read from there is run by whoever opens the report, so only what this user wrote is believed: folder and
file must belong to him, and nobody else may write to them. A checksum finds damage. Whatever is wrong, the text is
computed.
"""

import contextlib
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

FOLDER = "textclf"  # in the user's cache folder
OTHERS = stat.S_IWGRP | stat.S_IWOTH  # the rights of others to write


def cached_text(kind: str, key: str, compute: Callable[[], str]) -> str:
    """Return the text for a key from the cache; if it is not there, `compute` it and keep it if possible.

    `kind` starts the name of the file; `key` names everything that the text depends on.
    """
    name = f"{kind}-{hashlib.sha256(key.encode()).hexdigest()}"
    with _own_folder() as folder:
        text = None if folder is None else _read(folder, name)
        if text is None:
            text = compute()
            if folder is not None:
                _write(folder, name, text)
    return text


def _user_folder() -> Path | None:
    """Return the user's cache folder as the XDG Base Directory Specification has it; None if there is no home."""
    for variable, below in (("XDG_CACHE_HOME", ""), ("HOME", ".cache")):
        if (path := Path(os.environ.get(variable, ""))).is_absolute():
            return path / below
    return None


@contextlib.contextmanager
def _own_folder() -> Iterator[int | None]:
    """Yield a descriptor of textclf's folder, which is made if it is missing; None if it can't be used."""
    descriptor = None
    if (user := _user_folder()) is not None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: a name that no file can have
            user.mkdir(mode=0o700, parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                (user / FOLDER).mkdir(mode=0o700)
            descriptor = os.open(user / FOLDER, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor if descriptor is not None and _is_own(os.fstat(descriptor)) else None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _is_own(status: os.stat_result) -> bool:
    """Return whether a file or folder belongs to this user, and nobody else may write to it."""
    return status.st_uid == os.geteuid() and not status.st_mode & OTHERS


def _read(folder: int, name: str) -> str | None:
    """Return the text in a file of the folder; None if there is none, or it is damaged or not this user's."""
    with contextlib.suppress(OSError, ValueError):
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode) and _is_own(status):
                checksum, _, content = file.read().partition(b"\n")
                if checksum == _checksum(content):
                    return content.decode("utf-8")
    return None


def _write(folder: int, name: str, text: str) -> None:
    """Write a text with its checksum as a file of the folder, at once or not at all."""
    content = text.encode("utf-8")
    scratch = f".{name}.{secrets.token_hex(8)}"
    with contextlib.suppress(OSError):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(scratch, flags, 0o600, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_checksum(content) + b"\n" + content)
            os.rename(scratch, name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            os.unlink(scratch, dir_fd=folder)


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
