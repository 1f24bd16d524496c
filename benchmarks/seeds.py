"""Train the lesson's network with many seeds, and print how its numbers depend on the seed.

    python -m benchmarks.seeds

Trains on the features of the pipeline with params.yaml, with the seeds 0, 1, ...; about 12 s per
seed. The test rows are watched, and nothing is chosen by them.
"""

from typing import Any

import numpy as np

from benchmarks import lesson, project, results
from textclf.artifacts import features
from textclf.artifacts.dataset import Dataset
from textclf.core.settings import PARAMS_FILE, load_section
from textclf.models.common.fitted import Folders
from textclf.models.settings import Train

SEEDS = 20


def measure() -> dict[str, Any]:
    """Return the numbers of a fit with each seed, by the names in `benchmarks.lesson`."""
    from textclf.models.common.networks.environment import import_keras
    from textclf.models.keras import fit

    given = load_section("train", Train, results.ROOT / PARAMS_FILE)["keras"]
    settings = given.model_copy(update={"early_stopping": None})
    fits = []
    with project.repro({"fetch.corpus": "yelp"}, "vectorize") as folder:
        parts = features.read(folder / "data" / "features" / "words")
        train, test = (Dataset.of_rows(parts[name]) for name in ("train", "test"))
        keras, _ = import_keras()
        for seed in range(SEEDS):
            keras.utils.clear_session()
            fitted = fit(train, test, settings.model_copy(update={"seed": seed}), Folders(folder))
            assert fitted.history is not None  # noqa: S101 (for mypy: a network trains in epochs)
            epochs = {
                str(split): each for split, each in fitted.history.groupby("split", sort=False)
            }
            right = {
                name: float(((fitted.layers.predict_proba(part.X)[:, 1] > 0.5) == part.y).mean())
                for name, part in parts.items()
            }
            fits.append(numbers(right, epochs["train"]["accuracy"], epochs["watched"]))
            results.tell(f"seed {seed}: test accuracy {right['test']:.3f}")
    return {"fits": fits}


def numbers(right: dict[str, float], training: Any, watched: Any) -> dict[str, float | None]:
    """Return the numbers of one fit: accuracy by split, and the test rows by epoch, counted from 1.

    The training accuracy of an epoch is the mean over its steps, while the weights still change;
    None if it never reaches 1.
    """
    loss, perfect = watched["loss"].to_numpy(), np.flatnonzero(training.to_numpy() == 1.0)
    lowest = int(loss.argmin())
    return {
        "train accuracy": right["train"],
        "test accuracy": right["test"],
        "test loss": float(loss[-1]),
        "lowest test loss": float(loss[lowest]),
        "its epoch": lowest + 1,
        "test accuracy there": float(watched["accuracy"].to_numpy()[lowest]),
        "first epoch of training accuracy 1": int(perfect[0]) + 1 if perfect.size else None,
    }


if __name__ == "__main__":
    results.main({lesson.RESULT: measure}, lambda _: lesson.seeds())
