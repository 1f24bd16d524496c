"""Leave a process of textclf only what Windows has; Python imports this at its start.

Modules, functions and signals of POSIX are missing, and what is open can't be removed or renamed.
With `WITHOUT_POSIX` in the environment that holds for pytest, too, and so for all tests.
"""

import builtins
import ctypes
import importlib
import multiprocessing
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

OURS = re.compile(r"(textclf|stages|from (textclf|multiprocessing\.spawn))\b")
# The second begins the program of a process of pytest-xdist.
TESTS = re.compile(r".*pytest$|import sys;exec\(eval")
MODULES = ("fcntl", "grp", "pwd", "resource", "termios")
SYSTEM = (
    *("O_DIRECTORY", "chown", "fork", "getloadavg", "getpgid", "killpg", "mkfifo", "nice"),
    *("register_at_fork", "sched_getaffinity", "sched_setaffinity", "setsid", "wait4"),
)
SIGNALS = (
    "SIGALRM",
    "SIGCHLD",
    "SIGHUP",
    "SIGKILL",
    "SIGPIPE",
    "SIGUSR1",
    "SIGUSR2",
    "pthread_sigmask",
    "setitimer",
)


def is_open(path: Any) -> bool:
    """Return whether this process has a file, or one in a folder, open or mapped."""
    real = os.path.realpath(path)
    places = {os.path.realpath(number) for number in Path("/proc/self/fd").iterdir()}
    places |= {
        line.split(None, 5)[-1]
        for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    }
    return any(place == real or place.startswith(f"{real}/") for place in places)


def refuse(module: Any, name: str, applies: Callable[..., bool], error: BaseException) -> None:
    """Let a function of a module raise an error where it applies to the arguments."""
    function = getattr(module, name)

    def refusing(*arguments: Any, **options: Any) -> Any:
        if applies(*arguments):
            raise type(error)(*error.args, str(arguments))
        return function(*arguments, **options)

    setattr(module, name, refusing)


def lacks_posix() -> None:
    """Change the modules of this process."""
    from fcntl import F_GETFL, LOCK_EX, LOCK_NB, fcntl, flock

    def locking(number: int, mode: int, _: int) -> None:
        flock(number, LOCK_EX | mode)

    modules, load = {name: importlib.import_module(name) for name in MODULES}, builtins.__import__

    def load_for_libraries(name: str, space: Any = None, *rest: Any, **named: Any) -> Any:
        """Import what libraries need, which decide by sys.platform: that is still Linux."""
        ours = name not in modules or space is None or OURS.match(space["__name__"])
        return load(name, space, *rest, **named) if ours else modules[name]

    builtins.__import__ = load_for_libraries  # type: ignore[assignment]
    sys.modules.update(dict.fromkeys(MODULES))  # type: ignore[arg-type]
    msvcrt: Any = SimpleNamespace(locking=locking, LK_LOCK=0, LK_NBLCK=LOCK_NB)
    sys.modules["msvcrt"] = msvcrt
    for module, names in ((os, SYSTEM), (signal, SIGNALS)):
        for name in names:
            delattr(module, name)
    # From Python 3.13 on, os has this function, which calls sched_getaffinity. A system without
    # that has another name of cpu_count in its place.
    if hasattr(os, "process_cpu_count"):
        os.process_cpu_count = os.cpu_count
    in_use = PermissionError(13, "the file is in use")
    for name in ("link", "remove", "rename", "replace", "rmdir", "unlink"):
        refuse(os, name, lambda *paths: any(map(is_open, paths)), in_use)
    refuse(
        os, "rename", lambda _, target: os.path.lexists(target), FileExistsError(17, "it exists")
    )
    refuse(os, "open", lambda path, *_: Path(path).is_dir(), PermissionError(13, "it is a folder"))
    refuse(
        os, "fsync", lambda number: not fcntl(number, F_GETFL) & 3, OSError(9, "it is read-only")
    )
    refuse(select, "select", lambda *_: True, OSError(10038, "it is no socket"))
    refuse(
        ctypes,
        "CDLL",
        lambda name=None, *_: name is None,
        TypeError("bad argument type for built-in operation"),
    )
    popen: Any = subprocess.Popen
    popen.kill = lambda process: process.send_signal(9)
    multiprocessing.get_all_start_methods = lambda: ["spawn"]
    tempfile.TemporaryFile = tempfile.NamedTemporaryFile  # type: ignore[assignment]
    shutil._use_fd_functions = False  # type: ignore[attr-defined]


WORDS = sys.orig_argv[1:]
IS_TESTED = "WITHOUT_POSIX" in os.environ and any(map(TESTS.match, WORDS))
if IS_TESTED or any(OURS.match(Path(word).name) for word in WORDS):
    lacks_posix()
