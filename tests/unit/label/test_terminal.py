"""The command `textclf label` in a terminal."""

import io
from pathlib import Path

import pytest

from tests.processes import Command
from textclf.label.rows import Row, read_rows, write_rows


@pytest.mark.usefixtures("here")
def test_lines_answer_skip_discard_and_undo(
    monkeypatch: pytest.MonkeyPatch, command_line: Command
) -> None:
    rows = [Row(str(n), f"text \x1b[31m{n}", suggested="pear", probability="0.5") for n in range(6)]
    write_rows(Path("fruit.csv"), [*rows[:5], Row("5", "five", "old", "bob")])

    def label(typed: str, *words: str) -> list[str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        status, out, err = command_line("label", "fruit.csv", "--terminal", "--by", "ann", *words)
        assert (status, "\x1b" in out) == (0, False)
        return [*out.splitlines(), *err.splitlines()]

    lines = label("s\n1\nap\nd\nu\n+new\n", "--labels", "apple,apricot,plum", "--output", "ann.csv")
    assert "this must be one of the labels; got 'ap', with which apple, apricot begin" in lines
    assert "suggested: pear; probability: 0.5" in lines
    assert lines[-3:-1] == [
        "2 of 6 texts answered in ann.csv",
        "next: textclf label --merge ann.csv",
    ]
    assert [row.label for row in read_rows(Path("ann.csv"))] == ["", "apple", "new", "", "", ""], (
        "bob's is left out"
    )
    assert not any(
        "pear" in line for line in label("\nq\n", "--output", "ann.csv", "--blind") if ":" in line
    )
    write_rows(Path("fruitless.csv"), [Row("1", "text")])
    monkeypatch.setattr("sys.stdin", io.StringIO("q\n"))
    assert "+name for a new one" in command_line("label", "fruitless.csv", "--terminal").out
    label("\nPLUM\n\n" + "d\n" * 3, "--output", "ann.csv", "--labels", "plum")
    assert [row.label for row in read_rows(Path("ann.csv"))] == [
        "pear",
        "apple",
        "new",
        "plum",
        "pear",
        "",
    ]
    assert [row.label for row in read_rows(Path("fruit.csv"))] == ["", "", "", "", "", "old"]


def test_several_labels_have_commas_between(
    here: Path, monkeypatch: pytest.MonkeyPatch, command_line: Command
) -> None:
    file = here / "f.csv"
    write_rows(file, [Row(str(n), "text", suggested='["a", "b"]') for n in range(3)])
    monkeypatch.setattr("sys.stdin", io.StringIO("b, +c\n-\n\n"))
    assert command_line("label", "f.csv", "--terminal").status == 0
    assert [row.label for row in read_rows(file, multilabel=True)] == [
        '["b", "c"]',
        "[]",
        '["a", "b"]',
    ]
