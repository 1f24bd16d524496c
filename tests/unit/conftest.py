"""What the unit tests of several packages share."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import SIGNALS, Command, Ended
from textclf import cli
from textclf.core import workers


@pytest.fixture
def command_line(capfd: pytest.CaptureFixture[str]) -> Command:
    """Run the command `textclf` with these words in this process; keep its signal handlers."""

    def run(*words: str | Path) -> Ended:
        handlers = {number: signal.getsignal(number) for number in SIGNALS}
        with pytest.raises(SystemExit) as stop:
            cli.main(list(map(str, words)))
        for number, handler in handlers.items():
            signal.signal(number, handler)
        # One that was meant for pytest, as of `timeout`, and that the command has taken for itself.
        if stop.value.code == 128 + signal.SIGTERM:
            signal.raise_signal(signal.SIGTERM)
        return Ended(stop.value.code, *capfd.readouterr())

    return run


@pytest.fixture(scope="module")
def two_workers() -> Iterator[workers.Pool]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textclf.core.resources.cores", lambda: 2)
        with workers.pool(workers.FEWEST_TASKS) as pool:
            yield pool
