"""The command `textclf predict`: from its arguments to the predictions."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

from textclf.artifacts.conformal import labels_answered, labels_of
from textclf.core.errors import UserError
from textclf.core.failures import complain
from textclf.predict import inputs, outputs
from textclf.predict.inputs import TextBatch
from textclf.predict.outputs import PredictedBatch
from textclf.predict.predictor import Predictor, find_model, load
from textclf.tables.layout import COLUMN, Layout
from textclf.tables.settings import OPTIONS, check_option

LINES = (None, "lines")  # values of --format with which standard input is a text per line
TABLE_OPTIONS = (
    "text",
    "id",
    "group",
    "files",
    "delimiter",
    "quoting",
    "sheet",
    "query",
)  # not for lines


def run(arguments: argparse.Namespace) -> None:
    """Write the predictions of the texts that the arguments name."""
    kind = choose_format(arguments.to, arguments.output)
    for name in ("terms", "top"):
        if (value := getattr(arguments, name)) is not None and value < 1:
            raise UserError(f"--{name} must be at least 1; got {value}")
    if arguments.no_formulas and kind != "csv":
        raise UserError(f"--no-formulas must come with --to csv; got {kind}")
    outputs.require_other_files(
        {} if arguments.path is None else {"--path": arguments.path}, {"--output": arguments.output}
    )
    check_options(arguments)
    predictor = load(find_model(arguments.models, arguments.model))
    batches = read_batches(arguments, predictor.reads)
    coverage = arguments.coverage
    if coverage is not None:
        predictor.require_coverage(coverage, "--coverage")
    columns = columns_for(
        predictor,
        text=not arguments.no_text,
        explanation=arguments.terms if arguments.explain else None,
        formulas=not arguments.no_formulas,
        sets=coverage,
        top=arguments.top,
        every=kind == "parquet",  # for programs, such as the stage external
    )
    predicted = predict_batches(batches, predictor, columns)
    if arguments.output is None:
        if sys.stdout is None:
            raise UserError("standard output must be open; or set --output")
        stdout = sys.stdout.buffer
        terminal = cast("IO[bytes]", outputs.Terminal(stdout)) if sys.stdout.isatty() else stdout
        outputs.write(predicted, terminal, kind, columns)
    else:
        with outputs.open_output(arguments.output) as stream:
            outputs.write(predicted, stream, kind, columns)


def columns_for(predictor: Predictor, **chosen: Any) -> outputs.Columns:
    """Return the columns of a model's predictions, with the chosen `outputs.Columns`."""
    rules = {"multilabel": predictor.decision.multilabel, "reasons": predictor.rejects}
    return outputs.Columns(predictor.classes_, **rules, **chosen)


def predict_batches(
    batches: Iterable[TextBatch], predictor: Predictor, columns: outputs.Columns
) -> Iterator[PredictedBatch]:
    """Yield the predictions of each batch, with what the columns need.

    With prediction sets there is a label only where a set has one class; several labels are decided
    without them.
    """
    for ids, texts in batches:
        labels: Sequence[Any]
        labels, reasons, probabilities = predictor.answer(texts)
        explanations = (
            predictor.explain(texts, columns.explanation) if columns.explanation else None
        )
        top = predictor.most_probable(probabilities, columns.top) if columns.top else None
        sets = None if columns.sets is None else predictor.sets(probabilities, columns.sets)
        if sets is not None and not columns.multilabel:
            labels = labels_answered(sets, columns.classes)
        named = None if sets is None else labels_of(sets, columns.classes)
        yield PredictedBatch(ids, texts, labels, probabilities, explanations, named, reasons, top)


def check_options(arguments: argparse.Namespace) -> None:
    """Raise `UserError` if the arguments that name texts break a rule."""
    if arguments.texts and (arguments.path or arguments.format):
        raise UserError("texts must be arguments or in a table (--path, --format); got both")
    if arguments.texts or (arguments.path is None and arguments.format in LINES):
        for name in TABLE_OPTIONS:
            if getattr(arguments, name) is not None:
                got = (
                    "texts as arguments"
                    if arguments.texts
                    else "a text per line; set --format, such as csv"
                )
                raise UserError(f"--{name} must come with a table; got {got}")
    for name in OPTIONS:
        if (value := getattr(arguments, name)) is not None:
            check_option(name, value)


def read_batches(
    arguments: argparse.Namespace, columns: Sequence[str] = (), empty: bool = False
) -> Iterator[TextBatch]:
    """Return the texts that the arguments name, with these columns.

    Raises `UserError` for wrong arguments before any text.

    A row of a table may have no text only if `empty` ones are read.
    """
    check_options(arguments)
    if arguments.texts:
        return inputs.read_arguments(arguments.texts)
    layout = _layout(arguments, columns)
    if arguments.path is not None:
        return inputs.read_table(arguments.path, layout, empty)
    if sys.stdin is None:
        raise UserError("standard input must be open; or give texts as arguments")
    if sys.stdin.isatty():
        complain("one text per line, until Ctrl-D:")
    if arguments.format in LINES:
        return inputs.read_lines(
            sys.stdin.buffer,
            arguments.encoding,
            lambda line: complain(f"warning: {arguments.name}: {line}"),
        )
    return inputs.read_stream(sys.stdin.buffer, arguments.format, layout)


def _layout(arguments: argparse.Namespace, beside: Sequence[str]) -> Layout:
    columns: dict[str, str | tuple[str, ...]] = {"text": tuple(arguments.text or ["text"])}
    columns |= {
        name: column for name in ("id", "group") if (column := getattr(arguments, name)) is not None
    }
    return Layout(
        columns | {COLUMN + name: name for name in beside},
        files=arguments.files or "**/*",
        format=arguments.format or "auto",
        encoding=arguments.encoding,
        delimiter=arguments.delimiter,
        quoting=None if arguments.quoting is None else arguments.quoting == "true",
        sheet=arguments.sheet,
        query=arguments.query,
        option="--",
    )


def choose_format(name: str | None, output: Path | None) -> str:
    """Return the format to write: the named one, that of the file's ending, or the default."""
    ending = "" if output is None else output.suffix.lower()
    is_file = output is not None and (output.is_file() or not output.exists())
    if name is None and is_file and ending not in outputs.ENDINGS:
        raise UserError(
            f"--output must end in {', '.join(sorted(outputs.ENDINGS))}; got {output}; or set --to"
        )
    kind = name or outputs.ENDINGS.get(ending, outputs.DEFAULT)
    if kind == "parquet" and output is None and sys.stdout is not None and sys.stdout.isatty():
        raise UserError("--to must be jsonl or csv on a terminal; got parquet; set --output")
    return kind
