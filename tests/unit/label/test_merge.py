"""The command `textclf label --merge`: additions, conflicts, and how far people agree."""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from tests.refusal import refusal
from textclf.label import merge
from textclf.label.merge import describe_agreement
from textclf.label.rows import COLUMNS, Row, read_rows, write_rows
from textclf.project.init.survey import survey
from textclf.tables import labelled
from textclf.tables.edited import append_rows
from textclf.tables.settings import Data

HEADER = "id,text,label,chosen,round\n"


@pytest.fixture(autouse=True)
def _project(here: Path) -> None:
    (here / "params.yaml").write_text("data: {path: t.csv}\n")
    Path("labelled.csv").write_text(HEADER)
    Path("t.csv").write_text("text,label\nof the table,x\nOf  the TABLE too,y\n")


def person(name: str, labels: Sequence[str | None], why: str = "diverse") -> Path:
    """Write a person's answers to texts 0, 1, ...: "" discards a text, None leaves it open."""
    path = Path(f"{name}.csv")
    by = [None if label is None else name for label in labels]
    rows = [
        Row(str(n), f"text {n}\r", label or "", by[n] or "", why=why)
        for n, label in enumerate(labels)
    ]
    write_rows(path, rows)
    return path


def run(*files: Path, output: Path | None = None) -> None:
    merge.run(files, output)


def added() -> dict[str, str]:
    rows = labelled.read(Path("labelled.csv"))
    return dict(zip(rows.ids, rows.labels, strict=True))


def test_one_person_is_appended_round_by_round_and_never_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(person("ann", ["a", "", None]))
    run(person("ann", ["a", "", "b", None], "random"))
    run(person("ann", ["b", "", "b", "a"], "someone: a"))
    rows = labelled.read(Path("labelled.csv"))
    assert (rows.labels, rows.rounds, rows.texts[0]) == (
        ["a", "", "b", "a"],
        [1, 1, 2, 3],
        "text 0\r",
    )
    assert rows.chosen == ["diverse", "diverse", "random", ""]
    assert capsys.readouterr().out.splitlines() == [
        "labelled.csv: 1 text added; 0 already there; 1 discarded",
        "labels added: a (1)",
        "next: dvc repro",
        "labelled.csv: 1 text added; 2 already there; 0 discarded",
        "labels added: b (1)",
        "next: dvc repro",
        "labelled.csv: 1 text added; 3 already there; 0 discarded",
        "labels added: a (1)",
        "labelled.csv has other labels, which stay unless you edit it: '0' 'a', now 'b'",
        "next: dvc repro",
    ]
    assert not Path("conflicts.csv").exists()


def test_a_second_person_who_comes_later_changes_no_label(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(person("ann", ["a", "b"]))
    run(Path("ann.csv"), person("ben", ["b", "b"]))
    assert added() == {"0": "a", "1": "b"}
    assert not Path("conflicts.csv").exists()
    line = (
        "people differ on 1 text that labelled.csv has already; its labels stay unless you edit it"
    )
    assert line in capsys.readouterr().out.splitlines()


def test_a_text_or_an_id_of_the_table_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("t.csv:2", "another"), ("9", "of the table too"), ("10", "new")]
    write_rows(Path("ann.csv"), [Row(name, text, "a") for name, text in rows])
    run(Path("ann.csv"))
    assert added() == {"10": "a"}
    rule = "the table of the project has the text or the id, or a near copy that tests"
    line = f"2 texts left out, since {rule}"
    assert line in capsys.readouterr().out.splitlines()


def test_without_a_project_random_texts_test_and_discarded_ones_are_in_labelled_csv() -> None:
    Path("params.yaml").unlink()
    Path("labelled.csv").unlink()
    others = [Row("9", "t", "b"), Row("10", "typical", "a", why="diverse")]
    write_rows(Path("b.csv"), [*read_rows(person("ann", ["a", "", "b"], "random")), *others])
    run(Path("b.csv"))
    expected = (
        b'id,text,label,split\n0,"text 0\r",a,test\n2,"text 2\r",b,test\n9,t,b,train\n'
        b"10,typical,a,suggested\n"
    )
    assert Path("table.csv").read_bytes() == expected
    target = survey(Path("table.csv"), Data(path="table.csv", id="id", split="split"))
    assert (target.given, target.suggested, target.choosing) == ({"train": 2, "test": 2}, 1, 1)
    assert added() == {"1": ""}


def test_conflicts_are_labelled_and_merged_and_answers_in_their_file_stay(
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = person("ann", ["a", "a", "a", "", ""]), person("ben", ["a", "b", "b", "", "b"])
    run(*files)
    assert added() == {"0": "a", "3": ""}
    conflicts = read_rows(Path("conflicts.csv"))
    whys = {"1": "ann: a; ben: b", "2": "ann: a; ben: b", "4": "ann: discarded; ben: b"}
    assert {row.id: row.why for row in conflicts} == whys
    end = (
        "next: textclf label conflicts.csv, then textclf label --merge ann.csv ben.csv "
        "conflicts.csv\n"
    )
    assert capsys.readouterr().out.endswith(end)
    one, two, four = (replace(row, other={"note": ""}) for row in conflicts)
    answered = [replace(one, label="b", by="cat"), replace(four, label="c", by="cat")]
    write_rows(
        Path("conflicts.csv"),
        [*answered, Row("z", "mine", other={"note": "kept"})],
        [*COLUMNS, "note"],
    )
    run(*files, Path("conflicts.csv"))
    assert added() == {"0": "a", "3": "", "1": "b"}
    kept = {row.id: row for row in read_rows(Path("conflicts.csv"))}
    assert kept == {
        row.id: row for row in (*answered, two, Row("z", "mine", other={"note": "kept"}))
    }


def test_several_labels_are_equal_as_sets() -> None:
    Path("params.yaml").write_text("data: {path: t.csv, task: multilabel, label_separator: '|'}\n")
    run(person("ann", ['["b", "a"]', "[]", '["a"]']), person("ben", ['["a","b"]', "[]", "[]"]))
    assert added() == {"0": '["a", "b"]', "1": "[]"}


def test_mistakes_are_a_line_and_nothing_is_written() -> None:
    ann, ben, cat = person("ann", ["a"]), person("ben", ["a"]), person("cat", [None])
    write_rows(ben, [Row("0", "other", "a")])
    Path("mine.csv").write_text("id,label,text\n0,x,y\n")
    lines = []
    for files, output in (((ann, ben), None), ((ann,), Path("mine.csv")), ((cat,), None)):
        lines.append(refusal(run, *files, output=output))
    assert lines == [
        "ben.csv: id '0' must have the text that it has in ann.csv; got another",
        (
            "mine.csv must have the columns id, text, label, split; got no split; "
            "give another --output"
        ),
        "cat.csv: some rows must have a label; got none; fill the column label",
    ]
    assert (Path("mine.csv").read_text(), added()) == ("id,label,text\n0,x,y\n", {})


@pytest.mark.parametrize("moment", range(20))
def test_a_merge_that_is_killed_at_any_moment_loses_nothing_and_adds_nothing_twice(
    moment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "describe_agreement", lambda *_: [])
    files = person("ann", list("abca" * 9)), person("ben", list("abcb" * 9))
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == last:
            os._exit(9)

    def append(*arguments: Any) -> None:
        sys.setprofile(count)  # from the first write on
        append_rows(*arguments)

    monkeypatch.setattr(merge, "append_rows", append)
    last = -1
    run(*files)
    sys.setprofile(None)
    outputs = [Path("labelled.csv"), Path("conflicts.csv")]
    expected = [path.read_bytes() for path in outputs]
    outputs[0].write_text(HEADER)
    outputs[1].unlink()
    last, calls = calls * moment // 20 + 1, 0
    if (child := os.fork()) == 0:
        run(*files)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    last = -1
    run(*files)
    sys.setprofile(None)
    assert [path.read_bytes() for path in outputs] == expected
    assert not [*Path().glob(".*")]


def rows(labels: Iterable[str]) -> list[Row]:
    return [Row(str(n), "t", label, "x") for n, label in enumerate(labels)]


def test_agreement_is_that_of_published_examples_and_libraries_with_intervals() -> None:
    draw = np.random.default_rng(0)
    a = draw.choice(list("abc"), 80)
    b = np.where(draw.random(80) < 0.8, a, draw.choice(list("abc"), 80))
    share, kappa, alpha = describe_agreement({"a": rows([*a, ""]), "b": rows([*b, "a"])}, False)
    assert share.startswith("80 texts that a and b have labelled: equal labels for ")
    assert kappa.startswith(f"Cohen's kappa: {cohen_kappa_score(a, b):.2f} (95%: ")
    assert alpha.startswith("Krippendorff's alpha: ")
    low, high = (float(end) for end in kappa.partition("95%: ")[2].rstrip(")").split(" to "))
    assert low + 0.05 < cohen_kappa_score(a, b) < high - 0.05
    # The example of Krippendorff (2011).
    published = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
    people = {labels: rows(label.strip(".") for label in labels) for labels in published}
    share, alpha = describe_agreement(people, False)
    assert share.startswith("11 texts that two people or more have labelled: ")
    assert alpha.startswith("Krippendorff's alpha: 0.74 (95%: ")


def test_each_of_several_labels_is_a_decision() -> None:
    a, b = ['["x"]', '["x", "y"]'] * 10, ['["x"]', '["y"]', "[]", '["x", "y"]'] * 5
    _, kappa, _ = describe_agreement({"a": rows(a), "b": rows(b)}, True)
    flags = [[int(name in cell) for cell in cells for name in "xy"] for cells in (a, b)]
    assert kappa.startswith(f"Cohen's kappa: {cohen_kappa_score(*flags):.2f} (95%: ")


def test_what_cannot_be_computed_is_said() -> None:
    assert list(describe_agreement({"a": rows("xyx"), "b": rows("xyy")}, False)) == [
        "agreement cannot be computed from 3 texts that a and b have labelled; it takes 10"
    ]
    for labels, said in (
        ("x" * 12, "cannot be computed, as all labels are the same"),
        ("xy" * 6, "1.00, without an interval, as all labels are equal"),
    ):
        _, *lines = describe_agreement({"a": rows(labels), "b": rows(labels)}, False)
        assert [line.partition(": ")[2] for line in lines] == [said, said]
