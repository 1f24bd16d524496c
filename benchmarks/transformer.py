"""Fine-tune the transformer on the lesson's split of each corpus, with several seeds.

    python -m benchmarks.transformer

Trains on the word pieces of the split in params.yaml, with the default settings of the model and the seeds 0, 1, ... A
fit takes minutes.
"""

import time
from typing import Any

import numpy as np

from benchmarks import project, results
from benchmarks.inputs import NAMES, WEIGHTS, fetch_weights
from benchmarks.lesson import spread
from textclf.artifacts import features
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.features import Features
from textclf.models import transformer
from textclf.models.common.fitted import Folders
from textclf.models.transformer import Settings

SEEDS = 5
CHANGES: dict[str, Any] = project.train(transformer={"kind": "transformer", "features": "pieces"}) | {
    "vectorize.pieces": {"method": "wordpieces"},
}


def measure() -> dict[str, Any]:
    """Return the mean accuracy on each corpus, and the numbers of every fit."""
    fetch_weights()
    fits = {}
    for corpus in NAMES:
        with project.repro(CHANGES | {"fetch.corpus": corpus}, "vectorize@pieces") as folder:
            parts = features.read(folder / "data" / "features" / "pieces")
        fits[corpus] = [fit(corpus, parts, Settings(seed=seed)) for seed in range(SEEDS)]
    means = {name: float(np.mean([each["accuracy"] for each in of])) for name, of in fits.items()}
    settings = Settings().model_dump(mode="json", exclude={"seed"}) | {"held_out": "test"}
    return {"accuracy": means, "fits": fits, "settings": settings}


def fit(corpus: str, parts: dict[str, Features], settings: Settings) -> dict[str, Any]:
    """Return the numbers of one fit: accuracy and log loss (nats) on the test rows, the latter after each epoch too."""
    from textclf.models.common.networks.environment import import_keras

    keras, _ = import_keras()
    keras.utils.clear_session()
    test = parts["test"]
    started = time.monotonic()
    fitted = transformer.fit(Dataset.of_rows(parts["train"]), Dataset.of_rows(test), settings, Folders(WEIGHTS))
    assert fitted.history is not None  # noqa: S101 (for mypy: a network trains in epochs)
    epochs = fitted.history[fitted.history["split"] == "watched"]
    probabilities = fitted.layers.predict_proba(test.X)
    of_label = probabilities[np.arange(len(test.y)), test.y]
    accuracy = float((probabilities.argmax(axis=1) == test.y).mean())
    results.tell(f"{corpus}, seed {settings.seed}: {accuracy:.3f}, {time.monotonic() - started:.0f} s")
    return {
        "accuracy": accuracy,
        "log_loss": float(-np.log(of_label).mean()),
        "accuracy by epoch": epochs["accuracy"].tolist(),
        "log_loss by epoch": epochs["loss"].tolist(),
        "seed": settings.seed,
    }


def table() -> str:
    """Return the test accuracy of each corpus over the seeds."""
    content, rows = results.read("transformer"), []
    for corpus, fits in content["fits"].items():
        mean, sd, least, most, low, high = spread([fit["accuracy"] for fit in fits])
        loss = float(np.mean([fit["log_loss"] for fit in fits]))
        ends = (f"{least:.3f} to {most:.3f}", f"{low:.3f} to {high:.3f}")
        rows.append([corpus, str(len(fits)), f"{mean:.3f} ± {sd:.3f}", *ends, f"{loss:.3f}"])
    titles = ["corpus", "seeds", "accuracy, mean ± sd", "range", "95% interval of the mean", "log loss, mean"]
    return results.markdown(titles, rows)


if __name__ == "__main__":
    results.main({"transformer": measure})
