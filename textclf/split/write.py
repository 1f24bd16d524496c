"""A table of labelled texts split into files, by either method."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from textclf.artifacts import splits
from textclf.core import progress
from textclf.core.errors import UserError
from textclf.core.files import SPLITS
from textclf.core.formatting import count_noun
from textclf.split.by_hash import hash_splits
from textclf.split.draw import draw_splits
from textclf.split.leaks import count_leaks
from textclf.split.settings import Split
from textclf.tables import corpus
from textclf.tables.settings import Data


def write_splits(table: Path, data: Data, settings: Split, folder: Path) -> tuple[list[str], dict[str, Any]]:
    """Write the splits of a table and its classes to a folder; return the classes, in order, and the report.

    The report is that of `LeakCounter`, with the numbers of rows that were left out under `dropped`. Method random
    reads all rows into memory; method hash streams them.
    """
    method = {"random": _write_random, "hash": _write_by_hash}[settings.method]
    classes, report = method(table, data, settings, folder)
    splits.write_classes(classes, folder)
    return classes, report


def _write_random(table: Path, data: Data, settings: Split, folder: Path) -> tuple[list[str], dict[str, Any]]:
    content = corpus.read(table, data)
    parts = draw_splits(content.rows, settings)
    for name, part in parts.items():
        splits.write_shards(part, folder, name)
    return content.classes, count_leaks(parts) | {"dropped": content.dropped}


def _write_by_hash(table: Path, data: Data, settings: Split, folder: Path) -> tuple[list[str], dict[str, Any]]:
    if data.group is not None and settings.group_duplicates:
        raise UserError(
            "params.yaml: split.group_duplicates must be false with method hash and a data.group, by which alone rows "
            "are then kept together; got true"
        )
    rows = corpus.Stream(table, data)
    report = hash_splits(_track_rows(rows), settings, folder)
    return rows.classes, report | {"dropped": rows.dropped}


def _track_rows(batches: corpus.Stream) -> Iterator[corpus.Batch]:
    """Yield the batches and show how many rows have passed."""
    with closing(progress.bar("split", None)) as bar:
        for batch in batches:
            yield batch
            bar.update(len(batch["id"]))


def describe_splits(classes: list[str], report: dict[str, Any], settings: Split) -> Iterator[str]:
    """Yield the lines that the stage prints: sizes of classes and splits, and warnings."""
    counts = {name: report[name]["classes"] for name in SPLITS if name in report}
    totals = {label: sum(by_class.get(label, 0) for by_class in counts.values()) for label in classes}
    yield f"classes: {', '.join(f'{name!r} {count}' for name, count in totals.items())}"
    if dropped := report["dropped"]["rows"]:
        yield f"warning: {dropped} rows without text or label were left out"
    for name, by_class in counts.items():
        yield f"{name}: {sum(by_class.values())} rows"
    advice = "; split.group_duplicates: true keeps duplicates in one split" if settings.method == "random" else ""
    for pair, shared in report["leaks"]["normalised"].items():
        if shared:
            later, earlier = pair.split("_in_")
            rows = f"{count_noun(shared, f'{later} row')} {'has' if shared == 1 else 'have'}"
            yield f"warning: {rows} a text that is also in {earlier}{advice}"
