"""The result of `textclf drift`, as JSON and as lines: what was compared, and the findings."""

import json
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from textclf.core.display import NAME_LIMIT, cut, display_labels, visible
from textclf.core.files import DIGITS
from textclf.core.formatting import (
    count_noun,
    join_names,
    p_value,
    percent,
    points,
    round_significant,
)
from textclf.drift.measure import (
    CLASSES,
    CLASSIFIER,
    LENGTH,
    UNKNOWN,
    WORDS,
    Area,
    Findings,
    Settings,
    Shares,
)
from textclf.drift.pool import Ints, PooledTexts, Sample
from textclf.drift.two_sample import Word
from textclf.evaluate.intervals import normal_quantile

TITLES = {
    CLASSIFIER: "classifier",
    WORDS: "words",
    LENGTH: "length",
    UNKNOWN: "unknown words",
    CLASSES: "predicted classes",
}
# Classes that are printed: those with the smallest p-values.
MOST_CLASSES = 10
# Words in the JSON file.
CLEAREST = 50
# The power with which `smallest_difference` is detected.
POWER = 0.8
# Words that are printed for each direction.
NAMED = 10


class Side(NamedTuple):
    """One side of the comparison."""

    name: str
    rows: int
    # Distinct texts, and of these the compared ones.
    texts: int
    compared: int
    # Groups of the compared texts; without groups as many as texts.
    clusters: int

    @classmethod
    def of(cls, name: str, sample: Sample, pool: PooledTexts, copies: Ints) -> "Side":
        """Return the side with this sample, of which a pool has so many copies of each text."""
        return cls(name, sample.rows, len(sample.keys), int((copies > 0).sum()), pool.count(copies))


@dataclass(frozen=True)
class Result:
    """What is reported."""

    model: str
    settings: Settings
    new: Side
    reference: Side
    # Reference and new for unknown words and classes, if not as in the other checks.
    unseen: tuple[Side, Side] | None
    # Distinct sampled texts that both sides have.
    shared: int
    findings: Findings

    @property
    def drifted(self) -> list[str]:
        """Return the checks that found drift."""
        return self.findings.drifted(self.settings.alpha)

    @property
    def words(self) -> list[Word]:
        """Return the words that found drift, the clearest first."""
        words = self.findings.words
        return [
            word for word in words if self.findings.correct(WORDS, word.p) <= self.settings.alpha
        ]

    @property
    def smallest(self) -> float:
        """Return the smallest difference in a class's share that is detected with 80% power."""
        reference, new = self.unseen or (self.reference, self.new)
        return smallest_difference(
            reference.clusters, new.clusters, self.settings.alpha / len(self.findings.p)
        )


def smallest_difference(reference: int, new: int, alpha: float) -> float:
    """Return the difference of shares near a half that a test at `alpha` finds with 80% power.

    By a normal approximation.
    """
    z = normal_quantile(1 - alpha / 2) + normal_quantile(POWER)
    return min(1.0, z * math.sqrt((1 / reference + 1 / new) / 4))


def to_json(result: Result) -> str:
    """Return the JSON file: p-values with six significant digits, other numbers with `DIGITS`."""
    findings, settings = result.findings, result.settings
    checks: dict[str, Any] = {
        CLASSIFIER: _area(findings.classifier),
        WORDS: {
            "tested": len(findings.words),
            "found": len(result.words),
            "clearest": [
                {
                    "word": word,
                    "reference": round(reference, DIGITS),
                    "new": round(new, DIGITS),
                    **_p(result, WORDS, p),
                }
                for word, reference, new, p in findings.words[:CLEAREST]
            ],
        },
        LENGTH: {
            "reference_median": findings.length.reference,
            "new_median": findings.length.new,
            **_area(findings.length.longer),
        },
    }
    if findings.unknown is not None:
        checks[UNKNOWN] = _shares(findings.unknown)
    if findings.classes is not None:
        checks[CLASSES] = {
            "classes": {
                name: _shares(shares) | _p(result, CLASSES, shares.p)
                for name, shares in findings.classes.items()
            },
            "probabilities": {
                name: {"distance": round(distance, DIGITS), **_p(result, CLASSES, p)}
                for name, (distance, p) in (findings.probabilities or {}).items()
            },
        }
    for name, p in findings.p.items():
        checks[name] |= _p(result, name, p) | {"drift": name in result.drifted}
    content = {
        "drift": bool(result.drifted),
        "alpha": settings.alpha,
        "permutations": settings.permutations,
        "seed": settings.seed,
        "model": result.model,
        "new": result.new._asdict(),
        "reference": result.reference._asdict(),
        **({} if result.unseen is None else {"held_out": result.unseen[0]._asdict()}),
        "shared_texts": result.shared,
        "smallest_difference": round(result.smallest, DIGITS),
        "checks": checks,
    }
    return json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _area(area: Area) -> dict[str, float]:
    return {"roc_auc": round(area.area, DIGITS), **area.interval.rounded()}


def _p(result: Result, check: str, p: float) -> dict[str, float]:
    """Return a p-value of a check or of a part of it, and the same corrected for all checks."""
    return {
        "p": round_significant(p),
        "p_holm": round_significant(result.findings.correct(check, p)),
    }


def _shares(shares: Shares) -> dict[str, Any]:
    return {
        "reference": {
            "share": round(shares.reference, DIGITS),
            **shares.reference_interval.rounded(),
        },
        "new": {"share": round(shares.new, DIGITS), **shares.new_interval.rounded()},
        "difference": {
            "points": round(100 * shares.difference, DIGITS - 2),
            **shares.interval.rounded(),
        },
    }


def to_lines(result: Result) -> list[str]:
    """Return the result as lines for people."""
    table = [("check", "reference", "new", "difference", "p if alike", "corrected"), *rows(result)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [*facts(result), ""]
    for row in table:
        cells = [
            row[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
        ]
        lines.append("  ".join(cells).rstrip())
    lines.append("")
    for title, words in by_direction(result).items():
        named = []
        for word in words[:NAMED]:
            name = cut(visible(" ".join(word.word.split())), NAME_LIMIT)
            named.append(f"{name} ({percent(word.reference)}, {percent(word.new)})")
        if named:
            lines.append(f"{title} in new texts: {', '.join(named)}")
    return [*lines, answer(result)]


def facts(result: Result) -> list[str]:
    """Return what was compared, in sentences."""
    lines = [f"new: {_amount(result.new)}", f"reference: {_amount(result.reference)}"]
    if result.unseen is not None:
        held_out, new = result.unseen
        learned = "predicted classes"
        if result.findings.unknown is not None:
            learned = "unknown words and predicted classes"
        line = f"reference for {learned}: {_amount(held_out)}, which the model has not seen"
        if new.compared < result.new.compared:
            line += f"; {new.compared:,} new texts are compared with them"
        lines.append(line)
    if result.findings.classes is not None:
        lines.append(
            f"a change of {100 * result.smallest:.0f} points in the share of a class is missed in "
            "one of five such tables, a smaller one more often"
        )
    return lines


def _amount(side: Side) -> str:
    texts = count_noun(side.texts, "different text")
    amount = f"{visible(side.name)}, {count_noun(side.rows, 'row')}, {texts}"
    if side.compared < side.texts:
        amount += f", {side.compared:,} of them compared"
    if side.clusters < side.compared:
        amount += f" in {count_noun(side.clusters, 'group')}"
    return amount


def rows(result: Result, most: int = MOST_CLASSES) -> list[tuple[str, str, str, str, str, str]]:
    """Return a row per check: name, reference, new, difference with interval, p and Holm's p."""
    findings = result.findings
    length, classes = findings.length, findings.classes or {}
    by_check = {
        CLASSIFIER: ("", "", f"told apart {_with_chance(findings.classifier)}"),
        WORDS: ("", "", f"{len(result.words):,} of {count_noun(len(findings.words), 'word')}"),
        LENGTH: (
            f"{length.reference:g}",
            f"{length.new:g}",
            f"longer {_with_chance(length.longer)}",
        ),
    }
    if findings.unknown is not None:
        by_check[UNKNOWN] = cells(findings.unknown)
    if findings.probabilities is not None:
        clearest = min(findings.probabilities.values(), key=lambda test: (test.p, -test.distance))
        by_check[CLASSES] = ("", "", f"largest gap {clearest.distance:.3f}")
    lines = [
        (TITLES[name], *shown, *shown_p(result, name, findings.p[name]))
        for name, shown in by_check.items()
    ]
    names = display_labels(classes)
    for name, shares in sorted(classes.items(), key=lambda item: item[1].p)[:most]:
        p_values = shown_p(result, CLASSES, shares.p)
        lines.append((f"  class {names[name]}", *cells(shares), *p_values))
    return lines


def shown_p(result: Result, check: str, p: float) -> tuple[str, str]:
    """Return a p-value as it is shown, and corrected for all checks."""
    return p_value(p), p_value(result.findings.correct(check, p))


def _with_chance(area: Area) -> str:
    return f"{area.area:.3f} ({area.interval.low:.3f} to {area.interval.high:.3f}; chance 0.5)"


def cells(shares: Shares) -> tuple[str, str, str]:
    """Return shares as they are shown: reference, new, and the difference with its interval."""
    interval = f"{points(shares.interval.low)} to {points(shares.interval.high)}"
    return (
        percent(shares.reference),
        percent(shares.new),
        f"{points(shares.difference)} ({interval}) points",
    )


def by_direction(result: Result) -> dict[str, list[Word]]:
    """Return the words that found drift: those more frequent in new texts, and those less so."""
    return {
        "more frequent": [word for word in result.words if word.new > word.reference],
        "less frequent": [word for word in result.words if word.new < word.reference],
    }


def answer(result: Result) -> str:
    """Return the answer in one sentence."""
    rate = (
        f"of all {len(result.findings.p)} checks together "
        f"at most {100 * result.settings.alpha:g}% false alarms"
    )
    if not result.drifted:
        return f"no drift found ({rate})"
    return f"drift found: {join_names([TITLES[name] for name in result.drifted])} ({rate})"
