"""A model of texts and other columns: predictions, explanations and the server."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from stages import crossvalidate
from stages.combine import combine
from tests.processes import Command
from tests.refusal import refusal
from tests.unit.predict.models import export
from tests.unit.serve.clients import talk
from tests.unit.split.rows import split_table, write_csv
from tests.unit.studies import samples
from textclf.artifacts import features, splits
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.decisions import Decision
from textclf.artifacts.shapes import write_features
from textclf.evaluate.settings import Evaluate
from textclf.export.explanation import terms_of_models
from textclf.models import logistic_regression
from textclf.models.common.fitted import Folders
from textclf.models.settings import Train
from textclf.predict.predictor import Predictor, load
from textclf.serve.app import create_app
from textclf.split.settings import Split
from textclf.studies.measure import Sections
from textclf.tables.settings import Data
from textclf.vectorize import in_memory
from textclf.vectorize.representation import VECTORIZER, read
from textclf.vectorize.settings import Combine, Vectorize
from textclf.vectorize.stage import vectorize

# The label is 1 if the text is good and the price high, or the shop is B; neither alone tells it.
ROWS = [
    (("good", "bad")[n % 2], str(int((n % 2 == 0 and price > 50) or shop == "B")), str(price), shop)
    for n, (price, shop) in enumerate([(10, "A"), (90, "A"), (20, "B"), (95, "A"), (85, "A")] * 24)
]
FACTS = {"method": "columns", "numbers": ["price"], "categories": ["shop"]}
SECTION = Vectorize.model_validate({"words": {}, "facts": FACTS})
EMPTY = {"text": "good", "price": "", "shop": ""}
RECORDS = [{"text": "good", "price": price, "shop": "A"} for price in (90, 10)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the splits, features and the exported model."""
    folder = tmp_path_factory.mktemp("columns")
    table = write_csv(folder / "t.csv", ROWS, ("text", "label", "price", "shop"))
    split_table(folder, Data(path=str(table), columns=("price", "shop")), Split(test_size=0.25))
    rows = splits.open_shards(folder / "splits")
    for name in SECTION.names():
        made = folder / "features" / name
        made.mkdir(parents=True)
        memory = folder / f"remembered-{name}"
        write_features(vectorize(rows, ["0", "1"], name, SECTION[name], made, folder, memory), made)
    (folder / "features" / "both").mkdir()
    combine(folder / "features", ("words", "facts"), folder / "features" / "both")
    for name in ("both", "facts"):
        made = folder / "features" / name
        train = Dataset.of_shards(features.open_shards(made)["train"])
        settings = logistic_regression.Settings(C=100.0)
        fitted = logistic_regression.fit(train, None, settings, Folders(folder))
        export(
            Predictor(read(made / VECTORIZER, folder), fitted.layers, Decision(0.5)),
            folder / "models" / name,
        )
    return folder


def test_columns_and_texts_together_are_learned(folder: Path) -> None:
    test, model = splits.read(folder / "splits")["test"], load(folder / "models" / "both")
    assert (model.predict(test["text"]) == test["label"]).mean() > 0.95
    pair = Combine.model_validate({"both": {"first": "words", "second": "facts"}})
    made = in_memory.vectorize_splits(
        splits.read(folder / "splits"), "both", SECTION, pair, ["0", "1"], folder
    )
    assert made["test"].X.toarray() == pytest.approx(
        model.vectorizer.transform(test["text"]).toarray()
    )


def test_records_and_data_frames_are_predicted_alike(folder: Path) -> None:
    model = load(folder / "models" / "both")
    assert (
        model.predict(RECORDS).tolist()
        == model.predict(pd.DataFrame(RECORDS)).tolist()
        == ["1", "0"]
    )
    missing = {"text": "good", "price": None, "shop": float("nan")}
    first, second = model.predict_proba([missing, EMPTY]).tolist()
    assert first == second
    assert refusal(model.predict, [{"text": "good", "price": 1}]) == (
        "texts[0] must have the keys text and price, shop, which the model reads; "
        "got none named 'shop'"
    )
    assert "texts[1]: price must be a number" in refusal(
        model.predict, [RECORDS[0], RECORDS[0] | {"price": "1 EUR"}]
    )
    with pytest.raises(TypeError, match=r"texts\[0\] must be a str"):
        model.predict([RECORDS[0] | {"text": None}])


def test_explanations_and_terms_name_columns(folder: Path) -> None:
    both, facts = load(folder / "models" / "both"), load(folder / "models" / "facts")
    assert {term for term, _ in both.explain(RECORDS)[0]} == {"good", "price=90", "shop=A"}
    assert {term for term, _ in facts.explain(RECORDS)[0]} == {"price=90", "shop=A"}
    models, reads = {"m": both.model, "n": facts.model}, {"m": "both", "n": "facts"}
    fitted = {"both": both.vectorizer, "facts": facts.vectorizer}
    terms = terms_of_models(models, reads, fitted, folder / "features", 9)
    assert set(terms["term"]) == {
        *("words__good", "words__bad", "facts__price", "facts__shop=A", "facts__shop=B"),
        *("price", "shop=A", "shop=B"),
    }


def test_the_columns_of_a_table_are_cross_validated(folder: Path, tmp_path: Path) -> None:
    data = Data(path=str(folder / "t.csv"), columns=("price", "shop"))
    train = Train.model_validate({"facts": {"kind": "logistic_regression", "features": "facts"}})
    report, trainings = tmp_path / "report.json", tmp_path / "trainings.csv"
    sections = Sections(Split(), SECTION, Combine(), train, Evaluate())
    studied = samples.settings(folds=2, repeats=1)
    crossvalidate.run(
        studied, data, sections, pretrained=folder, report=report, trainings=trainings
    )
    assert "facts" in json.loads(report.read_text())  # of two texts, too few to be right


@pytest.mark.parametrize(
    ("header", "row", "labels"),
    [("text,price,shop", "good,90,A", ["1"]), ("text,price", "good,90", [])],
)
def test_the_command_reads_the_columns_of_a_table(
    header: str, row: str, labels: list[str], folder: Path, command_line: Command, tmp_path: Path
) -> None:
    (tmp_path / "new.csv").write_text(f"{header}\n{row}\n")
    table, models = tmp_path / "new.csv", folder / "models"
    done = command_line("predict", "--models", models, "--model", "both", "--path", table)
    assert [json.loads(line)["label"] for line in done.lines] == labels
    rule = "a column that the model reads must be one of its columns (text, price); got 'shop'"
    assert (f"new.csv: {rule}" in done.err) == (not labels)


def test_the_server_takes_records(folder: Path) -> None:
    models = {name: load(folder / "models" / name) for name in ("both", "facts")}
    named = "texts[0] must have the keys text and price, shop, which the model reads"
    wrong: list[tuple[Any, str]] = [
        (RECORDS[0] | {"price": "x"}, "texts[0]: price must be a number, such as 12.5, or empty"),
        ({"text": "good", "price": 1}, named),
        ({"price": 1, "shop": "A"}, "texts[0] must be text"),
        ("good", "a text must come with the columns price, shop, which the model reads"),
    ]
    posts = [
        lambda client, texts=texts: client.post("/predict", json={"texts": texts})
        for texts in (RECORDS, *([text] for text, _ in wrong))
    ]
    first, *others = talk(create_app(models, "both"), *posts)
    assert [row["label"] for row in first.json()["predictions"]] == ["1", "0"]
    assert [
        (answer.status_code, answer.json()["error"].partition(";")[0]) for answer in others
    ] == [(422, line) for _, line in wrong]
