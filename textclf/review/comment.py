"""What a change does to the numbers: the project against a base revision, as the Markdown of one comment.

    textclf pr-report BASE [--head REVISION] [--output FILE] ...

Exit code 0: the gate of params.yaml passed. 1: it failed; stderr has the reasons. 2: it can't be said; where only the
gate can't be judged, as one that names a model which is gone, the comment is written nevertheless, and says so. Which
metrics and figures there are is read from dvc.yaml, which stages ran from dvc.lock, each as it stands at its revision.
"""

import argparse
import html
import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from textclf.core.errors import UserError
from textclf.core.formatting import level, listed, p_value
from textclf.review import revisions
from textclf.review.changes import (
    IMPORTANT,
    JUDGED,
    LOWER_IS_BETTER,
    Change,
    Check,
    Difference,
    Numbers,
    Pair,
    Pairing,
    Stage,
    Verdict,
    changes,
    check_gate,
    differences,
    hashes,
    number,
    pair_up,
    stages,
    task_differences,
)
from textclf.review.revisions import Revision

MARKER = "<!-- textclf:pr-report -->"  # by which the comment is found again, to be written anew
LIMIT = 65_000  # bytes; GitHub takes 65,536 characters
LONGEST = 100  # characters of a value
LONGEST_REASON = 300  # of a line that says why the gate can't be judged
MOST = 60  # rows of a table that everyone sees
GATE_FAILED = 1
LEVEL = "evaluate.confidence"


@dataclass(frozen=True)
class Plot:
    """A figure whose bytes differ: the address of its image at the base and here, empty where there is none."""

    path: str
    base: str
    head: str


@dataclass(frozen=True)
class Report:
    """All that the comment tells."""

    base: str
    head: str
    changes: list[Change]
    checks: list[Check] = field(default_factory=list)
    unjudged: tuple[str, ...] = ()  # why the gate can't be judged, and there are no checks
    gate_changed: list[Difference] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    task: list[str] = field(default_factory=list)  # what makes it another task than at the base
    same_rows: bool | None = True  # None: it can't be known
    confidence: float | None = 0.95  # None: the revisions differ in it, so that there is no interval of a change
    params: list[Difference] = field(default_factory=list)
    others: list[Difference] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)
    uncommitted: list[str] = field(default_factory=list)
    report_url: str = ""


def comment(report: Report, limit: int = LIMIT) -> str:
    """The Markdown of the comment, at most `limit` bytes: of what is too long the details are left out first."""
    always = [MARKER, f"### textclf: {_code(report.head)} against {_code(report.base)}", f"**{headline(report)}**"]
    always += [_reasons(report), _main_table(report), _notes(report)]
    foldable = {  # in the order in which they stand
        "params": _params_section(report),
        "figures": _plots_section(report),
        "gate": _gate_section(report),
        "stages": _stages_section(report),
        "all metrics": _all_metrics_section(report),
        "other metrics": _others_section(report),
    }
    end = f"[The report of this run]({quote(report.report_url, safe=_URL)})" if report.report_url else ""
    left_out: list[str] = []
    for name in ("", "other metrics", "all metrics", "stages", "gate", "figures", "params"):
        if name and foldable.pop(name):
            left_out.append(name)
        cut = f"Left out, as a comment holds no more: {', '.join(left_out)}." if left_out else ""
        text = "\n\n".join(filter(None, [*always, *foldable.values(), cut, end])) + "\n"
        if len(text.encode()) <= limit:
            return text
    note = "\n\nLeft out, as a comment holds no more: all else.\n"
    kept = text.encode()[: limit - len(note)].decode(errors="ignore")
    return kept.rpartition("\n")[0] + note


_URL = "/:?=&%#+,;@~!$'*"  # not quoted in an address; parentheses are, which would end a link of Markdown


def headline(report: Report) -> str:
    """One sentence: what changed on the test rows, inside or beyond the noise, and what the gate says."""
    by_model: dict[str, list[Change]] = {}
    for change in report.changes:
        if change.split == "test" and change.metric in IMPORTANT:
            by_model.setdefault(change.model, []).append(change)
    judged = (_judged(model, found) for model, found in by_model.items())
    said = [text for _, text in sorted(filter(None, judged))]
    what = f"On the test rows {', '.join(said)}" if said else "On the test rows no metric changed"
    if report.task:
        what = "; ".join(["This is another task than at the base, so that nothing is compared", *said])
    elif report.same_rows is False:
        what += "; these are other rows than at the base"
    elif report.same_rows is None:
        what += "; these may be other rows than at the base"
    failed = sum(bool(check.reason) for check in report.checks)
    gate = f"the gate failed {failed} of {len(report.checks)} times" if failed else "the gate passed"
    if not report.checks:
        gate = "the gate can't be judged" if report.unjudged else "no gate is set"
    if report.gate_changed:
        gate += ", and was itself changed"
    return f"{what}; {gate}."


def _judged(model: str, found: Iterable[Change]) -> tuple[int, str] | None:
    """What became of a model, behind its place among the others, the gravest first; None if nothing did."""
    by_verdict: dict[Verdict, list[str]] = {}
    for change in found:
        by_verdict.setdefault(change.verdict, []).append(change.metric)
    name = _code(model)
    if "worse" in by_verdict or "better" in by_verdict:
        words: tuple[Verdict, ...] = ("worse", "better")
        beyond = " and ".join(f"{word} in {listed(by_verdict[word])}" for word in words if word in by_verdict)
        inside = f" ({listed(by_verdict['inside the noise'])} inside it)" if "inside the noise" in by_verdict else ""
        return (0 if "worse" in by_verdict else 1), f"{name} is {beyond} beyond the noise{inside}"
    others: tuple[tuple[Verdict, str], ...] = (
        ("removed", "is gone"),
        ("new", "is new"),
        ("no interval", "changed, beyond the noise or not"),
        ("inside the noise", "changed inside the noise"),
    )
    for place, (verdict, words_of_it) in enumerate(others, start=2):
        if verdict in by_verdict:
            return place, f"{name} {words_of_it}"
    return None


def _reasons(report: Report) -> str:
    lines = [f"- gate: {_code(check.change.name)}{_rest(check)}" for check in report.checks if check.reason]
    lines += [f"- the gate can't be judged: {_code(line, LONGEST_REASON)}" for line in report.unjudged[:MOST]]
    if report.gate_changed:
        lines += [
            f"- the gate was changed: {_code(entry.name)} from {_shown(entry.base)} to {_shown(entry.head)}"
            for entry in report.gate_changed[:MOST]
        ]
    return "\n".join(lines)


def _rest(check: Check) -> str:
    return check.reason.removeprefix(check.change.name)


def _main_table(report: Report) -> str:
    verdicts: dict[str, set[Verdict]] = {}
    for change in report.changes:
        if change.split in JUDGED:
            verdicts.setdefault(change.model, set()).add(change.verdict)
    alike = {model: next(iter(found)) for model, found in verdicts.items() if len(found) == 1}
    folded = {word: [model for model, verdict in alike.items() if verdict == word] for word in ("same", "removed")}
    hidden = {model for models in folded.values() for model in models}
    rows = [c for c in report.changes if c.split in JUDGED and c.metric in IMPORTANT and c.model not in hidden]
    parts = [_changes_table(rows[:MOST])] if rows else []
    if len(rows) > MOST:
        parts.append(f"{len(rows) - MOST} more rows are among all metrics.")
    if folded["same"]:
        parts.append(f"The same as at the base: {_some(folded['same'])}.")
    if folded["removed"]:
        parts.append(f"No longer among the models: {_some(folded['removed'])}.")
    return "\n\n".join(parts)


def _changes_table(rows: Iterable[Change]) -> str:
    cells = [
        (
            _code(change.model),
            _code(change.split),
            f"{_code(change.metric)}{' ↓' if change.metric in LOWER_IS_BETTER else ''}",
            _value(change.base),
            _value(change.head),
            _difference(change),
            f"**{change.verdict}**" if change.verdict in ("better", "worse") else change.verdict,
        )
        for change in rows
    ]
    return _table(("model", "split", "metric", "base", "here", "change (interval)", "verdict"), "lllrrrl", cells)


def _difference(change: Change) -> str:
    if math.isnan(change.difference):
        return ""
    ends = change.interval
    around = f" ({_signed(ends.low)} to {_signed(ends.high)})" if ends and change.difference else ""
    return f"{_signed(change.difference)}{around}"


def _notes(report: Report) -> str:
    """Which intervals these are, and what they leave out."""
    said = []
    if report.task:
        said.append(
            f"**The task is another than at the base, since these differ: {_some(report.task)}.** No number has a "
            "verdict, and of the gate `maximum_drop` judges none."
        )
    elif report.confidence is None:
        said.append("`evaluate.confidence` differs between the revisions, so that no change has an interval.")
    elif any(c.interval and c.difference for c in report.changes):
        share = level(report.confidence)
        if report.pairs:
            which = ", ".join(f"{_code(pair.model)} on {pair.rows} {pair.split} rows" for pair in report.pairs)
            said.append(f"Paired intervals ({share}), by a bootstrap of the predictions of both: {which}.")
        if unpaired := _unpaired(report):
            caution = (
                "" if report.same_rows is False else "; of the same rows these are rather too wide than too narrow"
            )
            said.append(
                f"Unpaired intervals ({share}), by Newcombe's and Zou's method: {', '.join(unpaired)}{caution}."
            )
        said.append("The noise is that of other rows of the same kind; that of another training is not in it.")
    if any(c.metric in LOWER_IS_BETTER and c.verdict != "same" for c in report.changes):
        said.append("↓: lower is better.")
    if any(c.verdict == "no interval" for c in report.changes) and report.confidence is not None:
        said.append("`ece` has no interval, and so no verdict.")
    said += [
        f"McNemar's exact test of {_code(p.model)} on the {p.split} rows: {p.test.only_a} right here alone, "
        f"{p.test.only_b} at the base alone, {_p(p.test.p)}."
        for p in report.pairs
    ]
    if report.same_rows is False and not report.task:
        said.append("**The rows are others than at the base: no number is of the same rows as that beside it.**")
    elif report.same_rows is None and not report.task:
        said.append("The splits are others than at the base; whether the test rows are can't be told from here.")
    if report.uncommitted:
        said.append(f"Not committed as they are here: {_some(report.uncommitted)}.")
    return "\n".join(f"- {line}" for line in said)


def _p(value: float) -> str:
    text = p_value(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def _unpaired(report: Report) -> list[str]:
    """What among the changes that everyone sees has an interval that is not paired, model by model."""
    paired = {(pair.model, pair.split) for pair in report.pairs}
    found = {
        (c.model, c.split)
        for c in report.changes
        if c.split in JUDGED and c.interval and c.difference and (c.model, c.split) not in paired
    }
    return [f"{_code(model)} on {split} rows" for model, split in sorted(found)]


def _params_section(report: Report) -> str:
    if not report.params:
        return "Params: none changed."
    shown = report.params[:MOST]
    more = f"\n\nand {len(report.params) - MOST} more." if len(report.params) > MOST else ""
    return f"#### Params\n\n{_differences_table('param', shown)}{more}"


def _differences_table(what: str, found: Iterable[Difference]) -> str:
    cells = [(_code(entry.name), _shown(entry.base), _shown(entry.head)) for entry in found]
    return _table((what, "base", "here"), "lll", cells)


def _plots_section(report: Report) -> str:
    if not report.plots:
        return ""
    parts = ["#### Figures that changed"]
    for plot in report.plots:
        images = [
            f'<img src="{html.escape(source)}" alt="{side}" width="420">' if source else ""
            for side, source in (("base", plot.base), ("here", plot.head))
        ]
        if any(images):
            parts.append(f"{_code(plot.path)}\n\n{_table(('base', 'here'), 'll', [images])}")
    if unseen := [plot.path for plot in report.plots if not (plot.base or plot.head)]:
        parts.append(f"{_some(unseen)}")
    return "\n\n".join(parts)


def _gate_section(report: Report) -> str:
    if not report.checks:
        return ""
    cells = [
        (
            check.rule,
            _code(check.change.name),
            f"{check.limit}",
            _value(check.change.base),
            _value(check.change.head),
            _outcome(check),
        )
        for check in report.checks
    ]
    failed = sum(bool(check.reason) for check in report.checks)
    table = _table(("rule", "metric", "limit", "base", "here", ""), "llrrrl", cells)
    return _details(f"Gate: {len(cells)} rules, {failed} failed", table)


def _outcome(check: Check) -> str:
    if check.reason:
        return "**failed**"
    return "nothing to compare with" if check.rule == "maximum_drop" and math.isnan(check.change.drop) else "passed"


def _stages_section(report: Report) -> str:
    if not report.stages:
        return ""
    with_outs = [stage.name for stage in report.stages if stage.outs]
    title = f"Stages of dvc.lock: outputs changed in {len(with_outs)} of {len(report.stages)} that differ"
    cells = [
        (_code(stage.name), _some(stage.causes), _some(stage.outs) if stage.outs else "none") for stage in report.stages
    ]
    return _details(title, _table(("stage", "since these differ", "outputs that changed"), "lll", cells))


def _all_metrics_section(report: Report) -> str:
    moved = [c for c in report.changes if c.verdict != "same"]
    if not moved:
        return ""
    note = "\n\nThe intervals of train rows are unpaired, and say nothing of rows that a model has not seen."
    note = note if any(c.split not in JUDGED and c.interval for c in moved) else ""
    title = f"All metrics that changed: {len(moved)} of {len(report.changes)}"
    return _details(title, _changes_table(moved) + note)


def _others_section(report: Report) -> str:
    if not report.others:
        return ""
    return _details(f"Other metrics that changed: {len(report.others)}", _differences_table("metric", report.others))


def _details(summary: str, body: str) -> str:
    return f"<details><summary>{html.escape(summary)}</summary>\n\n{body}\n\n</details>"


def _table(header: Sequence[str], sides: str, rows: Iterable[Sequence[str]]) -> str:
    rule = ["---:" if side == "r" else "---" for side in sides]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))


def _some(names: Sequence[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(_code, names[:most])) + more


def _shown(value: str | None) -> str:
    return "not set" if value is None else _code(value)


def _value(value: float | None) -> str:
    return "" if value is None else number(value)


def _signed(value: float) -> str:
    return f"+{number(value)}" if value >= 0 else number(value)


def _code(text: str, longest: int = LONGEST) -> str:
    """The text as code, in which nothing is markup, a mention or a link, nor ends a cell of a table.

    A pipe or a backtick would; where there is one, all signs are written as entities.
    """
    text = "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in text)
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if text.strip() and not set(text) & set("`|"):
        return f"`{text}`"
    return f"<code>{_entities(text)}</code>"


def _entities(text: str) -> str:
    return "".join(sign if sign.isalnum() or sign == " " else f"&#{ord(sign)};" for sign in text)


# All together


def compare(base: Revision, head: Revision) -> Report:
    """The report on two revisions of the project in the current folder, without figures."""
    sides = base, head
    pipelines, params, locks = ([side.yaml(name) for side in sides] for name in ("dvc.yaml", "params.yaml", "dvc.lock"))
    measured = [revisions.measured(side, pipeline) for side, pipeline in zip(sides, pipelines, strict=True)]
    settings = [revisions.evaluate_section(content) for content in params]
    levels = {section.confidence for section in settings if section}
    spread: list[Numbers] = [{}, {}]
    if len(levels) < 2:  # intervals of other levels can't be combined
        spread = [
            revisions.numbers(side, pipeline, revisions.INTERVALS)
            for side, pipeline in zip(sides, pipelines, strict=True)
        ]
    splits = [
        revisions.metrics(side, pipeline, revisions.SPLITS) for side, pipeline in zip(sides, pipelines, strict=True)
    ]
    task = task_differences(params, splits)
    plain = changes(measured[0], measured[1], spread[0], spread[1], same_task=not task)
    moved = [change for change in plain if change.verdict not in ("same", "new", "removed", "another task")]
    pairing = Pairing()
    if moved and len(levels) == 1 and settings[0] and settings[1]:
        models = sorted({c.model for c in moved})
        tables = [
            revisions.decided(lock, section, models)
            for lock, section in zip(locks, (settings[0], settings[1]), strict=True)
        ]
        pairing = pair_up(
            moved, tables[0], tables[1], settings[1], (params[1].get("split") or {}).get("stratify") is True
        )
    found = changes(measured[0], measured[1], spread[0], spread[1], pairing.intervals, same_task=not task)
    rows = [hashes((lock.get("stages") or {}).get("split", {}), "outs") for lock in locks]
    unlike = differences(*params)
    dirty = revisions.uncommitted(head)
    checks: list[Check] = []
    unjudged: tuple[str, ...] = ()
    try:
        checks = check_gate(revisions.gate_section(head), found)
    except UserError as error:
        unjudged = error.lines
    return Report(
        base=base.name,
        head="the working tree" if dirty else head.name,
        changes=found,
        checks=checks,
        unjudged=unjudged,
        # A wider interval lets more pass, so that its level is part of the gate. Where there was none, none changed.
        gate_changed=[e for e in unlike if e.name.startswith(("gate.", LEVEL)) and params[0].get("gate")],
        pairs=pairing.pairs,
        task=task,
        same_rows=all(pairing.same) if pairing.same else (bool(rows[0]) and rows[0] == rows[1]) or None,
        confidence=min(levels, default=None) if len(levels) < 2 else None,
        params=unlike,
        others=_others(sides, pipelines),
        stages=stages(*locks),
        uncommitted=dirty,
    )


def _others(sides: Sequence[Revision], pipelines: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """What differs in the metrics files that hold no metrics of models."""
    files = [revisions.metric_files(pipeline) for pipeline in pipelines]
    found = []
    for name in sorted({*files[0], *files[1]} - {revisions.METRICS, revisions.INTERVALS}):
        contents = [side.json(paths[name]) if name in paths else {} for side, paths in zip(sides, files, strict=True)]
        found += [Difference(f"{name}: {entry.name}", entry.base, entry.head) for entry in differences(*contents)]
    return found


def plots(base: Revision, head: Revision, image_url: str, images: Path | None, start: Path) -> list[Plot]:
    """The figures whose bytes differ, each side's address after the template, or else a file written to `images`.

    `start` is the folder that a file's address is relative to. A figure here that is not committed as it is has no
    address after the template.
    """
    names = dict.fromkeys(revisions.figures(base.yaml("dvc.yaml")) + revisions.figures(head.yaml("dvc.yaml")))
    found = []
    for path in names:
        contents = base.read(path), head.read(path)
        if contents[0] == contents[1]:
            continue
        sources = []
        for side, revision, content in zip(("base", "head"), (base, head), contents, strict=True):
            source = ""
            if content is not None and images is not None:
                images.mkdir(parents=True, exist_ok=True)
                file = images / f"{side}-{path.replace('/', '-')}"
                file.write_bytes(content)
                source = quote(Path(os.path.relpath(file, start)).as_posix())
            if content is not None and image_url and content == Revision(revision.commit).read(path):
                source = image_url.replace("{revision}", revision.commit).replace("{path}", quote(path))
            sources.append(source)
        found.append(Plot(path, *sources))
    return found


def run(arguments: argparse.Namespace) -> int:
    """The exit code, after the comment is written: 0, or 1 if the gate failed; its reasons are on stderr.

    `UserError`, after it too, if the gate can't be judged: else a comment that it passed would stay.
    """
    head_commit = revisions.commit_of("HEAD" if arguments.head is None else arguments.head)
    head = Revision(head_commit, tree=arguments.head is None)
    base = revisions.left_at(revisions.commit_of(arguments.base), head)
    report = compare(base, head)
    output: Path | None = arguments.output
    start = output.parent if output else Path()
    drawn = plots(base, head, arguments.image_url, arguments.images, start)
    text = comment(replace(report, plots=drawn, report_url=arguments.report_url))
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8", newline="\n")
    else:
        print(text, end="")
    if report.unjudged:
        raise UserError(*report.unjudged)
    reasons = [check.reason for check in report.checks if check.reason]
    for reason in reasons:
        print(f"gate: {reason}", file=sys.stderr)
    return GATE_FAILED if reasons else 0
