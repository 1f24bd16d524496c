"""Two who answer at once, with an editor, a merge and kills meanwhile: no answer is lost."""

import csv
import http.client
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.unit.label.test_server import ask, served
from textclf.label import merge, rows
from textclf.label.review import Reviews
from textclf.label.rows import AnsweredError, LabelFile, Row, Session, read_rows, write_rows
from textclf.label.server import Server
from textclf.tables import corrections, labelled

pytestmark = pytest.mark.posix  # forks
ANSWERS = 1000
Answer = Callable[[str, str], bool]  # an id and who answers it; whether the answer was confirmed


def in_process(path: Path) -> Answer:
    file = LabelFile(path)

    def answer(row_id: str, who: str) -> bool:
        try:
            file.answer(row_id, who, who)
        except AnsweredError:
            return False
        return True

    return answer


def on_page(path: Path) -> Answer:
    server = Server(Session(LabelFile(path), "somebody", [], {}, False))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port)

    def answer(row_id: str, who: str) -> bool:
        asked = {"do": "answer", "id": row_id, "labels": [who], "skipped": []}
        connection.request("POST", "/", json.dumps(asked), {"X-Token": server.token})
        response = connection.getresponse()
        said = json.loads(response.read())
        assert response.status == 200, said
        return not said["told"]

    return answer


def start(
    path: Path, who: str, ids: Sequence[str], made: Callable[[Path], Answer], last: int = 0
) -> int:
    """Answer rows in a process of its own; list the ids that were confirmed in the file `who`.

    It kills itself at its call of a function number `last`, never at -1, which is as slow.
    """
    if child := os.fork():
        return child
    code = 1
    try:
        answer = made(path)
        with path.with_name(who).open("a") as confirmed:
            kill_at(last)
            for row_id in ids:
                if answer(row_id, who):
                    confirmed.write(f"{row_id}\n")
                    confirmed.flush()
        code = 0
    finally:
        os._exit(code)


def kill_at(last: int) -> None:
    """Let this process kill itself at call number `last` of a function; 0: never, full speed."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == last:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count if last else None)


def ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def confirmed(folder: Path, *people: str) -> list[tuple[str, str]]:
    names = [who for who in people if (folder / who).exists()]
    return sorted((row_id, who) for who in names for row_id in (folder / who).read_text().split())


@pytest.mark.slow
@pytest.mark.parametrize("made", [in_process, on_page])
def test_of_a_thousand_answers_of_two_none_is_lost_and_none_is_given_twice(
    made: Callable[[Path], Answer], tmp_path: Path
) -> None:
    path = tmp_path / "f.csv"
    ids = [str(number) for number in range(ANSWERS)]
    write_rows(path, [Row(row_id, f"text {row_id}") for row_id in ids])
    # Each answers half of the rows, and a fifth of all are asked of both.
    asked = {
        who: [row for row in ids if int(row) % 2 == half or int(row) % 10 < 2]
        for half, who in enumerate("ab")
    }
    people = [start(path, who, rows, made) for who, rows in asked.items()]
    assert list(map(ended, people)) == [0, 0]
    stored = sorted((row.id, row.label) for row in read_rows(path))
    assert confirmed(tmp_path, *asked) == stored
    assert [row_id for row_id, _ in stored] == sorted(ids)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["a", "b", "f.csv"]


# An answer to a file that another has changed takes 21,000 calls, others 1,000.
@pytest.mark.parametrize("calls", range(20_500, 60_500, 2_000))
def test_one_of_two_who_is_killed_at_any_moment_loses_no_answer_of_either(
    calls: int, tmp_path: Path
) -> None:
    path = tmp_path / "f.csv"
    ids = [str(number) for number in range(100)]
    write_rows(path, [Row(row_id, "text") for row_id in ids])
    people = [start(path, "a", ids, in_process, calls), start(path, "b", ids[::-1], in_process, -1)]
    assert list(map(ended, people)) == [-signal.SIGKILL, 0]
    stored = sorted((row.id, row.label) for row in read_rows(path))
    answers = confirmed(tmp_path, "a", "b")
    assert len(stored) - len(answers) in (0, 1), "the one that was being written"
    assert {*answers} <= {*stored}
    assert [row_id for row_id, label in stored if not label] == []
    assert not [*tmp_path.glob(".*")]


def test_what_an_editor_saves_between_or_during_two_answers_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f.csv"
    write_rows(path, [Row(row_id, "text") for row_id in "abcd"])
    file = LabelFile(path)

    def save(old: str, new: str) -> None:
        changed = path.with_name("changed")
        changed.write_text(path.read_text().replace(old, new))
        changed.replace(path)

    file.answer("a", "1", "ann")
    save("b,text", "b,between")
    file.answer("b", "1", "ann")
    as_csv, saved = rows._as_csv, iter([True])

    def late(*arguments: object) -> bytes:
        content = as_csv(*arguments)  # type: ignore[arg-type]
        if next(saved, False):
            save("c,text,", "c,during,2")
        return content

    monkeypatch.setattr(rows, "_as_csv", late)
    file.answer("d", "1", "ann")
    result = [(row.text, row.label) for row in read_rows(path)]
    assert result == [("text", "1"), ("between", "1"), ("during", "2"), ("text", "1")]
    with pytest.raises(AnsweredError, match="answered meanwhile: 2"):
        file.answer("c", "1", "ann")


def test_undo_takes_back_no_answer_of_another_person(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    write_rows(path, [Row("1", "one"), Row("2", "two")])
    ann, ben = LabelFile(path), LabelFile(path)
    ann.answer("1", "a", "ann")
    ann.undo("1")
    ben.answer("1", "b", "ben")
    for row in "11":
        with pytest.raises(AnsweredError, match="answered meanwhile: b"):
            ann.undo(row)
    ann.undo("2")  # as another tab has done already
    assert [(row.label, row.by) for row in read_rows(path)] == [("b", "ben"), ("", "")]
    ben.undo("1")
    assert read_rows(path)[0].open


def test_undo_of_a_review_takes_back_no_line_of_another_person(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("id,label\n")
    ann, ben = (Reviews(path, [Row("1", "text", given="0")], multilabel=False) for _ in range(2))
    ann.answer("1", "1", "ann")
    ann.undo("1")
    ben.answer("1", "1", "ben")
    with pytest.raises(AnsweredError, match="answered meanwhile: 1"):
        ann.undo("1")
    assert corrections.read(path).labels == {"1": "1"}
    ben.undo("1")
    assert corrections.read(path).labels == {}


def test_two_tabs_of_two_pages_are_told_what_the_other_has_answered(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    with served(path) as first, served(path) as second:
        assert ask(first, "answer", id="1", labels=["a"])["told"] == ""
        view = ask(second, "answer", id="1", labels=["b"])
        assert (view["told"], view["row"]["id"]) == (
            "this text has been answered meanwhile: a",
            "2",
        )
        assert ask(second, "undo", id="1")["told"] == "this text has been answered meanwhile: a"
        assert ask(first, "undo", id="1")["row"]["id"] == "1"


@pytest.fixture
def project(here: Path) -> Path:
    Path("params.yaml").write_text("data: {path: t.csv}\n")
    Path("t.csv").write_text("text,label\nof the table,x\nand another,y\n")
    Path("labelled.csv").write_text(f"{','.join(labelled.COLUMNS)}\n")
    return here


def run_merge(*files: str, last: int = 0) -> int:
    """Merge in a process that writes its output to a file with its number; `last`: `kill_at`."""
    if child := os.fork():
        return child
    code = 1
    try:
        with Path(f"{os.getpid()}.out").open("w") as sys.stdout:
            kill_at(last)
            merge.run([*map(Path, files)])
        code = 0
    finally:
        os._exit(code)


def test_of_two_merges_at_once_one_waits(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rows(
        Path("ann.csv"), [Row(str(number), f"text {number}", "a", "ann") for number in range(3000)]
    )
    read_target = merge._read_target

    def slow(*arguments: object) -> object:
        target = read_target(*arguments)  # type: ignore[arg-type]
        time.sleep(0.2)  # both are here
        return target

    monkeypatch.setattr(merge, "_read_target", slow)
    children = [run_merge("ann.csv") for _ in range(2)]
    assert list(map(ended, children)) == [0, 0]
    assert sorted(Path(f"{child}.out").read_text().splitlines()[0] for child in children) == [
        "labelled.csv: 0 texts added; 3000 already there; 0 discarded",
        "labelled.csv: 3,000 texts added; 0 already there; 0 discarded",
    ]
    assert len({*labelled.read(Path("labelled.csv")).ids}) == 3000
    assert not [*project.glob(".*")]


# A merge takes 93,000 calls.
@pytest.mark.parametrize("calls", range(4_500, 94_500, 4_500))
def test_a_merge_that_is_killed_while_another_merges_loses_and_doubles_nothing(
    project: Path, calls: int
) -> None:
    for who, ids in (("ann", range(200)), ("ben", range(100, 300))):
        write_rows(
            Path(f"{who}.csv"), [Row(str(number), f"text {number}", "a", who) for number in ids]
        )
    children = [run_merge("ann.csv", last=calls), run_merge("ben.csv", last=-1)]
    killed, other = map(ended, children)
    assert (killed in {-signal.SIGKILL, 0}, other) == (True, 0)
    assert ended(run_merge("ann.csv")) == 0
    assert sorted(map(int, labelled.read(Path("labelled.csv")).ids)) == [*range(300)]
    assert not [*project.glob(".*")]


def test_answers_on_a_page_while_merges_write_its_file_are_not_lost(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object) -> list[str]:
        time.sleep(0.1)  # between reading and writing
        return []

    monkeypatch.setattr(merge, "describe_agreement", slow)
    ids = [str(number) for number in range(300)]
    for who, label in (("ann", "cat"), ("ben", "b")):
        write_rows(Path(f"{who}.csv"), [Row(row_id, "text", label, who) for row_id in ids])
    assert ended(run_merge("ann.csv", "ben.csv")) == 0
    person = start(project / "conflicts.csv", "cat", ids, on_page)
    # A conflict that cat has answered has two equal labels of three, and becomes a labelled text.
    merges = [ended(run_merge("ann.csv", "ben.csv", "conflicts.csv")) for _ in range(4)]
    assert (merges, ended(person)) == ([0] * 4, 0)
    assert ended(run_merge("ann.csv", "ben.csv", "conflicts.csv")) == 0
    assert confirmed(project, "cat") == sorted((row_id, "cat") for row_id in ids)
    with Path("conflicts.csv").open(newline="") as file:
        assert {row["id"]: row["label"] for row in csv.DictReader(file)} == dict.fromkeys(
            ids, "cat"
        )
    assert sorted(labelled.read(Path("labelled.csv")).ids) == sorted(ids)
