"""Every number that terminal, report, card, comment and metrics say of a model.

This module reads what people read and shares no code with textclf.
"""

import csv
import html
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

MINUS = "\N{MINUS SIGN}"
NUMBER = rf"[+\-{MINUS}]?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?%?"
ENDS = rf"({NUMBER}) to ({NUMBER})"
# The sentence on the best constant answer: what it is right on or costs, and its F1
OF_FLOOR = (
    rf"[Gg]iving every text [a-z ]+(?:, which)? (is right on|costs) ({NUMBER}) "
    r"(?:of the test rows(?: \(([^)]*)\))?|per test row)"
)
TITLES = {  # of metrics, as pages write them, by the key of metrics/evaluation.json
    "accuracy": "accuracy",
    "subset accuracy": "accuracy",
    "balanced accuracy": "balanced_accuracy",
    "F1": "f1",
    "macro F1": "f1",
    "micro F1": "micro_f1",
    "precision": "precision",
    "macro precision": "precision",
    "micro precision": "micro_precision",
    "recall": "recall",
    "macro recall": "recall",
    "micro recall": "micro_recall",
    "ROC AUC": "roc_auc",
    "macro ROC AUC": "roc_auc",
    "macro average precision": "average_precision",
    "MCC": "mcc",
    "label ranking": "ranking",
    "Hamming loss": "hamming_loss",
    "mean cost": "cost",
    "log loss": "log_loss",
    "Brier score": "brier",
    "calibration error": "ece",
}
SPLITS = {"test": "test", "training": "train", "train": "train", "validation": "validation"}
RIGHT, MISTAKES, UNANSWERED = "rows right", "mistakes", "rows without an answer"
ROWS, BELONG = "number of test rows", "that belong to a class"
NO_CLASS = "of no class"
WITHIN = "accuracy within the classes"
COVERED, ANSWERED, OF_ANSWERS = "coverage of sets", "sets with one class", "accuracy of answers"
OF_SETS = {  # columns of the report's table of prediction sets
    "sets with the class": COVERED,
    "share of the labels in the set": COVERED,
    "one class": ANSWERED,
    "accuracy of answers": OF_ANSWERS,
}
FLOOR, GUESSING = "majority", "guessing"


class Said(NamedTuple):
    """A number of a model on a page, as it is written there, and its interval.

    `metric` is a key of metrics/evaluation.json, with the split unless it is the test rows.
    """

    page: str
    model: str
    metric: str
    number: str
    ends: tuple[str, str] | None = None


def value_of(number: str) -> float:
    """Return a written number: of a percentage the share."""
    plain = number.replace(MINUS, "-").replace(",", "")
    return float(plain[:-1]) / 100 if plain.endswith("%") else float(plain)


def half_a_digit(number: str) -> float:
    """Return half a unit of the last digit of a written number: what rounding can change."""
    mantissa, _, exponent = number.rstrip("%").partition("e")
    places = len(mantissa.partition(".")[2]) - int(exponent or 0) + 2 * number.endswith("%")
    return 0.5 * 10.0**-places


def named(title: str, split: str = "test") -> str:
    """Return the name of a quantity: the key of the metric, and the split if it is another."""
    return of_split(TITLES[title], split)


def of_split(key: str, split: str) -> str:
    """Return the name of a metric on the rows of a split."""
    return key if split == "test" else f"{key} of {split}"


def shown(model: str) -> str:
    """Return a model's name as pages write it."""
    return model.replace("_", " ")


def of_class(key: str, label: str) -> str:
    """Return the name of a metric of one class, or of the rows in it."""
    return f"{key} of class {label}"


def against(model: str, metric: str = "accuracy") -> str:
    """Return the name of the difference in a metric to another model."""
    return f"{metric} against {model}"


def terminal(page: str, printed: str, models: list[str]) -> Iterator[Said]:
    """Yield the numbers of the table at the end of a run and of the lines of evaluate."""
    names = {shown(model): model for model in models}
    lines = printed.splitlines()
    header = next(line for line in lines if line.startswith("on the test rows"))
    starts = [match.start() for match in re.finditer(r"(?<=  )\S", header)]
    titles = [
        header[start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True)
    ]
    for line in lines[lines.index(header) + 1 :]:
        if (model := names.get(line[: starts[0]].strip())) is None:
            break
        for title, start, end in zip(titles, starts, [*starts[1:], None], strict=True):
            if found := re.match(rf"({NUMBER})(?: \({ENDS}\))?", line[start:end].strip()):
                yield from _in_terminal(page, model, title, found, names)
    yield from _of_floor(page, printed)
    for model in models:
        for found in re.finditer(
            rf"^{model}: ((?:subset )?accuracy .*\d.*)$", printed, re.MULTILINE
        ):
            yield from _in_line(page, model, found[1])


def _in_terminal(
    page: str, model: str, title: str, found: re.Match[str], names: Mapping[str, str]
) -> Iterator[Said]:
    number, low, high = found.groups()
    if other := names.get(title.removeprefix("against ")):
        yield Said(
            page, model, against(other), f"{number}%", (f"{low}%", f"{high}%") if low else None
        )
        return
    if other := names.get(title.removeprefix("cost against ")):
        yield Said(page, model, against(other, "cost"), number, (low, high) if low else None)
        return
    name = title.partition(" (")[0]
    metric = f"recall {NO_CLASS}" if name == "no class found" else named(name)
    yield Said(page, model, metric, number, (low, high) if low else None)


def _in_line(page: str, model: str, line: str) -> Iterator[Said]:
    titles = "|".join(sorted(TITLES, key=len, reverse=True))
    title = "accuracy"
    for found in re.finditer(
        rf"(?:({titles}) )?(train |validation |test )?({NUMBER})(?: \({ENDS}\))?", line
    ):
        title = found[1] or title
        ends = (found[4], found[5]) if found[4] else None
        yield Said(page, model, named(title, (found[2] or "test").strip()), found[3], ends)


def plain(markup: str) -> str:
    """Return the text of a part of a page, with single spaces."""
    bare = re.sub(r"<(svg|script|style).*?</\1>", " ", markup, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", bare)).split())


def tables(page: str) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield the caption of each table of a page, and the text of its cells by row."""
    for table in re.findall(r"<table.*?</table>", page, re.DOTALL):
        caption = re.search(r"<caption>(.*?)</caption>", table, re.DOTALL)
        rows = [
            [plain(cell) for cell in re.findall(r"<t[hd]\b.*?>(.*?)</t[hd]>", row, re.DOTALL)]
            for row in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
        ]
        yield plain(caption[1]) if caption else "", rows


def headline(page: str) -> str:
    """Return what the report says first: the sentences beside its large number."""
    found = re.search(r'<p class="said">(.*?)</p>', page, re.DOTALL)
    assert found is not None, "the report has no headline"
    return plain(found[1])


def report(page: str, models: list[str], default: str) -> Iterator[Said]:
    """Yield the numbers of reports/report.html."""
    name, names = "the report", {shown(model): model for model in models}
    figure = re.search(r'<p class="figure">(.*?)</p>', page)
    assert figure is not None, "the report has no large number"
    yield Said(f"{name}'s large number", default, "accuracy", plain(figure[1]))
    yield from _sentences(f"{name}'s headline", default, headline(page))
    summary = page[page.index('<section id="summary"') : page.index('<section id="protocol"')]
    verdict = rf"(Better|Worse|[^.]*?) than ([\w ]+) by ({NUMBER}) points \({ENDS}"
    for item in re.findall(r"<li>(.*?)</li>", summary, re.DOTALL):
        if (found := re.match(verdict, plain(item))) and found[2] in names:
            sign = MINUS if found[1] == "Worse" else ""
            ends = (f"{found[4]}%", f"{found[5]}%")
            yield Said(
                f"{name}'s verdict", default, against(names[found[2]]), f"{sign}{found[3]}%", ends
            )
    for found in re.finditer(r'aria-label="Test (?:subset )?accuracy with [^"]*?: ([^"]*)"', page):
        for model, number, low, high in re.findall(rf"([\w ]+) ({NUMBER}) \({ENDS}\)", found[1]):
            yield Said(
                f"{name}'s first figure", names[model.strip()], "accuracy", number, (low, high)
            )
    yield from _dots(name, page, names)
    for shown_name, number in re.findall(rf"<summary>([\w ]+): ({NUMBER}) mistakes?<", page):
        yield Said(f"{name}'s list of mistakes", names[shown_name], MISTAKES, number)
    for caption, rows in tables(page):
        where = f"{name}'s table “{caption}”"
        of_slices = re.match(r"All slices of ([\w ]+),", caption)
        if of_slices:
            yield from _slices(where, names[of_slices[1]], rows)
        else:
            yield from _in_table(where, rows, names)


def _dots(name: str, page: str, names: Mapping[str, str]) -> Iterator[Said]:
    """Yield the numbers of the dots beside the large number."""
    figure = re.search(r'<figure id="chart-by-model".*?</figure>', page, re.DOTALL)
    assert figure is not None, "the report has no picture beside its large number"
    dot = rf"<title>model: ([\w ]+)&#xA;([\w ]+): ({NUMBER})(?:&#xA;interval: {ENDS})?<"
    for model, title, number, low, high in re.findall(dot, figure[0]):
        metric = named(title.removesuffix(" per text"))
        yield Said(f"{name}'s dots", names[model], metric, number, (low, high) if low else None)


class Example(NamedTuple):
    """A text of the first screen: whether it is told to be right, the answer, and its id."""

    right: bool
    answer: str
    text: str
    row: str


def examples(page: str) -> Iterator[Example]:
    """Yield the texts of the first screen."""
    for example in re.findall(r'<div class="example">(.*?</div>)', page, re.DOTALL):
        answer, *_, text, row = re.findall(r"<bdi>(.*?)</bdi>", example, re.DOTALL)
        yield Example("✓ Right" in example, *map(html.unescape, (answer, text, row)))


def _in_table(page: str, rows: list[list[str]], names: Mapping[str, str]) -> Iterator[Said]:
    header, *body = rows
    if header[0] == "" and {*header[1:]} <= {*names}:
        for title, *cells in body:
            parts = rf"(.*?)(?: \(nats\))?(?: on (\w+) rows)?(?: guessing: ({NUMBER}))?$"
            found = re.match(parts, title)
            assert found is not None
            if found[1] not in TITLES:
                continue
            metric = named(found[1], SPLITS[found[2] or "test"])
            if found[3]:
                yield Said(page, GUESSING, metric, found[3])
            for shown_name, text in zip(header[1:], cells, strict=True):
                yield from _cell(page, names[shown_name], metric, text)
    elif header[:3] == ["pair", "difference", "interval"]:
        for pair, difference, interval, *_ in body:
            first, second = pair.split(" vs. ")
            ends = re.fullmatch(ENDS, interval)
            assert ends is not None
            number = difference.removesuffix(" points")
            yield Said(
                page,
                names[first],
                against(names[second]),
                f"{number}%",
                (f"{ends[1]}%", f"{ends[2]}%"),
            )
    elif header[:2] == ["model", "by"]:
        for shown_name, by, *cells in body:
            for title, text in zip(header[2:], cells, strict=True):
                if by == "as decided" and (title == WITHIN or title.endswith(NO_CLASS)):
                    yield from _cell(page, names[shown_name], title, text)
    elif header[:2] in (["class", "model"], ["label", "model"]):
        for label, shown_name, *cells in body:
            for title, text in zip(header[2:], cells, strict=True):
                if title in TITLES:
                    metric = of_class(TITLES[title], label)
                    yield from _cell(page, names[shown_name], metric, text)
    elif header[0] == "model" and {*header} & {*OF_SETS}:
        for shown_name, *cells in body:
            for title, text in zip(header[1:], cells, strict=True):
                if title in OF_SETS:
                    yield from _cell(page, names[shown_name], OF_SETS[title], text)


def _slices(page: str, model: str, rows: list[list[str]]) -> Iterator[Said]:
    for name, _, accuracy, *_ in rows[1:]:
        kind, _, label = name.partition(": ")
        if kind in ("class", "label"):
            yield from _cell(page, model, of_class("accuracy", label), accuracy)


def _cell(page: str, model: str, metric: str, text: str) -> Iterator[Said]:
    """Yield the number in a cell, and its interval; none if the cell has none."""
    if found := re.match(rf"({NUMBER})(?: {ENDS})?", text):
        yield Said(page, model, metric, found[1], (found[2], found[3]) if found[2] else None)


def _of_floor(page: str, said: str) -> Iterator[Said]:
    """Yield the numbers of the sentence on the best constant answer."""
    if found := re.search(OF_FLOOR, said):
        yield Said(page, GUESSING, "accuracy" if found[1] == "is right on" else "cost", found[2])
        for title, number in re.findall(rf"(\w+ F1) ({NUMBER})", found[3] or ""):
            yield Said(page, GUESSING, named(title), number)


def _sentences(page: str, model: str, text: str) -> Iterator[Said]:
    """Yield the numbers of the sentences that introduce a model, on the report or the card."""
    yield from _of_floor(page, text)
    said = re.sub(OF_FLOOR, "", text)
    if found := re.search(rf"({NUMBER}) of the {NUMBER} test texts", said):
        yield Said(page, model, RIGHT, found[1])
    if found := re.search(rf"of (?:the )?({NUMBER}) test (?:texts|rows)( {BELONG})?", said):
        yield Said(page, model, f"{ROWS} {BELONG}" if found[2] else ROWS, found[1])
    if found := re.search(rf"({NUMBER}) texts? gets? no answer", said):
        yield Said(page, model, UNANSWERED, found[1])
    if found := re.search(rf"recognises ({NUMBER}) \({ENDS}\)", said):
        yield Said(page, model, f"recall {NO_CLASS}", found[1], (found[2], found[3]))
    titles = "|".join(sorted(TITLES, key=len, reverse=True))
    for found in re.finditer(
        rf"({titles})\)? (?:is |per row is )?({NUMBER})(?: \({ENDS}\))?", said
    ):
        yield Said(
            page, model, named(found[1]), found[2], (found[3], found[4]) if found[3] else None
        )
    if found := re.search(rf"({NUMBER})\*\* of {NUMBER} test rows.*? \(.*?interval {ENDS}\)", said):
        yield Said(page, model, "accuracy", found[1], (found[2], found[3]))


def card(text: str, model: str) -> Iterator[Said]:
    """Yield the numbers of a model card."""
    page = f"the card of {model}"
    introduction, _, rest = text.partition("## Model details")
    yield from _sentences(page, model, " ".join(introduction.split()))
    lines = [line.strip("| ").split(" | ") for line in rest.splitlines() if line.startswith("|")]
    splits: list[str] = []
    for first, *cells in lines:
        if first == "metric":
            splits = cells
        title = first.partition(" (")[0]
        if title in TITLES and len(cells) == len(splits):
            for split, text in zip(splits, cells, strict=True):
                found = re.match(rf"({NUMBER})(?: \({ENDS}\))?", text)
                assert found is not None, f"{page} has no number of {title}: {text}"
                ends = (found[2], found[3]) if found[2] else None
                yield Said(f"{page}'s table", model, named(title, split), found[1], ends)


def comment(text: str) -> Iterator[Said]:
    """Yield the numbers of the head that the pull request's comment has."""
    yield from _of_floor("textclf pr-report", text)
    row = rf"\| `(\w+)` \| `(\w+)`.*? \| (?:{NUMBER}|) \| ({NUMBER}) \|"
    for model, key, number in re.findall(row, text):
        yield Said("textclf pr-report", model, of_split(key, "test"), number)


def metrics(folder: Path) -> Iterator[Said]:
    """Yield the numbers of the files in metrics/."""
    evaluation, intervals = (
        read(folder, f"metrics/{name}.json") for name in ("evaluation", "intervals")
    )
    for model, splits in evaluation.items():
        for split, found in splits.items():
            for key, number in found.items():
                ends = intervals[model][split].get(key)
                yield Said(
                    "metrics/evaluation.json",
                    model,
                    of_split(key, split),
                    str(number),
                    (str(ends["low"]), str(ends["high"])) if ends else None,
                )
    for model in evaluation:
        name = f"metrics/models/{model}.json"
        for split, found in read(folder, name).items():
            for key, number in found.items() if split in SPLITS else ():
                yield Said(name, model, of_split(key, split), str(number))
    for pair, found in read(folder, "metrics/comparisons.json").items():
        first, second = pair.split("_vs_")
        ends = (str(found["low"]), str(found["high"]))
        yield Said(
            "metrics/comparisons.json", first, against(second), str(found["difference"]), ends
        )
    for model, splits in read(folder, "metrics/unknown.json").items():
        for key, share in splits.get("test", {}).items():
            if key != "scores":
                metric = WITHIN if key == "accuracy" else f"{key} {NO_CLASS}"
                yield from _share("metrics/unknown.json", model, metric, share)
    name = "metrics/coverage.json"
    coverage = read(folder, name)
    for model in evaluation.keys() & coverage.keys():
        found = coverage[model]
        yield Said(name, model, ANSWERED, str(found["answered"]))
        yield from _share(name, model, COVERED, found["coverage"])
        yield from _share(name, model, OF_ANSWERS, found["accuracy"])
    for model, slices in read(folder, "metrics/slices.json").items():
        for name, found in slices.items():
            kind, _, label = name.partition("=")
            if kind in ("class", "label"):
                share = found["accuracy_interval"] | {"value": found["accuracy"]}
                yield from _share("metrics/slices.json", model, of_class("accuracy", label), share)
    lines = (folder / "plots/classes.csv").read_text(encoding="utf-8").splitlines()
    for row in csv.DictReader(lines):
        if row["split"] == "test":
            for key in ("precision", "recall", "f1"):
                share = {"value": row[key], "low": row[f"{key}_low"], "high": row[f"{key}_high"]}
                metric = of_class(key, row.get("class") or row["label"])
                yield from _share("plots/classes.csv", row["model"], metric, share)


def _share(page: str, model: str, metric: str, share: Mapping[str, Any] | None) -> Iterator[Said]:
    """Yield a number of a file with its interval, if it has one; none if there is no number."""
    if share is not None:
        ends = (str(share["low"]), str(share["high"]))
        yield Said(page, model, metric, str(share["value"]), ends if ends[0] else None)


def read(folder: Path, name: str) -> dict[str, Any]:
    """Return the content of a JSON file of a project."""
    content: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    return content
