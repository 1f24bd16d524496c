"""The review of an audit: each answer is a line of corrections.csv, one per row."""

import os
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.unit.split.rows import rows_of, split_table, write_csv
from textclf.label import review
from textclf.label.arguments import Answering
from textclf.label.review import Reviews
from textclf.label.rows import AnsweredError, Row
from textclf.split.settings import Split
from textclf.tables import corrections
from textclf.tables.settings import Data


def start(path: Path, by_hand: str = "id,label\n") -> Reviews:
    """Return reviews of the rows a to e, which are labelled 0."""
    if not path.exists():
        path.write_text(by_hand)
    rows = [
        Row(name, "text", given="0", other={"place": str(place)})
        for place, name in enumerate("abcde", start=1)
    ]
    return Reviews(path, rows, multilabel=False)


def test_answers_are_lines_and_what_a_user_wrote_stays(tmp_path: Path) -> None:
    reviews = start(path := tmp_path / "mine.csv", 'note,id,label\n"x\ny",e,1\n\n')
    for name, label in zip("abcd", ["1", "0", "", "1"], strict=True):
        reviews.answer(name, label, "ann, B.")
    reviews.undo("b")
    path.write_text(path.read_text() + "by hand,b,1,,,,\n")
    assert re.sub(r"[\d-]{10}T[\d:]{8}Z", "now", path.read_text()) == (
        'note,id,label,given,by,at,place\n"x\ny",e,1,,,,\n\n,a,1,0,"ann, B.",now,1\n,c,,0,"ann, '
        'B.",now,3\n'
        ',d,1,0,"ann, B.",now,4\nby hand,b,1,,,,\n'
    )
    for name in "be":
        with pytest.raises(AnsweredError, match="has been answered meanwhile: 1"):
            reviews.answer(name, "0", "ben")
    assert not [row for row in start(path).rows if row.open]
    reviews.undo("a")
    assert [row.id for row in reviews.rows if row.open] == ["a"]


@pytest.mark.parametrize("correct_test_rows", [False, True])
@pytest.mark.parametrize("changed", ["none", "train", "test"])
def test_each_row_says_its_split_and_the_end_what_becomes_of_the_labels(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changed: str,
    correct_test_rows: bool,
) -> None:
    write_csv(here / "rows.csv", [(f"text {n}", "ab"[n % 2]) for n in range(40)])
    data = Data(path="rows.csv", correct_test_rows=correct_test_rows)
    split_table(here, data, Split(test_size=0.5))
    Path("params.yaml").write_text(
        f"data: {{path: rows.csv, correct_test_rows: {str(correct_test_rows).lower()}}}\n"
    )
    Path("corrections.csv").write_text("id,label\n")
    of_split = {name: rows[0] for name, rows in rows_of(here).items() if rows}
    issues = [
        (row["id"], "ab"[row["label"]], "ba"[row["label"]], "m", name)
        for name, row in of_split.items()
    ]
    write_csv(here / "issues.csv", issues, ("id", "given", "suggested", "flagged_by", "split"))
    monkeypatch.setattr(review, "ISSUES", here / "issues.csv")
    monkeypatch.setattr(review, "SPLITS", here / "splits")
    answers = iter([f"+{other}" if name == changed else "" for _, _, other, _, name in issues])
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    assert review.run(Answering(terminal=True, by="ann")) == 0
    said = capsys.readouterr().out
    assert said.index("contradicted by m; a train row") < said.index(
        "contradicted by m; a test row"
    )
    number, of_test = int(changed != "none"), int(changed == "test")
    uses = "those of other rows, and of test rows only with data.correct_test_rows: true"
    uses = uses if of_test and not correct_test_rows else "them"
    counts = f"labels changed: {number}, {of_test} of them of test rows"
    assert said.splitlines()[-1] == f"2 of 2 rows reviewed, {counts}; next: dvc repro uses {uses}"


@pytest.mark.parametrize("calls", range(600, 12_600, 600))
def test_a_review_that_is_killed_loses_no_answer_and_has_none_twice(
    tmp_path: Path, calls: int
) -> None:
    def count(*_: object) -> None:
        nonlocal calls
        calls -= 1
        if not calls:
            os.kill(os.getpid(), signal.SIGKILL)

    def answer(path: Path = tmp_path / "mine.csv", last: str = "e") -> None:
        reviews = start(path)
        for row in [row for row in reviews.rows if row.open and row.id <= last]:
            reviews.answer(row.id, "1", "ann")
            path.with_name(row.id).touch()  # the page moves on

    (warm := tmp_path / "warm").mkdir()
    answer(warm / "mine.csv", "a")
    start(tmp_path / "mine.csv")
    if (child := os.fork()) == 0:
        sys.setprofile(count)
        answer()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    start(tmp_path / "mine.csv")
    assert not [*tmp_path.glob(".*")]
    written, seen = (
        list(corrections.read(tmp_path / "mine.csv").reviews),
        len(list(tmp_path.glob("?"))),
    )
    assert len(written) - seen in (0, 1)
    answer()
    assert list(corrections.read(tmp_path / "mine.csv").reviews) == [*"abcde"]
