import io
import sys
from collections.abc import Iterator

import pytest

from textclf.core import progress
from textclf.core.progress import Progress, counted


class Clock:
    """Seconds that pass when they are told to."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(progress, "time", clock := Clock())
    return clock


class Terminal(io.StringIO):
    """Keeps what a terminal would show."""

    def isatty(self) -> bool:
        return True


def test_short_work_says_nothing(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    said = Progress("split", 10)
    for _ in range(10):
        clock.now += 5.9
        said.add()
    said.close()
    assert capsys.readouterr() == ("", "")


def test_long_work_says_a_line_a_minute_and_where_it_ended(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    said = Progress("split", 4_000_000)
    for _ in range(4):
        clock.now += 40
        said.add(1_000_000)
    said.close()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "split: 2,000,000 of 4,000,000 rows, 25,000 a second, 80 s left",
        "split: 4,000,000 of 4,000,000 rows, 25,000 a second, 0 s left",
    ]


def test_the_end_is_told_where_it_was_not_and_lines_went_before(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    said = Progress("read", None, "part")
    for seconds in (60, 30):
        clock.now += seconds
        said.add(90)
    said.close()
    assert capsys.readouterr().err == "read: 90 parts, 2 a second\nread: 180 parts, 2 a second\n"


def test_more_than_was_said_leaves_no_time(clock: Clock) -> None:
    said = Progress("read", 10)
    clock.now += 2
    said.add(12)
    assert said.line() == "read: 12 of 10 rows, 6 a second, 0 s left"


@pytest.mark.usefixtures("clock")
def test_before_anything_is_done_no_time_is_foretold() -> None:
    assert Progress("read", 10).line() == "read: 0 of 10 rows, 0 a second"


def test_a_terminal_has_a_bar_that_goes_away_and_no_lines(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    said = Progress("split", 4)
    clock.now += 1000
    said.add(2)
    said.close()
    shown = terminal.getvalue()
    assert "split:   0%" in shown
    assert "a second" not in shown
    assert "\n" not in shown
    assert shown.endswith("\r")


def test_without_a_stderr_nothing_is_said(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)  # as Python sets it where it was started with 2>&-
    said = Progress("split", 4)
    for _ in range(2):
        clock.now += 1000
        said.add()
    said.close()


def test_pieces_come_through_and_each_counts_when_it_is_done_with(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = []
    for piece in counted("abc", "read", 3):
        clock.now += 60
        seen.append((piece, capsys.readouterr().err))
    assert seen == [
        ("a", ""),
        ("b", "read: 1 of 3 parts, 0 a second, 120 s left\n"),
        ("c", "read: 2 of 3 parts, 0 a second, 60 s left\n"),
    ]
    assert capsys.readouterr().err == "read: 3 of 3 parts, 0 a second, 0 s left\n"


def test_an_error_among_the_pieces_takes_the_bar_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with pytest.raises(ValueError, match="broken"):
        list(counted(broken(), "read"))
    assert terminal.getvalue().endswith("\r")
