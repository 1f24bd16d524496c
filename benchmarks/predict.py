"""Time `textclf predict` on one core, from a cold start and with many sentences.

    python -m benchmarks.predict

Needs the models and the splits of a run. Cold start: processes that classify one sentence,
alternating with a process that only imports TensorFlow. Throughput: the sentences of the corpus,
repeated, classified by the command (including its start) and by `Predictor.predict_proba`; for
comparison, vectorized by scikit-learn's CountVectorizer.transform. The result has median, minimum
and maximum; ratios are computed within a round.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import textclf
from benchmarks import results, timings
from textclf.artifacts import splits
from textclf.core import files

ROUNDS, SENTENCES = 5, 300_000
MODELS = Path("models")
COLD = "cold start: `textclf predict --model {}`"
TENSORFLOW = 'cold start: `python -c "import tensorflow"`'


def measure() -> dict[str, Any]:
    """Return seconds of cold starts, and sentences per second."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    names = json.loads((MODELS / "index.json").read_text(encoding="utf-8"))["models"]
    parts = splits.read(Path("data/splits"))
    corpus = [" ".join(text.split()) for rows in parts.values() for text in rows["text"]]
    sentences = (corpus * -(-SENTENCES // len(corpus)))[:SENTENCES]
    seconds: dict[str, list[float]] = defaultdict(list)
    rates: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="textclf-bench-") as folder:
        text = Path(folder, "sentences.txt")
        text.write_text("\n".join(sentences) + "\n", encoding="utf-8")
        for _ in range(ROUNDS):
            seconds[TENSORFLOW].append(seconds_of([sys.executable, "-c", "import tensorflow"]))
            for name in names:
                command = [sys.executable, "-m", "textclf.cli", "predict", "--model", name]
                seconds[COLD.format(name)].append(seconds_of([*command, "The food was great."]))
                rates[f"`textclf predict --model {name}`"].append(
                    len(sentences) / seconds_of(command, text)
                )
                rates[f"`textclf.load(...).predict_proba`, {name}"].append(
                    loaded_rate(name, sentences)
                )
            rates["scikit-learn's CountVectorizer.transform"].append(vectorizer_rate(sentences))
    return {
        "characters": round(sum(map(len, corpus)) / len(corpus)),
        "cold": [
            {
                "what": what,
                "seconds": results.spread(values),
                "ratio": results.spread(
                    [
                        mine / theirs
                        for mine, theirs in zip(values, seconds[TENSORFLOW], strict=True)
                    ]
                ),
            }
            for what, values in seconds.items()
        ],
        "rounds": ROUNDS,
        "throughput": [
            {"what": what, "rate": results.spread(values)} for what, values in rates.items()
        ],
    }


def seconds_of(command: list[str], stdin: Path = Path(os.devnull)) -> float:
    """Return the seconds from the start of a process to its exit."""
    started = time.perf_counter()
    with stdin.open("rb") as stream:
        subprocess.run(
            command, stdin=stream, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
        )
    return time.perf_counter() - started


def loaded_rate(name: str, sentences: list[str]) -> float:
    """Return the number of sentences per second that a loaded model classifies."""
    model = textclf.load(MODELS / name)
    model.predict_proba(sentences[:10])
    started = time.perf_counter()
    for start in range(0, len(sentences), 4096):
        model.predict_proba(sentences[start : start + 4096])
    return len(sentences) / (time.perf_counter() - started)


def vectorizer_rate(sentences: list[str]) -> float:
    """Return sentences per second of scikit-learn's vectorizer with the same vocabulary."""
    from sklearn.feature_extraction.text import CountVectorizer

    content = files.read_json(Path("data/features/words/vectorizer.json"))
    vectorizer = CountVectorizer(vocabulary=content["parts"][0]["vocabulary"])
    vectorizer.transform(sentences[:10])
    started = time.perf_counter()
    for start in range(0, len(sentences), 4096):
        vectorizer.transform(sentences[start : start + 4096])
    return len(sentences) / (time.perf_counter() - started)


if __name__ == "__main__":
    results.main({"predict": measure}, timings.predict)
