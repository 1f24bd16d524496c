"""The stages split, vectorize and train in a folder, on the words of a table."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from stages import split as split_stage
from stages import train, vectorize
from tests.unit.split.rows import NO_CORRECTIONS, NO_LABELLED, write_csv
from textclf.artifacts import checked, predictions
from textclf.artifacts.predictions import Predictions
from textclf.split.settings import Split
from textclf.tables.settings import Data


def run_stages(
    folder: Path,
    kind: str,
    rows: Sequence[tuple[str, ...]],
    settled: bool = True,
    labelled: Path = NO_LABELLED,
    teacher: Mapping[str, str] | None = None,
    header: tuple[str, ...] = ("text", "label"),
    **data: object,
) -> Predictions:
    """Train a model of this kind in a folder and return its predictions for all rows."""
    train_section = f"train: {{model: {{kind: {kind}, features: words}}}}\n"
    (folder / "params.yaml").write_text(
        f"vectorize: {{words: {{method: terms}}}}\n{train_section}", encoding="utf-8"
    )
    settings = Data.model_validate(
        {"path": str(write_csv(folder / "rows.csv", rows, header)), **data}
    )
    places = {"splits": folder / "splits", "report": folder / "splits.json", "labelled": labelled}
    split_stage.run(settings, Split(seed=1), corrections=NO_CORRECTIONS, **places)
    checked.write_default(folder / "default.json", settled=settled)
    checked.write_weights(
        folder / "weights", {"train@model": {}}, {"train@model": teacher} if teacher else {}
    )
    (folder / "features").mkdir()
    vectorize.run(
        item="words", splits=folder / "splits", pretrained=folder, features=folder / "features"
    )
    stage = {
        name: folder / name for name in ("features", "splits", "weights", "trained", "predictions")
    }
    train.run(item="model", pretrained=folder, default=folder / "default.json", **stage)
    return predictions.read(folder / "predictions" / "model.parquet")
