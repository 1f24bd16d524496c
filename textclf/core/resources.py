"""Disk, memory and cores: what a stage needs and what is available.

A stage checks them before it starts, so that hours of work do not end in a full disk.
"""

import contextlib
import ctypes
import importlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textclf.core.errors import UserError
from textclf.core.formatting import count_noun

GIB = 2**30
UNITS = {"TB": 1e12, "GB": 1e9, "MB": 1e6}


def cores() -> int:
    """Return how many cores this process may use: all where no limit exists, as on macOS."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def limit_of(name: str) -> int | None:
    """Return a limit of this process by its name in `resource`, such as RLIMIT_AS.

    None if there is no limit, as on Windows.
    """
    try:
        resource: Any = importlib.import_module("resource")
    except ImportError:
        return None
    limit, _ = resource.getrlimit(getattr(resource, name))
    return None if limit == resource.RLIM_INFINITY else limit


def require_disk(folder: Path, need: int, purpose: str) -> None:
    """Raise `UserError` unless the disk of a folder has `need` bytes free for a purpose.

    The folder need not exist yet.
    """
    existing = folder.absolute()
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    if free < need:
        raise UserError(
            f"{purpose} needs about {format_size(need)} of disk; {folder} has "
            f"{format_size(free)} free; free some, or put the project on a larger disk"
        )


def require_memory(need: int, purpose: str) -> None:
    """Raise `UserError` if less than `need` bytes of memory are available for a purpose.

    Pass if the available memory is not known.
    """
    free = available_memory()
    if free is not None and free < need:
        raise UserError(
            f"{purpose} needs about {format_size(need)} of memory; "
            f"{format_size(free)} is available; end other programs, or use a machine with more"
        )


def require_address_space(need: int, purpose: str) -> None:
    """Raise `UserError` if a limit (ulimit -v) is below `need` bytes of address space.

    Below what it reserves, a native library may end or stop the process without an exception.
    """
    limit = limit_of("RLIMIT_AS")
    if limit is not None and limit < need:
        raise UserError(
            f"the limit of address space (ulimit -v) must be at least {format_size(need)} "
            f"for {purpose}; got {format_size(limit)}; ulimit -v {need // 1024} is enough"
        )


def keep_freed_memory() -> None:
    """Let glibc keep up to 128 MiB of freed memory for the next arrays.

    The kernel would have to clear new memory.
    """
    # Other C libraries, and Windows, have no such function.
    with contextlib.suppress(AttributeError, TypeError):
        for option, size in ((-3, 2**25), (-1, 2**27)):  # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD
            ctypes.CDLL(None).mallopt(option, size)


def announce(rows: int, shards: int, memory: int, disk: int) -> None:
    """Print what a large stage is about to use, in bytes of memory and disk."""
    size = f"{count_noun(rows, 'row')} in {count_noun(shards, 'shard')}"
    need = f"{format_size(memory)} of memory, {format_size(disk)} of disk"
    print(f"{size}: about {need}", flush=True)


def format_size(count: int) -> str:
    """Return bytes in TB, GB or MB: 1.2 GB, 0.3 GB, 45 MB.

    The unit is the largest in which the number is at least 0.1.
    """
    unit, scale = next((item for item in UNITS.items() if count >= item[1] / 10), ("MB", 1e6))
    decimals = 0 if count >= 9.95 * scale else 1
    return f"{count / scale:.{decimals}f} {unit}"


def available_memory(root: Path = Path("/")) -> int | None:
    """Return the bytes of memory that can be used without swapping; None if that is not known.

    This is what the system reports as available, or less if a cgroup or a limit of the process
    (ulimit -v, -d) allows less. `root` is where Linux has /proc and /sys; elsewhere psutil knows,
    which the pipeline has installed.
    """
    limits = [*_bytes_of(root / "proc/meminfo", "MemAvailable"), *_of_cgroups(root)]
    if not (root / "proc").exists():
        with contextlib.suppress(ImportError):
            import psutil  # type: ignore[import-untyped]

            limits.append(psutil.virtual_memory().available)
    for kind, name in (("RLIMIT_AS", "VmSize"), ("RLIMIT_DATA", "VmData")):
        limit = limit_of(kind)
        if limit is not None:
            limits.append(limit - sum(_bytes_of(root / "proc/self/status", name)))
    return max(min(limits), 0) if limits else None


def _bytes_of(path: Path, name: str) -> list[int]:
    """Return the bytes, if any, that a file of the kernel, as /proc/meminfo, has under a name."""
    return [int(line.split()[1]) * 1024 for line in _lines(path) if line.startswith(f"{name}:")]


def _of_cgroups(root: Path) -> Iterator[int]:
    """Yield the bytes left in the process's cgroup and in each of its parents.

    The cache of files counts as available.
    """
    for line in _lines(root / "proc" / "self" / "cgroup"):
        _, controllers, name = line.split(":", 2)
        if not controllers:  # version 2
            top = root / "sys/fs/cgroup"
            limit, usage, cache = "memory.max", "memory.current", "inactive_file"
        elif "memory" in controllers.split(","):
            top = root / "sys/fs/cgroup/memory"
            limit, usage = "memory.limit_in_bytes", "memory.usage_in_bytes"
            cache = "total_inactive_file"
        else:
            continue
        group = top / name.lstrip("/")
        for folder in (group, *group.parents[: len(group.parts) - len(top.parts)]):
            maximum, current = _lines(folder / limit), _lines(folder / usage)
            if maximum and current and maximum[0] != "max":
                statistics = (line.split() for line in _lines(folder / "memory.stat"))
                cached = next((fields[1] for fields in statistics if fields[0] == cache), 0)
                yield int(maximum[0]) - int(current[0]) + int(cached)


def _lines(path: Path) -> list[str]:
    """Return the lines of a file of the kernel; none if it can't be read."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
