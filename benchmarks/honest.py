"""Run the honest protocol on each corpus as DVC experiments, and print tables in Markdown.

usage: python benchmarks/honest.py [CORPUS ...]

Each run is an experiment named `honest-<corpus>` in its own folder, so the workspace does not change. `dvc exp show`
lists it, `dvc metrics diff HEAD honest-yelp` compares it, and `dvc exp apply honest-yelp` brings it into the workspace.
"""

import argparse
import subprocess
import sys
from typing import Any

import dvc.api

from textclf.core.formatting import p_value

FILES = ("evaluation", "intervals", "comparisons", "decisions", "training")
CORPORA = ("yelp", "amazon", "imdb")
# Unlike the lesson, all choices are made on validation rows, so that the test rows only measure.
PROTOCOL = (
    "split.validation_size=0.15",
    "split.stratify=true",
    "split.group_duplicates=true",
    "train.logistic_regression.C=[0.1,0.3,1,3,10]",
    "train.keras.early_stopping=10",
    "evaluate.threshold=accuracy",
    "evaluate.calibration=temperature",
)


def experiment(corpus: str) -> str:
    """Run the experiment and return its name."""
    name = f"honest-{corpus}"
    changes = [option for change in (f"fetch.corpus={corpus}", *PROTOCOL) for option in ("-S", change)]
    command = ["dvc", "exp", "run", "--temp", "--force", "--name", name, *changes]
    subprocess.run(command, check=True, stdout=sys.stderr)
    return name


def tables(corpus: str, metrics_files: dict[str, Any]) -> str:
    """Return a table of the models and one of the comparisons between them."""
    evaluation, intervals, comparisons, decisions, training = (metrics_files[name] for name in FILES)
    metrics = ("accuracy", "log_loss", "roc_auc", "f1", "brier")
    lines = [
        f"**{corpus}**",
        "",
        "| model | validation | accuracy | log loss | ROC AUC | F1 | Brier | calibration error (before) | chosen |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for model, splits in evaluation.items():
        test, decided = splits["test"], decisions[model]
        cells = [
            f"{test[metric]:.3f} ({interval['low']:.3f} to {interval['high']:.3f})"
            for metric in metrics
            for interval in (intervals[model]["test"][metric],)
        ]
        chosen = [f"threshold {decided['threshold']:.3f}", f"temperature {decided['temperature']:.2f}"]
        chosen += [f"epoch {training[model]['best_epoch']}"] if "best_epoch" in training[model] else []
        chosen += [f"C {training[model]['C']:g}"] if "C" in training[model] else []
        error = f"{test['ece']:.3f} ({decided['uncalibrated']['test']['ece']:.3f})"
        row = [model, f"{splits['validation']['accuracy']:.3f}", *cells, error, ", ".join(chosen)]
        lines.append(f"| {' | '.join(row)} |")
    lines += [
        "",
        "| accuracy on the test rows | difference | correct alone | p | p (Holm) | detectable difference |",
        "|---|---|---|---|---|---|",
    ]
    for pair, test in comparisons.items():
        difference = f"{test['difference']:+.3f} ({test['low']:+.3f} to {test['high']:+.3f})"
        smallest = f"{test['smallest_difference']:.3f}" if "smallest_difference" in test else "none"
        alone = f"{test['only_first']}, {test['only_second']}"
        p, p_holm = p_value(test["p"]), p_value(test["p_holm"])
        lines.append(f"| {pair.replace('_vs_', ' minus ')} | {difference} | {alone} | {p} | {p_holm} | {smallest} |")
    return "\n".join(lines).replace("logistic_regression", "logistic regression")


def main() -> None:
    """Parse the arguments, run the experiments and print their tables."""
    parser = argparse.ArgumentParser(description="Run the honest protocol on each corpus as DVC experiments.")
    parser.add_argument(
        "corpora", nargs="*", choices=(*CORPORA, "all"), default="all", metavar="CORPUS", help="default: all"
    )
    corpora = parser.parse_args().corpora
    for corpus in CORPORA if "all" in corpora else corpora:
        name = experiment(corpus)
        files = {file: dvc.api.metrics_show(f"metrics/{file}.json", rev=name) for file in FILES}
        print(tables(corpus, files), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
