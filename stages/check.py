"""Validate all of params.yaml before any other stage, and remove what dropped entries have left.

Reads: params.yaml, weights of the user's own, and the files that behave.tests names, so that a
mistake in one stops the run before anything is trained; dvc.yaml, so that no file of yours is in
the place of an output. Below DATA it also reads the classes of the last split, for a warning.
Writes: OUTPUT, a file that changes only with the code that every stage runs first, so that a run of
this stage starts no other; MODELS, the names of the models in order; DEFAULT, whether no choice
needs predictions for held-out training rows; IN_USE, all settings of the run; STUDIES, those of
each study; WEIGHTS, the checksums of the pretrained weights that each stage reads. Below DATA it
removes leftovers.
Params: all of them.
"""

from pathlib import Path

from textclf.artifacts import checked, predictions
from textclf.core import stage
from textclf.core.outputs import outputs, remove
from textclf.params import Params
from textclf.project import check


def run(
    *,
    data: Path = Path("data"),
    output: Path = Path("data/checked"),
    models: Path = Path("data/models.json"),
    default: Path = Path("data/default.json"),
    in_use: Path = Path("data/settings.json"),
    studies: Path = Path("data/studies"),
    weights: Path = Path("data/weights"),
) -> None:
    """Check params.yaml and the places of the outputs.

    All mistakes within sections are told at once, then all conflicts between sections.
    """
    params = check.load()
    check.require_own_outputs()
    paths = (output, models, default, in_use, studies, weights)
    with outputs(*paths) as scratch:
        check.write(params, *scratch)
    for line in check.doubts(params, data / "splits"):
        print(line)
    remove_leftovers(params, data)


def remove_leftovers(params: Params, data: Path) -> None:
    """Remove the outputs of entries that params.yaml no longer has.

    DVC would record them as inputs of this run.
    """
    representations = [*params.vectorize.names(), *params.combine.pairs()]
    names = [*params.models.names(), *sorted(params.evaluate.external)]
    dropped = checked.feature_leftovers(data / "features", representations)
    dropped += predictions.leftovers(data / "predictions", data / "trained", names)
    remove(dropped, "params.yaml no longer has its entry")


if __name__ == "__main__":
    stage.main(run)
