"""What a stage needs of disk and memory against what there is, so that hours of work do not end in a full disk."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from textclf.core.errors import UserError

UNITS = {"TB": 1e12, "GB": 1e9, "MB": 1e6}


def require(folder: Path, need: int, what: str) -> None:
    """Nothing; `UserError` unless the disk of the folder, which need not be there yet, has `need` bytes free."""
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    if (free := shutil.disk_usage(there).free) < need:
        raise UserError(
            f"{what} needs about {size(need)} of disk; {folder} has {size(free)} free; "
            "free some, or put the project on a larger disk"
        )


def require_memory(need: int, what: str) -> None:
    """Nothing; `UserError` unless `need` bytes of memory are to be had, or where that can not be told."""
    if (free := available_memory()) is not None and free < need:
        raise UserError(
            f"{what} needs about {size(need)} of memory; {size(free)} is available; "
            "end other programs, or use a machine with more"
        )


def say(rows: int, shards: int, memory: int, disk: int) -> None:
    """Tell on stdout, in a line, what a large stage is about to take, in bytes of memory and disk."""
    parts = f"{shards:,} shard{'s' * (shards != 1)}"
    print(f"{rows:,} rows in {parts}: about {size(memory)} of memory, {size(disk)} of disk", flush=True)


def size(count: int) -> str:
    """Bytes in the largest unit of which they are a tenth: 1.2 GB, 0.3 GB, 45 MB."""
    unit, scale = next((item for item in UNITS.items() if count >= item[1] / 10), ("MB", 1e6))
    return f"{count / scale:.0f} {unit}" if count >= 9.95 * scale else f"{count / scale:.1f} {unit}"


def available_memory(root: Path = Path("/")) -> int | None:
    """Bytes that may be used without swapping: what Linux says it has, or less where a cgroup allows less.

    None where neither is told, as on other systems. `root` is where /proc and /sys are.
    """
    found = [*_of_system(root / "proc" / "meminfo"), *_of_cgroups(root)]
    return max(min(found), 0) if found else None


def _of_system(meminfo: Path) -> Iterator[int]:
    for line in _lines(meminfo):
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) * 1024


def _of_cgroups(root: Path) -> Iterator[int]:
    """What the process's cgroup and those above it leave; what they hold of files can be dropped, and is no use."""
    for line in _lines(root / "proc" / "self" / "cgroup"):
        _, controllers, name = line.split(":", 2)
        if not controllers:  # version 2
            top, limit, used, cached = root / "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"
        elif "memory" in controllers.split(","):
            top, limit, used = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
            cached = "total_inactive_file"
        else:
            continue
        group = top / name.lstrip("/")
        for folder in (group, *group.parents[: len(group.parts) - len(top.parts)]):
            most, now = _lines(folder / limit), _lines(folder / used)
            if most and now and most[0] != "max":
                droppable = (line.split()[1] for line in _lines(folder / "memory.stat") if line.split()[0] == cached)
                yield int(most[0]) - int(now[0]) + int(next(droppable, 0))


def _lines(path: Path) -> list[str]:
    """Lines of a file of the kernel's, none if it can not be read."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
