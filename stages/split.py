"""Share the rows of the corpus out among train, validation and test.

Reads: RAW, the folder with the corpus as published.
Writes: SPLITS, a folder with a Parquet file a split: id, text, label; METRICS, their classes and what they share.
Params: fetch, split.
"""

from pathlib import Path

from textclf import corpus, files, splitting, stage
from textclf.catalogue import CORPORA
from textclf.params import Params


def run(params: Params, raw: Path, splits: Path, metrics: Path) -> None:
    """Split the rows of RAW into SPLITS, and report in METRICS."""
    parts = splitting.split(corpus.read(raw, CORPORA[params.fetch.corpus]), params.split)
    report = splitting.leakage(parts)
    with files.outputs(splits, metrics) as (folder, numbers):
        files.write_json(numbers, report)
        folder.mkdir()
        for name, part in parts.items():
            splitting.write(part, folder / f"{name}.parquet")
            print(f"{name}: {len(part)} rows")
    for pair, count in report["leaks"]["normalised"].items():
        if count:
            leak = pair.replace("_in_", " rows also stand in ")
            print(f"warning: {count} {leak}; split.group_duplicates: true keeps them apart")


if __name__ == "__main__":
    stage.main(run)
