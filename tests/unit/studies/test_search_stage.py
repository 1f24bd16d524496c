"""The stage search on a few rows: the numbers that it prints add up."""

import re
from pathlib import Path

import pytest

from stages import search
from tests import stored_splits
from tests.settings import train
from tests.unit.studies.audits import rows_with_issues
from textclf.artifacts import splits
from textclf.core import files
from textclf.core.arrow import hash_normalized
from textclf.evaluate.settings import Evaluate
from textclf.split.settings import Split
from textclf.studies.settings import Search
from textclf.vectorize.settings import Combine, Vectorize


def test_the_optimism_is_the_difference_of_the_two_scores_before_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = rows_with_issues()
    rows = rows.assign(cluster=hash_normalized(rows["text"]))
    (tmp_path / "splits").mkdir()
    for name, part in rows.groupby("split"):
        stored_splits.write(part, tmp_path / "splits" / f"{name}.parquet")
    splits.write_classes(["0", "1"], tmp_path / "splits")
    search.run(
        Combine(),
        Evaluate(),
        Search(trials=6, folds=2, nested=2),
        Split(),
        train("logistic_regression"),
        Vectorize.model_validate({"words": {}}),
        splits=tmp_path / "splits",
        pretrained=tmp_path / "pretrained",
        summary=tmp_path / "search.json",
        trials=tmp_path / "search.csv",
        figure=tmp_path / "search.svg",
    )
    printed = capsys.readouterr().out
    number = r"(-?[0-9.]+)"
    line = rf"repeated in 2 outer folds: {number} inside, {number} on unseen rows; optimism {number}\n"
    (found,) = re.findall(line, printed)
    inside, unseen, optimism = map(float, found)
    assert optimism == pytest.approx(unseen - inside, abs=0.0015)  # of the log loss; each is rounded
    expected = files.read_csv(tmp_path / "search.csv", ["expected"])["expected"]
    assert f"half of the trials would find {expected[2]:.3f} on average\n" in printed
