"""Damage to files: what a failing disk or memory does to their bytes, one fault at a time."""

import contextlib
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from textclf.core.errors import UserError


def flip(data: bytes, rng: random.Random) -> bytes:
    """Return the bytes with one bit flipped."""
    position = rng.randrange(8 * len(data))
    damaged = bytearray(data)
    damaged[position // 8] ^= 1 << position % 8
    return bytes(damaged)


def cut(data: bytes, rng: random.Random) -> bytes:
    """Return the bytes without their end, as after a copy that was interrupted."""
    return data[: rng.randrange(len(data))]


def blank(data: bytes, rng: random.Random) -> bytes:
    """Return the bytes with a run of up to 512 of them, a sector of a disk, set to zero."""
    start = rng.randrange(len(data))
    length = min(rng.randint(1, 512), len(data) - start)
    return data[:start] + bytes(length) + data[start + length :]


@contextlib.contextmanager
def damaged(path: Path, damage: Callable[[bytes, random.Random], bytes], rng: random.Random) -> Iterator[None]:
    """Damage a file while the block runs."""
    before = path.read_bytes()
    path.write_bytes(damage(before, rng))
    try:
        yield
    finally:
        path.write_bytes(before)


def silent_answers(
    files: Sequence[Path],
    answer: Callable[[], object],
    count: int,
    seed: int,
    kinds: Sequence[Callable[[bytes, random.Random], bytes]] = (flip,),
) -> list[str]:
    """Return what went wrong in so many tries, each with one file damaged: an answer that is not that of whole files.

    Files are drawn by their sizes. `answer` reads the files; a `UserError` is how it should refuse them, any other
    exception is a defect.
    """
    rng = random.Random(seed)  # noqa: S311 - no secret
    expected = answer()
    sizes = [path.stat().st_size for path in files]
    wrong = []
    for number in range(count):
        (path,) = rng.choices(files, sizes)
        kind = rng.choice(list(kinds))
        with damaged(path, kind, rng):
            try:
                if answer() != expected:
                    wrong.append(f"try {number}: {path.name}, {kind.__name__}: another answer")
            except UserError:
                pass
            except Exception as error:  # noqa: BLE001 - any other is a traceback for the user
                wrong.append(f"try {number}: {path.name}, {kind.__name__}: {error!r}")
    return wrong
