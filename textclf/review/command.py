"""The command `textclf pr-report`: what a change does to the numbers, as a comment.

Exit code 0: the gate of params.yaml passed. 1: it failed; stderr has the reasons. 2: there is no
answer; if only the gate could not be checked, for example because it names a model that is gone,
the comment is still written and says so. Metrics and figures are those that dvc.yaml names, stages
those of dvc.lock, each as it is at its revision.
"""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

from textclf.behave.results import Behaviour
from textclf.core.differences import MISSING, Difference, compare_values, value_at
from textclf.core.errors import UserError
from textclf.core.outputs import writing
from textclf.core.settings import PARAMS_FILE
from textclf.evaluate.intervals import Interval
from textclf.evaluate.looks import KEY, count_results, widen
from textclf.evaluate.model_choice import explain_choice
from textclf.evaluate.model_warnings import below_baseline
from textclf.evaluate.results import Results
from textclf.evaluate.settings import Evaluate
from textclf.models.settings import CONSTANT
from textclf.review import revisions
from textclf.review.arguments import PullRequestReport
from textclf.review.base import run_base
from textclf.review.changes import Change, Numbers, Settled, compare_metrics
from textclf.review.comment import Figure, Report, render
from textclf.review.differences import (
    checksums,
    compare_stages,
    not_run,
    task_differences,
    with_defaults,
)
from textclf.review.gate import Check, check_behaviour, check_gate, check_slices
from textclf.review.pairing import Pairing, pair_predictions
from textclf.review.revisions import Revision
from textclf.review.settings import Gate

GATE_FAILED = 1
CONFIDENCE = "evaluate.confidence"
# Files in metrics/ that the comment leaves out: see `_other_metrics`.
NOT_LISTED = {
    revisions.EVALUATION,
    revisions.INTERVALS,
    revisions.SLICES,
    revisions.COMPARISONS,
    revisions.DECISIONS,
}


def run(arguments: PullRequestReport) -> int:
    """Write the comment and return the exit code: 0, or 1 if the gate failed.

    The reasons of the gate are on stderr. Raise `UserError` after writing if the gate could not be
    checked: an older comment that says "passed" must not stay.
    """
    head_commit = revisions.commit_of("HEAD" if arguments.head is None else arguments.head)
    head = Revision(head_commit, tree=arguments.head is None)
    base = revisions.merge_base(revisions.commit_of(arguments.base), head)
    failure = _run_base(base) if arguments.run_base else ""
    report = replace(compare(base, head), base_failure=failure)
    output = arguments.output
    start = output.parent if output else Path()
    figures = changed_figures(base, head, arguments.image_url, arguments.images, start)
    text = render(replace(report, figures=figures, report_url=arguments.report_url))
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        with writing(output):
            output.write_text(text, encoding="utf-8", newline="\n")
    else:
        print(text, end="")
    if report.gate_errors:
        raise UserError(*report.gate_errors)
    for check in report.failed:
        print(f"gate: {check.change.name} {check.reason}", file=sys.stderr)
    return GATE_FAILED if report.failed else 0


def _run_base(base: Revision) -> str:
    """Run the pipeline at the base; warn and return why if that failed, else an empty text."""
    try:
        run_base(base.commit)
    except UserError as error:
        reason = error.lines[0]
        print(f"warning: pr-report: the run of {base.name} failed: {reason}", file=sys.stderr)
        return reason
    return ""


def compare(base: Revision, head: Revision) -> Report:
    """Return the report on two revisions of the project in the current folder, without figures."""
    sides = base, head
    params = [with_defaults(side.params) for side in sides]
    # A base where no run was committed has no metrics.
    measured = base.metrics(revisions.EVALUATION), head.evaluation()
    settings = [_evaluate_section(side) for side in sides]
    levels = {section.confidence for section in settings if section}
    intervals: tuple[Numbers, Numbers] = {}, {}
    if len(levels) < 2:  # intervals of different levels can't be combined
        intervals = base.metrics(revisions.INTERVALS), head.metrics(revisions.INTERVALS)
    task = task_differences(params, [side.metrics(revisions.SPLITS) for side in sides])
    changes = _mark(compare_metrics(*measured, *intervals, same_task=not task), params)
    moved = [change for change in changes if change.verdict not in get_args(Settled)]
    pairing = Pairing()
    if moved and len(levels) == 1 and settings[0] and settings[1]:
        pairing = _pair(base, head, moved, settings[1])
    changes = pairing.replace_intervals(changes)
    folder = Path(head.metric_files()[revisions.EVALUATION]).parent
    test_rows = head.metrics(revisions.DECISIONS).get("protocol", {}).get(KEY)
    looks = count_results(test_rows, folder, "" if head.tree else head.commit)
    tested = [change for change in moved if change.split == "test" and not change.baseline]
    models = sorted({change.model for change in tested})
    of_best = {}
    if levels:
        of_best = _of_best(models, measured[1], intervals[1], min(levels), looks)
    splits = [checksums(side.lock.get("split", {}), "outs") for side in sides]
    same_splits = True if splits[0] and splits[0] == splits[1] else None
    differences = compare_values(*params)
    uncommitted = head.uncommitted()
    behaviour = [side.behaviour() for side in sides]
    checks, gate_errors = _check_all(sides, changes, behaviour)
    # A wider interval lets more pass, so the level belongs to the gate.
    of_gate = [change for change in differences if change.name.startswith(("gate.", CONFIDENCE))]
    default, below = _default_of(head)
    return Report(
        base=base.name,
        head="the working tree" if uncommitted else head.name,
        changes=changes,
        checks=checks,
        gate_errors=gate_errors,
        # A base without a gate had none to change.
        gate_changes=of_gate if params[0].get("gate") else [],
        pairs=pairing.pairs,
        why_unpaired=pairing.unpaired,
        looks=looks,
        default=default,
        below=below,
        of_best=of_best,
        task=task,
        same_rows=all(pairing.same_test_rows) if pairing.same_test_rows else same_splits,
        confidence=min(levels, default=None) if len(levels) < 2 else None,
        params=differences,
        others=[*_other_metrics(sides), *_other_rates(behaviour)],
        stages=compare_stages(base.lock, head.lock),
        not_run=not_run(head.params, head.lock, str(PARAMS_FILE)),
        uncommitted=uncommitted,
    )


def _mark(changes: Iterable[Change], params: Sequence[Mapping[str, Any]]) -> list[Change]:
    """Return the changes, with what the settings of both sides say of them.

    A model is a baseline if it is one on both; costs that differ can't be compared.
    """
    before, now = (value_at(side, "evaluate.costs") for side in params)
    marked = []
    for change in changes:
        kinds = [value_at(side, f"train.{change.model}.kind") for side in params]
        own = replace(change, baseline=all(kind == CONSTANT for kind in kinds))
        if change.metric == "cost" and before != now:
            own = replace(own, same_task=False, interval=None)
        marked.append(own)
    return marked


def _pair(base: Revision, head: Revision, moved: Sequence[Change], settings: Evaluate) -> Pairing:
    """Return the changes with the paired intervals of both sides' predictions."""
    models = sorted({change.model for change in moved})
    stratified = is_stratified(with_defaults(head.params), head.metrics(revisions.SPLITS))
    old, new = base.decided(models), head.decided(models)
    return pair_predictions(moved, old, new, settings, stratified, _clustered((base, head)))


def _of_best(
    models: Iterable[str], measured: Numbers, intervals: Numbers, confidence: float, looks: int
) -> dict[str, Interval]:
    """Return the interval of each model's test accuracy if it is the best of so many results."""
    widened = {}
    for model in models:
        ends = intervals.get(model, {}).get("test", {}).get("accuracy") or {}
        rows = ends.get("effective_rows")
        if rows:
            accuracy, degrees = measured[model]["test"]["accuracy"], ends.get("degrees")
            widened[model] = widen(accuracy, rows, confidence, looks, degrees)
    return widened


def _check_all(
    sides: tuple[Revision, Revision], changes: Sequence[Change], behaviour: Sequence[Any]
) -> tuple[list[Check], tuple[str, ...]]:
    """Return the checks of the head's gate, and what is wrong with its settings."""
    try:
        gate = sides[1].section("gate", Gate)
        by_slice = [side.metrics(revisions.SLICES) if gate.slices else {} for side in sides]
        checks = [
            *check_gate(gate, changes),
            *check_slices(gate, *by_slice),
            *check_behaviour(gate, *behaviour),
        ]
    except UserError as error:
        return [], error.lines
    return checks, ()


def _default_of(head: Revision) -> tuple[str, str]:
    """Return the default model of the head, and what `below_baseline` says of it."""
    results = Results.of(
        evaluation=head.metrics(revisions.EVALUATION), decisions=head.metrics(revisions.DECISIONS)
    )
    named = value_at(head.params, "export.model")
    models = [name for section in ("train", "average") for name in head.params.get(section) or ()]
    with suppress(LookupError):  # of results of another version
        default, _ = explain_choice(None if named is MISSING else named, results, models)
        return default, below_baseline(results, default)
    return "", ""


def is_stratified(params: Mapping[str, Any], splits_report: Mapping[str, Any]) -> bool:
    """Return whether the split fixed the shares of the classes; given test rows have their own."""
    split = params.get("split")
    drawn = "test" not in splits_report.get("given", {})
    return drawn and isinstance(split, dict) and split.get("stratify") is True


def _clustered(sides: Sequence[Revision]) -> set[str]:
    """Return the splits whose rows are not independent at either revision."""
    decisions = [side.metrics(revisions.DECISIONS) for side in sides]
    return {
        split for content in decisions for split in content.get("protocol", {}).get("clusters", {})
    }


def _evaluate_section(side: Revision) -> Evaluate | None:
    """Return the settings that a revision evaluated by; None if today's rules refuse them."""
    try:
        return side.section("evaluate", Evaluate)
    except UserError:
        return None


def _other_metrics(sides: Sequence[Revision]) -> list[Difference]:
    """Return what differs in the metrics files other than those of the models' metrics.

    Slices are many, and mostly differ by chance; the gate can watch some of them. Comparisons of
    models follow from the models' metrics, and how each model decides shows in these.
    """
    files = [side.metric_files() for side in sides]
    differences = []
    for name in sorted({*files[0], *files[1]} - NOT_LISTED):
        contents: list[Any] = [side.metrics(name) for side in sides]
        differences += [
            replace(entry, name=f"{name}: {entry.name}") for entry in compare_values(*contents)
        ]
    return differences


def _other_rates(behaviour: Sequence[Mapping[str, Behaviour]]) -> list[Difference]:
    """Return what differs in the failure rates of behavioural tests."""
    rates: list[Any] = [
        {name: _failure_rates(results) for name, results in side.items()} for side in behaviour
    ]
    return [replace(entry, name=f"behaviour: {entry.name}") for entry in compare_values(*rates)]


def _failure_rates(results: Behaviour) -> dict[str, dict[str, float]]:
    """Return the failure rates of one file of behavioural tests by model and test."""
    return {
        model: {test: outcome.failure_rate for test, outcome in tests.items()}
        for model, tests in results.models.items()
    }


def changed_figures(
    base: Revision, head: Revision, image_url: str, images: Path | None, start: Path
) -> list[Figure]:
    """Return the figures whose bytes differ, with an address per side.

    The address is made from the template, else of a file in `images`. `start` is the folder that
    the address of a file is relative to. A figure of the working tree that is not committed has no
    address from the template.
    """
    figures = []
    for path in dict.fromkeys(base.figures() + head.figures()):
        contents = base.read(path), head.read(path)
        if contents[0] == contents[1]:
            continue
        addresses = []
        for side, revision, content in zip(("base", "head"), (base, head), contents, strict=True):
            address = ""
            if content is not None and images is not None:
                images.mkdir(parents=True, exist_ok=True)
                file = images / f"{side}-{path.replace('/', '-')}"
                with writing(file):
                    file.write_bytes(content)
                address = quote(Path(os.path.relpath(file, start)).as_posix())
            may_link = content is not None and bool(image_url)
            if may_link and content == Revision(revision.commit).read(path):
                address = image_url.replace("{revision}", revision.commit)
                address = address.replace("{path}", quote(path))
            addresses.append(address)
        figures.append(Figure(path, *addresses))
    return figures
