"""How much memory and disk counting terms takes, estimated before it starts."""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

import pyarrow.parquet as pq

from textclf.core import resources, workers
from textclf.core.files import reading
from textclf.vectorize.terms.settings import Terms

LETTERS_PER_WORD = 6  # including the space
PROCESS_MEMORY, WORKER_MEMORY = 200_000_000, 80_000_000  # bytes before any term: of this process, of each worker


def require_memory_and_disk(paths: Mapping[str, Sequence[Path]], settings: Terms, name: str, folder: Path) -> int:
    """Return the bytes of memory that a file of the splits takes, about.

    Prints memory and disk for all files if a split has several, and then raises `UserError` if there is not as much.
    """
    files = list(chain.from_iterable(paths.values()))
    rows, letters = _size(files)
    per_file, disk = estimate(rows, letters, len(files), settings)
    if any(len(each) > 1 for each in paths.values()):
        memory = PROCESS_MEMORY + max(workers.processes(len(files), per_file), 1) * per_file
        resources.announce(rows, len(files), memory, disk)
        resources.require_disk(folder, disk, str(folder))
        resources.require_memory(memory, f"vectorize.{name}.analyzer {settings.analyzer}")
    return per_file


def estimate(rows: int, letters: int, files: int, settings: Terms) -> tuple[int, int]:
    """Return the bytes of memory per file and those of disk, for so many rows with so many letters in so many files.

    There are six letters per word, and one n-gram of each length per word or letter. Distinct terms, of which there are
    fewer, are not counted.
    """
    ranges = {"word": settings.ngram_range, "char": settings.char_ngram_range, "char_wb": settings.char_ngram_range}
    terms = memory = 0
    for analyzer in settings.analyzers:
        low, high = ranges[analyzer]
        count = (high - low + 1) * (letters // LETTERS_PER_WORD if analyzer == "word" else letters)
        terms += count
        memory += (90 if analyzer == "word" else 40) * count
    # Measured with 11 and with 70 words per row, and with n-grams of 2 to 5 letters, in one process and with two
    # workers. Disk: features and temporary counts, and 100 bytes per row.
    return WORKER_MEMORY + memory // files, 100 * rows + 20 * terms


def _size(files: Sequence[Path]) -> tuple[int, int]:
    """Return the number of rows of the files, and that of the bytes of their texts."""
    rows = letters = 0
    for path in files:
        with reading(path):
            metadata = pq.read_metadata(path)
            column = metadata.schema.names.index("text")
        rows += metadata.num_rows
        groups = map(metadata.row_group, range(metadata.num_row_groups))
        letters += sum(group.column(column).total_uncompressed_size for group in groups)
    return rows, letters
