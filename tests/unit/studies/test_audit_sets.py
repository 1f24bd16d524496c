"""The audit of texts with several labels, each of which is a yes or no that may be wrong, and its review."""

import csv
from argparse import Namespace
from pathlib import Path

import pandas as pd
import pytest

import stages.split
from tests.page import Page
from tests.settings import models, put
from tests.unit.split.rows import NO_CORRECTIONS, NO_LABELLED
from tests.unit.studies.test_audit_summary import run
from textclf.core import files
from textclf.label import review
from textclf.split.settings import Split
from textclf.tables import corrections
from textclf.tables.settings import Data

SETS = [["late"], [], ["late", "bill"], ["bill"], [], ["late", "bill", "rude"]]
SEVERAL = {"task": "multilabel", "label_separator": "|"}


def test_labels_that_are_missing_or_too_many_are_suggested_and_reviewed_as_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    sets = [SETS[number % 6] for number in range(90)]
    texts = [f"{' '.join(names)} row{number}" for number, names in enumerate(sets)]
    sets[0], sets[1], texts[89] = ["rude"], ["bill"], "ROW4"  # the texts of row 4 and 89 are the same
    rows = pd.DataFrame({"id": range(90), "text": texts, "label": ["|".join(names) for names in sets]})
    files.write_csv(Path("rows.csv"), rows)
    Path("data").mkdir()
    written = {"splits": Path("data/splits"), "report": Path("splits.json")}
    data = Data.model_validate({"path": "rows.csv", "id": "id", **SEVERAL})
    stages.split.run(data, Split(), corrections=NO_CORRECTIONS, labelled=NO_LABELLED, **written)

    numbers, table, page = run(tmp_path, 1, **SEVERAL)
    found = {row["id"]: row for row in csv.DictReader(table.read_text(encoding="utf-8").splitlines())}
    given = {"0": '["rude"]', "89": '["bill", "late", "rude"]', "1": '["bill"]'}
    assert {row: cells["given"] for row, cells in found.items()} == given
    assert (found["0"]["suggested"], found["1"]["suggested"]) == ('["late"]', "[]")
    content = files.read_json(numbers)
    assert content["suggested"]["late"]["missing"] == content["suggested"]["bill"]["too_many"] == 1
    assert content["conflicts"] == {"texts": 1, "rows": 2}
    shown = Page(page.read_text(encoding="utf-8")).text
    for section, text in (
        ("suspicious", "no label"),
        ("conflicts", "bill, late, rude"),
        ("pairs", "label and mistake"),
    ):
        assert text in shown[section]

    monkeypatch.setattr(review, "ISSUES", table)
    Path("corrections.csv").write_text("id,label\n")
    Path("params.yaml").write_text(put(*models("naive_bayes"), "data.path", "rows.csv", "data.task", "multilabel"))
    answers = iter(["d", "", "-"])
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    assert review.run(Namespace(terminal=True, blind=False, by="ann", port=0)) == 0
    said = capsys.readouterr().out
    assert "of 90 sets of labels" in said
    assert "3 of 3 rows reviewed, labels changed: 1" in said
    read = corrections.read(Path("corrections.csv"), multilabel=True)
    assert read.reviews == {row: (labels, place) for place, (row, labels) in enumerate(given.items(), start=1)}
    assert read.labels == {"89": given["89"], "1": "[]"}
