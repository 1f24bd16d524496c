"""What the unit tests of several packages share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from textclf import cli
from textclf.core import workers


class Ended(NamedTuple):
    """How a command ended."""

    status: object
    out: str
    err: str


@pytest.fixture
def command_line(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Return a function that runs the command `textclf` with these words in this process."""

    def run(*words: str | Path) -> Ended:
        with pytest.raises(SystemExit) as stop:
            cli.main(list(map(str, words)))
        return Ended(stop.value.code, *capfd.readouterr())

    return run


@pytest.fixture(scope="module")
def two_workers() -> Iterator[workers.Pool]:
    """A pool of two processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.sched_getaffinity", lambda _: {0, 1})
        with workers.pool(workers.FEWEST) as pool:
            yield pool
