"""The tables of prediction sets, from the results of `prediction_sets` and `abstention`, as Markdown.

Every function in `TABLES` takes nothing and reads benchmarks/results/.
"""

from typing import Any

from benchmarks.results import markdown
from benchmarks.results import read as result
from benchmarks.tables import CORPORA, display, interval

CHOICE_ROWS = (50, 500)  # validation rows of the choices that are shown
ASKED = "0.9"  # the coverage that is shown


def prediction_sets() -> str:
    """Return the coverage of sets by the number of validation rows, simulated and exact."""
    content = result("prediction_sets")
    rows = [
        [
            f"{line['rows']:,}",
            plus_minus(line["simulated"]),
            *(quantiles(line[name]) for name in ("simulated", "exact")),
        ]
        for line in content["sizes"]
    ]
    for row, line in zip(rows, content["sizes"], strict=True):
        row.insert(2, f"{100 * line['exact']['mean']:.2f}")
    header = ["validation rows", "mean coverage, %", "exact mean", "5% to 95% of the draws", "exact range"]
    return f"{markdown(header, rows)}\n\n{draws(content)}"


def prediction_sets_by_class() -> str:
    """Return the coverage within each class, of sets of all rows and of sets by class."""
    rows = [
        [
            f"{line['share']:.0%} of the rows",
            plus_minus(line["all"]),
            plus_minus(line["by_class"]),
            f"{100 * line['exact']:.2f}",
        ]
        for line in result("prediction_sets")["classes"]
    ]
    return markdown(["coverage within the class, %", "all rows together", "`coverage_by_class`", "exact"], rows)


def prediction_sets_broken() -> str:
    """Return the coverage where validation and test rows differ, and where validation rows have chosen something."""
    content = result("prediction_sets")
    first = [
        [line["change"], plus_minus(line["simulated"]), quantiles(line["simulated"])] for line in content["broken"]
    ]
    second = [
        [
            line["choice"],
            f"{line['rows']}",
            plus_minus(line["cost"], "+"),
        ]
        for line in content["choices"]
        if line["rows"] in CHOICE_ROWS
    ]
    header = ["chosen on the validation rows", "rows", "points of coverage lost"]
    table = markdown(["difference of the test rows", "mean coverage, %", "5% to 95% of the draws"], first)
    return f"{table}\n\n{markdown(header, second)}"


def plus_minus(line: dict[str, float], sign: str = "") -> str:
    """Return a mean percentage and two standard errors."""
    return f"{100 * line['mean']:{sign}.2f} ± {200 * line['error']:.2f}"


def quantiles(line: dict[str, float]) -> str:
    """Return two percentages as a range."""
    return f"{100 * line['low']:.1f} to {100 * line['high']:.1f}"


def draws(content: dict[str, Any]) -> str:
    """Return what the lines of the simulation have in common."""
    return (
        f"{content['coverage']:.0%} asked for; {content['draws']:,} draws of the validation rows and of "
        f"{content['test']:,} test rows per line; ± two standard errors."
    )


def abstention() -> str:
    """Return coverage, answers and their accuracy on each corpus, as textclf predict gives them."""
    rows = []
    for corpus in CORPORA:
        content = result(f"abstention-{corpus}")
        for model in ("logistic_regression", "keras"):
            found = content["models"][model]
            line = found["coverages"][ASKED]
            rows.append(
                [
                    corpus,
                    display(model),
                    interval(line["coverage"]["value"], line["coverage"]),
                    f"{line['range']['low']:.3f} to {line['range']['high']:.3f}",
                    interval(1 - line["answered"]["value"], _rest(line["answered"])),
                    f"{interval(line['accuracy']['value'], line['accuracy'])} of {found['accuracy']:.3f}",
                ]
            )
    header = ["corpus", "model", "coverage", "range of runs", "abstains"]
    return markdown([*header, "accuracy of the answers, of all rows"], rows)


def _rest(share: dict[str, float]) -> dict[str, float | None]:
    """Return the interval of 1 minus a share."""
    return {"low": 1 - share["high"], "high": 1 - share["low"]}


TABLES = {
    "abstention": abstention,
    "prediction-sets": prediction_sets,
    "prediction-sets-broken": prediction_sets_broken,
    "prediction-sets-by-class": prediction_sets_by_class,
}
