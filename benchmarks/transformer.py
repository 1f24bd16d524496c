"""Fine-tune the transformer on the lesson's split of each corpus, with several seeds.

    python -m benchmarks.transformer --seeds 5 --result benchmarks/results/transformer.json

Makes the word pieces of the split in params.yaml, and trains with the default settings of the model and the seeds 0, 1,
... A fit takes minutes. The result is written after each one, and a run that was stopped resumes where it was, also
within a fit. `--validation` measures settings without the test rows: a third of the training rows is held out instead.
"""

import argparse
import shutil
import sys
import tempfile
import time
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
from textclf.core.settings import PARAMS_FILE, load_params, parse_yaml, validate
from textclf.fetch.catalogue import CORPORA
from textclf.models import transformer
from textclf.models.common.fitted import Folders
from textclf.models.transformer import Settings
from textclf.split.draw import draw_splits
from textclf.split.settings import Split
from textclf.tables import corpus as reader
from textclf.tables.settings import Data
from textclf.vectorize.labels import encode_labels
from textclf.vectorize.wordpieces.representation import Representation
from textclf.vectorize.wordpieces.settings import Settings as Pieces

ROOT = Path(__file__).resolve().parent.parent
HELD_OUT = 3  # one of so many parts of the training rows is held out with --validation


def main() -> None:
    """Parse the arguments and train."""
    parser = argparse.ArgumentParser(description="Fine-tune the transformer with several seeds.")
    parser.add_argument("--corpora", nargs="+", default=list(CORPORA), choices=list(CORPORA), help="default: all")
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds (default 5)")
    parser.add_argument("--settings", default="{}", help="other settings of the model, as YAML: '{epochs: 6}'")
    parser.add_argument(
        "--validation", action="store_true", help="hold out training rows and leave the test rows alone"
    )
    parser.add_argument("--pretrained", type=Path, default=WEIGHTS, help="default: data/weights")
    parser.add_argument("--result", type=Path, required=True, help="the JSON file to write, or to complete")
    given = parser.parse_args()
    fetch_weights()
    settings: Settings = validate(Settings, parse_yaml(given.settings, "--settings"), "--settings")
    shown = settings.model_dump(mode="json", exclude={"seed"}) | {"held_out": "train" if given.validation else "test"}
    fits = stored_fits(given.result, shown)
    for corpus in given.corpora:
        for seed in range(len(fits.setdefault(corpus, [])), given.seeds):
            seeded = settings.model_copy(update={"seed": seed})
            fits[corpus].append(measure(corpus, seeded, given.pretrained, given.validation))
            means = {name: float(np.mean([fit["accuracy"] for fit in of])) for name, of in fits.items() if of}
            files.write_json(given.result, rounded({"accuracy": means, "fits": fits, "settings": shown}))
            print(f"{corpus}, seed {seed}: {fits[corpus][-1]}; mean {means[corpus]:.3f}", file=sys.stderr, flush=True)


def stored_fits(result: Path, settings: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the fits in the result by corpus; none if it does not exist or is of other settings."""
    content = files.read_json(result) if result.exists() else {}
    fits: dict[str, list[dict[str, Any]]] = content["fits"] if content.get("settings") == settings else {}
    return fits


def measure(corpus: str, settings: Settings, pretrained: Path, validation: bool) -> dict[str, Any]:
    """Return the numbers of one fit: accuracy and log loss (nats) on held-out rows, the latter after each epoch too."""
    from textclf.models.common.networks.environment import import_keras

    keras, _ = import_keras()
    keras.utils.clear_session()
    train, held_out = prepare(corpus, pretrained, validation)
    scratch = Path(tempfile.gettempdir()) / f"textclf-benchmark-{corpus}-{settings.seed}"
    started = time.monotonic()
    fitted = transformer.fit(train, held_out, settings, Folders(pretrained, scratch))
    print(f"trained in {time.monotonic() - started:.0f} s", file=sys.stderr)
    shutil.rmtree(scratch)
    assert fitted.history is not None  # noqa: S101 (for mypy: a network trains in epochs)
    epochs = fitted.history[fitted.history["split"] == "watched"]
    probabilities = fitted.layers.predict_proba(held_out.X)
    of_label = probabilities[np.arange(len(held_out.y)), held_out.y]
    return {
        "accuracy": float((probabilities.argmax(axis=1) == held_out.y).mean()),
        "log_loss": float(-np.log(of_label).mean()),
        "accuracy by epoch": epochs["accuracy"].tolist(),
        "log_loss by epoch": epochs["loss"].tolist(),
        "seed": settings.seed,
    }


def prepare(corpus: str, pretrained: Path, validation: bool) -> tuple[Features, Features]:
    """Return the word pieces of the training rows and of the held-out ones."""
    data, split = load_params({"data": Data, "split": Split}, ROOT / PARAMS_FILE).values()
    rows = reader.read(RAW / CORPORA[corpus].file, data)
    parts = draw_splits(rows.rows, split)
    pieces = Representation.fit(parts["train"]["text"], Pieces(), pretrained)
    names = np.array(rows.classes)
    train, test = (
        Features(
            part["id"].to_numpy(str),
            pieces.transform(part["text"]),
            encode_labels(part["label"], rows.classes),
            names,
        )
        for part in (parts["train"], parts["test"])
    )
    if not validation:
        return train, test
    order = np.random.default_rng(0).permutation(len(train.y))
    return train.take(order[len(order) // HELD_OUT :]), train.take(order[: len(order) // HELD_OUT])


def table() -> str:
    """Return the test accuracy of each corpus over the seeds."""
    content, rows = result("transformer"), []
    for corpus, fits in content["fits"].items():
        mean, sd, least, most, low, high = spread([fit["accuracy"] for fit in fits])
        loss = float(np.mean([fit["log_loss"] for fit in fits]))
        ends = (f"{least:.3f} to {most:.3f}", f"{low:.3f} to {high:.3f}")
        rows.append([corpus, str(len(fits)), f"{mean:.3f} ± {sd:.3f}", *ends, f"{loss:.3f}"])
    titles = ["corpus", "seeds", "accuracy, mean ± sd", "range", "95% interval of the mean", "log loss, mean"]
    return markdown(titles, rows)


if __name__ == "__main__":
    main()
