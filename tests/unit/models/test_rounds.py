"""Models of fewer labels: the rows on which they are fitted, and what train writes."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tests.unit.evaluate.samples import known
from tests.unit.models.stages import run_stages
from tests.unit.split.rows import write_csv
from textclf.artifacts import features, splits
from textclf.artifacts.predictions import HELD_OUT, ROUNDS, Predictions, batches
from textclf.models.common.crossvalidation import DRAWS, subsets
from textclf.tables.labelled import COLUMNS

WORDS = {"pos": "good great fine", "neg": "bad poor awful", "new": "odd strange queer"}
CHOSEN = ("random", "uncertain", "diverse", "uncertain")


def predicted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str, labels: str
) -> list[Predictions]:
    """Return what models of fewer labels predict of a table of 40 rows, four labels a round."""
    monkeypatch.chdir(folder)
    texts = [
        (f"{WORDS[label]} food n{n}", label)
        for n, label in enumerate(["pos", "neg"] * 20 + labels.split())
    ]
    added = [(f"p{n}", *each, CHOSEN[n % 4], str(n // 4 + 1)) for n, each in enumerate(texts[40:])]
    run_stages(
        folder,
        kind,
        texts[:40],
        settled=False,
        labelled=write_csv(folder / "labelled.csv", added, COLUMNS),
    )
    path = folder / "trained/model" / ROUNDS
    return [*batches(path)] if path.exists() else []


def test_models_of_fewer_labels_have_the_settled_c_and_predict_test_rows_of_the_table_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = predicted(tmp_path, monkeypatch, "logistic_regression, C: [0.1, 10]", "pos neg " * 6)
    names = ["history 30", "history 34", "history 38", "random 33", *["suggested 33"] * DRAWS]
    assert [str(part.split[0]) for part in parts] == names
    read = features.read(tmp_path / "features/words")
    assert all(part.ids.tolist() == read["test"].ids.tolist() for part in parts)
    assert not any(each.startswith("p") for each in parts[0].ids)
    rows = read["train"].take(known(splits.read_rounds(tmp_path / "splits"))[0] <= 1)
    held_out = [*batches(tmp_path / "trained/model" / HELD_OUT)]
    assert {name for part in held_out for name in part.ids if name.startswith("p")} == {
        "p0",
        "p4",
        "p8",
    }  # drawn at random
    C = json.loads((tmp_path / "trained/model/training.json").read_text())["C"]
    again = LogisticRegression(C=C).fit(rows.X, rows.y).predict_proba(read["test"].X)
    assert parts[1].probabilities == pytest.approx(again, abs=1e-6)


@pytest.mark.parametrize(
    ("marks", "held"), [("train suggested", range(0, 80, 2)), ("suggested", [])]
)
def test_suggested_rows_of_the_table_train_and_are_never_held_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marks: str, held: Sequence[int]
) -> None:
    monkeypatch.chdir(tmp_path)
    each = (marks.split() * 80)[:80] + ["test"] * 20
    rows = [
        (f"{WORDS[label]} food n{n}", label, str(n), each[n])
        for n, label in enumerate(["pos", "pos", "neg", "neg"] * 25)
    ]
    header = ("text", "label", "id", "split")
    run_stages(
        tmp_path, "logistic_regression", rows, settled=False, header=header, id="id", split="split"
    )
    path = tmp_path / "trained/model" / HELD_OUT
    result = {name for part in batches(path) for name in part.ids} if path.exists() else set()
    assert result == set(map(str, held))
    assert features.read(tmp_path / "features/words")["train"].y.shape == (80,)
    assert not (tmp_path / "trained/model" / ROUNDS).exists()


@pytest.mark.parametrize(
    ("kind", "labels", "names"),
    [
        (
            "naive_bayes",
            "pos neg pos neg new neg pos neg pos neg pos neg",
            ["history 38", "random 33"],
        ),
        ("majority", "pos neg pos neg", []),
        ("logistic_regression", "", []),
    ],
)
def test_sets_without_a_class_are_left_out_and_all_without_rounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, labels: str, names: list[str]
) -> None:
    result = [str(part.split[0]) for part in predicted(tmp_path, monkeypatch, kind, labels)]
    assert [name for name in result if name[0] != "s"] == names


def test_suggested_and_random_texts_are_as_many_in_each_round_and_the_draws_differ() -> None:
    rounds, place = np.repeat(np.arange(13, dtype=np.int32), 20), np.arange(260)
    chosen = np.where(
        rounds == 0,
        "",
        np.where(place % 10 == 0, "random", np.where(place % 3 == 0, "", "uncertain")),
    )
    result: dict[str, list[bytes]] = {}
    for name, some in subsets(rounds, chosen):
        result.setdefault(name, []).append(some.tobytes())
        counts = np.bincount(rounds[some], minlength=13).tolist()
        assert counts == [20, *[2] * 12] or name == "history"
        assert {*chosen[some & (rounds > 0)]} == {
            {"suggested": "uncertain"}.get(name, name)
        } or name == "history"
    assert {name: len({*each}) for name, each in result.items()} == {
        "history": 9,
        "random": 1,
        "suggested": DRAWS,
    }
