"""The tables of the lesson: its claims, and how its numbers depend on the network's seed."""

import math
from collections.abc import Sequence

import numpy as np

from benchmarks import results
from benchmarks.results import ROOT, markdown
from textclf.core import files

METRICS = ("evaluation", "features", "intervals", "training")  # of the default run
RESULT = "seeds"
LATEST = 30  # the last epoch that the lesson finds useful
# Numbers of a fit in benchmarks/seeds.py, by the name in the table; epochs get one decimal.
SEED_ROWS = {
    "test accuracy": "test accuracy, last epoch",
    "test loss": "test log loss, last epoch",
    "lowest test loss": "lowest test log loss",
    "its epoch": "its epoch",
    "test accuracy there": "test accuracy in that epoch",
    "first epoch of training accuracy 1": "first epoch of training accuracy 1.0",
}


def spread(values: Sequence[float | None]) -> tuple[float, float, float, float, float, float]:
    """Return mean, standard deviation, minimum, maximum and the mean's 95% t interval."""
    from scipy.stats import t

    known = np.array([value for value in values if value is not None], dtype=float)
    mean, sd = float(known.mean()), float(known.std(ddof=1))
    half = float(t.ppf(0.975, len(known) - 1)) * sd / math.sqrt(len(known))
    return mean, sd, float(known.min()), float(known.max()), mean - half, mean + half


def seeds() -> str:
    """Return how the network's numbers vary with its seed on yelp."""
    fits = results.read(RESULT)["fits"]
    rows = []
    for key, name in SEED_ROWS.items():
        mean, sd, least, most, *_ = spread([fit[key] for fit in fits])
        digits, whole = (1, 0) if "epoch" in key else (3, 3)
        rows.append(
            [
                name,
                f"{mean:.{digits}f} ± {sd:.{digits}f}",
                f"{least:.{whole}f} to {most:.{whole}f}",
            ]
        )
    return markdown(["yelp", "mean ± sd", "minimum to maximum"], rows)


def interval(value: float, ends: dict[str, float]) -> str:
    """Return a number with its interval."""
    return f"{value:.3f} ({ends['low']:.3f} to {ends['high']:.3f})"


def claims() -> str:
    """Return the lesson's claims beside what was measured: in the default run, and over seeds."""
    metrics = {name: files.read_json(ROOT / "metrics" / f"{name}.json") for name in METRICS}
    train = metrics["features"]["words"]["train"]
    network, regression = (
        metrics["evaluation"][model] for model in ("keras", "logistic_regression")
    )
    trained = metrics["training"]["keras"]
    fits = results.read(RESULT)["fits"]
    accuracy, over = network["test"]["accuracy"], spread([fit["test accuracy"] for fit in fits])
    perfect = [fit["train accuracy"] for fit in fits].count(1.0)
    history = files.read_csv(ROOT / "plots" / "history.csv").query("model == 'keras'")
    watched, fitted = (history[history["split"] == name] for name in ("test", "train"))
    full = fitted["epoch"][fitted["accuracy"] == 1.0].min()
    best, last = trained["best_epoch"], trained["epochs"]
    losses = dict(zip(watched["epoch"].tolist(), watched["loss"].tolist(), strict=True))
    loss = {epoch: f"{losses[epoch]:.2f}" for epoch in (best, LATEST, last)}
    grown = f"{loss[best]} to {loss[LATEST]} in epoch {LATEST} and {loss[last]} in epoch {last}"
    ends = interval(accuracy, metrics["intervals"]["keras"]["test"]["accuracy"])
    rows = (
        (
            "750 training vectors of length 1,714",
            f"{train['rows']} of length {train['features']:,} with {train['nonzeros']:,} nonzeros",
            "`metrics/features.json`",
        ),
        (
            "Dense(10, relu), Dense(1, sigmoid)",
            f"{trained['parameters']:,} trainable parameters",
            "`metrics/training.json`",
        ),
        (
            "binary cross-entropy, adam, 100 epochs in batches of 10, validated on the test rows",
            "the same; the loss on the test rows is recorded per epoch and decides nothing",
            "`params.yaml`, `plots/history.csv`",
        ),
        (
            "training accuracy 100%",
            f"1.000 with {perfect} of {len(fits)} seeds",
            "`benchmarks/seeds.py`",
        ),
        (
            "test accuracy just under 80%",
            f"{ends}; over the seeds {over[0]:.3f} ± {over[1]:.3f}",
            "`metrics/intervals.json`, `benchmarks/seeds.py`",
        ),
        (
            "the validation loss rises while training accuracy stays at 100%",
            (
                f"lowest in epoch {best}; training accuracy reaches 1.0 in epoch {full}, "
                "so the loss rises well before"
            ),
            "`metrics/training.json`, `plots/history.csv`",
        ),
        (
            "no reason to train past 25 to 30 epochs",
            f"true; even {best} are enough: the test loss then grows, from {grown}",
            "`plots/history.csv`",
        ),
        (
            "logistic regression does better",
            f"one split does not show it: {regression['test']['accuracy']:.3f} and {accuracy:.3f}",
            "`metrics/evaluation.json`",
        ),
    )
    return markdown(["The lesson", "Measured", "From"], rows)


TABLES = {"claims": claims, "seeds": seeds}
