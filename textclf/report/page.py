"""One page of HTML that holds all of a run: tables and dicts of the artifacts in, text out.

The page stands alone, names no time, machine or path, and has the same bytes for the same inputs. What stands in it of
the corpus is text, never markup: it is escaped, cut, and shown without characters that hide or reorder others.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from textclf.artifacts import predictions
from textclf.core.errors import UserError
from textclf.core.formatting import LEAST_P, counted, level, listed, p_value, percent, points, readable, rows_of
from textclf.evaluate import evaluation, statistics
from textclf.export import card
from textclf.export.card import Settings, Source, labels, visible
from textclf.params import Report
from textclf.plot import charts

Ints = np.ndarray[Any, np.dtype[np.int64]]
Shares = np.ndarray[Any, np.dtype[np.float64]]
Lengths = np.ndarray[Any, np.dtype[np.int32]]  # of each text of a split, in its order
Pieces = pd.DataFrame | Iterable[pd.DataFrame]  # a table as a whole, or in parts that can be gone over again

PAGE, STYLE, SCRIPT = "report.html.j2", "report.css", "report.js"
SHORT, LONG = 280, 2000  # characters of a text that are shown at once, and at all
CURVES = 12  # classes whose curves are drawn
CELLS = 20  # classes of a drawn confusion matrix
GROUPS = 24  # classes whose recall is drawn
TERM = 32  # characters of a term
TERMS = 20  # classes whose terms are listed
PAIRS = 20  # confused classes that are listed
FILES = 20  # raw files that are listed
BARS = 30  # of the lengths
LENGTHS = 4  # groups of texts by length
SETTING = re.compile(r"\b((?:data|evaluate|export|params|split|train|vectorize)(?:\.[a-z]\w*)+)")
DIGITS = {"log_loss": 3, "brier": 3, "ece": 3, "mcc": 3, "roc_auc": 3}  # the others are percentages
METRICS = ("log_loss", "roc_auc", "f1", "balanced_accuracy", "mcc", "brier", "ece")
SECTIONS = {
    "summary": "In short",
    "protocol": "How it was measured",
    "data": "The data",
    "models": "Models side by side",
    "history": "Training history",
    "confusion": "Confusion",
    "roc": "ROC",
    "precision-recall": "Precision and recall",
    "calibration": "Calibration",
    "terms": "What the models learned",
    "errors": "Where they go wrong",
    "params": "Parameters",
    "provenance": "Provenance",
}
METHODS = {
    "weight": "The weight is what the term adds to the class's log odds, for each unit of its value.",
    "weight of several": (
        "The weight is what the term adds to the score of the class, less what it adds on average over the classes, "
        "for each unit of its value."
    ),
    "occlusion": (
        "The weight is by how much the log odds of the class fall, on average over the training rows that hold the "
        "term, when it is taken out of them (of more than 100,000, over the first ones)."
    ),
}


@dataclass(frozen=True)
class Run:
    """All that the page tells of: what stages wrote, read and decided.

    `splits` and `decided` are tables of `splitting` and `evaluation.decisions`, or their parts in order, all models'
    alike; of `decided` the test rows, those of the split in its order, are looked at alone. `evaluation` to
    `splits_report` are the files of metrics; `history` to `terms` the long tables of curves. `classes` are in order, of
    two the positive last.
    """

    settings: Settings
    report: Report
    classes: Sequence[str]
    splits: Mapping[str, Pieces]
    decided: Mapping[str, Pieces]
    decisions: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    intervals: Mapping[str, Any]
    comparisons: Mapping[str, Mapping[str, float]]
    training: Mapping[str, Mapping[str, Any]]
    features: Mapping[str, Mapping[str, int]]
    splits_report: Mapping[str, Any]
    history: pd.DataFrame
    by_class: pd.DataFrame
    confusion: pd.DataFrame
    roc: pd.DataFrame
    precision_recall: pd.DataFrame
    reliability: pd.DataFrame
    terms: pd.DataFrame
    sources: Sequence[Source]
    checksums: Mapping[str, str]  # what: SHA-256
    versions: Mapping[str, str]  # package: version

    @property
    def models(self) -> list[str]:
        """The models' names, in the order of train.models."""
        return list(self.decided)

    def counts(self, name: str) -> Ints:
        """The test rows of a model by actual and decided class (classes, classes)."""
        rows = self.confusion[self.confusion["model"] == name]
        table = rows.set_index(["actual", "predicted"])["count"].reindex(
            pd.MultiIndex.from_product([self.classes, self.classes]), fill_value=0
        )
        counts: Ints = table.to_numpy(np.int64).reshape(len(self.classes), -1)
        return counts


@dataclass(frozen=True)
class Text:
    """A text as it is shown: its beginning, what a reader may unfold, and how many characters are left out."""

    head: str
    rest: str
    omitted: int
    length: int


@dataclass(frozen=True)
class Chart:
    """A chart of the page: the id of its data, the words for who can't see it, and the picture."""

    name: str
    alt: str
    caption: str
    spec: charts.Spec
    title: str = ""
    narrow: bool = False  # others may stand beside it
    wide: bool = False  # it scrolls where there is no room for it

    @property
    def svg(self) -> Markup:
        """The picture that stands there before a script runs, and without one."""
        return Markup(charts.svg(self.spec))  # noqa: S704 (drawn from data; a test holds that it has no markup of it)

    @property
    def json(self) -> Markup:
        """The specification for the script."""
        return embedded(self.spec)


@dataclass(frozen=True)
class Table:
    """A table of text: its caption, the names of its columns, and rows; `numeric` columns stand to the right."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    numeric: Sequence[int] = field(default_factory=tuple)


# Text that may be hostile


def cut(text: str, short: int = SHORT, long: int = LONG) -> Text:
    """The text in parts: `short` characters at once, `long` at all."""
    if len(text) <= short * 5 // 4:  # what little would be hidden takes no more room than what hides it
        return Text(visible(text), "", 0, len(text))
    end = text.rfind(" ", short * 3 // 4, short)
    end = end if end > 0 else short
    return Text(visible(text[:end]), visible(text[end:long]), max(0, len(text) - long), len(text))


def coded(sentence: str) -> Markup:
    """The sentence, escaped, with the names of settings and files in it marked as code."""
    return Markup(SETTING.sub(r"<code>\1</code>", str(escape(sentence))))  # noqa: S704 (escaped first)


def embedded(content: Any) -> Markup:
    """JSON that can stand in a script element: nothing in it can end the element or start another."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)  # noqa: S704 (escaped above)


def integrity(text: str) -> str:
    """What a content security policy names an inline script or style by."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode()}'"


# The page


def page(run: Run) -> str:
    """The whole page."""
    style, script = _file(STYLE), charts.javascript(_file(SCRIPT))
    if "</script" in script or "<!--" in script:
        raise ValueError("the script must not hold what ends it in HTML")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"cut": cut, "percent": percent, "coded": coded, "visible": visible}
    return environment.from_string(_file(PAGE)).render(
        context(run),
        style=Markup(style),  # noqa: S704 (a file of ours)
        script=Markup(script),  # noqa: S704 (of vl-convert and ours)
        policy="; ".join(
            [
                "default-src 'none'",
                f"script-src {integrity(script)}",
                f"style-src {integrity(style)}",
                "img-src data:",
                "base-uri 'none'",
                "form-action 'none'",
            ]
        ),
    )


def _file(name: str) -> str:
    return (card.TEMPLATES / name).read_text(encoding="utf-8")


def context(run: Run) -> dict[str, Any]:
    """What the template fills its places with."""
    lengths = {split: measured(rows) for split, rows in run.splits.items()}
    return {
        "sections": SECTIONS,
        "title": f"textclf: {_subject(run)}",
        "subject": _subject(run),
        "names": labels(run.classes),
        "models": {name: readable(name) for name in run.models},
        "summary": summary(run),
        "protocol": protocol(run),
        "data": data(run, lengths),
        "compared": compared(run),
        "history": history(run),
        "confusion": confusion(run),
        "roc": curves(run, "roc"),
        "precision_recall": curves(run, "precision_recall"),
        "calibration": calibration(run),
        "learned": learned(run),
        "errors": errors(run, lengths["test"][0]),
        "params": params(run),
        "provenance": {
            "sources": run.sources[:FILES],
            "more": max(0, len(run.sources) - FILES),
            "checksums": run.checksums,
            "versions": run.versions,
        },
    }


def _subject(run: Run) -> str:
    corpora = [source.corpus for source in run.sources if source.corpus]
    return listed(corpora) if corpora else visible(run.settings.data.path)


def chosen(run: Run) -> tuple[str, str]:
    """The model that stands for the run, the one that `textclf predict` takes, and why it is that one.

    The test rows have no say in it.
    """
    settings = run.settings.export
    name = evaluation.default_model(settings.model, run.evaluation, run.models)
    if settings.model is not None:
        return name, "export.model names it"
    if "validation" in run.evaluation[name]:
        return name, "it has the highest accuracy on the validation rows (of equals the lowest log loss)"
    return name, "it is the last of train.models, and there are no validation rows to choose by"


def summary(run: Run) -> dict[str, Any]:
    """The headline: what the chosen model reaches, how sure that is, and which models it can be told from."""
    name, why = chosen(run)
    tested = run.evaluation[name]["test"]
    ends = run.intervals[name]["test"]["accuracy"]
    verdicts = []
    for other in run.models:
        if other != name:
            first, second = sorted((name, other), key=run.models.index, reverse=True)
            verdicts.append(_verdict(run, name, other, run.comparisons[f"{first}_vs_{second}"], first == name))
    return {
        "model": readable(name),
        "why": why,
        "accuracy": percent(tested["accuracy"]),
        "low": percent(ends["low"]),
        "high": percent(ends["high"]),
        "confidence": level(run.settings.evaluate.confidence),
        "rows": f"{int(run.counts(name).sum()):,}",
        "right": f"{int(run.counts(name).trace()):,}",
        "verdicts": verdicts,
        "watched": "validation" not in run.splits,
    }


def _verdict(run: Run, name: str, other: str, found: Mapping[str, float], as_is: bool) -> dict[str, Any]:
    difference, low, high = found["difference"], found["low"], found["high"]
    if not as_is:
        difference, low, high = -difference, -high, -low
    told = found["p_holm"] <= 1 - run.settings.evaluate.confidence
    smallest = found.get("smallest_difference")
    return {
        "told": told,
        "other": readable(other),
        "better": difference > 0,
        "difference": points(abs(difference), signed=False),
        "signed": points(difference),
        "low": points(low),
        "high": points(high),
        "p": p_value(found["p_holm"]).replace(" ", "\N{NO-BREAK SPACE}")
        if found["p_holm"] < LEAST_P
        else f"=\N{NO-BREAK SPACE}{p_value(found['p_holm'])}",
        "smallest": None if smallest is None else points(smallest, signed=False),
        "name": readable(name),
    }


def protocol(run: Run) -> dict[str, Any]:
    """Caveats first, then how the run was made."""
    watching = [name for name in run.models if name in set(run.history["model"])]
    return {
        "caveats": card.caveats(run.settings, run.splits_report, run.classes, watching),
        "facts": card.protocol(run.settings, run.splits_report, run.classes, run.models) + card.fine(run.splits_report),
        "thresholds": [
            (readable(name), f"{run.decisions[name]['threshold']:.3f}")
            for name in run.models
            if isinstance(run.settings.evaluate.threshold, str) and "threshold" in run.decisions[name]
        ],
        "scalings": [
            (readable(name), key, f"{value:.3f}")
            for name in run.models
            for key, value in sorted(run.decisions[name].items())
            if key != "threshold" and isinstance(value, float)
        ],
    }


def measured(rows: Pieces) -> tuple[Lengths, Lengths]:
    """The number of words, and of characters, of each text."""
    words, letters = [], []
    for part in _parts(rows):
        texts = part["text"].tolist()
        words.append(np.fromiter((len(text.split()) for text in texts), dtype=np.int32, count=len(texts)))
        letters.append(np.fromiter(map(len, texts), dtype=np.int32, count=len(texts)))
    return np.concatenate(words), np.concatenate(letters)


def _parts(rows: Pieces) -> Iterable[pd.DataFrame]:
    return [rows] if isinstance(rows, pd.DataFrame) else rows


def data(run: Run, lengths: Mapping[str, tuple[Lengths, Lengths]]) -> dict[str, Any]:
    """The data card, with the `measured` texts of each split."""
    counts = card.counts(run.splits_report)
    names = labels(run.classes)
    total = sum(sum(found.values()) for found in counts.values())
    classes = []
    for label in run.classes:
        cells = [found.get(label, 0) for found in counts.values()]
        classes.append(
            [names[label], *(f"{count:,}" for count in cells), f"{sum(cells):,}", percent(sum(cells) / total)]
        )
    sums = [sum(found.values()) for found in counts.values()]
    classes.append(["all", *(f"{count:,}" for count in sums), f"{total:,}", percent(1.0)])
    every = np.concatenate([words for words, _ in lengths.values()])
    bars, beyond = _histogram(every)
    quantiles = []
    for split, units in lengths.items():
        for unit, found in zip(("words", "characters"), units, strict=True):
            numbers = np.quantile(found, (0, 0.25, 0.5, 0.75, 0.95, 1), method="lower")
            quantiles.append([split, unit, *(f"{number:,}" for number in numbers)])
    duplicates = [
        [split, *(f"{run.splits_report['duplicates'][kind][split]:,}" for kind in ("exact", "normalised"))]
        for split in counts
    ]
    leaks = [
        [
            pair.replace("_in_", " in "),
            *(f"{run.splits_report['leaks'][kind][pair]:,}" for kind in ("exact", "normalised")),
        ]
        for pair in run.splits_report["leaks"]["exact"]
    ]
    shape = run.features["train"]
    median = int(np.median(every))
    return {
        "rights": card.rights(run.sources),
        "rows": f"{total:,}",
        "classes": Table(
            "Rows by class and split", ["class", *counts, "all", "share"], classes, range(1, len(counts) + 3)
        ),
        "fold": len(run.classes) > CELLS,
        "lengths": Chart(
            "lengths",
            f"Histogram of the number of words in {total:,} texts: half of them have {median} or fewer, "
            f"the longest {int(every.max()):,}.",
            "Texts by their number of words."
            + (
                f" The {counted(beyond, 'text')} of more than {bars['to'].max():,} words, up to {int(every.max()):,}, "
                "would not fit."
                if beyond
                else ""
            ),
            charts.lengths(bars),
        ),
        "quantiles": Table(
            "Lengths of the texts",
            ["split", "unit", "least", "25%", "median", "75%", "95%", "most"],
            quantiles,
            range(2, 8),
        ),
        "repeats": Table(
            "Rows whose text was there before",
            ["where", "exactly", "but for case and spaces"],
            duplicates + leaks,
            (1, 2),
        ),
        "features": (
            f"{card.representation(run.settings.vectorize, shape['features'])}; a training text has "
            f"{shape['nonzeros'] / shape['rows']:.1f} of them on average"
        ),
    }


def _histogram(values: Lengths) -> tuple[pd.DataFrame, int]:
    """Bars of whole numbers up to the 99th percentile or a little beyond, and how many values are beyond."""
    top = int(np.quantile(values, 0.99, method="higher")) + 1
    top = int(values.max()) + 1 if values.max() < 1.5 * top else top
    width = max(1, -(-top // BARS))
    edges = np.arange(0, top + width, width)
    counts = np.histogram(values[values < edges[-1]], bins=edges)[0]
    bars = pd.DataFrame({"from": edges[:-1], "to": edges[1:], "rows": counts})
    return bars, int((values >= edges[-1]).sum())


def compared(run: Run) -> dict[str, Any]:
    """The models side by side: metrics of the test rows with their intervals, and paired tests."""
    sure = level(run.settings.evaluate.confidence)
    splits = [split for split in ("train", "validation", "test") if split in run.splits]
    dots = [
        {
            "model": name,
            "split": split,
            "accuracy": run.evaluation[name][split]["accuracy"],
            **run.intervals[name][split]["accuracy"],
        }
        for name in run.models
        for split in splits
    ]
    used = [key for key in METRICS if any(key in run.evaluation[name]["test"] for name in run.models)]
    rows: list[list[object]] = []
    for split in reversed(splits):
        ends = {name: run.intervals[name][split] for name in run.models}
        cells = [_measured(run.evaluation[name][split], ends[name], "accuracy") for name in run.models]
        rows.append([f"accuracy on {rows_of(split)}", *cells])
    for key in used:
        cells = [_measured(run.evaluation[name]["test"], run.intervals[name]["test"], key) for name in run.models]
        rows.append([card.UNITS[key], *cells])
    rows.append(["parameters", *(f"{run.training[name].get('parameters', 0):,}" for name in run.models)])
    tests = []
    for earlier, later in combinations(run.models, 2):
        found = run.comparisons[f"{later}_vs_{earlier}"]
        told = found["p_holm"] <= 1 - run.settings.evaluate.confidence
        smallest = found.get("smallest_difference")
        tests.append(
            [
                f"{readable(later)} less {readable(earlier)}",
                f"{points(found['difference'])} points",
                f"{points(found['low'])} to {points(found['high'])}",
                f"{found['only_first']:,.0f} and {found['only_second']:,.0f}",
                p_value(found["p"]),
                p_value(found["p_holm"]),
                "too few rows" if smallest is None else f"{points(smallest, signed=False)} points",
                "yes" if told else "no",
            ]
        )
    said = "; ".join(
        f"{readable(row['model'])} {percent(row['accuracy'])} ({percent(row['low'])} to {percent(row['high'])})"
        for row in dots
        if row["split"] == "test"
    )
    return {
        "chart": Chart(
            "accuracies",
            f"Test accuracy with {sure} intervals: {said}.",
            f"Filled: accuracy on the test rows, with its {sure} interval. Hollow: on rows that a model "
            "has seen" + (", or that choices were made with." if "validation" in splits else "."),
            charts.accuracies(pd.DataFrame(dots), run.models),
        ),
        "metrics": Table(
            f"Metrics with {sure} intervals, on the test rows unless said",
            ["", *(readable(name) for name in run.models)],
            rows,
            range(1, 1 + len(run.models)),
        ),
        "positive": labels(run.classes)[run.classes[-1]] if len(run.classes) == 2 else None,
        "tests": Table(
            "Pairs of models on the same test rows",
            ["pair", "difference", "interval", "right alone", "p", "p (Holm)", "could be shown", "told apart"],
            tests,
            range(1, 7),
        )
        if tests
        else None,
    }


def _measured(found: Mapping[str, float], ends: Mapping[str, Mapping[str, float]], key: str) -> tuple[str, str]:
    """A metric, and its interval, as they are shown."""
    if key not in found:
        return "", ""

    def shown(value: float) -> str:
        return f"{value:.{DIGITS[key]}f}" if key in DIGITS else percent(value)

    return shown(found[key]), f"{shown(ends[key]['low'])} to {shown(ends[key]['high'])}" if key in ends else ""


def history(run: Run) -> dict[str, Any]:
    """Curves of those models that were trained in epochs."""
    rows = run.history
    if rows.empty:
        return {"charts": [], "table": None, "watched": None}
    watched = next((split for split in rows["split"] if split != "train"), "train")
    table = []
    drawn = [name for name in run.models if name in set(rows["model"])]
    said = []
    for name in drawn:
        part = rows[(rows["model"] == name) & (rows["split"] == watched)]
        train = rows[(rows["model"] == name) & (rows["split"] == "train")]
        low = part.iloc[int(part["loss"].fillna(np.inf).to_numpy().argmin())]
        moments = ((part.iloc[0], "first"), (low, f"lowest {watched} loss"), (part.iloc[-1], "last"))
        for moment, title in moments:
            seen = train[train["epoch"] == moment["epoch"]].iloc[0]
            numbers = [percent(seen["accuracy"]), f"{seen['loss']:.4f}"]
            numbers += [percent(moment["accuracy"]), f"{moment['loss']:.4f}"]
            table.append([readable(name), title, f"{moment['epoch']:,}", *numbers])
        said.append(
            f"the {watched} loss of {readable(name)} is lowest, {low['loss']:.3f}, at epoch {low['epoch']} "
            f"of {part['epoch'].max()}"
        )
    columns = ["model", "epoch", "", "train accuracy", "train loss", f"{watched} accuracy", f"{watched} loss"]
    return {
        "charts": [
            Chart(
                f"history-{column}",
                f"{column.capitalize()} by epoch, on training and {watched} rows: {listed(said)}.",
                {"accuracy": "Accuracy by epoch.", "loss": "Loss by epoch; the dot is the lowest."}[column],
                charts.history(rows, run.models, column),
                narrow=True,
            )
            for column in ("accuracy", "loss")
        ],
        "table": Table(f"First, best and last epoch, on training and {watched} rows", columns, table, range(2, 7)),
        "watched": watched,
        "said": f"{listed(said)}.",
    }


def confusion(run: Run) -> dict[str, Any]:
    """A matrix a model; of many classes, those that are mistaken most, and the pairs that are."""
    rows = run.confusion
    names = labels(run.classes)
    wrong = rows[rows["actual"] != rows["predicted"]]
    # By mistakes of all models, either way; a class that is never mistaken is of no interest here.
    weight = wrong.groupby("actual")["count"].sum().add(wrong.groupby("predicted")["count"].sum(), fill_value=0)
    order = sorted(run.classes, key=lambda name: (-int(weight.get(name, 0)), run.classes.index(name)))
    shown = [name for name in run.classes if name in set(order[:CELLS])]
    short = labels(run.classes, limit=24)
    charted, pairs = [], []
    for model in run.models:
        part = rows[rows["model"] == model]
        right = int(part.loc[part["actual"] == part["predicted"], "count"].sum())
        total = int(part["count"].sum())
        named = part.assign(**{column: [short[name] for name in part[column]] for column in ("actual", "predicted")})
        charted.append(
            Chart(
                f"confusion-{model}",
                f"Confusion matrix of {readable(model)}: {right} of {total} test rows are right.",
                f"{right:,} of {total:,} right",
                charts.confusion(named, [short[name] for name in shown]),
                title=readable(model),
                narrow=len(shown) <= 8,
                wide=len(shown) > 8,
            )
        )
        most = part[(part["actual"] != part["predicted"]) & (part["count"] > 0)]
        most = most.sort_values("count", ascending=False, kind="stable").head(PAIRS)
        pairs += [
            [
                readable(model),
                names[pair["actual"]],
                names[pair["predicted"]],
                f"{pair['count']:,}",
                percent(pair["share"]),
            ]
            for pair in most.to_dict("records")
        ]
    return {
        "charts": charted,
        "left_out": len(run.classes) - len(shown),
        "shown": len(shown),
        "pairs": Table(
            "The pairs of classes that are confused most" if len(run.classes) > 2 else "Mistakes by class",
            ["model", "actual", "predicted", "rows", "of the actual class"],
            pairs,
            (3, 4),
        ),
    }


def curves(run: Run, kind: str) -> dict[str, Any]:
    """ROC or precision-recall curves: of two classes one chart, of more one a class of those with most test rows."""
    table = (run.roc if kind == "roc" else run.precision_recall).dropna()
    names = labels(run.classes)
    counts = dict(zip(run.classes, run.counts(run.models[0]).sum(axis=1).tolist(), strict=True))
    total = sum(counts.values())
    there = [name for name in run.classes if name in set(table["class"])]
    shown = sorted(there, key=lambda name: (-int(counts.get(name, 0)), run.classes.index(name)))[:CURVES]
    areas = run.by_class[run.by_class["split"] == "test"]
    limit = charts.CURVE_POINTS // max(1, len(shown))
    charted = []
    for name in (name for name in there if name in shown):
        part = table[table["class"] == name]
        share = int(counts.get(name, 0)) / total
        found = areas[areas["class"] == name].set_index("model")["roc_auc"]
        said = listed([f"{readable(model)} {found[model]:.3f}" for model in run.models if np.isfinite(found[model])])
        place = run.classes.index(name)
        if kind == "roc":
            spec = charts.roc(part, run.models, limit, len(shown) == 1)
            alt = f"ROC curves of class {names[name]}; areas below them: {said}."
        else:
            spec = charts.precision_recall(part, run.models, share, limit, len(shown) == 1)
            alt = f"Precision-recall curves of class {names[name]}; guessing has a precision of {percent(share)}."
        title = f"class {names[name]}"
        charted.append(Chart(f"{kind}-{place}", alt, "", spec, title=title, narrow=True))
    rows = []
    for name in there:
        for model in run.models:
            found = areas[(areas["class"] == name) & (areas["model"] == model)].iloc[0]
            cells = [_with_ends(found, key, DIGITS.get(key)) for key in _columns(kind)]
            rows.append([names[name], readable(model), *cells])
    titles = [card.UNITS[key] for key in _columns(kind)]
    caption = f"{listed(titles)} of the test rows, with {level(run.settings.evaluate.confidence)} intervals"
    return {
        "charts": charted,
        "key": charts.key(run.models) if len(charted) > 1 else [],
        "left_out": len(there) - len(shown),
        "table": Table(
            f"{caption[0].upper()}{caption[1:]}", ["class", "model", *titles], rows, range(2, 2 + len(titles))
        ),
    }


def _columns(kind: str) -> tuple[str, ...]:
    return ("roc_auc",) if kind == "roc" else ("precision", "recall", "f1")


def _with_ends(found: "pd.Series[Any]", key: str, digits: int | None) -> tuple[str, str]:
    def shown(value: float) -> str:
        return percent(value) if digits is None else f"{value:.{digits}f}"

    if not np.isfinite(found[key]):
        return "", ""
    low, high = found[f"{key}_low"], found[f"{key}_high"]
    return shown(found[key]), f"{shown(low)} to {shown(high)}" if np.isfinite(low) else ""


def calibration(run: Run) -> dict[str, Any]:
    """Accuracy against confidence, and how far they are apart; before the probabilities were scaled too."""
    charted, rows = [], []
    for model in run.models:
        part = run.reliability[run.reliability["model"] == model]
        error = run.evaluation[model]["test"]["ece"]
        said = f"calibration error {error:.3f}"
        before = run.decisions[model].get("uncalibrated", {}).get("test", {}).get("ece")
        said += f" ({before:.3f} before)" if before is not None else ""
        charted.append(
            Chart(
                f"reliability-{model}",
                f"Accuracy against confidence of {readable(model)}, in {len(part)} bins: {said}.",
                said,
                charts.reliability(part, run.models, model),
                title=readable(model),
                narrow=True,
            )
        )
        rows += [
            [
                readable(model), f"{percent(bin_['low'], 0)} to {percent(bin_['high'], 0)}", f"{bin_['rows']:,}",
                percent(bin_["confidence"]), (percent(bin_["accuracy"]),
                f"{percent(bin_['accuracy_low'])} to {percent(bin_['accuracy_high'])}"),
            ]
            for bin_ in part.to_dict("records")
        ]  # fmt: skip
    columns = ["model", "probability of the predicted class", "rows", "mean probability", "accuracy"]
    return {"charts": charted, "table": Table("Accuracy by confidence", columns, rows, range(2, 5))}


def learned(run: Run) -> dict[str, Any]:
    """The terms that weigh most, by model and class, and which models look at no term."""
    names = labels(run.classes)
    models = []
    for model in run.models:
        part = run.terms[run.terms["model"] == model]
        if part.empty:
            continue
        largest = float(part["weight"].abs().max()) or 1.0
        classes = []
        for name in [name for name in run.classes if name in set(part["class"])][:TERMS]:
            best = part[part["class"] == name]
            terms = [
                {
                    "term": labels([str(term)], TERM)[str(term)],
                    "weight": f"{weight:.2f}",
                    "rows": f"{rows:,}",
                    "bar": round(100 * abs(float(weight)) / largest, 1),
                }
                for term, weight, rows in zip(best["term"], best["weight"], best["rows"], strict=True)
            ]
            classes.append({"name": names[name], "terms": terms})
        method = str(part["method"].iloc[0])
        if method == "weight" and len(run.classes) > 2:
            method = "weight of several"
        models.append(
            {
                "name": readable(model),
                "method": METHODS.get(method, f"Method: {method}."),
                "classes": classes,
                "left_out": part["class"].nunique() - len(classes),
            }
        )
    without = [readable(name) for name in run.models if name not in set(run.terms["model"])]
    return {"models": models, "without": listed(without), "several": len(without) > 1}


# Errors


@dataclass(frozen=True)
class Shown:
    """A test row that is shown, with the class decided, and its probability, of each model in question.

    `sure` is what it is chosen by: the probability of a mistake, or of the less sure side where models disagree.
    """

    sure: float
    place: int
    id: str
    actual: int
    decided: tuple[int, ...]
    probabilities: tuple[float, ...]


@dataclass
class Mistakes:
    """What is found in the test rows: the surest mistakes, rows that models decide otherwise, and lengths.

    `surest` of each model, `apart` of those that `varied`; `counts` how many are apart, all right and all wrong;
    `by_length` of each model the number of right rows in each group of lengths.
    """

    surest: dict[str, list[Shown]]
    apart: list[Shown]
    counts: Ints
    by_length: dict[str, Ints]


def found(run: Run, varied: Sequence[str], groups: Ints) -> Mistakes:
    """The test rows gone over once; `groups` (rows,) are of their lengths, `varied` models are set side by side."""
    mistakes = Mistakes(
        surest={name: [] for name in run.models},
        apart=[],
        counts=np.zeros(3, dtype=np.int64),
        by_length={name: np.zeros(int(groups.max()) + 1, dtype=np.int64) for name in run.models},
    )
    start, most = 0, run.report.mistakes
    for split, batch in evaluation.together({name: _parts(rows) for name, rows in run.decided.items()}):
        if split != "test":
            continue
        first = next(iter(batch.values()))
        y = evaluation.places(first["label"], run.classes)
        decided = {name: evaluation.places(rows["decided"], run.classes) for name, rows in batch.items()}
        sure = {name: confidence(rows) for name, rows in batch.items()}
        ids, some = first["id"], groups[start : start + len(y)]
        if len(some) < len(y):
            raise _other_rows()

        for name in run.models:
            wrong = np.flatnonzero(decided[name] != y)
            best = wrong[np.argsort(-sure[name][wrong], kind="stable")[:most]]
            rows = [
                Shown(
                    float(sure[name][row]), start + row, ids.iloc[row], int(y[row]), *_said([name], decided, sure, row)
                )
                for row in best.tolist()
            ]
            mistakes.surest[name] = _surest(mistakes.surest[name] + rows, most)
            mistakes.by_length[name] += np.bincount(some[decided[name] == y], minlength=len(mistakes.by_length[name]))
        if len(varied) > 1:
            table, certain = (np.column_stack([columns[name] for name in varied]) for columns in (decided, sure))
            right = table == y[:, np.newaxis]
            apart = np.flatnonzero((table != table[:, :1]).any(axis=1))
            mistakes.counts += len(apart), right.all(axis=1).sum(), (~right).all(axis=1).sum()
            table, certain = table[apart], certain[apart]
            surest = table[np.arange(len(apart)), certain.argmax(axis=1)][:, np.newaxis]
            less_sure = np.where(table == surest, -np.inf, certain).max(axis=1, initial=-np.inf)  # of the other side
            rows = [
                Shown(float(less_sure[n]), start + row, ids.iloc[row], int(y[row]), *_said(varied, decided, sure, row))
                for n in np.argsort(-less_sure, kind="stable")[:most].tolist()
                for row in [int(apart[n])]
            ]
            mistakes.apart = _surest(mistakes.apart + rows, most)
        start += len(y)
    if start != len(groups):
        raise _other_rows()
    return mistakes


def _said(
    names: Sequence[str], decided: Mapping[str, Ints], sure: Mapping[str, Shares], row: int
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The classes that the models take a row for, and their probabilities."""
    return tuple(int(decided[name][row]) for name in names), tuple(float(sure[name][row]) for name in names)


def _surest(rows: Iterable[Shown], most: int) -> list[Shown]:
    return sorted(rows, key=lambda row: (-row.sure, row.place))[:most]


def _other_rows() -> UserError:
    return UserError("the predictions must be of the rows of the test split in its order; got others; run dvc repro")


def _texts(rows: Pieces, wanted: Mapping[int, str]) -> dict[int, str]:
    """The texts of the rows at these places, which must have these ids."""
    texts: dict[int, str] = {}
    start = 0
    for part in _parts(rows):
        for place in (place for place in wanted if start <= place < start + len(part)):
            row = part.iloc[place - start]
            if row["id"] != wanted[place]:
                raise _other_rows()
            texts[place] = row["text"]
        start += len(part)
        if len(texts) == len(wanted):
            break
    return texts


def errors(run: Run, words: Lengths) -> dict[str, Any]:
    """Where the models go wrong on the test rows: the surest mistakes, disagreements, and accuracy by groups.

    `words` (rows,) are the lengths of their texts.
    """
    names = labels(run.classes)
    shown = [names[name] for name in run.classes]
    counts = {name: run.counts(name) for name in run.models}
    varied = [name for name in run.models if np.count_nonzero(counts[name].sum(axis=0)) > 1]
    groups, ranges = _groups(words)
    seen = found(run, varied, groups)
    rows = [*seen.apart, *(row for surest in seen.surest.values() for row in surest)]
    texts = _texts(run.splits["test"], {row.place: row.id for row in rows})
    mistakes = [
        {
            "model": readable(name),
            "wrong": int(counts[name].sum() - counts[name].trace()),
            "constant": shown[int(counts[name].sum(axis=0).argmax())] if name not in varied else None,
            "rows": [
                {
                    "id": visible(row.id),
                    "text": cut(texts[row.place]),
                    "actual": shown[row.actual],
                    "predicted": shown[row.decided[0]],
                    "confidence": percent(row.sure),
                }
                for row in seen.surest[name]
            ],
        }
        for name in run.models
    ]
    return {
        "mistakes": mistakes,
        "disagreements": _disagreements(varied, seen, len(words), texts, shown),
        "by_length": _by_length(run, seen, groups, ranges),
        "by_class": _by_class(run, names, counts),
    }


def confidence(rows: pd.DataFrame) -> Shares:
    """The probability that each decided row gives to the class it was taken for."""
    names = predictions.classes(rows)
    table = rows[[predictions.PREFIX + name for name in names]].to_numpy(float)
    sure: Shares = table[np.arange(len(rows)), evaluation.places(rows["decided"], names)]
    return sure


def _disagreements(
    varied: Sequence[str], seen: Mistakes, rows: int, texts: Mapping[int, str], names: Sequence[str]
) -> dict[str, Any] | None:
    """The rows that models decide otherwise, those first where both sides are sure; None of fewer than two models."""
    if len(varied) < 2:
        return None
    apart, all_right, all_wrong = seen.counts.tolist()
    return {
        "models": [readable(name) for name in varied],
        "rows": [
            {
                "id": visible(row.id),
                "text": cut(texts[row.place]),
                "actual": names[row.actual],
                "decided": [
                    {"name": names[decided], "confidence": percent(sure), "right": decided == row.actual}
                    for decided, sure in zip(row.decided, row.probabilities, strict=True)
                ],
            }
            for row in seen.apart
        ],
        "apart": apart,
        "all": rows,
        "all_right": all_right,
        "all_wrong": all_wrong,
    }


def _groups(words: Lengths) -> tuple[Ints, dict[int, str]]:
    """The group of each text, of about as many rows each, by its number of words; and what numbers these are."""
    cuts = np.unique(np.quantile(words, np.arange(1, LENGTHS) / LENGTHS, method="higher"))
    groups = np.searchsorted(cuts, words, side="left")
    ranges = {}
    for group in np.unique(groups).tolist():
        low, high = words[groups == group].min(), words[groups == group].max()
        ranges[group] = f"{low}" if low == high else f"{low} to {high}"
    return groups, ranges


def _by_length(run: Run, seen: Mistakes, groups: Ints, ranges: Mapping[int, str]) -> dict[str, Any]:
    """Accuracy in groups of texts of about as many rows, by their number of words."""
    sizes = np.bincount(groups)
    rows = [
        {"model": name, "words": title} | _share(run, int(seen.by_length[name][group]), int(sizes[group]))
        for name in run.models
        for group, title in ranges.items()
    ]
    return _grouped(run, "by-length", rows, "words", charts.by_length, "Accuracy by the number of words in a text")


def _by_class(run: Run, names: Mapping[str, str], counts: Mapping[str, Ints]) -> dict[str, Any]:
    """Recall of each class; drawn of those alone that are found least often, where there are many."""
    rows = []
    for name in run.models:
        for place, label in enumerate(run.classes):
            if size := int(counts[name][place].sum()):
                rows.append({"model": name, "class": names[label]} | _share(run, int(counts[name][place, place]), size))
    table = pd.DataFrame(rows)
    hardest = table.groupby("class", sort=False)["accuracy"].mean().sort_values(kind="stable").index[:GROUPS]
    return _grouped(
        run, "by-class", rows, "class", charts.by_class, "Recall of each class: the share of its rows that is found",
        only=set(hardest),
    )  # fmt: skip


def _share(run: Run, right: int, rows: int) -> dict[str, float]:
    low, high = statistics.wilson(right, rows, run.settings.evaluate.confidence)
    return {"accuracy": right / rows, "low": low, "high": high, "rows": rows}


def _grouped(
    run: Run, name: str, rows: Sequence[Mapping[str, Any]], column: str, draw: Any, title: str,
    only: Iterable[str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    drawn = [row for row in rows if only is None or row[column] in only]
    groups = list(dict.fromkeys(row[column] for row in rows))
    shown = list(dict.fromkeys(row[column] for row in drawn))
    found = {(row["model"], row[column]): row for row in rows}
    lines = []
    for group in groups:
        cells: list[object] = [group, f"{next(row['rows'] for row in rows if row[column] == group):,}"]
        for model in run.models:
            row = found[model, group]
            cells.append((percent(row["accuracy"]), f"{percent(row['low'])} to {percent(row['high'])}"))
        lines.append(cells)
    said = f"{title}, for {listed([readable(model) for model in run.models])}."
    left_out = len(groups) - len(shown)
    return {
        "chart": Chart(
            name,
            f"{said} The table has the numbers.",
            f"{title}, with {level(run.settings.evaluate.confidence)} intervals."
            + (f" Drawn are the {len(shown)} that are found least often of {len(groups)}." if left_out else ""),
            draw(pd.DataFrame(drawn), run.models),
        ),
        "table": Table(
            title, [column, "rows", *(readable(model) for model in run.models)], lines, range(1, 2 + len(run.models))
        ),
    }


def params(run: Run) -> list[dict[str, Any]]:
    """The settings of the run by section, without those of models that were not trained."""
    sections = []
    for name, section in (vars(run.settings) | {"report": run.report}).items():
        if name == "train":
            sections.append({"name": name, "rows": [("models", _setting(section.models))]})
            for model in section.models:
                own = getattr(section, model).model_dump()
                sections.append({"name": f"{name}.{model}", "rows": [(key, _setting(own[key])) for key in own]})
        else:
            own = section.model_dump()
            sections.append({"name": name, "rows": [(key, _setting(own[key])) for key in own]})
    return [section for section in sections if section["rows"]]


def _setting(value: object) -> str:
    """A setting as params.yaml could have it."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_setting, value))}]"
    return visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
