"""Optional stages in the whole pipeline: behavioural tests and external predictions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import textclf
from tests import verify
from tests.verify import Copy
from textclf.artifacts import splits

MINE = """
classes: {bad: "0", good: "1"}
tests:
  words:
    kind: minimum_function
    texts: {good: [I loved it., The best place.], bad: [The worst place.]}
  case: {kind: invariance, texts: [I loved it.], perturbations: [upper_case]}
"""


def repro(copy: Copy, external: str, tests: str) -> str:
    """Run the pipeline with these evaluate.external and behave.tests; return its output."""
    settings = [f"evaluate.external={external}", f"behave.tests={tests}"]
    verify.change_params(copy.folder / "params.yaml", settings)
    return copy.dvc("repro")


def metrics(folder: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "metrics" / f"{name}.json").read_text())
    return content


def rates(folder: Path, name: str) -> dict[str, Any]:
    """Return the failure rates of each model by test."""
    models = metrics(folder, f"behaviour/{name}")["models"]
    return {
        model: {test: of["failure_rate"] for test, of in tests.items()}
        for model, tests in models.items()
    }


@pytest.mark.slow
def test_optional_stages_run_only_if_they_are_named_and_leave_nothing_behind(
    workshop: Callable[[], Copy],
) -> None:
    copy = workshop()
    folder = copy.folder
    report, index = folder / "reports" / "report.html", folder / "models" / "index.json"
    before = report.read_bytes(), index.read_bytes()
    assert "Behavioural tests" not in report.read_text()
    (folder / "mine.yaml").write_text(MINE)
    rows = pd.read_parquet(folder / "data" / "predictions" / "keras.parquet").sample(
        frac=1, random_state=0
    )
    rows.to_csv(folder / "mine.csv", index=False)
    rows.loc[rows["split"] == "test", ["id", "label"]].to_parquet(folder / "labels.parquet")
    theirs = "{theirs: mine.csv, labels: labels.parquet}"
    printed = repro(copy, theirs, "{sentiment: behaviour/sentiment.yaml, mine: mine.yaml}")
    optional = ["behave@mine", "behave@sentiment", "external@labels", "external@theirs"]
    assert sorted(verify.stages_run(printed)) == sorted(
        [*optional, "check", "evaluate", "export", "plot", "report"]
    )
    assert verify.stages_run(copy.dvc("repro")) == []

    # Predictions made elsewhere are measured like those of a model.
    measured = metrics(folder, "evaluation")
    assert measured["theirs"] == measured["keras"]
    assert metrics(folder, "comparisons")["theirs_vs_keras"]["difference"] == 0
    assert list(measured["labels"]) == ["test"]
    assert measured["labels"]["test"]["accuracy"] == 1
    assert index.read_bytes() == before[1]
    assert "labels" in (folder / "plots" / "confusion.svg").read_text()

    # Behavioural tests
    assert rates(folder, "mine")["majority"] == {"words": 0.666667, "case": 0.0}
    assert rates(folder, "sentiment").keys() == {"majority", "logistic_regression", "keras"}
    for text in (
        "were made elsewhere and read from mine.csv",
        "Behavioural tests",
        "behaviour/sentiment.yaml",
    ):
        assert text in report.read_text()
    paths = [folder / "metrics/behaviour/mine.json", folder / "data/behaviour/mine.json"]
    written = [path.read_bytes() for path in paths]
    copy.dvc("repro", "--force", "--single-item", "behave@mine")
    assert [path.read_bytes() for path in paths] == written

    # What is no longer named is removed.
    printed = repro(copy, theirs, "{mine: mine.yaml}")
    # Which tests are on is among the settings that export and report depend on, and behave tests
    # what export wrote.
    assert sorted(verify.stages_run(printed)) == ["behave@mine", "check", "export", "report"]
    assert (
        "metrics/behaviour/sentiment.json removed: its tests are no longer in behave.tests"
        in printed
    )
    assert not (folder / "data" / "behaviour" / "sentiment.json").exists()
    assert "data/predictions/theirs.parquet removed" in repro(copy, "{}", "{}")
    assert verify.stages_run(copy.dvc("repro")) == []
    assert set(metrics(folder, "evaluation")) == {"majority", "logistic_regression", "keras"}
    assert not (folder / "data" / "trained" / "labels").exists()
    assert [path.name for path in (folder / "metrics" / "behaviour").iterdir()] == ["README.md"]
    assert (report.read_bytes(), index.read_bytes()) == before


AVERAGED = """
train:
  majority: {kind: majority, features: words}
  logistic_regression: {kind: logistic_regression, features: words}
  bayes: {kind: naive_bayes, features: words}
average: {mean: {first: logistic_regression, second: bayes}}
"""


@pytest.mark.slow
def test_an_average_is_a_model_like_any_other_and_leaves_nothing_behind(
    workshop: Callable[[], Copy],
) -> None:
    copy = workshop()
    folder = copy.folder
    text = (folder / "params.yaml").read_text()
    params = {
        **yaml.safe_load(text),
        **yaml.safe_load(AVERAGED),
        "gate": {},
        "export": {"model": "mean"},
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    printed = copy.dvc("repro")
    assert "average@mean" in verify.stages_run(printed)
    assert verify.stages_run(copy.dvc("repro")) == []

    # Without validation rows, held-out training rows choose the weight.
    record = metrics(folder, "training")["mean"]
    assert (0 < record["weight"] < 1, record["weight_rows"]) == (True, 750)
    held_out = metrics(folder, "decisions")["crossvalidation"]
    assert held_out["mean"]["log_loss"] < min(
        held_out[name]["log_loss"] for name in ("logistic_regression", "bayes")
    )
    assert list(metrics(folder, "evaluation")["mean"]) == ["test", "train"]
    assert json.loads((folder / "models/index.json").read_text())["models"][-1] == "mean"
    for each in ("weighted mean of those of logistic regression and bayes", "average.mean"):
        assert each in (folder / "reports/report.html").read_text()
    card = (folder / "models/mean/README.md").read_text()
    for each in (
        "An average of two models has no file of ONNX",
        f"weight (of this training): {record['weight']}",
    ):
        assert each in card

    # What was measured is what is exported.
    predicted = pd.read_parquet(folder / "data/predictions/mean.parquet").set_index("id")
    rows = pd.concat(
        [part.set_index("id") for part in splits.read(folder / "data/splits").values()]
    )
    loaded = textclf.load(folder / "models/mean")
    result = loaded.predict_proba(rows["text"])
    assert (
        result.tolist()
        == predicted.loc[rows.index, ["probability_0", "probability_1"]].to_numpy().tolist()
    )

    # The default model can be fitted again on training and validation rows, here both members.
    params |= {
        "split": params["split"] | {"validation_size": 0.15},
        "export": {"model": "mean", "refit": True},
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    copy.dvc("repro")
    for sentence in (
        "are of a model fitted on the 600 training rows",
        "the models that were measured are fitted on",
    ):
        assert sentence in (folder / "models/mean/README.md").read_text()
        assert sentence not in (folder / "models/bayes/README.md").read_text()
        assert sentence in (folder / "reports/report.html").read_text()
    anew, measured = (textclf.load(folder / "models" / name) for name in ("mean", "bayes"))
    assert (
        sum(block.representation.columns for block in anew.vectorizer.blocks) == 1714
    )  # of all 750 rows, as before
    assert measured.vectorizer.columns < 1714
    written = verify.file_hashes(folder)
    copy.dvc("repro", "--force", "--single-item", "export")
    assert verify.file_hashes(folder) == written

    (folder / "params.yaml").write_text(text)
    printed = copy.dvc("repro")
    for gone in ("data/trained/mean", "data/predictions/mean.parquet"):
        assert f"{gone} removed" in printed
        assert not (folder / gone).exists()
    assert verify.stages_run(copy.dvc("repro")) == []
