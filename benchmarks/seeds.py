"""Train the lesson's network with many seeds, by the pipeline's fit or by Keras's plain one.

    python -m benchmarks.seeds seeds-yelp plain

Trains on the features of the pipeline with params.yaml, with the seeds 0, 1, ...: by `textclf.models.keras`, or (plain)
by `fit` of a plain stack of Dense layers on the dense matrix of yelp. The plain fits run in a process that does not
import textclf, so that its arithmetic is not pinned; about 12 s per seed. The result has the numbers of every fit and,
of the pipeline, the lesson's other models on the same rows.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from textclf.models.keras import Settings

SEEDS, PLAIN_SEEDS = 20, 10
CORPORA = ("yelp", "amazon", "imdb")
BASELINES = ["majority", "logistic_regression"]
SETTINGS_FILE, RESULTS_FILE = "settings.json", "plain.json"  # in the folder of the features
PLAIN = "--plain"  # starts this script in a fresh process that makes the plain fits


def main() -> None:
    """Run the command line."""
    # The environment before textclf pins the arithmetic of this process, without TensorFlow's log of the machine.
    unpinned = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    from functools import partial

    from benchmarks import results

    cases = {f"seeds-{name}": partial(pipeline, name) for name in CORPORA}
    results.main(cases | {"plain": partial(plain, unpinned)})


def pipeline(corpus: str) -> dict[str, Any]:
    """Return the numbers of the pipeline's fits on a corpus, and of the baselines."""
    from benchmarks import project

    with project.repro(project.train(*BASELINES) | {"fetch.corpus": corpus}) as folder:
        metrics = project.metrics_in(folder)
        fits = pipeline_fits(folder / "data" / "features" / "words", network_settings())
    kept = {name: metrics[name] for name in ("evaluation", "intervals")}
    return kept | {"features": metrics["features"]["words"], "fits": fits}


def plain(variables: dict[str, str]) -> dict[str, Any]:
    """Return the numbers of the plain fits, made by a process with these environment variables."""
    from benchmarks import project

    with project.repro({"fetch.corpus": CORPORA[0]}, "vectorize") as folder:
        features = folder / "data" / "features" / "words"
        (features / SETTINGS_FILE).write_text(network_settings().model_dump_json(), encoding="utf-8")
        subprocess.run([sys.executable, __file__, PLAIN, str(features)], env=variables, check=True)
        return {"fits": json.loads((features / RESULTS_FILE).read_text(encoding="utf-8"))}


def network_settings() -> "Settings":
    """Return the settings of the network in params.yaml, without early stopping: the test rows are watched here."""
    from benchmarks.results import ROOT
    from textclf.core.settings import PARAMS_FILE, load_section
    from textclf.models.settings import Train

    settings: Settings = load_section("train", Train, ROOT / PARAMS_FILE)["keras"]
    return settings.model_copy(update={"early_stopping": None})


def pipeline_fits(folder: Path, settings: "Settings") -> list[dict[str, float | None]]:
    """Return the `measures` of the pipeline's fit with each seed, on the features in the folder."""
    from textclf.artifacts import features
    from textclf.artifacts.dataset import Dataset
    from textclf.models.common.fitted import Folders
    from textclf.models.common.networks.environment import import_keras
    from textclf.models.keras import fit

    parts = features.read(folder)
    train, test = (Dataset.of_rows(parts[name]) for name in ("train", "test"))
    keras, _ = import_keras()
    results = []
    for seed in range(SEEDS):
        keras.utils.clear_session()
        fitted = fit(train, test, settings.model_copy(update={"seed": seed}), Folders(folder))
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


def plain_fits(folder: Path) -> list[dict[str, float | None]]:
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
    for seed in range(PLAIN_SEEDS):
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
    if sys.argv[1:2] == [PLAIN]:
        given = Path(sys.argv[2])
        (given / RESULTS_FILE).write_text(json.dumps(plain_fits(given)), encoding="utf-8")
    else:
        main()
