"""The garbage collector, held back while packages are imported.

What an import makes stays until the process ends, but the collector looks at all of it again and again: a tenth of the
time of an import.
"""

import contextlib
import gc
from collections.abc import Iterator


def resume() -> None:
    """Switch the collector on, and let it never look again at what is there."""
    gc.freeze()
    gc.enable()


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Collect no garbage while the block runs."""
    gc.disable()
    try:
        yield
    finally:
        resume()
