"""The comment of a pull request: a report as Markdown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from markupsafe import Markup

from textclf.core.differences import Difference
from textclf.core.formatting import count_noun, join_names
from textclf.core.quoting import list_few
from textclf.evaluate.intervals import Interval
from textclf.review import markdown
from textclf.review.changes import IMPORTANT, JUDGED, Change, Verdict
from textclf.review.differences import StageChange, find_causes
from textclf.review.gate import Check
from textclf.review.pairing import Pair

# The first line, by which the comment is found and replaced.
MARKER = Markup("<!-- textclf:pr-report -->")
# Bytes of a comment; GitHub accepts 65,536 characters.
LIMIT = 65_000
TOO_FEW = "too few rows are right or wrong for a paired one"
NOT_READ = "this version does not read the settings of evaluate of both revisions"
# Rows of a table or list, at most; and fewer ones, of which a comment takes the first that keeps to
# `LIMIT`.
MOST = 60
FEWER = (MOST, 20, 5, 1)


@dataclass(frozen=True)
class Figure:
    """A figure that changed: addresses of its image at base and head, empty where there is none."""

    path: str
    base: str
    head: str


@dataclass(frozen=True)
class Report:
    """Everything that the comment says."""

    base: str
    head: str
    changes: list[Change]
    checks: list[Check] = field(default_factory=list)
    gate_errors: tuple[str, ...] = ()  # why the gate could not be checked; there are no checks then
    gate_changes: list[Difference] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    why_unpaired: dict[tuple[str, str], str] = field(default_factory=dict)  # by model and split
    base_failure: str = ""  # why the run of the base failed
    looks: int = 1  # results on the test rows of the head that Git has
    # Intervals of the accuracy of models, as the best of these results.
    of_best: dict[str, Interval] = field(default_factory=dict)
    default: str = ""  # the default model of the head
    below: str = ""  # what `below_baseline` says of it
    # Names of what makes the task different from the base's.
    task: list[str] = field(default_factory=list)
    same_rows: bool | None = True  # whether the test rows are those of the base; None if unknown
    # None if the confidence differs between the revisions, so that no change has an interval.
    confidence: float | None = 0.95
    params: list[Difference] = field(default_factory=list)
    others: list[Difference] = field(default_factory=list)  # metrics that are not metrics of models
    stages: list[StageChange] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    # Settings at the head with which its stages did not run.
    not_run: list[str] = field(default_factory=list)
    uncommitted: list[str] = field(default_factory=list)
    report_url: str = ""

    @property
    def has_intervals(self) -> bool:
        """Return whether any metric changed and has an interval."""
        return any(change.judged_by for change in self.changes)

    @property
    def without_interval(self) -> list[str]:
        """Return the metrics that changed on rows not trained on, without a verdict on any."""
        verdicts = ("no interval", "too few rows")
        without = {change.metric for change in self.judged if change.verdict in verdicts}
        return sorted(without - {change.metric for change in self.judged if change.judged_by})

    @property
    def figures_without_image(self) -> list[str]:
        """Return the paths of the figures that changed and can't be shown."""
        return [figure.path for figure in self.figures if not (figure.base or figure.head)]

    @property
    def judged(self) -> list[Change]:
        """Return the changes on rows that the models were not trained on."""
        return [change for change in self.changes if change.split in JUDGED]

    @property
    def failed(self) -> list[Check]:
        """Return the checks that failed."""
        return [check for check in self.checks if check.reason]

    @property
    def unpaired(self) -> dict[Markup, dict[tuple[str, str], list[str]]]:
        """Return by reason each model and split whose interval is not paired.

        Each has the list of its metrics without a paired interval, which is empty for all of them.
        """
        paired = {(pair.model, pair.split): pair.unpaired for pair in self.pairs}
        by_reason: dict[Markup, dict[tuple[str, str], list[str]]] = {}
        for change in self.judged:
            key = change.model, change.split
            if change.judged_by and change.metric in paired.get(key, {change.metric}):
                reason = TOO_FEW if key in paired else self.why_unpaired.get(key, NOT_READ)
                if self.base_failure and "of the base" in reason:
                    reason = f"{reason} (its run failed: {markdown.code(self.base_failure, 300)})"
                metrics = by_reason.setdefault(markdown.safe(reason), {}).setdefault(key, [])
                if key in paired:
                    metrics.append(change.metric)
        return by_reason

    def models(self, verdict: Literal["unchanged", "removed"]) -> list[str]:
        """Return the models whose metrics on rows not trained on all have this verdict."""
        verdicts: dict[str, set[Verdict]] = {}
        for change in self.judged:
            verdicts.setdefault(change.model, set()).add(change.verdict)
        return [model for model, model_verdicts in verdicts.items() if model_verdicts == {verdict}]

    @property
    def main_rows(self) -> list[Change]:
        """Return the rows of the main table: important metrics of other models, but baselines."""
        hidden = {*self.models("unchanged"), *self.models("removed")}
        return [
            change
            for change in self.judged
            if change.metric in IMPORTANT and change.model not in hidden and not change.baseline
        ]

    @property
    def more_rows(self) -> list[Change]:
        """Return the other changes on rows not trained on: the rows of the folded table."""
        shown = self.main_rows[:MOST]
        changed = [change for change in self.judged if change.verdict != "unchanged"]
        return [change for change in changed if change not in shown]

    @property
    def of_training_rows(self) -> int:
        """Return how many metrics changed on rows that the models were trained on."""
        trained = [change for change in self.changes if change.split not in JUDGED]
        return sum(change.verdict != "unchanged" for change in trained)


def render(report: Report, limit: int = LIMIT) -> str:
    """Return the Markdown of the comment, with fewer rows per table if it is beyond the limit."""
    template = markdown.template("comment.md.j2")
    values = {
        "report": report,
        "headline": headline(report),
        "causes": find_causes(report.stages),
        "marker": MARKER,
    }
    text = ""
    for most in FEWER:
        text = template.render(**values, most=most)
        text = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
        if len(text.encode()) <= limit:
            break
    return text


def headline(report: Report) -> Markup:
    """Return one sentence: what changed on the test rows, and the result of the gate."""
    by_model: dict[str, list[Change]] = {}
    for change in report.changes:
        if change.split == "test" and change.metric in IMPORTANT:
            by_model.setdefault(change.model, []).append(change)
    phrases = filter(None, (_phrase(model, changes) for model, changes in by_model.items()))
    listed = list_few([phrase for _, phrase in sorted(phrases)], markdown.MOST_NAMES)
    if report.task:
        sentence = "The task differs from the base, so no numbers are compared"
        if listed:
            sentence += f"; {listed}"
    else:
        sentence = f"On the test rows {listed or 'no metric changed'}"
        if report.same_rows is False:
            sentence += "; the test rows differ from those of the base"
        elif report.same_rows is None:
            sentence += "; the test rows may differ from those of the base"
    below = f"{markdown.code(report.default)} {report.below}. " if report.below else ""
    return markdown.safe(f"{below}{sentence}; {_gate_phrase(report)}.")


def _gate_phrase(report: Report) -> str:
    if report.gate_errors:
        phrase = "the gate could not be checked"
    elif not report.checks:
        phrase = "no gate is set"
    elif report.failed:
        phrase = (
            f"the gate failed ({len(report.failed)} of {count_noun(len(report.checks), 'rule')})"
        )
    else:
        phrase = "the gate passed"
    return f"{phrase}; the rules of the gate changed" if report.gate_changes else phrase


def _phrase(model: str, changes: Sequence[Change]) -> tuple[int, str] | None:
    """Return the rank of a model, worst first, and what became of it; None if nothing changed."""
    metrics: dict[Verdict, list[str]] = {}
    for change in changes:
        metrics.setdefault(change.verdict, []).append(change.metric)
    name = markdown.code(model)
    if "worse" in metrics or "better" in metrics:
        verdicts: tuple[Verdict, ...] = ("worse", "better")
        there = [verdict for verdict in verdicts if verdict in metrics]
        beyond = " and ".join(f"{verdict} in {join_names(metrics[verdict])}" for verdict in there)
        noise = ""
        if "within noise" in metrics:
            noise = f" ({join_names(metrics['within noise'])} within noise)"
        return (0 if "worse" in metrics else 1), f"{name} is {beyond}{noise}"
    others: dict[Verdict, str] = {
        "removed": "was removed",
        "new": "is new",
        "no interval": "changed, without an interval to judge by",
        "too few rows": "changed, with too few rows to judge by",
        "within noise": "changed within noise",
        "baseline": "(baseline) changed",
    }
    for rank, (verdict, phrase) in enumerate(others.items(), 2):
        if verdict in metrics:
            return rank, f"{name} {phrase}"
    return None
