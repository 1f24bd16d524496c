"""The review of an audit: each answer is a line of corrections.csv, one per row, whatever else the file has."""

import os
import re
import signal
import sys
from pathlib import Path

import pytest

from textclf.label.review import Reviews
from textclf.label.rows import AnsweredError, Row
from textclf.tables import corrections


def start(path: Path, by_hand: str = "id,label\n") -> Reviews:
    """Return reviews of the rows a to e, which are labelled 0."""
    if not path.exists():
        path.write_text(by_hand)
    rows = [Row(name, "text", given="0", other={"place": str(place)}) for place, name in enumerate("abcde", start=1)]
    return Reviews(path, rows, multilabel=False)


def test_answers_are_lines_and_what_a_user_wrote_stays(tmp_path: Path) -> None:
    reviews = start(path := tmp_path / "mine.csv", 'note,id,label\n"x\ny",e,1\n\n')
    for name, label in zip("abcd", ["1", "0", "", "1"], strict=True):
        reviews.answer(name, label, "ann, B.")
    reviews.undo("b")
    path.write_text(path.read_text() + "by hand,b,1,,,,\n")
    assert re.sub(r"[\d-]{10}T[\d:]{8}Z", "now", path.read_text()) == (
        'note,id,label,given,by,at,place\n"x\ny",e,1,,,,\n\n,a,1,0,"ann, B.",now,1\n,c,,0,"ann, B.",now,3\n'
        ',d,1,0,"ann, B.",now,4\nby hand,b,1,,,,\n'
    )
    for name in "be":
        with pytest.raises(AnsweredError, match="has been answered meanwhile: 1"):
            reviews.answer(name, "0", "ben")
    assert not [row for row in start(path).rows if row.open]
    reviews.undo("a")
    assert [row.id for row in reviews.rows if row.open] == ["a"]


@pytest.mark.parametrize("calls", range(600, 12_600, 600))
def test_a_review_that_is_killed_loses_no_answer_and_has_none_twice(tmp_path: Path, calls: int) -> None:
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
    written, seen = list(corrections.read(tmp_path / "mine.csv").reviews), len(list(tmp_path.glob("?")))
    assert len(written) - seen in (0, 1)
    answer()
    assert list(corrections.read(tmp_path / "mine.csv").reviews) == [*"abcde"]
