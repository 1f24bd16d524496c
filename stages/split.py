"""Assign each labelled row to train, validation or test.

Reads: data.path, a file or folder of labelled texts: the published corpora, or your own;
CORRECTIONS, labels that you have corrected; LABELLED, texts that you have labelled beside the
table, for training alone.
Writes: SPLITS, a folder with the rows of each split as Parquet (id, text, label), the class names
in order and the checksums of the table; REPORT, the rows per class, given rows, duplicates, leaks
and label conflicts, and what became of the corrections, if there are any.
Params: data, split.
"""

import shutil
from pathlib import Path

from textclf.artifacts.split_report import SplitReport
from textclf.artifacts.splits import write_checksums
from textclf.core import result_files, stage
from textclf.core.outputs import outputs
from textclf.core.unchanged import unchanged, unchanged_file
from textclf.split.settings import Split
from textclf.split.write import describe_splits, require_memory_and_disk, write_splits
from textclf.tables.corrections import read as read_corrections
from textclf.tables.files import describe_folders
from textclf.tables.given import checksums, describe, find_table
from textclf.tables.labelled import read as read_labelled
from textclf.tables.rare_labels import Renamed, without_rare
from textclf.tables.settings import Data


def run(
    data: Data,
    split: Split,
    *,
    corrections: Path = Path("corrections.csv"),
    labelled: Path = Path("labelled.csv"),
    splits: Path = Path("data/splits"),
    report: Path = Path("metrics/splits.json"),
) -> None:
    """Split the rows of data.path."""
    table = Path(data.path)
    given = describe(table, data)
    if given:
        print(given, flush=True)
    for line in describe_folders(find_table(table, data)):
        print(line, flush=True)
    require_memory_and_disk(table, data, split, splits)
    reading = unchanged(table, lambda: checksums(table, data))
    scratch = outputs(splits, report)
    with (
        scratch as (split_folder, report_file),
        unchanged_file(corrections),
        unchanged_file(labelled),
        reading as read,
    ):
        corrected, added = read_corrections(corrections, data.multilabel), read_labelled(labelled)

        def divide(rare: Renamed) -> tuple[list[str], SplitReport]:
            # It is there from a division that a rare class made impossible.
            shutil.rmtree(split_folder, ignore_errors=True)
            split_folder.mkdir()
            write_checksums(read, split_folder)
            return write_splits(
                table, data, split, split_folder, corrected, added if added.count else None, rare
            )

        classes, counts = without_rare(data, divide)
        result_files.write(report_file, counts)
    print(*describe_splits(classes, counts, split), sep="\n")


if __name__ == "__main__":
    stage.main(run)
