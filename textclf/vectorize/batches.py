"""The work on one file of a split: count its terms, and turn it into features.

It is done in this process or by a worker. Results go to files that are complete or absent, so that
a file may be worked on twice.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array, load_npz, save_npz

from textclf.artifacts import features, splits
from textclf.artifacts.features import Features
from textclf.artifacts.label_sets import to_matrix
from textclf.core import workers
from textclf.core.arrow import array_of_numbers, large_array_of, numbers_of, whole_column
from textclf.core.files import reading
from textclf.vectorize.terms.counts import Counted, count_terms
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import (
    Part,
    Vectorizer,
    merge_term_counts,
    sum_counts,
)


def count_batch(source: Path, settings: Terms, scratch: Path) -> int:
    """Write the terms of a file with their counts to `scratch`; return the number of its rows.

    They are counted over all texts and in each.
    """
    (texts,) = _columns(source, ["text"])
    for analyzer in settings.analyzers:
        counted = count_terms(texts, analyzer, settings)
        terms, counts = scratch_files(scratch, source, analyzer)
        _save_table(sum_counts(counted), terms)
        with workers.atomic_path(counts, scratch) as path, path.open("wb") as file:
            narrow = counted.counts.astype(np.min_scalar_type(counted.counts.data.max(initial=0)))
            save_npz(file, narrow, compressed=False)
    return len(texts)


def merge_batches(sources: Sequence[Path], target: Path) -> None:
    """Write the term counts of the texts of some files, each in a table of the scratch folder."""
    _save_table(merge_term_counts([load_table(source) for source in sources]), target)


def load_table(path: Path) -> pa.Table:
    """Return a table of the scratch folder, mapped into memory; `UserError` if it is damaged."""
    with reading(path), pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def _save_table(table: pa.Table, target: Path) -> None:
    # A writer to a path leaves its file open, which Windows does not rename.
    with (
        workers.atomic_path(target, target.parent) as path,
        pa.OSFile(str(path), "wb") as file,
        pa.ipc.new_file(file, table.schema) as writer,
    ):
        writer.write_table(table)


def save_parts(fitted: Vectorizer, scratch: Path) -> None:
    """Write what each analyzer learned for `weigh_batch`.

    It is mapped into memory: one copy for all workers.
    """
    for part in fitted.parts:
        columns: dict[str, Any] = {}
        if part.vocabulary is not None:
            columns["term"] = large_array_of(part.vocabulary)
        if part.idf is not None:
            columns["idf"] = array_of_numbers(np.asarray(part.idf))
        _save_table(pa.table(columns), scratch / f"{part.analyzer}.part")


def weigh_batch(source: Path, settings: Terms, scratch: Path) -> csr_array:
    """Return the vectors of a file that was counted, by the parts that were saved."""
    counted, parts = [], []
    for analyzer in settings.analyzers:
        learned = load_table(scratch / f"{analyzer}.part")
        vocabulary = None if settings.hashing else whole_column(learned, "term")
        idf = numbers_of(whole_column(learned, "idf")) if settings.weighting == "tfidf" else None
        parts.append(Part(analyzer, settings.hashing or len(learned), vocabulary, idf))
        sums, counts = scratch_files(scratch, source, analyzer)
        terms = whole_column(load_table(sums), "term")
        with reading(counts):
            matrix: Any = load_npz(counts)
        counted.append(Counted(numbers_of(terms) if settings.hashing else terms, matrix))
    return Vectorizer(settings, parts).weigh(counted)


def transform_batch(
    source: Path,
    target: Path,
    transform: Callable[[Path], Any],
    classes: Sequence[str],
    scratch: Path,
) -> dict[str, int]:
    """Write the features of a file to `target`, and return their shape.

    `scratch` is in the same file system.
    """
    ids, labels = _columns(source, ["id", "label"])
    is_set = pa.types.is_list(labels.type)
    y = to_matrix(labels, len(classes)) if is_set else numbers_of(labels).astype(np.int64)
    row_ids, names = np.array(ids.to_pylist(), dtype=str), np.array(classes, dtype=str)
    rows = Features(row_ids, transform(source), y, names)
    with workers.atomic_path(target, scratch) as path:
        features.write(rows, path)
    return features.shape(rows)


def scratch_files(scratch: Path, source: Path, analyzer: str) -> tuple[Path, Path]:
    """Return the files for the terms of a file of a split, and for the counts of each text."""
    return scratch / f"{source.stem}-{analyzer}.terms", scratch / f"{source.stem}-{analyzer}.npz"


def _columns(source: Path, names: list[str]) -> list[Any]:
    table = splits.read_table(source, names)
    with reading(source):
        return [whole_column(table, name) for name in names]
