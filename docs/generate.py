"""Write the generated files and parts of files.

These are docs/params.md, tables in other pages, comments and schema of params.yaml, .dvc/plots and
CI.

usage: python docs/generate.py [--check]

--check writes nothing, and fails if a part is out of date. The command also
takes the pictures in docs/gallery, if they are of another run than dvc.lock.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import (
    by_rows,
    drift,
    few_rows,
    install,
    intervals,
    lesson,
    order,
    presets,
    suggest,
    timings,
)
from benchmarks.results import MissingResultError
from docs import gallery, plot_templates, power
from textclf import params
from textclf.cli import COMMANDS
from textclf.core.errors import UserError
from textclf.core.formatting import confidence_level, display_name
from textclf.core.params_text import WIDTH
from textclf.core.settings import PARAMS_FILE, Section, load_yaml, show
from textclf.evaluate.metrics.metric import MULTICLASS, MULTILABEL
from textclf.evaluate.registry import METRICS
from textclf.evaluate.results import Results, format_measured
from textclf.models.common.loading import entry_class
from textclf.models.common.settings import Averaged
from textclf.models.settings import KINDS
from textclf.plot.charts import CHARTS
from textclf.project.comments import commented, section_of, settings_of, summary
from textclf.project.workflows import Host, workflow
from textclf.vectorize.settings import METHODS, Pair

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "docs" / "params.schema.json"
TABLE = ROOT / "docs" / "params.md"
TEMPLATES = ROOT / ".dvc" / "plots"
WORKFLOWS: dict[Path, Host] = {
    ROOT / ".github" / "workflows" / "ci.yml": "github",
    ROOT / ".gitlab-ci.yml": "gitlab",
}
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
LESSON_MODELS = ("majority", "logistic_regression", "keras")
MANY = 3  # files of a kind in a folder that are named together
TYPES = {
    "array": "list",
    "boolean": "true or false",
    "integer": "integer",
    "null": "null",
    "number": "number",
    "object": "mapping",
    "string": "text",
}
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
ITEMS = {
    "vectorize": "representation",
    "combine": "pair",
    "average": "average",
    "external": "name",
    "behave": "name",
}  # what a stage is made for, if not for each model
BAR = "\\|"  # a | within a cell of a Markdown table


# Settings


def documented() -> Iterator[tuple[str, type[Section]]]:
    """Yield name and class of every section that docs/params.md lists, methods among them."""
    for name, field in params.Params.model_fields.items():
        if (kind := section_of(field)) is not None:
            yield name, kind
        if name == "vectorize":
            yield from (
                (f"vectorize.<name>, method {method}", settings)
                for method, settings in METHODS.items()
            )
        elif name == "combine":
            yield "combine.<name>", Pair
        elif name == "train":
            yield from ((f"train.<name>, kind {each}", entry_class(each)) for each in KINDS)
        elif name == "average":
            yield "average.<name>", Averaged


def schema() -> str:
    """Return the JSON schema of params.yaml, with which editors complete and check it."""
    content = params.Params.model_json_schema()
    content["title"] = f"{PARAMS_FILE} of textclf"
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def params_table() -> str:
    """Return docs/params.md: the type, the default and the description of every setting."""
    lines = [
        "# Settings",
        "",
        (
            "Every setting of params.yaml. A setting that is left out has its default; "
            "set it by a line in params.yaml, or"
        ),
        (
            "by `dvc exp run -S ++key=value`. dvc.yaml reads `data.path`, the sections fetch, "
            "about, split, vectorize,"
        ),
        (
            "train and evaluate, and `kind` and `features` of each model itself, "
            "so these must be there. `make docs`"
        ),
        "writes this page.",
    ]
    for name, kind in documented():
        lines += ["", f"## {name}", "", summary(kind)]
        types = kind.model_json_schema()["properties"] if settings_of(kind) else {}
        if types:
            lines += ["", "| Setting | Type | Default | What it does |", "|---|---|---|---|"]
        for key, field in settings_of(kind).items():
            default = "required" if field.is_required() else f"`{show(field.default, WIDTH)}`"
            cells = (f"`{key}`", type_name(types[key]), default, field.description or "")
            lines.append(f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |")
    return "\n".join(lines) + "\n"


def type_name(schema: dict[str, Any]) -> str:
    """Return the type of a setting in words, such as "integer ≥ 1", by its JSON schema."""
    if "anyOf" in schema:
        return " or ".join(type_name(part) for part in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(show(value) for value in schema["enum"])
    kind = schema["type"]
    if isinstance(kind, list):
        return ", ".join(TYPES[name] for name in kind)
    if kind == "array" and "items" in schema:
        return f"list of {type_name(schema['items'])}"
    if kind == "array":
        return f"list of {len(schema['prefixItems'])}, each {type_name(schema['prefixItems'][0])}"
    bounds = " and ".join(f"{sign} {schema[key]}" for key, sign in BOUNDS.items() if key in schema)
    return f"{TYPES[kind]} {bounds}".strip()


# Tables between markers


def stages_table(root: str) -> str:
    """Return a table of dvc.yaml's stages: name, description, the data it reads and writes."""
    lines = ["| Stage | What it does | Reads | Writes |", "|---|---|---|---|"]
    for name, entry in load_yaml(ROOT / "dvc.yaml")["stages"].items():
        item = ITEMS.get(name, "model")
        label = f"[{name}]({root}stages/{name}.py)" + (f"@{item}" if "foreach" in entry else "")
        stage = entry.get("do", entry)
        reads = [
            path
            for path in stage["deps"]
            if not re.match(r"(textclf|stages)(/|$)|data/checked", path)
        ]
        writes = [_path(out) for kind in ("outs", "metrics") for out in stage.get(kind, [])]
        cells = [
            label,
            stage["desc"],
            *(", ".join(f"`{path}`" for path in grouped(paths)) for paths in (reads, writes)),
        ]
        line = f"| {' | '.join(cells)} |"
        line = line.replace("${key}", f"<{item}>").replace("${item}", entry.get("foreach", ""))
        lines.append(re.sub(r"\$\{item\.(\w+)\}", r"<\1>", line))
    return "\n".join(lines)


def grouped(paths: list[str]) -> list[str]:
    """Return the paths; `MANY` or more with one ending in one folder become a pattern."""
    kinds = [f"{Path(path).parent}/*{Path(path).suffix}" for path in paths]
    return list(
        dict.fromkeys(
            k if kinds.count(k) >= MANY else path for path, k in zip(paths, kinds, strict=True)
        )
    )


def commands_table(root: str) -> str:  # noqa: ARG001 (it has no links)
    """Return a table with a row per command."""
    lines = ["| Command | What it is for |", "|---|---|"]
    return "\n".join(
        [*lines, *(f"| `textclf {name}` | {command.help} |" for name, command in COMMANDS.items())]
    )


def numbers(root: str) -> str:
    """Return a sentence on the network of the lesson's run; else each model's accuracy."""
    settings = params.load(ROOT / PARAMS_FILE)
    results = Results.read(
        ROOT / "metrics", ("features", "training", "evaluation", "intervals"), ()
    )
    measured, training = results.evaluation, results.training
    if not params.is_lesson(settings) or not set(LESSON_MODELS) <= set(measured):
        return accuracy_table(results, settings.evaluate.confidence)
    accuracies = [f"{measured['keras'][split]['accuracy']:.1%}" for split in ("train", "test")]
    epoch = training["keras"]["best_epoch"]
    return (
        f"The network has {accuracies[0]} of its training rows right and {accuracies[1]} of the "
        f"test rows, as in the lesson;\nits test loss is lowest after epoch {epoch} of "
        f"{training['keras']['epochs']}: [claim by claim]({root}docs/lesson.md)."
    )


def accuracy_table(results: Results, confidence: float) -> str:
    """Return the test accuracy of each model with its interval."""
    rows = next(iter(results.features.values())).test.rows
    lines = [
        f"| Model | Accuracy on {rows:,} test rows | {confidence_level(confidence)} interval |",
        "|---|---|---|",
    ]
    for name, splits in results.evaluation.items():
        value, ends = format_measured(
            "accuracy", splits["test"]["accuracy"], results.accuracy_ends(name)
        )
        lines.append(f"| {display_name(name)} | {value} | {ends} |")
    return "\n".join(lines)


def metrics_table(root: str) -> str:  # noqa: ARG001 (it has no links)
    """Return the registry of metrics."""
    lines = [
        "| Metric | What it is | Better | Per class | Labels per text |",
        "|---|---|---|---|---|",
    ]
    labels = {None: "", MULTICLASS: "one", MULTILABEL: "several"}
    for metric in METRICS.values():
        better = "higher" if metric.higher_is_better else "lower"
        per_class = "yes" if metric.per_class else ""
        name = f"{metric.title}, `{metric.name}`"
        lines.append(
            f"| {name} | {metric.description} | {better} | {per_class} | {labels[metric.task]} |"
        )
    return "\n".join(lines)


def result_table(make: Callable[[], str]) -> Callable[[str], str]:
    """Return the maker of a table that shows results of benchmarks and has no links."""
    return lambda _: make()


OWN_TABLES = {
    "by-rows": by_rows.table,
    "extras": install.table,
    "few-rows": few_rows.table,
    "few-rows-larger": few_rows.larger_table,
    "first-install": install.sentence,
    "order": order.table,
    "own-table": presets.example,
    "presets": presets.table,
    "several": presets.several,
    "suggest": suggest.table,
}
RESULTS = (
    intervals.TABLES | lesson.TABLES | timings.TABLES | drift.TABLES | power.TABLES | OWN_TABLES
)
TABLES: dict[str, Callable[[str], str]] = {
    "stages": stages_table,
    "commands": commands_table,
    "numbers": numbers,
    "metrics": metrics_table,
    **{name: result_table(make) for name, make in RESULTS.items()},
}


def filled(page: Path, names: Iterable[str] = TABLES) -> str:
    """Return a page's text with new tables between `<!-- name -->` and `<!-- /name -->`."""
    text = page.read_text(encoding="utf-8")
    root = "" if page.parent == ROOT else "../"
    for name in names:
        before, after = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        start, end = text.find(before), text.find(after)
        if start < 0 and end < 0:
            continue
        if min(start, end) < 0:
            raise UserError(
                f"{page.name} must have both {before.strip()} and {after} around its table"
            )
        try:
            table = TABLES[name](root)
        except MissingResultError as missing:
            print(
                f"{page.name}: {name} stays as it is, because benchmarks/results lacks {missing}",
                file=sys.stderr,
            )
            continue
        text = text[: start + len(before)] + table + "\n" + text[end:]
    return text


def main(arguments: list[str]) -> None:
    """Write or check each generated file, and check params.yaml."""
    settings = params.load(ROOT / PARAMS_FILE)
    checking = arguments == ["--check"]
    # The numbers of the user's own rows change with every run; only those of the lesson must be up
    # to date.
    of_lesson = {"claims", "numbers"} if checking else {"claims"}
    names = [name for name in TABLES if name not in of_lesson or params.is_lesson(settings)]
    params_text = (ROOT / PARAMS_FILE).read_text(encoding="utf-8")
    generated = {
        SCHEMA: schema(),
        TABLE: params_table(),
        ROOT / PARAMS_FILE: commented(params_text),
    }
    generated |= {page: filled(page, names) for page in PAGES if page != TABLE}
    generated |= {
        TEMPLATES / f"{name}.json": plot_templates.text(chart) for name, chart in CHARTS.items()
    }
    generated |= {path: workflow(host, clone=True) for path, host in WORKFLOWS.items()}
    stale = []
    for path, text in generated.items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if checking:
            stale.append(f"{path.relative_to(ROOT)} is out of date; run make docs")
        else:
            path.write_text(text, encoding="utf-8", newline="\n")
    if params.is_lesson(settings) and gallery.outdated(ROOT):
        if checking:
            stale.append(
                f"the pictures in {gallery.GALLERY} are of another run; run make docs, "
                "which needs Chromium"
            )
        else:
            gallery.take()
    if stale:
        raise UserError(*stale)


def _path(out: str | dict[str, Any]) -> str:
    return out if isinstance(out, str) else next(iter(out))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit("\n".join(f"error: docs: {line}" for line in error.lines))
