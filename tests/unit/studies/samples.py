"""A small corpus and the lesson's settings, for the tests of the studies."""

from pathlib import Path
from typing import Any

import pandas as pd

from stages import crossvalidate
from tests.drawn import draw_splits
from tests.settings import train
from textclf.core import files
from textclf.evaluate.settings import Evaluate
from textclf.split.settings import Split
from textclf.studies.measure import Sections, Setup
from textclf.studies.settings import CrossValidate
from textclf.tables.settings import Data
from textclf.vectorize.settings import Combine, Vectorize

CLASSES = ["0", "1"]
FAST = ("majority", "logistic_regression")
WORDS = ("good", "bad", "food", "place", "staff", "nice", "awful", "great")


def corpus(rows: int, classes: str = "01") -> pd.DataFrame:
    """Return rows of distinct texts, each with a word of its class."""
    labels = [classes[number % len(classes)] for number in range(rows)]
    return pd.DataFrame(
        {
            "id": [f"c:{number}" for number in range(rows)],
            "text": [
                f"class{label} {WORDS[n % 8]} {WORDS[3 * n % 7]} row{n}"
                for n, label in enumerate(labels)
            ],
            "label": labels,
        }
    )


def split(rows: int = 40, **changes: Any) -> dict[str, pd.DataFrame]:
    return draw_splits(corpus(rows), Split(stratify=True, **changes))


def sections(*models: str) -> Sections:
    return Sections(
        Split(), Vectorize.model_validate({"words": {}}), Combine(), train(*models), Evaluate()
    )


def setup(models: tuple[str, ...] = FAST, **changes: dict[str, Any]) -> Setup:
    parts = vars(sections(*models))
    changed = {name: type(parts[name]).model_validate(each) for name, each in changes.items()}
    return Setup(**parts | changed, pretrained=Path("data/pretrained"))


def crossvalidated(
    folder: Path,
    rows: pd.DataFrame,
    *models: str,
    studied: CrossValidate | None = None,
    **data: Any,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Run the stage crossvalidate on a table of these rows; return its report and trainings."""
    table, report, trainings = (
        folder / name for name in ("rows.csv", "report.json", "trainings.csv")
    )
    files.write_csv(table, rows[["text", "label"]])
    crossvalidate.run(
        studied or settings(),
        Data.model_validate({"path": str(table), **data}),
        sections(*models),
        pretrained=folder,
        report=report,
        trainings=trainings,
    )
    return files.read_json(report), files.read_csv(trainings)


def settings(**changes: int) -> CrossValidate:
    return CrossValidate.model_validate({"folds": 3, "repeats": 2, "seeds": 3, "seed": 0} | changes)
