"""The tables of what is chosen on validation rows, from the results of `validation`, as Markdown.

Every function in `TABLES` takes nothing and reads benchmarks/results/.
"""

from typing import Any

from benchmarks.prediction_set_tables import plus_minus
from benchmarks.results import markdown
from benchmarks.results import read as result

SCALES = {1.0: "calibrated", 2.0: "overconfident: T = 2", 0.5: "underconfident: T = 0.5"}


def calibration_prior() -> str:
    """Return the log loss on new rows uncalibrated, and calibrated without and with the priors."""
    content = result("validation")
    two = [line for line in content["temperatures"] if line["classes"] == 2]
    rows = [
        [f"{size:,}", f"{accuracy:g}", *(losses(find(two, size, accuracy, scale)) for scale in SCALES)]
        for size in sorted({line["rows"] for line in two})
        for accuracy in sorted({line["accuracy"] for line in two})
    ]
    header = ["validation rows", "accuracy"]
    first = markdown([*header, *SCALES.values()], rows)
    platts = content["platts"]
    rows = [
        [f"{size:,}", f"{accuracy:g}", *(losses(find(platts, size, accuracy, scale)) for scale in (1.0, 2.0))]
        for size in sorted({line["rows"] for line in platts})
        for accuracy in sorted({line["accuracy"] for line in platts})
    ]
    second = markdown([*header, "Platt scaling, log odds shifted by 0.5", "the same, T = 2"], rows)
    fitted = [line["after"] for line in (*two, *platts)]
    note = (
        "Log loss: uncalibrated, without the prior (Platt scaling: with his targets), with it; "
        f"{content['sets']:,} draws per cell; the standard error with the prior is at most "
        f"{max(cell['error'] for cell in fitted):.3f}."
    )
    return f"{first}\n\n{second}\n\n{note}"


def find(lines: list[dict[str, Any]], rows: int, accuracy: float, scale: float) -> dict[str, Any]:
    """Return the line of a cell."""
    cell = (rows, accuracy, scale)
    return next(line for line in lines if (line["rows"], line["accuracy"], line["scale"]) == cell)


def losses(line: dict[str, Any]) -> str:
    """Return the log loss before and after."""
    return f"{line['uncalibrated']:.3f}, {line['before']['mean']:.3f}, {line['after']['mean']:.3f}"


def target_precision() -> str:
    """Return how often a threshold misses the target precision, before and after, and what the promise costs."""
    content = result("validation")
    rows = []
    for line in content["precisions"]:
        before, after = line["before"], line["after"]
        kept = [f"{after[key]:.3f}" if after[key] is not None else "" for key in ("precision", "recall")]
        rows.append(
            [
                f"{line['accuracy']:g}",
                f"{line['rows']:,}",
                f"{line['target']:g}",
                f"{before['below']:.1%}",
                *(f"{before[key]:.3f}" for key in ("precision", "recall")),
                f"{after['below']:.1%}",
                *kept,
                f"{after['refused']:.0%}",
            ]
        )
    header = ["accuracy", "validation rows", "target", "reached on the rows: below it", "mean precision", "recall"]
    table = markdown([*header, "with 95% confidence: below it", "mean precision", "recall", "refused"], rows)
    note = f"{content['sets']:,} draws per line; a share of 5% has an interval of ±1.4 points, one of 50% of ±3.1."
    return f"{table}\n\n{note}"


def accurate_threshold() -> str:
    """Return what the most accurate threshold on the validation rows gains on new rows over 0.5."""
    lines = result("validation")["accuracies"]
    rows = [
        [
            f"{size:,}",
            *(plus_minus(line["gain"], "+") for line in lines if line["rows"] == size),
        ]
        for size in sorted({line["rows"] for line in lines})
    ]
    models = {(line["shift"], line["accuracy"]): None for line in lines}
    names = [
        f"{f'log odds shifted by {shift:g}' if shift else 'calibrated'}, accuracy {best:g}" for shift, best in models
    ]
    return markdown(["points gained; validation rows", *names], rows)


TABLES = {
    "accurate-threshold": accurate_threshold,
    "calibration-prior": calibration_prior,
    "target-precision": target_precision,
}
