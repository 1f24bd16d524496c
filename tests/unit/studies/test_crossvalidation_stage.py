"""The stage crossvalidate on a few rows: what it writes and says of the models."""

from pathlib import Path

import pandas as pd
import pytest

from stages import crossvalidate
from tests.settings import train
from tests.unit.studies.samples import corpus, settings
from textclf.core import files
from textclf.evaluate.settings import Evaluate
from textclf.split.settings import Split
from textclf.tables.settings import Data
from textclf.vectorize.settings import Combine, Vectorize


def test_texts_of_no_class_and_of_rare_classes_take_no_part(tmp_path: Path) -> None:
    rows = corpus(40)[["text", "label"]]
    reports = []
    for name, others, data in (
        ("plain", [], {}),
        ("unknown", [("tree", "oos")] * 3, {"unknown": "oos"}),
        ("rare", [("tree", "x"), ("sea", "y"), ("lake", "y")], {"rare": "drop"}),
    ):
        table, report = tmp_path / f"{name}.csv", tmp_path / f"{name}.json"
        files.write_csv(table, pd.concat([rows, pd.DataFrame(others, columns=["text", "label"])]))
        sections = Combine(), settings(), Data.model_validate({"path": str(table), **data}), Evaluate(), Split()
        vectorize = Vectorize.model_validate({"words": {}})
        crossvalidate.run(
            *sections,
            train("majority"),
            vectorize,
            pretrained=tmp_path,
            report=report,
            trainings=tmp_path / "trainings.csv",
        )
        reports.append(files.read_json(report))
    assert reports[0] == reports[1] == reports[2]


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
