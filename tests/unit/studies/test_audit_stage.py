"""The stage audit on a few rows: its outputs, each the same every time, and the error if cleanlab is missing."""

import re
import sys
from pathlib import Path

import pytest

from stages import audit
from tests import stored_splits
from tests.refusal import refusal
from tests.settings import train
from tests.unit.studies.audits import rows_with_issues
from textclf.artifacts import splits
from textclf.core import stage
from textclf.core.about import About
from textclf.core.arrow import hash_normalized
from textclf.core.extras import how_to_install
from textclf.core.failures import USAGE_ERROR
from textclf.evaluate.settings import Evaluate
from textclf.split.settings import Split
from textclf.studies.audit import summary
from textclf.studies.settings import Audit
from textclf.tables.settings import Data
from textclf.vectorize.settings import Combine, Vectorize


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the rows of two splits in data/splits."""
    place = tmp_path / "data" / "splits"
    place.mkdir(parents=True)
    rows = rows_with_issues()
    rows = rows.assign(cluster=hash_normalized(rows["text"]))
    for name, part in rows.groupby("split"):
        stored_splits.write(part, place / f"{name}.parquet")
    splits.write_classes(["0", "1"], place)
    return tmp_path


def run(folder: Path, number: int, task: str = "multiclass") -> list[Path]:
    outs = [folder / f"out{number}" / name for name in ("audit.json", "audit.csv", "audit.html")]
    audit.run(
        About(title="Three wrong"),
        Audit(models=("naive_bayes",)),
        Combine(),
        Data.model_validate({"path": "rows.csv", "task": task}),
        Evaluate(),
        Split(),
        train("naive_bayes"),
        Vectorize.model_validate({"words": {}}),
        splits=folder / "data" / "splits",
        raw=folder / "data" / "raw",
        pretrained=folder / "data" / "pretrained",
        summary=outs[0],
        issues=outs[1],
        page=outs[2],
    )
    return outs


def test_the_stage_writes_the_same_bytes_each_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = run(folder, 1), run(folder, 2)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert b"Three wrong" in first[2].read_bytes()
    printed = capsys.readouterr().out
    assert re.search(r"^the model contradicts [0-9]+ of 60 labels$", printed, re.MULTILINE)
    warned = "prediction sets that are fitted to corrected labels may do worse on test rows"
    assert warned in printed
    assert warned in first[2].read_text(encoding="utf-8")


def test_a_missing_cleanlab_is_told_before_any_training(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab", None)
    monkeypatch.setattr(summary, "audit", None)
    assert stage.exit_code("audit", lambda: len(run(folder, 1))) == USAGE_ERROR
    line = f"error: audit: the package cleanlab must be installed for this; {how_to_install('audit')}\n"
    assert capsys.readouterr().err == line
    assert not (folder / "out1").exists()


def test_several_labels_per_text_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    rule = "multiclass, since an audit looks for the one wrong label of a row; got multilabel"
    assert refusal(run, tmp_path / "none", 1, "multilabel") == f"params.yaml: data.task must be {rule}"
