"""The comment of a pull request: a report as Markdown."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from markupsafe import Markup

from textclf.core.differences import Difference
from textclf.core.formatting import count_noun, join_names
from textclf.core.quoting import list_few
from textclf.core.settings import PARAMS_FILE
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
MOST = 20
FEWER = (MOST, 5, 1)
# Differences in other files of metrics/, at most.
FEW = 5


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
        """Return whether any metric changed on rows not trained on and has an interval."""
        return any(change.judged_by for change in self.judged)

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
        """Return the rows of the table: important metrics of test rows, but of no baseline.

        Models of which nothing changed, or that were removed, have no row.
        """
        hidden = {*self.models("unchanged"), *self.models("removed")}
        return [
            change
            for change in self.judged
            if change.split == "test"
            and change.metric in IMPORTANT
            and change.model not in hidden
            and not change.baseline
        ]

    @property
    def details(self) -> dict[tuple[str, str], tuple[Pair | None, list[Change]]]:
        """Return by model and split the pair, if there is one, and the changes beside the table."""
        pairs = {(pair.model, pair.split): pair for pair in self.pairs}
        shown, removed = self.main_rows, self.models("removed")
        others: dict[tuple[str, str], list[Change]] = {key: [] for key in pairs}
        for change in self.judged:
            if change.verdict != "unchanged" and change.model not in removed:
                group = others.setdefault((change.model, change.split), [])
                group += [change] if change not in shown else []
        return {
            key: (pairs.get(key), group) for key, group in others.items() if key in pairs or group
        }


def render(report: Report, limit: int = LIMIT) -> str:
    """Return the Markdown of the comment, with fewer rows per table if it is beyond the limit."""
    template = markdown.template("comment.md.j2")
    values = {
        "report": report,
        "headline": headline(report),
        "causes": _other_causes(report),
        "marker": MARKER,
    }
    text = ""
    for most in FEWER:
        text = template.render(**values, most=most, few=min(most, FEW))
        text = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
        text = re.sub(r"^(- .*\n)\n(?=- )", r"\1", text, flags=re.MULTILINE)
        if len(text.encode()) <= limit:
            break
    return text


def _other_causes(report: Report) -> dict[str, list[str]]:
    """Return by stage the changed inputs that are no settings, which have lines of their own."""
    settings = {difference.name for difference in report.params} | {str(PARAMS_FILE)}
    causes = find_causes(report.stages)
    others = {
        stage: [name for name in inputs if name not in settings] for stage, inputs in causes.items()
    }
    return {stage: inputs for stage, inputs in others.items() if inputs}


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
    said = "; ".join(filter(None, [sentence, _gate_phrase(report)]))
    return markdown.safe(f"{below}{said}.")


def _gate_phrase(report: Report) -> str:
    """Return the result of the gate, "" without one."""
    phrase = "the gate passed" if report.checks else ""
    if report.gate_errors:
        phrase = "the gate could not be checked"
    elif report.failed:
        phrase = (
            f"the gate failed ({len(report.failed)} of {count_noun(len(report.checks), 'rule')})"
        )
    changed = "the rules of the gate changed" if report.gate_changes else ""
    return "; ".join(filter(None, [phrase, changed]))


def _phrase(model: str, changes: Sequence[Change]) -> tuple[int, str] | None:
    """Return the rank of a model, worst first, and what became of it; None if nothing changed."""
    metrics: dict[Verdict, list[str]] = {}
    for change in changes:
        metrics.setdefault(change.verdict, []).append(change.metric)
    name = markdown.code(model)
    judged: tuple[Verdict, ...] = ("worse", "better")
    there = [verdict for verdict in judged if verdict in metrics]
    if there:
        beyond = " and ".join(f"{verdict} in {join_names(metrics[verdict])}" for verdict in there)
        rest = _beside(metrics, ("may be chance", "too few rows", "no interval"))
        return (0 if "worse" in metrics else 1), f"{name} is {beyond}{rest}"
    others: dict[Verdict, str] = {
        "removed": "was removed",
        "new": "is new",
        "may be chance": "changed no more than chance may explain",
        "too few rows": "changed, with too few rows to tell whether by chance",
        "no interval": "changed, and whether by chance is not known",
        "baseline": "(baseline) changed",
    }
    for rank, (verdict, phrase) in enumerate(others.items(), 2):
        if verdict in metrics:
            few: tuple[Verdict, ...] = ("too few rows", "no interval")
            rest = _beside(metrics, few) if verdict == "may be chance" else ""
            return rank, f"{name} {phrase}{rest}"
    return None


def _beside(metrics: Mapping[Verdict, list[str]], verdicts: Iterable[Verdict]) -> str:
    """Return which metrics have these verdicts, in brackets; "" if none has."""
    said = [f"{join_names(metrics[each])}: {each}" for each in verdicts if each in metrics]
    return f" ({'; '.join(said)})" if said else ""
