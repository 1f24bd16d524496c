"""Artifacts in shards of bounded size, written and read one at a time.

A split with at most `ROWS` rows is one file, such as `train.parquet`. A larger one is numbered:
`train-00001.parquet`, `train-00002.parquet` and so on. The number of shards depends on the rows
alone, never on workers or memory.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from textclf.core.errors import UserError
from textclf.core.files import SPLITS, UNKNOWN_SPLITS

T = TypeVar("T")

ROWS = 100_000  # per shard at most


class Shards(Generic[T]):
    """A sequence of shards that are read from disk one at a time, again in every iteration."""

    def __init__(self, paths: Sequence[Path], read: Callable[[Path], T]) -> None:
        """Keep the paths, in order, and the function that reads one of them."""
        self.paths = tuple(paths)
        self.read = read

    def __iter__(self) -> Iterator[T]:
        """Read each shard in order."""
        return map(self.read, self.paths)

    @property
    def readers(self) -> list[Callable[[], T]]:
        """The functions that read each shard, for other processes."""
        return [partial(self.read, path) for path in self.paths]

    def __len__(self) -> int:
        """Return the number of shards."""
        return len(self.paths)


def open_splits(
    folder: Path, suffix: str, read: Callable[[Path], T], unknown: bool = False
) -> dict[str, Shards[T]]:
    """Return the shards of each split, unread; with `unknown`, also those of no class.

    Raises `UserError` without train or test.
    """
    opened = {}
    for name in (*SPLITS, *UNKNOWN_SPLITS) if unknown else SPLITS:
        if split_paths := paths(folder, name, suffix):
            opened[name] = Shards(split_paths, read)
        elif name in ("train", "test"):
            raise UserError(
                f"{folder / f'{name}{suffix}'} not found; run dvc repro (or dvc pull) to make it"
            )
    return opened


def paths(folder: Path, name: str, suffix: str) -> list[Path]:
    """Return the paths of the shards with this name, in order.

    Raises `UserError` if one of a numbered sequence is missing.
    """
    single = folder / f"{name}{suffix}"
    if single.exists():
        return [single]
    numbered = sorted(folder.glob(f"{name}-[0-9][0-9][0-9][0-9][0-9]{suffix}"))
    for number, actual in enumerate(numbered, start=1):
        expected = path(folder, name, suffix, number)
        if actual != expected:
            raise UserError(f"{expected} not found; run dvc repro (or dvc pull) to make it")
    return numbered


def path(folder: Path, name: str, suffix: str, number: int) -> Path:
    """Return the path of a numbered shard; numbers start at 1."""
    return folder / f"{name}-{number:05d}{suffix}"


def write(
    pieces: Iterable[T], folder: Path, name: str, suffix: str, save: Callable[[T, Path], object]
) -> list[Path]:
    """Write each piece as a shard with `save`, return the paths; a single one gets no number."""
    written = []
    for number, piece in enumerate(pieces, start=1):
        written.append(path(folder, name, suffix, number))
        save(piece, written[-1])
    if len(written) == 1:
        written = [written[0].rename(folder / f"{name}{suffix}")]
    return written
