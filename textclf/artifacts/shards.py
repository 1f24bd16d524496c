"""Artifacts too large for one file: shards of bounded size, written and read one after the other.

A split's file is `train.parquet` while its rows fit into one shard, and `train-00001.parquet`, `train-00002.parquet`
and so on where they do not. How many shards there are follows from the rows alone, never from workers or memory.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from textclf.core.errors import UserError
from textclf.core.files import SPLITS

T = TypeVar("T")

ROWS = 100_000  # of a shard at most


def paths(folder: Path, name: str, suffix: str) -> list[Path]:
    """The shards of that name in order, none if there is none; `UserError` if one in between is missing."""
    if (whole := folder / f"{name}{suffix}").exists():
        return [whole]
    found = sorted(folder.glob(f"{name}-[0-9][0-9][0-9][0-9][0-9]{suffix}"))
    for number, there in enumerate(found, start=1):
        if there != (wanted := path(folder, name, suffix, number)):
            raise UserError(f"{wanted} not found; run dvc repro (or dvc pull) to make it")
    return found


def path(folder: Path, name: str, suffix: str, number: int) -> Path:
    """The path of a shard of several, numbered from 1."""
    return folder / f"{name}-{number:05d}{suffix}"


def of_each_split(folder: Path, suffix: str) -> dict[str, list[Path]]:
    """The shards of each split in a folder, in the order of `SPLITS`; `UserError` if there is none of train or test."""
    found = {name: paths(folder, name, suffix) for name in SPLITS}
    for name in ("train", "test"):
        if not found[name]:
            raise UserError(f"{folder / f'{name}{suffix}'} not found; run dvc repro (or dvc pull) to make it")
    return {name: shards for name, shards in found.items() if shards}


def write(pieces: Iterable[T], folder: Path, name: str, suffix: str, save: Callable[[T, Path], object]) -> list[Path]:
    """The shards of that name that were written, one a piece, each by `save`; one alone is not numbered."""
    written = []
    for number, piece in enumerate(pieces, start=1):
        written.append(path(folder, name, suffix, number))
        save(piece, written[-1])
    if len(written) == 1:
        written = [written[0].rename(folder / f"{name}{suffix}")]
    return written
