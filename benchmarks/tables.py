"""The tables of docs/ with accuracies and simulations, as Markdown; docs/generate.py puts them into the pages.

Every function takes nothing and reads benchmarks/results/.
"""

import math
from dataclasses import asdict

import numpy as np

from benchmarks import costs, few_rows, pairs, preset_choices, presets
from benchmarks.results import markdown
from benchmarks.results import read as result
from textclf.core.formatting import p_value
from textclf.evaluate.comparisons import corrected_t
from textclf.evaluate.power import smallest_difference

CORPORA = ("yelp", "amazon", "imdb")
TEST_ROWS = 250  # of each
NAMES = {"keras": "network", "linear_svm": "linear SVM", "nb_svm": "NB-SVM", "naive_bayes": "naive Bayes"}


def display(model: str) -> str:
    """Return the name of a model in prose."""
    return NAMES.get(model, model.replace("_", " "))


def interval(value: float, ends: dict[str, float | None] | None, sign: str = "") -> str:
    """Return a number with its interval, if there is one."""
    if ends is None or ends["low"] is None:
        return f"{value:{sign}.3f}"
    return f"{value:{sign}.3f} ({ends['low']:{sign}.3f} to {ends['high']:{sign}.3f})"


# The honest protocol, and cross-validation


def honest_command() -> str:
    """Return the command that runs the honest protocol, from the settings of the result."""
    settings = [
        f"{key}={str(value).replace(' ', '').lower()}" for key, value in result("honest-yelp")["settings"].items()
    ]
    options = [f"-S '{each}'" if "[" in each else f"-S {each}" for each in settings]
    lines = [" ".join(options[start : start + 2]) for start in range(0, len(options), 2)]
    return "```console\n$ dvc exp run --temp -n honest " + " \\\n    ".join(lines) + "\n```"


def honest() -> str:
    """Return metrics of the honest protocol by corpus and model, and the tests between network and regression."""
    rows, tests = [], []
    for corpus in CORPORA:
        run = result(f"honest-{corpus}")
        for model in ("keras", "logistic_regression"):
            test, decided, trained = run["evaluation"][model]["test"], run["decisions"][model], run["training"][model]
            chosen = [f"temperature {decided['temperature']:.2f}"]
            chosen += [f"epoch {trained['best_epoch']}"] if "best_epoch" in trained else []
            chosen += [f"C {trained['C']:g}"] if "C" in trained else []
            cells = [interval(test[key], run["intervals"][model]["test"].get(key)) for key in ("accuracy", "log_loss")]
            error = f"{test['ece']:.3f} ({decided['ece_if_calibrated']['test']:.3f})"
            rows.append([corpus, display(model), *cells, error, ", ".join(chosen)])
        pair = run["comparisons"]["keras_vs_logistic_regression"]
        discordant = (pair["only_first"] + pair["only_second"]) / TEST_ROWS
        smallest = smallest_difference(TEST_ROWS, discordant, 0.05 / len(run["comparisons"])) or math.nan
        numbers = [p_value(pair["p"]), f"{smallest:.3f}"]
        tests.append([corpus, interval(pair["difference"], pair, "+"), *numbers])
    first = markdown(["corpus", "model", "accuracy", "log loss", "calibration error (if calibrated)", "chosen"], rows)
    header = ["corpus", "network minus logistic regression, accuracy", "p", "smallest detectable difference"]
    return f"{first}\n\n{markdown(header, tests)}"


def studies() -> str:
    """Return means over folds and seeds, and what is said of network and regression, of each corpus and of all.

    The corpora are taken as three of many: the mean of their differences has Student's interval over them.
    """
    first, second, means = [], [], []
    for corpus in CORPORA:
        report = result(f"studies-{corpus}")
        for model in ("logistic_regression", "keras"):
            accuracy, loss = report[model]["accuracy"], report[model]["log_loss"]
            seeds = f"{accuracy['sd_of_seeds']:.3f}" if "sd_of_seeds" in accuracy else ""
            spread = [f"{each['mean']:.3f}, {each['sd']:.3f}" for each in (accuracy, loss)]
            first.append([corpus, display(model), *spread, seeds])
        test = report["keras_vs_logistic_regression"]
        means.append(test["mean"])
        numbers = [f"{test[name]:.2f}" for name in ("p", "better", "alike", "worse", "wins")]
        second.append([corpus, interval(test["mean"], test, "+"), *numbers])
    every = corrected_t(np.array(means), 0)
    second.append(["mean of the corpora", interval(every.mean, asdict(every), "+"), f"{every.p:.2f}", *[""] * 4])
    header = ["corpus", "model", "accuracy: mean, sd over folds", "log loss: mean, sd over folds"]
    chances = ["better by over a point", "alike", "worse", "wins a new draw"]
    tests = markdown(["corpus", "network minus logistic regression, accuracy", "p", *chances], second)
    return f"{markdown([*header, 'accuracy: sd over seeds'], first)}\n\n{tests}"


# Representations and models


def representations() -> str:
    """Return cross-validated accuracies on the corpora, a star if the difference from the baseline is significant."""
    models = ("naive_bayes", "logistic_regression", "linear_svm", "nb_svm")
    contents = [result(f"representations-{corpus}")["representations"] for corpus in CORPORA]
    rows = []
    for lines in zip(*contents, strict=True):
        cells = [", ".join(starred(line["models"][model]) for line in lines) for model in models]
        rows.append([lines[0]["representation"], *cells])
    return markdown([f"accuracy: {', '.join(CORPORA)}", *map(display, models)], rows)


def starred(cell: dict[str, float]) -> str:
    """Return a mean accuracy, with a star if the interval of its difference from the baseline excludes 0."""
    excludes = "low" in cell and (cell["low"] > 0 or cell["high"] < 0)
    return f"{cell['accuracy']:.3f}{'*' if excludes else ''}"


def accuracy(cell: dict[str, float]) -> str:
    """Return a mean accuracy with the interval of its difference from the baseline, which has none."""
    difference = f" ({cell['low']:+.3f} to {cell['high']:+.3f})" if "low" in cell else ""
    return f"{cell['accuracy']:.3f}{difference}"


def choices() -> str:
    """Return the accuracy of each way to classify on each corpus and on all together, and what it costs."""
    contents = {name: result(f"choices-{name}") for name in (*CORPORA, "pool")}
    rows = []
    for number, cost in enumerate(result("choices-timings")["choices"]):
        rate = float(f"{cost['texts_per_cpu_second']:.2g}")
        rows.append(
            [
                cost["name"],
                *(starred(contents[corpus]["choices"][number]) for corpus in CORPORA),
                accuracy(contents["pool"]["choices"][number]),
                f"{cost['cpu_seconds']:.2f}",
                f"{rate:,.0f}",
                f"{cost['megabytes']:.2f}",
            ]
        )
    corpora = [f"{name}, {content['rows']:,} rows" for name, content in contents.items()]
    return markdown(["model", *corpora, "training, CPU s", "texts per CPU s", "MB"], rows)


# Behavioural tests


# Label issues


TABLES = {
    "choices": choices,
    "costs": costs.table,
    "honest": honest,
    "honest-command": honest_command,
    "pairs": pairs.table,
    "few-rows": few_rows.table,
    "preset-choices": preset_choices.table,
    "presets": presets.table,
    "representations": representations,
    "studies": studies,
}
