"""Join predictions made elsewhere with the rows of the run, to be measured like those of a model.

Reads: the predictions as CSV or Parquet, in the file that evaluate.external names; SPLITS, the rows
of each split.
Writes: into TRAINED the folder <name>, with a record of what was read, since nothing was trained;
into PREDICTIONS <name>.parquet.
Params: none.
"""

from pathlib import Path

from textclf.artifacts import external
from textclf.artifacts import predictions as prediction_files
from textclf.artifacts import splits as split_files
from textclf.artifacts.checksums import write_manifest
from textclf.artifacts.label_sets import is_multilabel
from textclf.core import files
from textclf.core.formatting import count_noun
from textclf.core.outputs import outputs
from textclf.core.settings import load_params
from textclf.core.stage import main
from textclf.core.unchanged import unchanged_file
from textclf.external.predictions import join


def run(
    *,
    item: str,
    splits: Path = Path("data/splits"),
    trained: Path = Path("data/trained"),
    predictions: Path = Path("data/predictions"),
) -> None:
    """Join the predictions of ITEM with the rows of SPLITS.

    ITEM is rules in the stage external@rules.
    """
    # Its value is a dependency of the stage, so that it need not be a parameter.
    key = f"evaluate.external.{item}"
    table = Path(load_params({key: str})[key])
    classes, parts = split_files.read_classes(splits), split_files.open_shards(splits, unknown=True)
    several = is_multilabel(split_files.read_table(parts["test"].paths[0], ["label"]))
    with unchanged_file(table):
        made = external.read(table, classes, several)
    with outputs(trained / item, predictions / f"{item}{prediction_files.SUFFIX}") as (
        folder,
        rows,
    ):
        folder.mkdir()
        files.write_json(folder / prediction_files.RECORD, {"labels_only": int(made.labels_only)})
        write_manifest(folder)
        prediction_files.write(prediction_files.in_batches(join(made, parts, classes), parts), rows)
    print(f"{table}: predictions of {count_noun(len(made.ids), 'row')}")


if __name__ == "__main__":
    main(run)
