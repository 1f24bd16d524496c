"""Train the course's networks over word ids with many seeds, on the lesson's rows.

    python -m benchmarks.course --seeds 20 --result benchmarks/results/course.json

Reads the corpus yelp in data/corpora and word vectors in data/weights. Per seed on two quiet cores: about 4 s for
each step with a maximum, 10 s for flatten and 30 s for the CNN. With --steps only these are trained; the result keeps
what it has of the others.
"""

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.lesson import spread
from benchmarks.runs import CORPORA as RAW
from benchmarks.runs import WEIGHTS, rounded
from benchmarks.tables import markdown, result
from benchmarks.weights import fetch_weights
from textclf.artifacts.features import Features
from textclf.core import files
from textclf.fetch.catalogue import CORPORA
from textclf.split.draw import draw_splits
from textclf.split.settings import Split
from textclf.tables import corpus as reader
from textclf.tables.settings import Data
from textclf.vectorize.token_ids.representation import TokenIds
from textclf.vectorize.token_ids.settings import Settings as TokenSettings

GLOVE = "glove-6b-50d"
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


def main() -> None:
    """Parse the arguments, train with every seed and write the result."""
    parser = argparse.ArgumentParser(description="Train the course's networks over word ids with many seeds.")
    parser.add_argument("--seeds", type=int, default=20, help="number of seeds, at least 2 (default 20)")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS), help="default: all of them")
    parser.add_argument("--pretrained", type=Path, default=WEIGHTS, help="folder of word vectors")
    parser.add_argument("--result", type=Path, required=True, help="the JSON file to write")
    given = parser.parse_args()
    fetch_weights()
    if given.seeds < 2:
        parser.error(f"--seeds must be at least 2; got {given.seeds}")
    content = files.read_json(given.result) if given.result.exists() else {}
    parts, content["vocabulary"] = features(given.pretrained)
    for step in given.steps:
        content[step] = [fit(step, parts, seed) for seed in range(given.seeds)]
        files.write_json(given.result, rounded(content))


def features(pretrained: Path) -> tuple[dict[str, Features], dict[str, float]]:
    """Return the word ids of the lesson's rows, and the numbers of their vocabulary."""
    rows = reader.read(RAW / CORPORA["yelp"].file, Data())
    drawn = draw_splits(rows.rows, Split())
    made = TokenIds.fit(drawn["train"]["text"], TokenSettings(vectors=GLOVE), pretrained)
    classes = np.array(sorted(rows.classes))
    parts: dict[str, Features] = {}
    for name in ("train", "test"):
        part, X = drawn[name], made.transform(drawn[name]["text"])
        ids: Any = X
        y = np.searchsorted(classes, part["label"].to_numpy(dtype=str))
        parts[name] = Features(part["id"].to_numpy(dtype=str), ids, y.astype(np.int64), classes)
    return parts, {"ids": made.columns, **made.shape_notes()}


def fit(step: str, parts: dict[str, Features], seed: int) -> dict[str, float]:
    """Return the accuracy on both splits, and the parameters, of a step trained with a seed."""
    from textclf.models.common.networks.environment import import_keras

    keras, _ = import_keras()
    model, settings = STEPS[step]
    package = importlib.import_module(f"textclf.models.{model}")
    keras.utils.clear_session()
    fitted = package.fit(parts["train"], parts["test"], package.Settings(**settings, seed=seed))
    numbers = {
        f"{name} accuracy": float((fitted.layers.predict_proba(part.X).argmax(axis=1) == part.y).mean())
        for name, part in parts.items()
    }
    print(f"{step}, seed {seed}: test accuracy {numbers['test accuracy']:.3f}", file=sys.stderr, flush=True)
    return numbers | {name: value for name, value in fitted.record.items() if "parameters" in name}


def table() -> str:
    """Return what the course prints beside what was measured over the seeds."""
    content, rows = result("course"), []
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
    return markdown(titles, rows)


if __name__ == "__main__":
    main()
