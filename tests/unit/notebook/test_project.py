"""The project of the tests as a notebook reads it; the page on notebooks runs on it, too."""

import doctest
import inspect
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import textclf
from tests.conftest import tree
from tests.processes import ROOT, git
from tests.refusal import refusal
from textclf.artifacts import predictions
from textclf.artifacts.predictions import Predictions
from textclf.notebook.project import Project

NAMES = [name for name in dir(Project) if not name.startswith("_")]
PUBLIC = {"open": textclf.open, "Project": Project, **{name: vars(Project)[name] for name in NAMES}}


CELL = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def inside(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, one below the project of the tests, which is in Git."""
    shutil.copy(ROOT / "dvc.yaml", project)
    git("init", "--quiet", folder=project)
    git("add", "params.yaml", "dvc.yaml", "metrics", folder=project)
    git("commit", "--quiet", "--message=a run", folder=project)
    (project / "notebooks").mkdir()
    monkeypatch.chdir(project / "notebooks")
    return project


def test_the_leaderboard_has_the_numbers_of_metrics(inside: Path) -> None:
    metrics = json.loads((inside / "metrics/evaluation.json").read_text())["majority"]["test"]
    ends = json.loads((inside / "metrics/intervals.json").read_text())["majority"]["test"]
    (row,) = textclf.open().leaderboard().reset_index().to_dict("records")
    assert row["model"] == "majority"
    assert row["default"]
    for name in ("accuracy", "log_loss"):
        assert row[name] == metrics[name]
        low, high = (row[f"{name}_{end}"] for end in ("low", "high"))
        if ends.get(name) is None:
            assert pd.isna(low)
            assert pd.isna(high)
        else:
            assert (low, high) == (ends[name]["low"], ends[name]["high"])


def test_the_leaderboard_compares_with_the_baseline_and_the_best_model() -> None:
    pairs = json.loads((ROOT / "metrics/comparisons.json").read_text())
    board = textclf.open(ROOT).leaderboard()
    best = board.index[0]
    columns = [
        f"against_{name}{end}" for name in ("majority", best) for end in ("", "_low", "_high")
    ]
    assert [*board.columns[-6:]] == columns
    known = pairs["keras_vs_majority"]
    assert [*board.loc["keras", columns[:3]]] == [
        known[name] for name in ("difference", "low", "high")
    ]
    assert board.loc[best, columns[3:]].isna().all()
    assert board.loc["majority", f"against_{best}"] == -board.loc[best, "against_majority"]


@pytest.mark.parametrize("split", ["train", "test"])
def test_predictions_are_those_that_were_measured_with_their_texts(
    inside: Path, split: str
) -> None:
    frame = textclf.open(inside).predictions("majority", split)
    stored = predictions.read(inside / "data/predictions/majority.parquet")
    assert frame["id"].tolist() == stored.ids[stored.split == split].tolist()
    model = textclf.load("majority")
    assert frame["predicted"].tolist() == model.predict(frame["text"]).tolist()
    probabilities = frame[["probability_0", "probability_1"]].to_numpy()
    assert probabilities == pytest.approx(model.predict_proba(frame["text"]))
    numbers = json.loads((inside / "metrics/evaluation.json").read_text())["majority"][split]
    assert (frame["label"] == frame["predicted"]).mean() == pytest.approx(
        numbers["accuracy"], abs=1e-6
    )


def test_mistakes_are_the_wrong_test_rows_the_surest_first(inside: Path) -> None:
    path = inside / "data/predictions/majority.parquet"
    rows = predictions.read(path)
    for place in range(len(rows)):
        positive = (place * 7 % 19 + 1) / 20
        rows.probabilities[place] = 1 - positive, positive
    predictions.write([rows], path)
    run = textclf.open()
    every, wrong = run.predictions("majority"), run.mistakes("majority")
    assert set(wrong["id"]) == set(every["id"][every["label"] != every["predicted"]])
    assert 0 < len(wrong) < len(every)
    sureness = wrong[["probability_0", "probability_1"]].max(axis=1)
    assert sureness.is_monotonic_decreasing
    assert sureness.nunique() > 1


def test_without_the_splits_predictions_have_no_texts(inside: Path) -> None:
    shutil.rmtree(inside / "data/splits")
    assert "text" not in textclf.open().predictions("majority").columns


@pytest.mark.usefixtures("inside")
def test_an_unknown_model_or_split_is_refused_with_the_known_ones() -> None:
    run = textclf.open()
    assert refusal(run.predictions, "none") == (
        "the model must be one with predictions in data/predictions (majority); got 'none'; "
        "run dvc repro (or dvc pull) to make them"
    )
    assert re.fullmatch(
        r"the split must be one that majority predicted \(train, (validation, )?test\); got 'x'",
        refusal(run.predictions, "majority", "x"),
    )


def test_of_several_labels_the_surest_one_that_is_wrong_counts(inside: Path) -> None:
    rows = Predictions(
        np.array(["a", "b", "c"], dtype=object),
        np.array(["test"] * 3, dtype=object),
        np.array([[1, 0], [0, 1], [1, 1]], dtype=np.int8),
        np.array([[0.6, 0.7], [0.1, 0.8], [0.9, 0.05]]),
        ("x", "y"),
    )
    predictions.write([rows], inside / "data/predictions/majority.parquet")
    decide("majority", {"thresholds": [0.5, 0.5]}, inside)
    run = textclf.open()
    assert run.predictions("majority")["predicted"].tolist() == [["x", "y"], ["y"], ["x"]]
    wrong = run.mistakes("majority")
    assert wrong["id"].tolist() == ["c", "a"]
    assert wrong["label"].tolist() == [["x", "y"], ["x"]]


def test_no_answer_is_none_and_a_mistake(inside: Path) -> None:
    rows = Predictions(
        np.array(["a", "b"], dtype=object),
        np.array(["test"] * 2, dtype=object),
        np.array([0, 1]),
        np.array([[0.9, 0.1], [0.45, 0.55]]),
        ("x", "y"),
    )
    predictions.write([rows], inside / "data/predictions/majority.parquet")
    decide("majority", {"costs": [[0, 1, 0.2], [1, 0, 0.2]]}, inside)
    run = textclf.open()
    assert run.predictions("majority")["predicted"].tolist() == ["x", None]
    assert run.mistakes("majority")["id"].tolist() == ["b"]


def decide(model: str, decision: dict[str, object], project: Path) -> None:
    path = project / "metrics/decisions.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, model: decision}))


def test_without_pandas_the_error_says_what_to_install() -> None:
    code = (
        "import sys, textclf; sys.modules['pandas'] = None\n"
        "try:\n    textclf.open()\nexcept textclf.core.errors.UserError as error:\n"
        "    print(error)"
    )
    said = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert said.startswith("the package pandas must be installed for this; ")


def test_the_report_is_shown_in_a_frame_of_its_own(inside: Path) -> None:
    page = inside / "reports/report.html"
    page.write_text('<p title="a">&amp;</p></iframe>')
    shown = textclf.open().report._repr_html_()
    assert 'srcdoc="&lt;p title=&quot;a&quot;&gt;&amp;amp;&lt;/p&gt;&lt;/iframe&gt;"' in shown
    assert 'sandbox="allow-scripts allow-popups"' in shown
    page.unlink()
    assert "report.html not found; run dvc repro" in refusal(lambda: textclf.open().report)


def test_a_revision_is_compared_with_the_working_tree(inside: Path) -> None:
    run = textclf.open()
    same = run.compare("HEAD")
    assert set(same["verdict"]) == {"unchanged"}
    path = inside / "metrics/evaluation.json"
    content = json.loads(path.read_text())
    content["majority"]["test"]["accuracy"] -= 0.125
    path.write_text(json.dumps(content))
    rows = run.compare("HEAD").query("split == 'test' and metric == 'accuracy'")
    (changed,) = rows.to_dict("records")
    assert (changed["model"], changed["difference"]) == ("majority", -0.125)
    assert changed["verdict"] == "baseline"
    assert refusal(run.compare, "none").startswith("a revision must be a commit that Git has here")


@pytest.mark.parametrize("name", PUBLIC)
def test_the_examples_of_a_docstring_hold(name: str, inside: Path) -> None:
    before = tree(inside / "data")
    doc = inspect.getdoc(PUBLIC[name]) or ""
    example = doctest.DocTestParser().get_doctest(doc, {}, "example", None, None)
    assert example.examples
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example).failed == 0
    assert tree(inside / "data") == before


def test_a_project_has_five_names_beside_its_folder() -> None:
    assert {*NAMES} == {"leaderboard", "predictions", "mistakes", "report", "compare"}


def test_importing_textclf_imports_neither_numpy_nor_the_notebook() -> None:
    code = "import sys, textclf; print({'numpy', 'pandas', 'textclf.notebook'} & {*sys.modules})"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"


def test_the_cells_of_the_page_run_in_order(inside: Path) -> None:
    page = (ROOT / "docs/notebook.md").read_text(encoding="utf-8")
    before, cells = tree(inside), CELL.findall(page)
    assert len(cells) > 3
    namespace: dict[str, object] = {}
    for cell in cells:
        exec(cell, namespace)  # noqa: S102 (the page of this repository)
    assert tree(inside) == before
