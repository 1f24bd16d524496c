"""Say which features each model reads: one representation, or several side by side.

Reads: PLAN, the models and their representations; FEATURES, a folder per representation.
Writes: INPUTS, a file per model with its representations, their scales and fingerprints, on which its training depends;
REPORT, the shape of each representation.
Params: none.
"""

import shutil
from pathlib import Path

from textclf.artifacts import inputs as model_inputs
from textclf.artifacts import plan as plans
from textclf.core import files, stage
from textclf.core.outputs import outputs


def run(*, plan: Path, features: Path, inputs: Path, report: Path) -> None:
    """Combine the representations of each model, and remove what dropped representations have left behind."""
    models = plans.read_models(plan)
    dropped = plans.leftovers(plan, features)
    names = dict.fromkeys(name for model in models.values() for name in model.features)
    shapes = {name: model_inputs.read_shapes(features / name) for name in names}
    combined = {name: model_inputs.combine(model, features) for name, model in models.items()}
    with outputs(inputs, report) as (folder, report_file):
        folder.mkdir()
        for name, content in combined.items():
            model_inputs.write(content, folder / f"{name}.json")
        files.write_json(report_file, {name: {**shape.splits, **shape.notes} for name, shape in shapes.items()})
    for path in dropped:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        print(f"{path} removed: vectorize has no such representation")
    for name, content in combined.items():
        print(f"{name}: {' and '.join(content.names)}, {content.columns:,} columns")


if __name__ == "__main__":
    stage.main(run)
