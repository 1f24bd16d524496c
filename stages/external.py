"""Join predictions that were made elsewhere with the rows of the run, so that they are measured like those of a model.

Reads: TABLE, the predictions as CSV or Parquet; SPLITS, the rows of each split.
Writes: TRAINED, a folder with a record of what was read, since nothing was trained; PREDICTIONS, Parquet.
Params: none.
"""

from pathlib import Path

from textclf.artifacts import external
from textclf.artifacts import predictions as prediction_files
from textclf.artifacts import splits as split_files
from textclf.core import files, stage
from textclf.core.outputs import outputs


def run(*, table: Path, splits: Path, trained: Path, predictions: Path) -> None:
    """Join the predictions in TABLE with the rows of SPLITS."""
    classes, parts = split_files.read_classes(splits), split_files.open_shards(splits)
    made = external.read(table, classes)
    with outputs(trained, predictions) as (folder, rows):
        folder.mkdir()
        files.write_json(folder / prediction_files.RECORD, {"labels_only": int(made.labels_only)})
        prediction_files.write(prediction_files.in_batches(external.join(made, parts, classes), parts), rows)
    print(f"{table}: predictions of {len(made.ids):,} rows")


if __name__ == "__main__":
    stage.main(run)
