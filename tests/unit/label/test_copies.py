"""A copy of a test row never trains, however it is disguised."""

import csv
import shutil
from pathlib import Path

import pytest

from tests.processes import Command
from tests.unit.split.rows import rows_of, split_table, write_csv
from textclf.label import merge
from textclf.label.rows import Row, read_rows, write_rows
from textclf.split.settings import Split
from textclf.tables.labelled import COLUMNS
from textclf.tables.settings import Data

# A test row and its copy. With few words each, one that differs would make another text of it.
DISGUISES = {
    "zero-width space": ("wonderful soup", "wonder\u200bful soup"),
    "zero-width joiner": ("tasty noodles", "tasty noo\u200ddles"),
    "byte order mark": ("friendly waiter", "friendly \ufeffwaiter"),
    "soft hyphen": ("reasonable prices", "rea\u00adson\u00adable prices"),
    "word joiner": ("hidden garden", "hidden\u2060 gar\u2060den"),
    "emoji modifier": ("\U0001f44b", "\U0001f44b\U0001f3fd"),
    "full stop after an emoji": ("\U0001f389", "\U0001f389."),
    "variation selector": ("\u2764 \U0001f44d", "\u2764\ufe0f \U0001f44d"),
    "final full stop": ("cold coffee", "cold coffee."),
    "no final full stop": ("warm beer.", "warm beer"),
    "paragraph": ("salty fries", '<p class="x">salty fries</p>'),
    "line break": ("rude owner", "rude<br/>owner"),
    "entities": ("caf\u00e9 & chips", "caf&eacute; &amp; chips"),
    "case": ("greasy pizza", "GREASY Pizza"),
    "Unicode form": ("cr\u00e8me br\u00fbl\u00e9e", "cre\u0300me bru\u0302le\u0301e"),
    "full width": ("stale bread", "\uff53\uff54\uff41\uff4c\uff45 bread"),
    "white space": ("empty rooms", "empty\u00a0 \trooms"),
    "quotes": ("the 'best' tea", "the \u2018best\u2019 tea"),
    "exclamation marks": ("never again", "Never again!!!"),
    "final emoji": ("lovely view", "lovely view \U0001f600"),
    "one word of many": ("we shall not eat here again", "we shall eat here again"),
}
NEW = "something else entirely"  # which is to be labelled, added and trained on
TABLE = [
    *((f"t{n}", text, "ab"[n % 2], "test") for n, (text, _) in enumerate(DISGUISES.values())),
    *((f"u{n}", f"other{n} row{n}", "a" if n % 2 else "b", "train") for n in range(20)),
]
DATA = Data(path="t.csv", id="id", split="split")


@pytest.fixture(autouse=True)
def _project(here: Path) -> None:
    (here / "params.yaml").write_text("data: {path: t.csv, id: id, split: split}\n")
    write_csv(Path("t.csv"), TABLE, ("id", "text", "label", "split"))
    write_csv(Path("labelled.csv"), [], COLUMNS)


def added() -> list[str]:
    with Path("labelled.csv").open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


def trained() -> list[str]:
    split_table(Path(), DATA, Split(), labelled=Path("labelled.csv"))
    return [row["text"] for row in rows_of(Path())["train"] if not row["text"].startswith("other")]


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_copy_is_not_suggested(disguise: str, command_line: Command) -> None:
    assert trained() == []
    shutil.move("splits", "data/splits")
    write_csv(Path("pool.csv"), [("p1", DISGUISES[disguise][1]), ("p2", NEW)], ("id", "text"))
    result = command_line("suggest", "pool.csv", "--id", "id")
    assert result.status == 0, result.err
    assert [row.text for row in read_rows(Path("to_label.csv"))] == [NEW]


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("drawn", [True, False])
def test_a_copy_is_not_merged(
    disguise: str,
    drawn: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if drawn:
        assert trained() == []
        shutil.move("splits", "data/splits")
    write_rows(Path("ann.csv"), [Row("p1", DISGUISES[disguise][1], "a"), Row("p2", NEW, "a")])
    merge.run([Path("ann.csv")])
    assert added() == [NEW]
    rule = "the table of the project has the text or the id, or a near copy that tests"
    line = f"1 text left out, since {rule}"
    assert line in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_copy_in_labelled_csv_does_not_train(
    disguise: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [("p1", DISGUISES[disguise][1], "a", "", "1"), ("p2", NEW, "a", "", "1")]
    write_csv(Path("labelled.csv"), rows, COLUMNS)
    assert trained() == [NEW]
    line = "warning: labelled.csv: 1 row left out, since near copies of test rows must not train"
    assert line in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("at_once", [True, False])
def test_before_a_project_no_text_both_tests_and_trains(
    disguise: str,
    order: tuple[int, int],
    at_once: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("params.yaml").unlink()
    tests, trains = DISGUISES[disguise]
    random = [Row("r", tests, "a", why="random"), Row("new", NEW, "b", why="random")]
    others = [Row("d", trains, "b", why="diverse"), Row("kept", "of another kind", "b")]
    write_rows(Path("0.csv"), random)
    write_rows(Path("1.csv"), others)
    files = [Path(f"{number}.csv") for number in order]
    for part in [files] if at_once else [files[:1], files]:
        merge.run(part)
    # What the table has stays, and of new rows the one that tests.
    first = "r" if at_once or order[0] == 0 else "d"
    assert {row.id for row in read_rows(Path("table.csv"))} == {first, "new", "kept"}
    reason = "no near copy of a test row may train, in table.csv or among the new texts"
    assert f"1 text left out, since {reason}" in capsys.readouterr().out.splitlines()
