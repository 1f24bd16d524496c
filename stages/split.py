"""Share the rows of the corpus out among train, validation and test.

Reads: RAW, the folder with the corpus as published.
Writes: SPLITS, a folder with a Parquet file a split: id, text, label.
Params: fetch, split.
"""

from pathlib import Path

from textclf import corpus, files, splitting, stage
from textclf.catalogue import CORPORA
from textclf.params import Params


def run(params: Params, raw: Path, splits: Path) -> None:
    """Split the rows of RAW into SPLITS."""
    source = CORPORA[params.fetch.corpus]
    path = files.require(raw / source.file)
    rows = corpus.parse(path.read_bytes(), source.file, str(path), source.labels)
    parts = splitting.split(rows, params.split)
    with files.outputs(splits) as (folder,):
        folder.mkdir()
        for name, part in parts.items():
            splitting.write(part, folder / f"{name}.parquet")
            print(f"{name}: {len(part)} rows")


if __name__ == "__main__":
    stage.main(run)
