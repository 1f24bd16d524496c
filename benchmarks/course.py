"""Train the course's networks over word ids with many seeds, on the lesson's rows.

    python -m benchmarks.course

Per seed on two quiet cores: about 4 s for each step with a maximum, 10 s for flatten and 30 s for the CNN.
"""

import importlib
from typing import Any

from benchmarks import project, results
from benchmarks.inputs import WEIGHTS, fetch_weights
from benchmarks.lesson import spread
from textclf.artifacts import features
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.features import Features
from textclf.models.common.fitted import Folders

SEEDS = 20
CHANGES: dict[str, Any] = project.train(embedding={"kind": "embedding", "features": "ids"}) | {
    "fetch.corpus": "yelp",
    "vectorize.ids": {"method": "token_ids", "vectors": "glove-6b-50d"},
}
# Steps of the course: model and settings; then name, parameters and accuracies as the course prints them.
STEPS: dict[str, tuple[str, dict[str, Any]]] = {
    "flatten": ("embedding", {"pooling": "flatten", "epochs": 20}),
    "max": ("embedding", {"pooling": "max", "epochs": 50}),
    "frozen": ("embedding", {"pooling": "max", "epochs": 50, "vectors": "frozen"}),
    "trained": ("embedding", {"pooling": "max", "epochs": 50, "vectors": "trained"}),
    "cnn": ("cnn", {"dimensions": 100, "filters": 128, "kernel_size": 5, "epochs": 10}),
}
PRINTED = {
    "flatten": ("embedding, flattened", "137,371", ".5100 / .4600"),
    "max": ("embedding, maximum", "87,871", "1.0000 / .8050"),
    "frozen": ("GloVe, frozen", "521 of 87,871", ".7500 / .6950"),
    "trained": ("GloVe, trained on", "87,871", "1.0000 / .8250"),
    "cnn": ("CNN", "240,129", "1.0000 / .7700"),
}


def measure() -> dict[str, Any]:
    """Return the accuracies of each step with each seed."""
    fetch_weights()
    with project.repro(CHANGES, "vectorize@ids") as folder:
        parts = features.read(folder / "data" / "features" / "ids")
    return {step: [fit(step, parts, seed) for seed in range(SEEDS)] for step in STEPS}


def fit(step: str, parts: dict[str, Features], seed: int) -> dict[str, float]:
    """Return the accuracy on both splits, and the parameters, of a step trained with a seed."""
    from textclf.models.common.networks.environment import import_keras

    keras, _ = import_keras()
    model, settings = STEPS[step]
    package = importlib.import_module(f"textclf.models.{model}")
    keras.utils.clear_session()
    train, test = (Dataset.of_rows(parts[name]) for name in ("train", "test"))
    fitted = package.fit(train, test, package.Settings(**settings, seed=seed), Folders(WEIGHTS))
    numbers = {
        f"{name} accuracy": float((fitted.layers.predict_proba(part.X).argmax(axis=1) == part.y).mean())
        for name, part in parts.items()
    }
    results.tell(f"{step}, seed {seed}: test accuracy {numbers['test accuracy']:.3f}")
    return numbers | {name: value for name, value in fitted.record.items() if "parameters" in name}


def table() -> str:
    """Return what the course prints beside what was measured over the seeds."""
    content, rows = results.read("course"), []
    for step, (name, parameters, printed) in PRINTED.items():
        fits = content[step]
        train = spread([fit["train accuracy"] for fit in fits])
        mean, sd, least, most, low, high = spread([fit["test accuracy"] for fit in fits])
        rows.append(
            [
                name,
                parameters,
                printed,
                f"{train[0]:.3f}",
                f"{mean:.3f} ± {sd:.3f} ({low:.3f} to {high:.3f})",
                f"{least:.3f} to {most:.3f}",
                str(len(fits)),
            ]
        )
    titles = ["step", "parameters", "course: train / test", "train", "test, mean ± sd (95%)", "test, range", "seeds"]
    return results.markdown(titles, rows)


if __name__ == "__main__":
    results.main({"course": measure})
