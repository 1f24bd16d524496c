"""The outputs of a stage as one unit: all of them are new, or all of them are as they were."""

import contextlib
import errno
import glob
import importlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from textclf.core.errors import UserError
from textclf.core.ownership import SCRATCH, note_made, require_made

LOCK = ".lock"  # in a scratch folder: the file that is locked
REPLACED = ".replaced"  # in a scratch folder: the old output
# Errors of writing where the disk, the user's share of it, or the file is full.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
ON_WINDOWS = not hasattr(os, "O_DIRECTORY")

_finish: Callable[[], None] | None = None  # None outside of a stage


@contextlib.contextmanager
def outputs(*targets: Path, new: bool = False) -> Iterator[list[Path]]:
    """Yield a scratch path per target; rename all to their targets after a block without error.

    The block creates a file or a folder at each scratch path, which is beside its target. If it
    raises, or a rename fails, all targets are what they were before. What killed processes left
    behind is removed first. Raises `UserError` if a stage would replace files that no run has made,
    or if an old output can't be put back: it says where that is.

    Outside of a stage the targets may be files of the user: links and permissions stay, and a file
    that is read-only raises `UserError`. In a stage a link is one into DVC's cache, and is
    replaced.

    A `new` output is one file that replaces nothing: raises `FileExistsError` if its target is
    there at the end.
    """
    if _finish is None:
        targets = tuple(Path(os.path.realpath(target)) for target in targets)
        require_writable(*targets)
    with contextlib.ExitStack() as stack:

        def begin(target: Path) -> Path:
            target.parent.mkdir(parents=True, exist_ok=True)
            clear(target)
            return stack.enter_context(scratch_folder(target)) / target.name

        scratch = [begin(target) for target in targets]
        with writing(targets[0]):
            yield scratch
            if _finish is not None:
                _finish()
        for source in scratch:
            source.stat()  # FileNotFoundError before any target is changed
            _write_to_disk(source)
        if _finish is not None:
            for source, target in zip(scratch, targets, strict=True):
                require_made(target, source)
            for source, target in zip(scratch, targets, strict=True):
                note_made(target, source)
        else:
            for source, target in zip(scratch, targets, strict=True):
                if target.is_file():
                    shutil.copymode(target, source)
        if new:
            _create(scratch[0], targets[0])
        else:
            _replace(scratch, targets)
        for target in targets if _finish is not None else ():
            note_made(target, target)  # and no more what it has replaced


@contextlib.contextmanager
def finished_by(finish: Callable[[], None]) -> Iterator[None]:
    """Let `outputs` work for a stage: replace only what runs have made.

    `finish` is called at the end of its block; if it raises, no output is renamed.
    """
    global _finish  # noqa: PLW0603 (one stage runs per process)
    _finish = finish
    try:
        yield
    finally:
        _finish = None


def require_writable(*paths: Path) -> None:
    """Raise `UserError` if a file is read-only.

    A rename would replace it all the same, and root may write it.
    """
    for path in paths:
        if path.is_file() and not (os.access(path, os.W_OK) and path.stat().st_mode & WRITABLE):
            raise UserError(
                f"{path} must be writable; it is read-only; chmod u+w makes it writable"
            )


def remove(leftovers: Iterable[Path], reason: str) -> None:
    """Remove files and folders that runs have made, and print a line with the reason for each.

    Raises `UserError` if one has files that no run made.
    """
    for path in leftovers:
        require_made(path, dropped=True)
        _remove(path)
        print(f"{path} removed: {reason}")


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Add the path to the error of a full disk, which Python leaves out."""
    try:
        yield
    except OSError as error:
        # An error of copying a file names its source first.
        named = error.filename is not None and error.filename2 is None
        if error.errno not in FULL or named:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error


@contextlib.contextmanager
def locked(*paths: Path) -> Iterator[None]:
    """Let one process at a time, and one of its threads, read, change and write these files.

    Links to a file have the lock of the file: a folder beside it, for as long as it is locked. A
    killed process leaves that folder unlocked, and the next one removes it.
    """
    with contextlib.ExitStack() as stack:
        # In one order, so that no two processes wait for each other.
        for target in sorted({Path(os.path.realpath(path)) for path in paths}):
            if not os.access(target.parent, os.W_OK | os.X_OK):
                continue  # nobody can write there, as whoever tries is told
            folder = target.with_name(f".{target.name}.lock{SCRATCH}")
            lock = None
            while lock is None:
                # The folder may be another process's, or that of one that was killed.
                with contextlib.suppress(FileExistsError):
                    folder.mkdir()
                lock = _lock(folder, wait=True)
            stack.callback(_discard, folder, lock)
        yield


@contextlib.contextmanager
def scratch_folder(target: Path) -> Iterator[Path]:
    """Yield a new folder beside the target, locked by this process; remove it at the end.

    Other users can't read it. `clear` removes that of a killed process. A folder that still holds
    an old output, which could not be put back, stays.
    """
    lock = None
    while lock is None:
        folder = Path(tempfile.mkdtemp(SCRATCH, f".{target.name}.", target.parent))
        # None if another process has removed the folder before it was locked.
        lock = _lock(folder, wait=True)
    try:
        yield folder
    finally:
        if os.path.lexists(folder / REPLACED):
            lock.close()
        else:
            _discard(folder, lock)


def clear(target: Path) -> None:
    """Remove the scratch folders of this target that killed processes left behind.

    A process that was killed between two renames has moved the old output aside: it is put back.
    """
    for folder in target.parent.glob(f".{glob.escape(target.name)}.*{SCRATCH}"):
        lock = None
        with contextlib.suppress(OSError):  # in use, not ours, or on a file system without locks
            lock = _lock(folder, wait=False)
        if lock is not None:
            with lock:
                if os.path.lexists(folder / REPLACED) and not os.path.lexists(target):
                    (folder / REPLACED).rename(target)
                _discard(folder, lock)


def _discard(folder: Path, lock: IO[bytes]) -> None:
    """Remove a scratch folder and close its lock.

    It is removed while it is locked, so that whoever waits for the lock makes another one. Windows
    leaves the lock file until it is closed, and does not remove it then if another process has
    opened it. Elsewhere a lock file that is there afterwards is that of the next process.
    """
    shutil.rmtree(folder, ignore_errors=True)
    lock.close()
    if ON_WINDOWS:
        with contextlib.suppress(OSError):
            (folder / LOCK).unlink()
            folder.rmdir()


def _lock(folder: Path, *, wait: bool) -> IO[bytes] | None:
    """Return the open lock file of a folder; None without the folder.

    It is locked until it is closed or this process ends. Raises `OSError` if another process has
    the lock and `wait` is false.
    """
    path = folder / LOCK
    try:
        file = path.open("ab")
    except FileNotFoundError:
        return None
    try:
        lock_file(file, wait=wait)
        if os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return file
    except FileNotFoundError:  # from stat
        pass
    except OSError:
        if wait:
            return file  # on a file system without locks, where others leave the folder alone
        file.close()
        raise
    file.close()
    return None


def lock_file(file: IO[bytes], *, wait: bool) -> None:
    """Lock an open file until it is closed or this process ends.

    Raises `OSError` if another process has the lock and `wait` is false.
    """
    try:
        fcntl: Any = importlib.import_module("fcntl")
    except ImportError:
        _lock_on_windows(file, wait=wait)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def _lock_on_windows(file: IO[bytes], *, wait: bool) -> None:
    msvcrt: Any = importlib.import_module("msvcrt")
    while True:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if not wait or error.errno != errno.EDEADLK:  # it gives up after ten seconds
                raise
        else:
            return


def _write_to_disk(path: Path) -> None:
    """Wait until a file, or a folder with all files in it, is on the disk.

    Otherwise a rename could get there before it.
    """
    # Windows opens no folder, and writes to the disk only what is open to be written.
    paths = [path]
    for folder, folders, names in os.walk(path):
        paths += [Path(folder, name) for name in (*folders, *names)]
    for written in paths:
        if ON_WINDOWS and written.is_dir():
            continue
        descriptor = os.open(written, os.O_RDWR if ON_WINDOWS else os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # of a file system that cannot
                raise OSError(error.errno, error.strerror, str(written)) from error
        finally:
            os.close(descriptor)


def _replace(sources: Sequence[Path], targets: Sequence[Path]) -> None:
    """Rename every source to its target; if one of the renames fails, undo those before it."""
    with contextlib.ExitStack() as undo:
        for source, target in zip(sources, targets, strict=True):
            if os.path.lexists(target):
                _keep(target, source)
                undo.callback(_put_back, source.parent / REPLACED, target)
            source.replace(target)
            undo.callback(_put_back, target, source)
        undo.pop_all()
    for source in sources:
        with contextlib.suppress(OSError):  # the next start removes it
            _remove(source.parent / REPLACED)


def _create(source: Path, target: Path) -> None:
    """Move a new file to its target; `FileExistsError` if that is there: a rename replaces it."""
    try:
        target.hardlink_to(source)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        target.touch(exist_ok=False)
        source.replace(target)


def _keep(target: Path, source: Path) -> None:
    """Keep an old output in the scratch folder of the new one.

    A file that a file replaces is linked, so that there is one at every moment; a folder cannot be.
    """
    if source.is_file() and target.is_file() and not target.is_symlink():
        with contextlib.suppress(OSError):  # a file system without links
            (source.parent / REPLACED).hardlink_to(target)
            return
    target.rename(source.parent / REPLACED)


def _put_back(path: Path, origin: Path) -> None:
    """Undo a rename."""
    try:
        path.replace(origin)
        if path.is_file():  # two links to one file: the rename did nothing
            path.unlink()
    except OSError as error:
        raise UserError(
            f"{path} could not be put back to {origin} ({error.strerror}); "
            "move it, or run dvc repro again"
        ) from error


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
