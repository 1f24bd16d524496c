"""Export one self-contained folder per model, and the terms that weigh most for each class.

Reads: data.path, the labelled texts, for their checksums, and for these alone CORRECTIONS,
LABELLED, REQUIREMENTS and NETWORKS, the lock files; SPLITS, with the rows for export.refit;
FEATURES, a folder per representation; PRETRAINED, the weights that representations use; WEIGHTS,
the teachers of models; TRAINED, a folder per model; from METRICS the files evaluation, intervals,
comparisons, coverage, decisions, training, unknown and splits (rows per class); CONFORMAL, the
scores from which prediction sets follow; SETTINGS, the settings of the run.
Writes: MODELS, a folder per model with its layers, the vectorizer, the decision, these scores if
there are any, an ONNX file, a model card and its provenance, and the index that names the default;
TERMS, as CSV.
Params: about, average, combine, data, evaluate, export, split, train, vectorize.
"""

from pathlib import Path

import pandas as pd

from textclf.artifacts import conformal as prediction_sets
from textclf.artifacts import packages, shapes
from textclf.artifacts.checked import feature_leftovers, read_settings, read_teacher
from textclf.artifacts.checksums import verify_folder
from textclf.artifacts.decisions import write_index
from textclf.artifacts.splits import read as read_splits
from textclf.artifacts.splits import read_checksums, read_classes
from textclf.core import stage
from textclf.core.files import write_csv
from textclf.core.installed import lock_files
from textclf.core.outputs import outputs, remove
from textclf.evaluate.results import Results
from textclf.export import card, folder, provenance, refit
from textclf.export.explanation import terms_of_models
from textclf.export.facts import Facts, Settings
from textclf.export.sources import list_sources, require_known_classes
from textclf.tables.given import require_split_rows

METRICS = (
    "evaluation",
    "intervals",
    "comparisons",
    "decisions",
    "training",
    "splits",
    "coverage",
    "unknown",
)

# The settings that the stage check has planned with, in the place of params.yaml.
PLANNED = Path("data/settings.json")


def run(
    settings: Settings,
    *,
    corrections: Path = Path("corrections.csv"),
    labelled: Path = Path("labelled.csv"),
    splits: Path = Path("data/splits"),
    features: Path = Path("data/features"),
    pretrained: Path = Path("data/pretrained"),
    weights: Path = Path("data/weights"),
    trained: Path = Path("data/trained"),
    metrics: Path = Path("metrics"),
    conformal: Path = Path("data/conformal.json"),
    models: Path = Path("models"),
    terms: Path = Path("plots/terms.csv"),
) -> None:
    """Export all models, and remove representations of another branch, which `git checkout` leaves behind."""
    data, train = settings.data, settings.train
    vectorize, combine = settings.vectorize, settings.combine
    names, average = settings.models.names(), settings.average.pairs()
    dropped = feature_leftovers(features, [*vectorize.names(), *combine.pairs()])
    split_rows = read_checksums(splits)
    require_split_rows(Path(data.path), data, split_rows)
    reads = {name: train[name].features for name in train.names()}
    for name in names:
        verify_folder(trained / name)
    parts = {
        part: shape.columns
        for name in reads
        for part, shape in shapes.read(trained / name).parts.items()
    }
    vectorizers = {
        read: folder.read_vectorizer(features / read, pretrained)
        for read in dict.fromkeys(reads.values())
    }
    exported = {name: folder.measured(trained / name, vectorizers[reads[name]]) for name in reads}
    results = Results.read(metrics, METRICS, names, settings.external)
    classes = read_classes(splits)
    require_known_classes(settings.about, classes)
    watching = [name for name in reads if (trained / name / "history.csv").exists()]
    facts = Facts(settings, classes, results, list_sources(split_rows, data.path), watching)
    scores = prediction_sets.read(conformal)
    fitted = {name: each.model for name, each in exported.items()}
    top = terms_of_models(fitted, reads, vectorizers, features, settings.export.terms)
    for name in average:
        exported[name] = folder.average(
            [exported[each] for each in settings.members(name)], results.training[name]
        )
    files = [corrections, labelled, *lock_files()]
    default, reason = facts.default
    if facts.refitted and facts.measured_only is None:
        frames = read_splits(splits)
        rows = pd.concat([frames[split] for split in refit.SPLITS], ignore_index=True)
        anew = []
        for name in settings.members(default):
            refit.require_memory(features / reads[name])
            record = results.training[name]
            made, made_of = refit.refit(
                rows, classes, train[name], record, vectorize, combine, pretrained
            )
            anew.append(made)
        if default in reads:
            top = refit.replace_terms(top, default, made, made_of, settings.export.terms)
        exported[default] = (
            anew[0] if default in reads else folder.average(anew, results.training[default])
        )
    with outputs(models, terms) as (model_folder, terms_csv):
        model_folder.mkdir()
        write_index(default, names, model_folder)
        for name, each in exported.items():
            text = card.render(facts, name, parts, ignores_text=each.model.ignores_text)
            teachers = filter(
                None, (read_teacher(weights, member) for member in settings.members(name))
            )
            definition = provenance.define(
                facts, name, packages.read(trained / name), files, teachers
            )
            decision = results.decisions[name].decision
            folder.write(model_folder / name, each, decision, text, definition, scores.get(name))
        write_csv(terms_csv, top)
    remove(dropped, "params.yaml has no such representation")
    print(f"{', '.join(names)}; default model: {default}, {reason}")


if __name__ == "__main__":
    stage.main(run, PLANNED, read_settings)
