"""Average the probabilities of two models; the average is measured and exported as a model is.

Reads: below TRAINED the folders of the two, for the shapes of their features and their predictions
for held-out training rows, if both have them; from PREDICTIONS the file of each.
Writes: into TRAINED the folder <average>, with the weight of the first, chosen on validation rows
or held-out training rows; into PREDICTIONS <average>.parquet.
Params: average.<average>.
"""

from pathlib import Path

from textclf.artifacts import packages, shapes
from textclf.artifacts import predictions as prediction_files
from textclf.artifacts.checksums import verify_folder, write_manifest
from textclf.core import files
from textclf.core.formatting import count_noun
from textclf.core.outputs import outputs
from textclf.core.settings import load_section
from textclf.core.stage import main
from textclf.models.average import average, choose_weight, read_held_out, read_pairs
from textclf.models.common.settings import Averaged


def run(
    *, item: str, trained: Path = Path("data/trained"), predictions: Path = Path("data/predictions")
) -> None:
    """Average the two models of ITEM, such as mean of the stage average@mean."""
    pair = load_section(f"average.{item}", Averaged)
    folders = [trained / member for member in (pair.first, pair.second)]
    for folder in folders:
        verify_folder(folder)
    made = [predictions / f"{folder.name}{prediction_files.SUFFIX}" for folder in folders]
    held_out = read_held_out(folders)
    weight, rows = choose_weight(read_pairs(made), held_out)
    first, second = map(shapes.read, folders)
    with outputs(trained / item, predictions / f"{item}{prediction_files.SUFFIX}") as (
        folder,
        table,
    ):
        folder.mkdir()
        shapes.write(shapes.Shapes(first.kind, {**first.parts, **second.parts}), folder)
        files.write_json(folder / prediction_files.RECORD, {"weight": weight, "weight_rows": rows})
        if held_out is not None:
            prediction_files.write([average(weight, held_out)], folder / prediction_files.HELD_OUT)
        packages.write(folder, *folders)
        write_manifest(folder)
        prediction_files.write((average(weight, both) for both in read_pairs(made)), table)
    print(
        f"{item}: {weight:g} of {pair.first}, the rest of {pair.second}; "
        f"chosen by {count_noun(rows, 'row')}"
    )


if __name__ == "__main__":
    main(run)
