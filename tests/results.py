"""Results and runs made by hand, for tests of what is said of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_type_hints

from textclf.evaluate.results import Comparison, Difference, Ends, MeasuredShare, Results, Slice
from textclf.export.facts import Facts, Settings
from textclf.export.sources import Source
from textclf.models.settings import LESSON
from textclf.report.run import Run


def facts(
    classes: Sequence[str] = ("0", "1"),
    sources: Sequence[Source] = (),
    watching: Collection[str] = (),
    sections: Mapping[str, Any] | None = None,
    **contents: Any,
) -> Facts:
    """Return what is known of a run: `sections` of params.yaml, `contents` of metrics files."""
    given = {"vectorize": {"words": {}}, "train": LESSON} | dict(sections or {})
    settings = {
        name: kind.model_validate(given.get(name, {}))
        for name, kind in get_type_hints(Settings).items()
    }
    return Facts(Settings(**settings), classes, Results.of(**contents), sources, watching)


def with_results(run: Run, **contents: Any) -> Run:
    """Return the run with other contents of some files, as objects or dictionaries."""
    return replace(run, results=Results.of(**vars(run.results) | contents))


def ends(value: float, half: float = 0.1) -> Ends:
    """Return an interval that reaches as far to both sides."""
    return Ends(low=value - half, high=value + half)


def share(value: float, low: float, high: float, rows: int = 250) -> MeasuredShare:
    return MeasuredShare(value=value, low=low, high=high, rows=rows)


def difference(value: float, half: float = 0.2) -> Difference:
    """Return a difference whose interval reaches as far to both sides."""
    return Difference(difference=value, low=value - half, high=value + half)


def comparison(
    value: float, low: float, high: float, p: float = 0.01, **changes: Any
) -> Comparison:
    """Return the comparison of two models with this difference in accuracy."""
    return Comparison(
        difference=value, low=low, high=high, only_first=1, only_second=2, p=p, p_holm=p, **changes
    )


def slice_of(
    difference: float = 0.0,
    p: float = 1.0,
    rows: int = 20,
    metrics: Mapping[str, Any] | None = None,
) -> Slice:
    """Return a slice on which half of the rows are right; `metrics` has metric and interval."""
    return Slice(
        rows=rows,
        accuracy=0.5,
        accuracy_interval=ends(0.5),
        difference=difference,
        difference_interval=ends(difference),
        p=p / 10,
        p_holm=p,
        **(metrics or {}),
    )
