"""What an audit reports, and what it refuses."""

import csv
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import stages.split
from stages import audit
from tests.page import Page
from tests.processes import ROOT
from tests.refusal import refusal
from tests.settings import models, put
from tests.unit.split.rows import NO_CORRECTIONS, NO_LABELLED
from tests.unit.studies.audits import WRONG, find, rows_with_issues, write_splits
from tests.unit.studies.samples import corpus, sections
from textclf.core import files, stage
from textclf.core.about import About
from textclf.core.extras import how_to_install
from textclf.core.failures import USAGE_ERROR
from textclf.core.files import write_csv
from textclf.label import review
from textclf.label.arguments import Answering
from textclf.models.settings import Train
from textclf.split.settings import Split
from textclf.studies.audit import summary
from textclf.studies.audit.summary import choose_models, count_reviews, issue_table, summarize
from textclf.studies.settings import Audit
from textclf.tables import corrections
from textclf.tables.corrections import Corrections
from textclf.tables.settings import Data

SETS = [["late"], [], ["late", "bill"], ["bill"], [], ["late", "bill", "rude"]]
SEVERAL = {"task": "multilabel", "label_separator": "|"}


@pytest.fixture(scope="module")
def wrong() -> pd.DataFrame:
    return rows_with_issues()


def test_wrong_labels_are_flagged_by_all_models_and_listed_first(
    wrong: pd.DataFrame, tmp_path: Path
) -> None:
    audited = find(wrong)
    table = issue_table(audited)
    content = summarize(audited)
    both = content["flagged"]["all"]
    assert both >= 2  # as many as there are by the estimate, which is rounded
    assert set(table["id"][:both]) <= {f"c:{place}" for place in WRONG}
    assert table["models"].tolist() == [2] * both + [1] * content["flagged"]["by_1"]
    assert (
        content["flagged"]["any"]
        == len(table)
        == content["flagged"]["train"] + content["flagged"]["test"]
    )
    assert sum(count for pairs in content["suggested"].values() for count in pairs.values()) == len(
        table
    )
    write_csv(tmp_path / "audit.csv", table)
    first = next(csv.DictReader((tmp_path / "audit.csv").read_text(encoding="utf-8").splitlines()))
    assert list(first) == ["id", "given", "suggested", "split", "score", "models", "flagged_by"]
    label = wrong["label"][int(first["id"].removeprefix("c:"))]
    assert (first["given"], first["suggested"]) == (label, "10"[int(label)])
    assert first["flagged_by"] == "logistic_regression naive_bayes"


def test_three_classes_and_one_model_will_do() -> None:
    audited = find(rows_with_issues(90, "012"), ("logistic_regression",))
    assert set(np.argsort(audited.issues.scores)[: len(WRONG)].tolist()) == set(WRONG)
    assert (audited.issues.suggested[list(WRONG)] == np.array(WRONG) % 3).all()
    assert set(summarize(audited)["models"]) == {"logistic_regression"}


def test_the_table_has_a_limit(wrong: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "LISTED", 2)
    assert len(issue_table(find(wrong))) == 2


def test_rows_that_are_too_few_are_refused() -> None:
    rule = (
        "each class must have at least 31 texts for 31 folds; 0 has 30; set a smaller audit.folds"
    )
    assert refusal(lambda: find(corpus(60).assign(split="train"), folds=31)) == rule


def test_a_sample_without_a_class_is_refused(wrong: pd.DataFrame) -> None:
    rule = "the 60 rows that are audited must hold every class; 2 has none; set a larger"
    assert refusal(summary.audit, wrong, 90, ["0", "1", "2"], None, Audit()).startswith(rule)


def test_models_are_those_of_the_run_without_majority() -> None:
    train = Train.model_validate(
        {
            name: {"kind": kind, "features": "words"}
            for name, kind in (("same", "majority"), ("keras", "keras"))
        }
    )
    assert choose_models(Audit(), train) == ["keras"]
    assert choose_models(Audit(models=("keras",)), train) == ["keras"]
    alone = Train.model_validate({"majority": {"kind": "majority", "features": "words"}})
    rule = "audit.models must name a model, since train has none but majority"
    assert rule in refusal(choose_models, Audit(), alone)


def test_reviews_are_counted_up_to_each_place_with_wilsons_interval_unless_complete() -> None:
    said = [("1", "0"), ("0", "0"), ("", "0"), ("1", "0"), *[("0", "0")] * 8]
    reviews = {str(place): (given, place) for place, (_, given) in enumerate(said, start=1)} | {
        "x": ("0", 0)
    }
    labels = {str(place): label for place, (label, _) in enumerate(said, start=1) if label}
    counts = count_reviews(Corrections(Path(), labels, reviews=reviews))
    assert list(counts) == ["10", "12"]
    assert counts["12"] == {"wrong": 2, "right": 9, "unclear": 1, "precision": 0.181818}
    del reviews["3"]
    counts = count_reviews(Corrections(Path(), labels, reviews=reviews))
    # The precision and its interval come last.
    assert [*counts["12"].values()] == [2, 9, 0, 0.181818, 0.051368, 0.476981]
    assert (counts["10"]["wrong"], counts["10"]["right"]) == (2, 7)
    assert count_reviews(Corrections(Path(), reviews={"1": ("0", 1)})) == {}


# The stage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the rows of two splits in data/splits."""
    write_splits(tmp_path / "data" / "splits")
    return tmp_path


def run(folder: Path, number: int, folds: int = 5, **data: str) -> list[Path]:
    outs = [folder / f"out{number}" / name for name in ("audit.json", "audit.csv", "audit.html")]
    audit.run(
        About(title="Three wrong"),
        Audit(models=("naive_bayes",), folds=folds),
        Data.model_validate({"path": "rows.csv", **data}),
        sections("naive_bayes"),
        splits=folder / "data" / "splits",
        raw=folder / "data" / "raw",
        pretrained=folder / "data" / "pretrained",
        corrections=ROOT / "corrections.csv",
        summary=outs[0],
        issues=outs[1],
        page=outs[2],
    )
    return outs


def test_the_stage_writes_the_same_bytes_each_time(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = run(folder, 1), run(folder, 2)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert b"Three wrong" in first[2].read_bytes()
    printed = capsys.readouterr().out
    assert re.search(r"^the model contradicts [0-9]+ of 60 labels$", printed, re.MULTILINE)
    warned = "better models may look worse on wrong test labels"
    assert warned in printed
    assert warned in first[2].read_text(encoding="utf-8")


def test_there_are_only_as_many_folds_as_the_rarest_class_allows(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = run(folder, 1, folds=40)[2].read_text(encoding="utf-8")
    line = "29 folds, not 40 as audit.folds says: class 0 has only 29 different texts or groups\n"
    assert capsys.readouterr().out.startswith(line)
    assert "trained on 28 of 29 folds" in page


def test_a_missing_cleanlab_is_told_before_any_training(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab", None)
    monkeypatch.setattr(summary, "audit", None)
    assert stage.exit_code("audit", lambda: len(run(folder, 1))) == USAGE_ERROR
    line = (
        "error: audit: the package cleanlab must be installed for this; "
        f"{how_to_install('audit')}\n"
    )
    assert capsys.readouterr().err == line
    assert not (folder / "out1").exists()


def test_labels_that_are_missing_or_too_many_are_suggested_and_reviewed_as_lists(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = [SETS[number % 6] for number in range(90)]
    texts = [f"{' '.join(names)} row{number}" for number, names in enumerate(sets)]
    # Rows 4 and 89 have the same text.
    sets[0], sets[1], texts[89] = ["rude"], ["bill"], "ROW4"
    rows = pd.DataFrame(
        {"id": range(90), "text": texts, "label": ["|".join(names) for names in sets]}
    )
    files.write_csv(Path("rows.csv"), rows)
    Path("data").mkdir()
    written = {"splits": Path("data/splits"), "report": Path("splits.json")}
    data = Data.model_validate({"path": "rows.csv", "id": "id", **SEVERAL})
    stages.split.run(data, Split(), corrections=NO_CORRECTIONS, labelled=NO_LABELLED, **written)

    numbers, table, page = run(here, 1, 5, **SEVERAL)
    counts = {
        row["id"]: row for row in csv.DictReader(table.read_text(encoding="utf-8").splitlines())
    }
    given = {"0": '["rude"]', "89": '["bill", "late", "rude"]', "1": '["bill"]'}
    assert {row: cells["given"] for row, cells in counts.items()} == given
    assert (counts["0"]["suggested"], counts["1"]["suggested"]) == ('["late"]', "[]")
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
    Path("params.yaml").write_text(
        put(*models("naive_bayes"), "data.path", "rows.csv", "data.task", "multilabel")
    )
    answers = iter(["d", "", "-"])
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    assert review.run(Answering(terminal=True, by="ann")) == 0
    said = capsys.readouterr().out
    assert "of 90 sets of labels" in said
    assert "3 of 3 rows reviewed, labels changed: 1, " in said
    read = corrections.read(Path("corrections.csv"), multilabel=True)
    assert read.reviews == {
        row: (labels, place) for place, (row, labels) in enumerate(given.items(), start=1)
    }
    assert read.labels == {"89": given["89"], "1": "[]"}
