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

from textclf.artifacts import conformal as prediction_sets
from textclf.artifacts.checked import feature_leftovers, read_settings
from textclf.core import stage
from textclf.core.files import write_csv
from textclf.core.installed import lock_files
from textclf.core.outputs import outputs, remove
from textclf.export.facts import Settings
from textclf.export.models import Models, read_facts

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
    """Export all models.

    Representations of another branch, which `git checkout` leaves behind, are removed.
    """
    representations = [*settings.vectorize.names(), *settings.combine.pairs()]
    dropped = feature_leftovers(features, representations)
    facts = read_facts(settings, splits, trained, metrics)
    made = Models(facts, features, trained, pretrained)
    scores = prediction_sets.read(conformal)
    if facts.refitted and facts.measured_only is None:
        made.refit_default(splits)
    files = [corrections, labelled, *lock_files()]
    with outputs(models, terms) as (folder, terms_csv):
        made.write(folder, weights, files, scores)
        write_csv(terms_csv, made.terms)
    remove(dropped, "params.yaml has no such representation")
    print(f"exported to {models}: {', '.join(made.exported)}")


if __name__ == "__main__":
    stage.main(run, PLANNED, read_settings)
