"""The command `textclf predict`: from its arguments to the predictions."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

from textclf.artifacts.conformal import labels_answered, labels_of
from textclf.core.errors import UserError
from textclf.core.failures import complain
from textclf.core.formatting import count_noun
from textclf.core.scale import numbers_of
from textclf.predict import outputs
from textclf.predict.arguments import Predict
from textclf.predict.inputs import TextBatch
from textclf.predict.outputs import PredictedBatch
from textclf.predict.predictor import Predictor, find_model, load
from textclf.predict.sources import LINES, Source, read_batches, require_valid


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
    is_table = arguments.path is not None or arguments.form.format not in LINES
    batches = read_batches(source, predictor.reads, empty=is_table)
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
    if is_table:
        predicted = _without_blank(predicted)
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
    classes, scale = predictor.model.classes, predictor.decision.scale
    of_numbers = scale if numbers_of(classes) else None
    return outputs.Columns(classes, **rules, scale=of_numbers, **chosen)


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


def _without_blank(predicted: Iterable[PredictedBatch]) -> Iterator[PredictedBatch]:
    """Yield the batches, with no prediction for rows without text; say how many there were."""
    count = 0
    for batch in predicted:
        blank = [row for row, text in enumerate(batch.texts) if not text.strip()]
        count += len(blank)
        yield batch.without(blank) if blank else batch
    if count:
        complain(f"warning: predict: {count_noun(count, 'row')} without text: no prediction")


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
