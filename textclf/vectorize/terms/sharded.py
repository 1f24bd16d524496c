"""The splits vectorized shard by shard, on all cores or a Dask cluster, with the same result as in memory.

Texts are read once. `count_shard` turns each shard into counts of its own terms, on disk; the term counts of the
training shards are merged and the vocabulary is selected; `transform_shard` moves each shard's counts to the columns of
the vocabulary. Sums of integers and sorted terms do not depend on the order in which shards are done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from textclf.artifacts import features, splits
from textclf.artifacts.features import Features
from textclf.artifacts.shards import Shards
from textclf.core import workers
from textclf.core.arrow import whole_column
from textclf.core.files import reading, write_npy
from textclf.vectorize import representation
from textclf.vectorize.labels import encode_labels
from textclf.vectorize.terms.distinct import find_strings, sort_distinct
from textclf.vectorize.terms.matrix import Rows, remap_columns, stack_columns, tfidf
from textclf.vectorize.terms.vectorizer import Part, Vectorizer, learn_part
from textclf.vectorize.terms.vocabulary import count_terms, merge_term_counts

if TYPE_CHECKING:
    import pandas as pd

    from textclf.vectorize.terms.settings import Terms

LETTERS_PER_WORD = 6  # including the space, for estimates
PROCESS_MEMORY, WORKER_MEMORY = 200_000_000, 80_000_000  # bytes before any term: of this process, of each worker


def vectorize_shards(
    rows: "Mapping[str, Shards[pd.DataFrame]]",
    settings: "Terms",
    classes: Sequence[str],
    folder: Path,
    scratch: Path,
    memory: int = 0,
) -> tuple[Vectorizer, dict[str, dict[str, int]]]:
    """Write the features of every shard and the vectorizer to `folder`; return the vectorizer and each split's shape.

    Temporary files of a few bytes per term go to `scratch`, which must be in the same file system as `folder` and is
    left for the caller to remove. `memory` is what a shard takes, in bytes, see `estimate_room`. Raises `UserError` if
    no term is left.
    """
    paths = {name: list(shards.paths) for name, shards in rows.items()}
    with workers.pool(sum(map(len, paths.values())), memory) as pool:
        if pool.is_remote:  # a worker may run in another folder
            paths = {name: [path.absolute() for path in split_paths] for name, split_paths in paths.items()}
            folder, scratch = folder.absolute(), scratch.absolute()
        all_paths = list(chain.from_iterable(paths.values()))
        counted = pool.map(count_shard, [(path, settings, list(classes), scratch) for path in all_paths], "count terms")
        row_counts = dict(zip(all_paths, counted, strict=True))
        parts = []
        for number, analyzer in enumerate(settings.analyzers):
            tables = (_load_table(scratch / f"{path.stem}-{number}.terms") for path in paths["train"])
            train_rows = sum(row_counts[path] for path in paths["train"])
            terms = merge_term_counts(tables) if settings.learns else None
            parts.append(learn_part(analyzer, terms, train_rows, settings))
            _save_columns(parts[-1], scratch / f"{number}.columns")
        vectorizer = Vectorizer(settings, parts)
        representation.write(vectorizer, folder / representation.VECTORIZER)
        tasks = [(path, settings, list(classes), scratch, folder / f"{path.stem}.npz") for path in all_paths]
        nonzeros = dict(zip(all_paths, pool.map(transform_shard, tasks, "vectorize"), strict=True))
    return vectorizer, {
        name: {
            "rows": sum(row_counts[path] for path in split_paths),
            "features": vectorizer.columns,
            "nonzeros": sum(nonzeros[path] for path in split_paths),
        }
        for name, split_paths in paths.items()
    }


def count_shard(source: Path, settings: "Terms", classes: Sequence[str], scratch: Path) -> int:
    """Write a shard's ids, labels, term counts and document-term counts to `scratch`; return its number of rows."""
    table = splits.read_table(source, ["id", "text", "label"])
    with reading(source):
        ids, texts, labels = (whole_column(table, name) for name in ("id", "text", "label"))
    distinct, positions = sort_distinct(labels)
    y = encode_labels(distinct.to_pylist(), classes)[positions]
    _save_table(pa.table({"id": ids, "y": pa.array(y)}), scratch / f"{source.stem}.rows")
    for number, analyzer in enumerate(settings.analyzers):
        terms, counts = count_terms(texts, analyzer, settings)
        _save_table(terms, scratch / f"{source.stem}-{number}.terms")
        _save_counts(counts, scratch / f"{source.stem}-{number}.counts")
    return len(texts)


def transform_shard(source: Path, settings: "Terms", classes: Sequence[str], scratch: Path, target: Path) -> int:
    """Write the features of a shard to `target`, and return the number of nonzeros."""
    blocks = []
    for number in range(len(settings.analyzers)):
        terms = _load_table(scratch / f"{source.stem}-{number}.terms")
        columns = _load_table(scratch / f"{number}.columns")
        width = settings.hashing or len(columns)
        term = whole_column(terms, "term")
        positions = term.to_numpy() if settings.hashing else find_strings(term, whole_column(columns, "term"))
        counts = _load_counts(scratch / f"{source.stem}-{number}.counts", len(terms))
        counts = remap_columns(counts, positions, width)
        if settings.weighting == "tfidf":
            counts = tfidf(counts, whole_column(columns, "idf").to_numpy(), settings.sublinear_tf)
        blocks.append(counts)
    rows = _load_table(scratch / f"{source.stem}.rows")
    shard = Features(
        np.array(whole_column(rows, "id").to_pylist(), dtype=str),
        stack_columns(blocks),
        whole_column(rows, "y").to_numpy(),
        np.array(classes, dtype=str),
    )
    with workers.atomic_path(target, scratch) as path:
        features.write(shard, path)
    return features.shape(shard)["nonzeros"]


@dataclass(frozen=True)
class Room:
    """What `vectorize_shards` works on, and the bytes of memory per shard and of disk that it needs."""

    rows: int
    shards: int
    memory_per_shard: int
    disk: int

    @property
    def memory(self) -> int:
        """Return the bytes of memory of this process and its workers together."""
        return PROCESS_MEMORY + max(workers.processes(self.shards, self.memory_per_shard), 1) * self.memory_per_shard


def estimate_room(rows: "Mapping[str, Shards[pd.DataFrame]]", settings: "Terms") -> Room:
    """Return an estimate of what `vectorize_shards` needs.

    It follows from the size of the texts: six letters per word, and one n-gram of each length per word or letter.
    Distinct terms, of which there are fewer, are not counted.
    """
    import pyarrow.parquet as pq

    row_count = letters = 0
    paths = [path for shards in rows.values() for path in shards.paths]
    for path in paths:
        with reading(path):
            metadata = pq.read_metadata(path)
            column = metadata.schema.names.index("text")
        groups = map(metadata.row_group, range(metadata.num_row_groups))
        row_count += metadata.num_rows
        letters += sum(group.column(column).total_uncompressed_size for group in groups)
    ranges = {"word": settings.ngram_range, "char": settings.char_ngram_range, "char_wb": settings.char_ngram_range}
    terms = memory = 0
    for analyzer in settings.analyzers:
        low, high = ranges[analyzer]
        count = (high - low + 1) * (letters // LETTERS_PER_WORD if analyzer == "word" else letters)
        terms += count
        memory += (90 if analyzer == "word" else 28) * count
    # Measured with 11 and with 70 words per row, and with n-grams of 2 to 5 letters, in one process and with two
    # workers. Disk: features and temporary counts, and 100 bytes per row.
    return Room(row_count, len(paths), WORKER_MEMORY + memory // len(paths), 100 * row_count + 20 * terms)


def _save_columns(part: Part, path: Path) -> None:
    """Write the columns of a part for the workers: `term` unless hashed, `idf` with tf-idf."""
    columns = {} if part.vocabulary is None else {"term": pa.array(part.vocabulary, pa.large_string())}
    if part.idf is not None:
        columns["idf"] = pa.array(part.idf)
    _save_table(pa.table(columns), path)


def _save_counts(counts: Rows, path: Path) -> None:
    """Write document-term counts in few bytes."""
    with workers.atomic_path(path, path.parent) as temporary, temporary.open("wb") as file:
        for array in (counts.data, counts.indices):
            write_npy(file, array.astype(np.min_scalar_type(array.max(initial=0))))
        write_npy(file, counts.indptr)


def _load_counts(path: Path, width: int) -> Rows:
    """Return document-term counts; `UserError` if their file is damaged."""
    with reading(path), path.open("rb") as file:
        data, indices, indptr = (np.load(file, allow_pickle=False) for _ in range(3))
    return Rows(data, indices, indptr, width)


def _save_table(table: "pa.Table", path: Path) -> None:
    with (
        workers.atomic_path(path, path.parent) as temporary,
        temporary.open("wb") as file,
        pa.ipc.new_file(file, table.schema) as writer,
    ):
        writer.write_table(table)


def _load_table(path: Path) -> "pa.Table":
    """Return a memory-mapped table; `UserError` if it is damaged."""
    with reading(path), pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()
