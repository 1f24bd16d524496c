"""The command `textclf predict`: from its arguments to the predictions."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from textclf.artifacts.conformal import labels_answered, labels_of
from textclf.core.errors import UserError
from textclf.core.failures import complain
from textclf.core.files import COLUMN
from textclf.predict import inputs, outputs
from textclf.predict.arguments import Predict
from textclf.predict.inputs import TextBatch
from textclf.predict.outputs import PredictedBatch
from textclf.predict.predictor import Predictor, find_model, load
from textclf.tables.arguments import Form
from textclf.tables.layout import Layout
from textclf.tables.settings import check_options

LINES = (None, "lines")  # values of --format with which standard input is a text per line


@dataclass(frozen=True, kw_only=True)
class Source:
    """The texts that a command reads: its arguments, a table, or standard input."""

    command: str
    form: Form
    texts: Sequence[str] = ()
    path: Path | None
    # Columns of a table.
    text: Sequence[str] | None
    id: str | None = None
    group: str | None = None


def run(arguments: Predict) -> None:
    """Write the predictions of the texts that the arguments name."""
    kind = choose_format(arguments.to, arguments.output)
    for name, value in {"terms": arguments.terms, "top": arguments.top}.items():
        if value is not None and value < 1:
            raise UserError(f"--{name} must be at least 1; got {value}")
    if arguments.no_formulas and kind != "csv":
        raise UserError(f"--no-formulas must come with --to csv; got {kind}")
    outputs.require_other_files(
        {} if arguments.path is None else {"--path": arguments.path}, {"--output": arguments.output}
    )
    source = Source(
        command=arguments.name,
        texts=arguments.texts,
        path=arguments.path,
        id=arguments.id,
        text=arguments.text,
        form=arguments.form,
    )
    require_valid(source)
    predictor = load(find_model(arguments.choice.models, arguments.choice.model))
    batches = read_batches(source, predictor.reads)
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


def require_valid(source: Source) -> None:
    """Raise `UserError` if the arguments that name texts break a rule."""
    form = source.form
    if source.texts and (source.path or form.format):
        raise UserError("texts must be arguments or in a table (--path, --format); got both")
    if source.texts or (source.path is None and form.format in LINES):
        of_table = {"text": source.text, "id": source.id, "group": source.group, **vars(form)}
        for name, value in of_table.items():
            if value is not None and name not in ("format", "encoding"):
                got = "a text per line; set --format, such as csv"
                if source.texts:
                    got = "texts as arguments"
                raise UserError(f"--{name} must come with a table; got {got}")
    check_options(vars(form))


def read_batches(
    source: Source, columns: Sequence[str] = (), empty: bool = False
) -> Iterator[TextBatch]:
    """Return the texts of a source, with these columns.

    Raises `UserError` for wrong arguments before any text.

    A row of a table may have no text only if `empty` ones are read.
    """
    require_valid(source)
    if source.texts:
        return inputs.read_arguments(source.texts)
    layout = _layout(source, columns)
    if source.path is not None:
        return inputs.read_table(source.path, layout, empty)
    if sys.stdin is None:
        raise UserError("standard input must be open; or give texts as arguments")
    if sys.stdin.isatty():
        complain("one text per line, until Ctrl-D:")
    kind = source.form.format
    if kind is None or kind == "lines":
        return inputs.read_lines(
            sys.stdin.buffer,
            layout.encoding,
            lambda line: complain(f"warning: {source.command}: {line}"),
        )
    return inputs.read_stream(sys.stdin.buffer, kind, layout)


def _layout(source: Source, beside: Sequence[str]) -> Layout:
    columns: dict[str, str | tuple[str, ...]] = {"text": tuple(source.text or ["text"])}
    given = {"id": source.id, "group": source.group}
    columns |= {name: column for name, column in given.items() if column is not None}
    form = source.form
    return Layout(
        columns | {COLUMN + name: name for name in beside},
        files=form.files or "**/*",
        format=form.format or "auto",
        encoding=form.encoding or "utf-8",
        delimiter=form.delimiter,
        quoting=form.quoted,
        sheet=form.sheet,
        query=form.query,
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
