"""Progress of long work on stderr: a bar on a terminal, a line every 20 seconds elsewhere.

Short work shows nothing.
"""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from textclf.core.errors import UserError
from textclf.core.quoting import first_line

if TYPE_CHECKING:
    from tqdm import tqdm

T = TypeVar("T")

BAR_DELAY = 1.0  # seconds of work before a terminal shows a bar
LINE_INTERVAL = 20.0  # seconds between two lines elsewhere, and before the first


class _Lines:
    """A file for tqdm that ends each state with a newline.

    It is for logs, where a carriage return overwrites nothing.
    """

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.last = ""

    def write(self, text: str) -> None:
        """Print a state, unless it is blank or the last one again.

        tqdm repeats the last one at the end, and writes blanks to clear a terminal.
        """
        line = text.strip()
        if line not in {"", self.last}:
            print(line, file=self.file, flush=True)
            self.last = line


def bar(description: str, total: int | None, unit: str = "row", scaled: bool = True) -> "tqdm[Any]":
    """Return a tqdm to `update()` and `close()`; `total` is None if it is not known.

    With `scaled`, large numbers are abbreviated: 4M instead of 4000000. Raises `UserError` for
    variables of the user that tqdm can't read.
    """
    try:
        from tqdm import tqdm
    except ValueError as error:  # it reads them when it is imported
        raise UserError(
            f"the variables TQDM_... must be valid; got: {first_line(error)}; unset them"
        ) from error

    style: dict[str, Any] = {
        "total": total,
        "desc": description,
        "unit": f" {unit}s",
        "unit_scale": scaled,
    }
    if sys.stderr is None:  # closed, as by 2>&-
        return tqdm(disable=True)
    if sys.stderr.isatty():
        return tqdm(**style, leave=False, delay=BAR_DELAY)
    style |= dict.fromkeys(("delay", "mininterval", "maxinterval"), LINE_INTERVAL)
    # Without columns, tqdm prints numbers and no bar.
    return tqdm(**style, miniters=1, file=_Lines(sys.stderr), ncols=0)


def track(
    iterable: Iterable[T], description: str, total: int | None = None, unit: str = "part"
) -> Iterator[T]:
    """Yield the items, each counted when the next one is asked for."""
    with contextlib.closing(bar(description, total, unit, scaled=False)) as progress:
        for item in iterable:
            yield item
            progress.update()
