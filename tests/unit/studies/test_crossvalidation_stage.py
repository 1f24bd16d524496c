"""The stage crossvalidate on a few rows: what it writes and says of the models."""

from pathlib import Path

import pytest

from stages import crossvalidate
from tests.settings import train
from tests.unit.studies.samples import corpus, settings
from textclf.core import files
from textclf.evaluate.settings import Evaluate
from textclf.split.settings import Split
from textclf.tables.settings import Data
from textclf.vectorize.settings import Combine, Vectorize


def test_a_sentence_on_each_pair_follows_the_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, report, trainings = (tmp_path / name for name in ("rows.csv", "report.json", "trainings.csv"))
    files.write_csv(table, corpus(40)[["text", "label"]])
    crossvalidate.run(
        Combine(),
        settings(),
        Data(path=str(table)),
        Evaluate(),
        Split(),
        train("majority", "logistic_regression", "naive_bayes"),
        Vectorize.model_validate({"words": {}}),
        pretrained=tmp_path,
        report=report,
        trainings=trainings,
    )
    *models, pair = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in models] == ["majority", "logistic_regression", "naive_bayes"]
    assert pair.startswith("naive_bayes and logistic_regression are alike within a point of accuracy")
    assert {"better", "alike", "worse", "wins", "p"} <= set(files.read_json(report)["naive_bayes_vs_majority"])
    assert len(files.read_csv(trainings)) == 18
