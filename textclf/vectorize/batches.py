"""The work on one file of a split, in this process or by a worker: count its terms, and turn it into features.

Results go to files that are complete or absent, so that a file may be worked on twice.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array, load_npz, save_npz

from textclf.artifacts import features, splits
from textclf.artifacts.features import Features
from textclf.core import workers
from textclf.core.arrow import whole_column
from textclf.core.files import reading
from textclf.vectorize import representation
from textclf.vectorize.terms.vocabulary import Counted, count_terms, sum_counts

if TYPE_CHECKING:
    from textclf.vectorize.terms.settings import Terms


def count_batch(source: Path, settings: "Terms", scratch: Path) -> int:
    """Write the terms of a file with their counts, over all texts and in each, to `scratch`; return its rows."""
    texts = _column(source, "text")
    for analyzer in settings.analyzers:
        counted = count_terms(texts, analyzer, settings)
        table = sum_counts(counted)
        terms, counts = scratch_files(scratch, source, analyzer)
        with workers.atomic_path(terms, scratch) as path, pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
        with workers.atomic_path(counts, scratch) as path, path.open("wb") as file:
            narrow = counted.counts.astype(np.min_scalar_type(counted.counts.data.max(initial=0)))
            save_npz(file, narrow, compressed=False)
    return len(texts)


def load_sums(terms: Path) -> pa.Table:
    """Return `sum_counts` of a file that was counted, memory-mapped; `UserError` if what was written is damaged."""
    with reading(terms), pa.memory_map(str(terms)) as file:
        return pa.ipc.open_file(file).read_all()


def weigh_batch(source: Path, vectorizer: Path, checksum: str, scratch: Path) -> csr_array:
    """Return the vectors of a file that was counted, by the vectorizer in a file with this SHA-256."""
    fitted = _read_vectorizer(vectorizer, checksum)
    counted = []
    for analyzer in fitted.settings.analyzers:
        sums, counts = scratch_files(scratch, source, analyzer)
        terms = whole_column(load_sums(sums), "term")
        with reading(counts):
            matrix: Any = load_npz(counts)
        counted.append(Counted(terms.to_numpy() if fitted.settings.hashing else terms, matrix))
    vectors: csr_array = fitted.weigh(counted)
    return vectors


@lru_cache(maxsize=1)
def _read_vectorizer(path: Path, checksum: str) -> Any:  # noqa: ARG001 (a worker of a cluster may outlive a run)
    return representation.read(path, path.parent)


def transform_batch(
    source: Path, target: Path, transform: Callable[[Path], Any], classes: Sequence[str], scratch: Path
) -> dict[str, int]:
    """Write the features of a file to `target`, and return their shape; `scratch` is in the same file system."""
    ids = np.array(_column(source, "id").to_pylist(), dtype=str)
    y = _column(source, "label").to_numpy().astype(np.int64)
    made = Features(ids, transform(source), y, np.array(classes, dtype=str))
    with workers.atomic_path(target, scratch) as path:
        features.write(made, path)
    return features.shape(made)


def scratch_files(scratch: Path, source: Path, analyzer: str) -> tuple[Path, Path]:
    """Return the files for the terms of a file of a split, and for the counts of each text."""
    return scratch / f"{source.stem}-{analyzer}.terms", scratch / f"{source.stem}-{analyzer}.npz"


def _column(source: Path, name: str) -> Any:
    table = splits.read_table(source, [name])
    with reading(source):
        return whole_column(table, name)
