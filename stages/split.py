"""Share the labelled rows out among train, validation and test.

Reads: DATA, a file or folder of labelled texts: the corpus as published, or the user's own.
Writes: SPLITS, a folder with a Parquet file a split: id, text, label, and the classes in order as JSON; METRICS,
the rows of each class, and what the splits share.
Params: data, split.
"""

from pathlib import Path

from textclf import corpus, files, splitting, stage
from textclf.params import Params


def run(params: Params, data: Path, splits: Path, metrics: Path) -> None:
    """Split the rows of DATA into SPLITS, and report in METRICS."""
    read = corpus.read(data, params.data)
    parts = splitting.split(read.rows, params.split)
    report = splitting.leakage(parts) | {"dropped": read.dropped}
    with files.outputs(splits, metrics) as (folder, numbers):
        files.write_json(numbers, report)
        folder.mkdir()
        files.write_json(folder / splitting.CLASSES, read.classes)
        for name, part in parts.items():
            splitting.write(part, folder / f"{name}.parquet")
    counts = read.rows["label"].value_counts()
    print(f"classes: {', '.join(f'{name!r} {counts[name]}' for name in read.classes)}")
    if read.dropped["rows"]:
        print(f"warning: {read.dropped['rows']} rows without text or label were left out")
    for name, part in parts.items():
        print(f"{name}: {len(part)} rows")
    for pair, count in report["leaks"]["normalised"].items():
        if count:
            leak = pair.replace("_in_", " rows also stand in ")
            print(f"warning: {count} {leak}; split.group_duplicates: true keeps them apart")


if __name__ == "__main__":
    stage.main(run)
