"""How far a long piece of work is: a bar on a terminal, a line a minute elsewhere, none where it takes less."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

EVERY = 60.0  # seconds between two lines where there is no terminal


class Progress:
    """Counts units of work; on a terminal as a bar with rate and remaining time, elsewhere as a line a minute.

    `total` is None where it is not known. What is said goes to stderr and is no part of any output.
    Elsewhere, work of more than a minute has a line at its end too.
    """

    def __init__(self, what: str, total: int | None, unit: str = "row") -> None:
        """Begin at 0."""
        self.what, self.total, self.unit, self.done = what, total, unit, 0
        self.started = self.said = time.monotonic()
        self.told = 0  # of what is done, in the last line
        self.bar = None
        if sys.stderr is not None and sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=total, desc=what, unit=f" {unit}s", unit_scale=True, leave=False)

    def add(self, count: int = 1) -> None:
        """So many more are done."""
        self.done += count
        if self.bar is not None:
            self.bar.update(count)
        elif time.monotonic() - self.said >= EVERY:
            self.tell()

    def tell(self) -> None:
        """Say the line, if there is where to."""
        self.said, self.told = time.monotonic(), self.done
        if sys.stderr is not None:
            print(self.line(), file=sys.stderr, flush=True)

    def line(self) -> str:
        """The state in a line: done, of how many, rate, and the time that is left."""
        rate = self.done / max(time.monotonic() - self.started, 1e-9)
        of = f" of {self.total:,}" if self.total else ""
        left = f", {max(self.total - self.done, 0) / rate:,.0f} s left" if self.total and rate else ""
        return f"{self.what}: {self.done:,}{of} {self.unit}s, {rate:,.0f} a second{left}"

    def close(self) -> None:
        """Take the bar away, or say the last line where there were others."""
        if self.bar is not None:
            self.bar.close()
        elif self.told not in (0, self.done):
            self.tell()


def counted(pieces: Iterable[T], what: str, total: int | None = None, unit: str = "part") -> Iterator[T]:
    """The pieces, each counted once the next is asked for."""
    progress = Progress(what, total, unit)
    try:
        for piece in pieces:
            yield piece
            progress.add()
    finally:
        progress.close()
