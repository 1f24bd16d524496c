import io
import sys
from collections.abc import Iterator

import pytest

from tests.processes import python
from textclf.core.progress import bar, track


class Clock:
    """Seconds that pass only when a test adds them."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr("tqdm.std.time", clock := Clock())
    return clock


class Terminal(io.StringIO):
    """Keeps what a terminal would show."""

    def isatty(self) -> bool:
        return True


def open_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    return terminal


def test_long_work_prints_a_line_every_twenty_seconds_and_one_at_the_end(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    short = bar("train", 1)  # work of less than twenty seconds prints nothing
    clock.now += 19
    short.update()
    short.close()
    progress = bar("split", 4_000_000)
    for _ in range(5):
        clock.now += 13
        progress.update(800_000)
    progress.close()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "split:  40% 1.60M/4.00M [00:26<00:39, 61.5k rows/s]",
        "split:  80% 3.20M/4.00M [00:52<00:13, 61.5k rows/s]",
        "split: 100% 4.00M/4.00M [01:05<00:00, 61.5k rows/s]",
    ]


def test_a_terminal_shows_a_bar_that_is_removed_at_the_end(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = open_terminal(monkeypatch)
    progress = bar("split", 4)
    clock.now += 0.9
    progress.update()
    assert terminal.getvalue() == ""  # within a second
    clock.now += 1000
    progress.update()
    progress.close()
    shown = terminal.getvalue()
    assert "split:  50%" in shown
    assert "\n" not in shown
    assert shown.endswith("\r")


def test_without_stderr_nothing_is_printed(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)  # as in a process that was started with 2>&-
    progress = bar("split", 4)
    for _ in range(2):
        clock.now += 1000
        progress.update()
    progress.close()


def test_an_item_counts_when_the_next_one_is_asked_for(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = []
    for item in track("abc", "read", 3):
        clock.now += 60
        seen.append((item, capsys.readouterr().err))
    assert seen == [
        ("a", ""),
        ("b", "read:  33% 1/3 [01:00<02:00, 60.00s/ parts]\n"),
        ("c", "read:  67% 2/3 [02:00<01:00, 60.00s/ parts]\n"),
    ]
    assert capsys.readouterr().err == "read: 100% 3/3 [03:00<00:00, 60.00s/ parts]\n"


def test_an_error_between_items_removes_the_bar(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = open_terminal(monkeypatch)

    def broken() -> Iterator[int]:
        for number in range(2):
            clock.now += 10
            yield number
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(track(broken(), "read"))
    assert "read: 1 parts" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r")


def test_variables_that_tqdm_cannot_read_are_an_error_in_a_line() -> None:
    code = (
        "from textclf.core import progress, stage; stage.exit_code('train', lambda: "
        "progress.bar('rows', 1).close())"
    )
    reason = "could not convert string to float: 'often'"
    done = python("-c", code, TQDM_MININTERVAL="often")
    assert (
        done.err
        == f"error: train: the variables TQDM_... must be valid; got: {reason}; unset them\n"
    )
