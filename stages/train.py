"""Train one model, and predict every row with it.

Reads: FEATURES, an npz a split.
Writes: MODEL_FOLDER, the fitted model with the record and the history of its training; PREDICTIONS, Parquet.
Params: train.<model>.
"""

from pathlib import Path

import pandas as pd
from scipy.sparse import vstack

from textclf import features, files, models, predictions, stage
from textclf.errors import UserError
from textclf.params import Params


def run(params: Params, model: str, feature_folder: Path, model_folder: Path, prediction_file: Path) -> None:
    """Train the MODEL named, on the training rows of FEATURE_FOLDER."""
    if model not in params.train.models:
        raise UserError(f"model must be in train.models ({', '.join(params.train.models)}); got {model}")
    parts = features.read(feature_folder)
    # What the network looks at while it trains: the validation rows, or, as in the lesson, the test rows.
    watched = "validation" if "validation" in parts else "test"
    fitted = models.module(model).fit(parts["train"], parts[watched], getattr(params.train, model))
    probabilities = fitted.predict_proba(vstack([part.X for part in parts.values()], format="csr"))
    tables, start = [], 0
    for name, part in parts.items():
        tables.append(predictions.table(name, part, probabilities[start : (start := start + len(part.ids))]))
    with files.outputs(model_folder, prediction_file) as (folder, rows):
        folder.mkdir()
        fitted.save(folder)
        files.write_json(folder / "training.json", dict(fitted.record))
        if fitted.history is not None:
            history = fitted.history.replace({"split": {"watched": watched}})
            files.write_csv(folder / "history.csv", history)
        predictions.write(pd.concat(tables), rows)


if __name__ == "__main__":
    stage.main(run)
