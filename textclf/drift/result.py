"""The result of `textclf drift`: what was compared and what the checks found, as JSON and as lines."""

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
from textclf.drift.pool import Ints, Pool, Sample
from textclf.drift.two_sample import Word
from textclf.evaluate.intervals import normal_quantile

TITLES = {
    CLASSIFIER: "classifier",
    WORDS: "words",
    LENGTH: "length",
    UNKNOWN: "unknown words",
    CLASSES: "predicted classes",
}
MOST_CLASSES = 10  # that are printed: those with the smallest p-values
CLEAREST = 50  # words in the JSON file
POWER = 0.8  # with which `smallest_difference` is found
NAMED = 10  # words that are printed for each direction


class Side(NamedTuple):
    """One side of the comparison."""

    name: str
    rows: int
    texts: int  # distinct ones
    compared: int  # of these
    clusters: int  # groups of the compared texts; without groups as many as texts

    @classmethod
    def of(cls, name: str, sample: Sample, pool: Pool, copies: Ints) -> "Side":
        """Return the side with this sample, of which a pool has so many copies of each text."""
        return cls(name, sample.rows, len(sample.keys), int((copies > 0).sum()), pool.count(copies))


@dataclass(frozen=True)
class Result:
    """What is reported."""

    model: str
    settings: Settings
    new: Side
    reference: Side
    unseen: (
        tuple[Side, Side] | None
    )  # for unknown words and classes, if not as in the other checks: reference and new
    shared: int  # distinct sampled texts that both sides have
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
        """Return the smallest difference in the share of a class that is found with 80% probability."""
        reference, new = self.unseen or (self.reference, self.new)
        return smallest_difference(
            reference.clusters, new.clusters, self.settings.alpha / len(self.findings.p)
        )


def smallest_difference(reference: int, new: int, alpha: float) -> float:
    """Return the difference of shares near a half found with 80% power by a test at `alpha`: normal approximation."""
    z = normal_quantile(1 - alpha / 2) + normal_quantile(POWER)
    return min(1.0, z * math.sqrt((1 / reference + 1 / new) / 4))


def to_json(result: Result) -> str:
    """Return the JSON file: p-values with six significant digits, other numbers with `DIGITS`."""
    found, settings = result.findings, result.settings
    checks: dict[str, Any] = {
        CLASSIFIER: _area(found.classifier),
        WORDS: {
            "tested": len(found.words),
            "found": len(result.words),
            "clearest": [
                {
                    "word": word,
                    "reference": round(reference, DIGITS),
                    "new": round(new, DIGITS),
                    **_p(result, WORDS, p),
                }
                for word, reference, new, p in found.words[:CLEAREST]
            ],
        },
        LENGTH: {
            "reference_median": found.length.reference,
            "new_median": found.length.new,
            **_area(found.length.longer),
        },
    }
    if found.unknown is not None:
        checks[UNKNOWN] = _shares(found.unknown)
    if found.classes is not None:
        checks[CLASSES] = {
            "classes": {
                name: _shares(shares) | _p(result, CLASSES, shares.p)
                for name, shares in found.classes.items()
            },
            "probabilities": {
                name: {"distance": round(distance, DIGITS), **_p(result, CLASSES, p)}
                for name, (distance, p) in (found.probabilities or {}).items()
            },
        }
    for name, p in found.p.items():
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
    table = [("check", "reference", "new", "difference", "p", "p (Holm)"), *rows(result)]
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    lines = [*facts(result), ""]
    for row in table:
        cells = [
            row[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
        ]
        lines.append("  ".join(cells).rstrip())
    lines.append("")
    for title, words in by_direction(result).items():
        named = [
            f"{cut(visible(' '.join(word.word.split())), NAME_LIMIT)} ({percent(word.reference)}, {percent(word.new)})"
            for word in words[:NAMED]
        ]
        lines += [f"{title} in new texts: {', '.join(named)}"] if named else []
    return [*lines, answer(result)]


def facts(result: Result) -> list[str]:
    """Return what was compared, in sentences."""
    lines = [
        f"{title}: {_amount(side)}"
        for title, side in (("new", result.new), ("reference", result.reference))
    ]
    if result.unseen is not None:
        learned = (
            "unknown words and predicted classes"
            if result.findings.unknown is not None
            else "predicted classes"
        )
        held_out, new = result.unseen
        fewer = (
            f"; {new.compared:,} new texts are compared with them"
            if new.compared < result.new.compared
            else ""
        )
        lines.append(
            f"reference for {learned}: {_amount(held_out)}, which the model has not seen{fewer}"
        )
    if result.findings.classes is not None:
        found = (
            f"a difference of {100 * result.smallest:.0f} points in the share of a class is found"
        )
        lines.append(f"{found} with a probability of about 80%, a smaller one less often")
    return lines


def _amount(side: Side) -> str:
    amount = f"{visible(side.name)}, {count_noun(side.rows, 'row')}, {count_noun(side.texts, 'different text')}"
    amount += f", {side.compared:,} of them compared" if side.compared < side.texts else ""
    return amount + (
        f" in {count_noun(side.clusters, 'group')}" if side.clusters < side.compared else ""
    )


def rows(result: Result, most: int = MOST_CLASSES) -> list[tuple[str, str, str, str, str, str]]:
    """Return a row per check: its name, reference, new, difference with interval, p and p after Holm's correction."""
    found = result.findings
    area, longer = found.classifier, found.length.longer
    by_check = {
        CLASSIFIER: ("", "", f"ROC AUC {_with_interval(area)}"),
        WORDS: ("", "", f"{len(result.words):,} of {count_noun(len(found.words), 'word')}"),
        LENGTH: (
            f"{found.length.reference:g}",
            f"{found.length.new:g}",
            f"ROC AUC {_with_interval(longer)}",
        ),
    }
    if found.unknown is not None:
        by_check[UNKNOWN] = cells(found.unknown)
    if found.probabilities is not None:
        largest = min(found.probabilities.values(), key=lambda each: (each.p, -each.distance))
        by_check[CLASSES] = ("", "", f"KS distance {largest.distance:.3f}")
    lines = [
        (TITLES[name], *shown, *shown_p(result, name, found.p[name]))
        for name, shown in by_check.items()
    ]
    shown = display_labels(found.classes or ())
    for name, shares in sorted((found.classes or {}).items(), key=lambda item: item[1].p)[:most]:
        lines.append(
            (f"  class {shown[name]}", *cells(shares), *shown_p(result, CLASSES, shares.p))
        )
    return lines


def shown_p(result: Result, check: str, p: float) -> tuple[str, str]:
    """Return a p-value as it is shown, and corrected for all checks."""
    return p_value(p), p_value(result.findings.correct(check, p))


def _with_interval(area: Area) -> str:
    return f"{area.area:.3f} ({area.interval.low:.3f} to {area.interval.high:.3f})"


def cells(shares: Shares) -> tuple[str, str, str]:
    """Return shares as they are shown: reference, new, and the difference with its interval."""
    interval = f"{points(shares.interval.low)} to {points(shares.interval.high)}"
    return (
        percent(shares.reference),
        percent(shares.new),
        f"{points(shares.difference)} ({interval}) points",
    )


def by_direction(result: Result) -> dict[str, list[Word]]:
    """Return the words that found drift: those that are more frequent in new texts, and those that are less so."""
    return {
        "more frequent": [word for word in result.words if word.new > word.reference],
        "less frequent": [word for word in result.words if word.new < word.reference],
    }


def answer(result: Result) -> str:
    """Return the answer in one sentence."""
    rate = f"of all {len(result.findings.p)} checks together at most {100 * result.settings.alpha:g}% false alarms"
    if not result.drifted:
        return f"no drift found ({rate})"
    return f"drift found: {join_names([TITLES[name] for name in result.drifted])} ({rate})"
