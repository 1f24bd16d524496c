"""Put two representations side by side, as one that models can read.

Reads: FEATURES, the folders of the two.
Writes: into FEATURES the folder <pair>: the columns of both, each scaled to the same mean length of a training row.
Params: combine.<pair>.
"""

from pathlib import Path

from textclf.artifacts import packages, shapes
from textclf.core.outputs import outputs
from textclf.core.settings import load_section
from textclf.core.stage import main
from textclf.vectorize.combine import combine
from textclf.vectorize.settings import Pair


def run(*, item: str, features: Path) -> None:
    """Combine the two representations of ITEM, such as both of the stage combine@both."""
    pair = load_section(f"combine.{item}", Pair)
    with outputs(features / item) as (folder,):
        folder.mkdir()
        made = combine(features, (pair.first, pair.second), folder)
        packages.write(folder, features / pair.first, features / pair.second)
        shapes.write_features(made, folder)
    print(f"{item}: {pair.first} and {pair.second}, {made.columns:,} columns")


if __name__ == "__main__":
    main(run)
