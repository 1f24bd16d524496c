"""Measure how much the network's metrics depend on its seed, and whether the pipeline's fit agrees with plain Keras.

    python benchmarks/seeds.py --seeds 20 --corpus yelp

Makes the features once, as the pipeline does with params.yaml, and trains on them with the seeds 0, 1, ...: by
`textclf.models.keras`, and by `fit` of a plain stack of Dense layers on the dense matrix. The plain fits run in a
separate process that does not import textclf, so that its arithmetic is not pinned. Prints a row per fit, statistics
over the seeds and a verdict, as Markdown; takes about 20 s per seed.
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
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from textclf.models.keras import Settings

ROOT = Path(__file__).resolve().parent.parent
FITS = ("plain", "pipeline")
JUDGED = ("test accuracy", "test loss")
SETTINGS_FILE, RESULTS_FILE = "settings.json", "plain.json"


def main() -> None:
    """Parse the arguments and run the comparison, or the plain fits of one."""
    parser = argparse.ArgumentParser(description="Compare the pipeline's fit with Keras's plain one, seed by seed.")
    parser.add_argument("--seeds", type=int, default=20, help="number of seeds, at least 2 (default 20)")
    parser.add_argument("--first", type=int, default=0, help="first seed (default 0)")
    parser.add_argument("--corpus", default="yelp", help="yelp, amazon or imdb (default yelp)")
    parser.add_argument("--plain", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)  # used by `compare`
    given = parser.parse_args()
    if given.seeds < 2:
        parser.error(f"--seeds must be at least 2; got {given.seeds}")
    if given.first < 0:
        parser.error(f"--first must be at least 0; got {given.first}")
    seeds = range(given.first, given.first + given.seeds)
    if given.plain:
        (given.plain / RESULTS_FILE).write_text(json.dumps(plain_fits(given.plain, seeds)))
    else:
        compare(given.corpus, seeds)


def compare(corpus: str, seeds: range) -> None:
    """Train both ways with every seed, and print the results."""
    # The environment before textclf pins the arithmetic of this process, without TensorFlow's log of the machine.
    unpinned = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    from textclf.core.errors import UserError

    try:
        with tempfile.TemporaryDirectory(prefix="textclf-seeds-") as name:
            folder = Path(name)
            settings = prepare(corpus, folder)
            command = [sys.executable, __file__, "--plain", name, "--seeds", str(len(seeds)), "--first", str(seeds[0])]
            subprocess.run(command, env=unpinned, check=True)
            plain = json.loads((folder / RESULTS_FILE).read_text())
            results = {"plain": plain, "pipeline": pipeline_fits(folder, settings, seeds)}
    except UserError as error:
        for line in error.lines:
            print(f"error: seeds: {line}", file=sys.stderr)
        sys.exit(2)
    print(f"# Seeds {seeds[0]} to {seeds[-1]} on {corpus}\n")
    print(per_seed(results, seeds))
    statistics = summary(results)
    print(f"\n{statistics_table(statistics)}\n\n{verdict(statistics)}")


def prepare(corpus: str, folder: Path) -> "Settings":
    """Write the features of a corpus and the network's settings to the folder; return the settings."""
    from textclf.artifacts import features
    from textclf.core.errors import UserError
    from textclf.core.settings import PARAMS_FILE, load_params, load_yaml
    from textclf.fetch.catalogue import CORPORA
    from textclf.fetch.download import fetch_corpora
    from textclf.models.keras import Settings
    from textclf.split.draw import draw_splits
    from textclf.split.settings import Split
    from textclf.tables import corpus as reader
    from textclf.tables.settings import Data
    from textclf.vectorize.settings import Vectorize
    from textclf.vectorize.vectorizer import vectorize_splits

    if corpus not in CORPORA:
        raise UserError(f"--corpus must be one of {', '.join(CORPORA)}; got {corpus}")
    source = CORPORA[corpus]
    sections = {"data": Data, "split": Split, "vectorize": Vectorize, "train.keras": Settings}
    data, split, vectorize, network = load_params(sections, ROOT / PARAMS_FILE).values()
    raw = load_yaml(ROOT / "dvc.lock")["stages"]["fetch"]["outs"][0]["path"]
    (folder / source.file).write_bytes(fetch_corpora({corpus: source}, ROOT / raw, report=tell)[source.file])
    rows = reader.read(folder / source.file, data)
    parts, _ = vectorize_splits(draw_splits(rows.rows, split), vectorize, rows.classes)
    for name in ("train", "test"):
        features.write(parts[name], folder / f"{name}.npz")
    # The test rows are watched here, so they must not stop the training.
    settings: Settings = network.model_copy(update={"early_stopping": None})
    (folder / SETTINGS_FILE).write_text(settings.model_dump_json())
    return settings


def pipeline_fits(folder: Path, settings: "Settings", seeds: range) -> list[dict[str, float | None]]:
    """Return the `measures` of the pipeline's fit with each seed."""
    from textclf.artifacts import features
    from textclf.models.keras.build import import_keras
    from textclf.models.keras.training import fit

    parts = features.read(folder)
    keras, _ = import_keras()
    results = []
    for seed in seeds:
        keras.utils.clear_session()
        fitted = fit(parts["train"], parts["test"], settings.model_copy(update={"seed": seed}))
        assert fitted.history is not None  # noqa: S101 (for mypy: a network trains in epochs)
        by_split = {str(split): epochs for split, epochs in fitted.history.groupby("split")}
        history = {
            "accuracy": by_split["train"]["accuracy"],
            "val_accuracy": by_split["watched"]["accuracy"],
            "val_loss": by_split["watched"]["loss"],
        }
        probabilities = {name: (part.y, fitted.layers.predict_proba(part.X)[:, 1]) for name, part in parts.items()}
        results.append(measures(probabilities, history))
        tell(f"pipeline, seed {seed}: test accuracy {results[-1]['test accuracy']:.3f}")
    return results


def plain_fits(folder: Path, seeds: range) -> list[dict[str, float | None]]:
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
    for seed in seeds:
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


def per_seed(results: dict[str, list[dict[str, float | None]]], seeds: range) -> str:
    """Return a Markdown table with a row per seed and fit."""
    rows = [
        [str(seed), fit, *(number(value, name) for name, value in values.items())]
        for seed, *pair in zip(seeds, *(results[fit] for fit in FITS), strict=True)
        for fit, values in zip(FITS, pair, strict=True)
    ]
    return markdown(["seed", "fit", *results["plain"][0]], rows)


def summary(results: dict[str, list[dict[str, float | None]]]) -> pd.DataFrame:
    """Return a row per number and fit: `n`, `mean`, `sd`, `se`, `low`, `high` (95% of the mean), `min`, `max`.

    The fit `difference` is pipeline minus plain, paired by seed, because a seed gives both the same initial weights.
    The standard deviation is that of a sample, the interval Student's.
    """
    from scipy.stats import t

    frames = {fit: pd.DataFrame(results[fit], dtype=float) for fit in FITS}
    frames["difference"] = frames["pipeline"] - frames["plain"]
    rows = []
    for name in frames["plain"]:
        for fit, frame in frames.items():
            values = frame[name].dropna()
            n, mean, sd = len(values), values.mean(), values.std()
            se = sd / np.sqrt(n)
            half = t.ppf(0.975, n - 1) * se
            spread = (n, mean, sd, se, mean - half, mean + half, values.min(), values.max())
            rows.append((name, fit, *spread))
    columns = ["number", "fit", "n", "mean", "sd", "se", "low", "high", "min", "max"]
    return pd.DataFrame(rows, columns=columns).set_index(["number", "fit"])


def statistics_table(statistics: pd.DataFrame) -> str:
    """Return `summary` as a Markdown table."""
    rows = []
    for (name, fit), row in zip(statistics.index, statistics.to_dict("records"), strict=True):
        shown = {key: number(value, name, spare=1) for key, value in row.items()}
        interval = f"{shown['low']} to {shown['high']}"
        extremes = f"{number(row['min'], name)} to {number(row['max'], name)}"
        rows.append([name, fit, f"{row['n']:.0f}", shown["mean"], shown["sd"], shown["se"], interval, extremes])
    header = ["number", "fit", "seeds", "mean", "sd", "se", "95% of the mean", "min to max"]
    return markdown(header, rows)


def verdict(statistics: pd.DataFrame) -> str:
    """Return a sentence per judged number: the fits agree if the 95% interval of the difference contains 0."""
    sentences = []
    for name in JUDGED:
        mean, se, low, high = (
            float(statistics[column][name, "difference"]) for column in ("mean", "se", "low", "high")
        )
        word = "agree" if low <= 0 <= high else "DIFFER"
        errors = f"{abs(mean) / se:.1f} standard errors" if se else "without spread"
        sentences.append(
            f"- {name}: the fits {word}; pipeline minus plain is {mean:+.4f} ± {se:.4f}, {errors} "
            f"(95% interval {low:+.4f} to {high:+.4f})."
        )
    return "\n".join(sentences)


def number(value: float | None, name: str, spare: int = 0) -> str:
    """Return a number as text: epochs as integers, accuracies and losses with 4 decimals; `spare` adds decimals."""
    if value is None or np.isnan(value):
        return "-"
    return f"{value:z.{spare if 'epoch' in name else 4 + spare}f}"


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def tell(line: str) -> None:
    """Print progress to stderr."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
