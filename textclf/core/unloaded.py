"""Packages that a process does not load, whatever library looks for them."""

import contextlib
import sys
from collections.abc import Collection, Iterator
from importlib.abc import MetaPathFinder


class _Refusal(MetaPathFinder):
    """Refuses to find some packages."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = names

    def find_spec(self, name: str, *_: object) -> None:
        if name in self.names:
            raise ImportError(f"{name} must not be loaded by this process")


@contextlib.contextmanager
def refused(*names: str) -> Iterator[None]:
    """Refuse to import these packages while the block runs; those that are loaded already stay.

    pyarrow imports pandas, which takes a third of a second, before it converts anything from or to numpy; if it can't,
    it does without.
    """
    refusal = _Refusal(names)
    sys.meta_path.insert(0, refusal)
    try:
        yield
    finally:
        sys.meta_path.remove(refusal)
