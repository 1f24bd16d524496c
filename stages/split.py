"""Share the labelled rows out among train, validation and test.

Reads: DATA, a file or folder of labelled texts: the corpus as published, or the user's own.
Writes: SPLITS, a folder with a Parquet file a split (of many rows several, textclf/shards.py): id, text, label, and
the classes in order as JSON; METRICS, the rows of each class, and what the splits share.
Params: data, split.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textclf.artifacts import shards
from textclf.core import files, stage
from textclf.core import resources as budget
from textclf.core.errors import UserError
from textclf.core.progress import Progress
from textclf.params import Params
from textclf.split import splitting
from textclf.tables import corpus
from textclf.tables import readers as tables


def run(params: Params, data: Path, splits: Path, metrics: Path) -> None:
    """Split the rows of DATA into SPLITS, and report in METRICS."""
    require_room(params, data, splits)
    share_out = {"random": draw, "hash": stream}[params.split.method]
    with files.outputs(splits, metrics) as (folder, numbers):
        folder.mkdir()
        classes, report = share_out(params, data, folder)
        files.write_json(folder / splitting.CLASSES, classes)
        files.write_json(numbers, report)
    counts = {name: report[name]["classes"] for name in files.SPLITS if name in report}
    totals = {label: sum(count.get(label, 0) for count in counts.values()) for label in classes}
    print(f"classes: {', '.join(f'{name!r} {count}' for name, count in totals.items())}")
    if report["dropped"]["rows"]:
        print(f"warning: {report['dropped']['rows']} rows without text or label were left out")
    for name, count in counts.items():
        print(f"{name}: {sum(count.values())} rows")
    advice = "; split.group_duplicates: true keeps them apart" if params.split.method == "random" else ""
    for pair, shared in report["leaks"]["normalised"].items():
        if shared:
            leak = pair.replace("_in_", " rows also stand in ")
            print(f"warning: {shared} {leak}{advice}")


def require_room(params: Params, data: Path, splits: Path) -> None:
    """Say what a table of many rows takes; `UserError` unless there is so much memory and disk.

    How much a compressed file or one in Parquet holds is not known before it is read, and nothing is said.
    """
    table = tables.files_of(data, corpus.layout(params.data))
    if any(kind == "parquet" or tables.is_compressed(file) or not file.is_file() for _, file, kind in table):
        return
    size = sum(file.stat().st_size for _, file, _ in table)
    with table[0][1].open("rb") as file:
        start = file.read(2**20)
    rows = size * start.count(b"\n") // max(len(start), 1)
    if rows <= shards.ROWS:
        return
    # As measured: rows of 63 bytes and of 600.
    streamed = 70 * rows + 8 * size * shards.ROWS // rows
    hashes = params.split.method == "hash"
    memory, disk = (streamed, 2 * size) if hashes else (4 * size + 350 * rows, size)
    budget.say(rows, -(-rows // shards.ROWS), memory, disk)
    budget.require(splits, disk, str(splits))
    what = "split.method hash" if hashes else f"split.method random (hash takes {budget.size(streamed)})"
    budget.require_memory(memory, what)


def draw(params: Params, data: Path, folder: Path) -> tuple[list[str], dict[str, Any]]:
    """The classes, and what is counted, of rows that are read into memory and drawn."""
    read = corpus.read(data, params.data)
    parts = splitting.split(read.rows, params.split)
    for name, part in parts.items():
        splitting.write_shards(part, folder, name)
    return read.classes, splitting.leakage(parts) | {"dropped": read.dropped}


def stream(params: Params, data: Path, folder: Path) -> tuple[list[str], dict[str, Any]]:
    """The same of rows that pass by, each going where its hash has it."""
    if params.data.group is not None and params.split.group_duplicates:
        rule = "must be false with method hash and a data.group, by which alone rows are kept together then"
        raise UserError(f"params.yaml: split.group_duplicates {rule}; got true")
    rows = corpus.Stream(data, params.data)
    report = splitting.hashed(counted(rows), params.split, folder)
    return rows.classes, report | {"dropped": rows.dropped}


def counted(rows: corpus.Stream) -> Iterator[splitting.Batch]:
    """The batches, how many rows have passed being told where that takes long."""
    progress = Progress("split", None)
    try:
        for batch in rows:
            yield batch
            progress.add(len(batch["id"]))
    finally:
        progress.close()


if __name__ == "__main__":
    stage.main(run)
