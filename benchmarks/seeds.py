"""Train the lesson's network with many seeds, by the pipeline's fit or by Keras's plain one.

    python -m benchmarks.seeds --fit pipeline --corpus yelp --seeds 20 --result benchmarks/results/seeds-yelp.json

Makes the features as the pipeline does with params.yaml, and trains on them with the seeds 0, 1, ...: by
`textclf.models.keras`, or by `fit` of a plain stack of Dense layers on the dense matrix. The plain fits run in a
process that does not import textclf, so that its arithmetic is not pinned; about 12 s per seed. The result has the
numbers of every fit and, of the pipeline, the lesson's other models on the same rows.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from textclf.models.keras import Settings

ROOT = Path(__file__).resolve().parent.parent
FITS = ("pipeline", "plain")
BASELINES = ["majority", "logistic_regression"]
SETTINGS_FILE, RESULTS_FILE = "settings.json", "plain.json"


def main() -> None:
    """Parse the arguments and train, or make the plain fits for another process of this script."""
    parser = argparse.ArgumentParser(description="Train the lesson's network with many seeds.")
    parser.add_argument("--fit", choices=FITS, default=FITS[0], help="default: pipeline")
    parser.add_argument("--seeds", type=int, default=20, help="number of seeds, at least 2 (default 20)")
    parser.add_argument("--corpus", default="yelp", choices=("yelp", "amazon", "imdb"), help="default: yelp")
    parser.add_argument("--result", type=Path, help="the JSON file to write")
    parser.add_argument("--plain", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)  # used by `run`
    given = parser.parse_args()
    if given.seeds < 2:
        parser.error(f"--seeds must be at least 2; got {given.seeds}")
    if given.plain:
        (given.plain / RESULTS_FILE).write_text(json.dumps(plain_fits(given.plain, given.seeds)))
    elif given.result is None:
        parser.error("--result is required")
    else:
        run(given.fit, given.corpus, given.seeds, given.result)


def run(fit: str, corpus: str, seeds: int, result: Path) -> None:
    """Train with every seed and write the result."""
    # The environment before textclf pins the arithmetic of this process, without TensorFlow's log of the machine.
    unpinned = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    from benchmarks import runs
    from textclf.core import files

    with tempfile.TemporaryDirectory(prefix="textclf-seeds-") as name:
        folder = Path(name)
        settings = prepare(corpus, folder)
        content: dict[str, Any] = {}
        if fit == "plain":
            command = [sys.executable, __file__, "--plain", name, "--seeds", str(seeds)]
            subprocess.run(command, env=unpinned, check=True)
            content["fits"] = json.loads((folder / RESULTS_FILE).read_text())
        else:
            lesson = runs.run({"fetch.corpus": corpus, "train.models": BASELINES})
            content |= {name: lesson[name] for name in ("evaluation", "intervals")}
            content["features"] = lesson["features"]["words"]
            content["fits"] = pipeline_fits(folder, settings, seeds)
    files.write_json(result, runs.rounded(content))


def prepare(corpus: str, folder: Path) -> "Settings":
    """Write the features of a corpus and the network's settings to the folder; return the settings."""
    from benchmarks.runs import CORPORA as RAW
    from benchmarks.runs import WEIGHTS
    from textclf.artifacts import features
    from textclf.core.settings import PARAMS_FILE, load_params
    from textclf.fetch.catalogue import CORPORA
    from textclf.models.keras import Settings
    from textclf.split.draw import draw_splits
    from textclf.split.settings import Split
    from textclf.tables import corpus as reader
    from textclf.tables.settings import Data
    from textclf.vectorize.in_memory import vectorize_splits
    from textclf.vectorize.settings import Vectorize

    sections = {"data": Data, "split": Split, "vectorize": Vectorize, "train.keras": Settings}
    data, split, vectorize, network = load_params(sections, ROOT / PARAMS_FILE).values()
    rows = reader.read(RAW / CORPORA[corpus].file, data)
    representations = {name: vectorize[name] for name in network.features}
    parts, _ = vectorize_splits(draw_splits(rows.rows, split), representations, rows.classes, WEIGHTS)
    for name in ("train", "test"):
        features.write(parts[name], folder / f"{name}.npz")
    # The test rows are watched here, so they must not stop the training.
    settings: Settings = network.model_copy(update={"early_stopping": None})
    (folder / SETTINGS_FILE).write_text(settings.model_dump_json())
    return settings


def pipeline_fits(folder: Path, settings: "Settings", seeds: int) -> list[dict[str, float | None]]:
    """Return the `measures` of the pipeline's fit with each seed."""
    from textclf.artifacts import features
    from textclf.models.common.networks.environment import import_keras
    from textclf.models.keras.training import fit

    parts = features.read(folder)
    keras, _ = import_keras()
    results = []
    for seed in range(seeds):
        keras.utils.clear_session()
        fitted = fit(parts["train"], parts["test"], settings.model_copy(update={"seed": seed}))
        assert fitted.history is not None  # noqa: S101 (for mypy: a network trains in epochs)
        by_split = {str(split): epochs for split, epochs in fitted.history.groupby("split", sort=False)}
        history = {
            "accuracy": by_split["train"]["accuracy"].to_numpy(),
            "val_accuracy": by_split["watched"]["accuracy"].to_numpy(),
            "val_loss": by_split["watched"]["loss"].to_numpy(),
        }
        probabilities = {name: (part.y, fitted.layers.predict_proba(part.X)[:, 1]) for name, part in parts.items()}
        results.append(measures(probabilities, history))
        tell(f"pipeline, seed {seed}: test accuracy {results[-1]['test accuracy']:.3f}")
    return results


def plain_fits(folder: Path, seeds: int) -> list[dict[str, float | None]]:
    """Return the `measures` of plain Keras with each seed, on the features and settings in the folder."""
    import keras
    from scipy.sparse import csr_array

    settings = json.loads((folder / SETTINGS_FILE).read_text())
    X, y = {}, {}
    for name in ("train", "test"):
        with np.load(folder / f"{name}.npz", allow_pickle=False) as stored:
            parts = stored["data"], stored["indices"], stored["indptr"]
            X[name], y[name] = csr_array(parts, shape=tuple(stored["shape"])).toarray(), stored["y"]
    results = []
    for seed in range(seeds):
        keras.utils.clear_session()
        keras.utils.set_random_seed(seed)
        hidden = [keras.layers.Dense(units, activation=settings["activation"]) for units in settings["units"]]
        output = keras.layers.Dense(1, activation="sigmoid")
        model = keras.Sequential([keras.Input((X["train"].shape[1],)), *hidden, output])
        optimizer = {"class_name": settings["optimizer"], "config": {"learning_rate": settings["learning_rate"]}}
        model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.get(optimizer), metrics=["accuracy"])
        fitted = model.fit(
            X["train"],
            y["train"],
            epochs=settings["epochs"],
            verbose=0,
            validation_data=(X["test"], y["test"]),
            batch_size=settings["batch_size"],
        )
        probabilities = {name: (y[name], model.predict(X[name], verbose=0)[:, 0].astype(np.float64)) for name in X}
        results.append(measures(probabilities, fitted.history))
        tell(f"plain, seed {seed}: test accuracy {results[-1]['test accuracy']:.3f}")
    return results


def measures(
    probabilities: dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]], history: dict[str, Any]
) -> dict[str, float | None]:
    """Return the numbers of one fit by the name under which they are printed.

    Accuracy and log loss (nats) of the trained network on each split, from labels and probabilities of the second
    class; then numbers of the epochs, counted from 1. The training accuracy of an epoch is the mean over its steps,
    while the weights still change; None if it never reaches 1.
    """
    from sklearn.metrics import accuracy_score, log_loss

    values: dict[str, float | None] = {}
    for name, (y, second) in probabilities.items():
        values[f"{name} accuracy"] = float(accuracy_score(y, second > 0.5))
        values[f"{name} loss"] = float(log_loss(y, np.column_stack([1 - second, second])))
    test_loss, training = np.asarray(history["val_loss"]), np.asarray(history["accuracy"])
    lowest = int(test_loss.argmin())
    perfect = np.flatnonzero(training == 1.0)
    return values | {
        "lowest test loss": float(test_loss[lowest]),
        "its epoch": lowest + 1,
        "test accuracy there": float(np.asarray(history["val_accuracy"])[lowest]),
        "first epoch of training accuracy 1": int(perfect[0]) + 1 if perfect.size else None,
    }


def tell(line: str) -> None:
    """Print progress to stderr."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
