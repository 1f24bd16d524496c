"""Locks of temporary folders, by which a folder that a killed process left behind is told from one in use."""

import fcntl
import os
from pathlib import Path
from typing import IO

LOCK = ".lock"  # the file in the folder that is locked


def lock_folder(folder: Path, *, wait: bool) -> IO[bytes] | None:
    """Return the open lock file of a folder, which stays locked until it is closed or this process ends.

    The kernel frees the lock of a process that ends, however it ends, and locks hold across containers, where process
    ids do not. Returns None if the folder is gone. Raises `OSError` if another process has the lock and `wait` is
    false.
    """
    path = folder / LOCK
    try:
        file = path.open("ab")
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
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
