"""Export one self-contained folder per model, and the terms that weigh most for each class.

Reads: data.path, the labelled texts, for their checksums; SPLITS, with the rows for export.refit; FEATURES, a folder
per representation; PRETRAINED, the weights that representations use; TRAINED, a folder per model; from METRICS the
files evaluation, intervals, comparisons, coverage, decisions, training, unknown and splits (rows per class); CONFORMAL,
the scores from which prediction sets follow; SETTINGS, the settings of the run.
Writes: MODELS, a folder per model with its layers, the vectorizer, the decision, these scores if there are any, an
ONNX file and a model card, and the index that names the default; TERMS, as CSV.
Params: about, average, combine, data, evaluate, export, split, train, vectorize.
"""

from pathlib import Path

import pandas as pd

from textclf.artifacts import conformal as prediction_sets
from textclf.artifacts import shapes
from textclf.artifacts.checked import feature_leftovers, read_settings
from textclf.artifacts.checksums import verify_folder
from textclf.artifacts.decisions import Decision, explain_choice, write_index
from textclf.artifacts.splits import read as read_splits
from textclf.artifacts.splits import read_checksums, read_classes
from textclf.core import files, stage
from textclf.core.about import About
from textclf.core.formatting import display_name
from textclf.core.labels import labelled_names
from textclf.core.outputs import outputs, remove
from textclf.evaluate import metric_files
from textclf.evaluate.model_warnings import find_warnings
from textclf.evaluate.settings import Evaluate
from textclf.export import card, description, folder, refit
from textclf.export.explanation import terms_of_models
from textclf.export.settings import Export, needs_measured
from textclf.export.sources import class_titles, list_sources, list_weights, require_known_classes, unite_weights
from textclf.models.settings import Average, Train, with_averages
from textclf.split.settings import Split
from textclf.tables.given import require_split_rows
from textclf.tables.settings import Data
from textclf.vectorize.settings import Combine, Vectorize


def run(
    about: About,
    average: Average,
    combine: Combine,
    data: Data,
    evaluate: Evaluate,
    export: Export,
    split: Split,
    train: Train,
    vectorize: Vectorize,
    *,
    splits: Path,
    features: Path,
    pretrained: Path,
    trained: Path,
    metrics: Path,
    conformal: Path,
    models: Path,
    terms: Path,
) -> None:
    """Export all models, and remove representations of another branch, which `git checkout` leaves behind."""
    dropped = feature_leftovers(features, [*vectorize.names(), *combine.pairs()])
    split_rows = read_checksums(splits)
    require_split_rows(Path(data.path), data, split_rows)
    settings = with_averages(train, average)
    models_trained = settings.names()
    members = {name: [name] for name in train.names()}
    reads = {name: train[name].features for name in members}
    for name in models_trained:
        verify_folder(trained / name)
    parts = {name: shapes.read(trained / name).parts for name in models_trained}
    vectorizers = {read: folder.read_vectorizer(features / read, pretrained) for read in dict.fromkeys(reads.values())}
    exported = {name: folder.measured(trained / name, vectorizers[reads[name]]) for name in members}
    external = sorted(evaluate.external)
    names = ("evaluation", "intervals", "comparisons", "decisions", "training", "splits", "coverage", "unknown")
    contents = metric_files.read_all(metrics, names, models_trained, external)
    measured, ends, compared, decided, records, counts, coverage, unknown = contents.values()
    clusters, worth = (decided["protocol"].get(key, {}) for key in ("clusters", "independent_rows"))
    held_out = decided["crossvalidation"]
    sources = list_sources(split_rows, data.path)
    classes = read_classes(splits)
    require_known_classes(about, classes)
    scores = prediction_sets.read(conformal)
    class_names = labelled_names(classes, class_titles(sources, about))
    fitted = {name: each.model for name, each in exported.items()}
    top = terms_of_models(fitted, reads, vectorizers, features, export.terms)
    rows_by_class = description.rows_by_class(counts)
    columns = {name: {part: shape.columns for part, shape in parts[name].items()} for name in reads}
    described = {name: description.representation(vectorize, columns[name]) for name in reads}
    weights = {name: list_weights(train[name], [vectorize[part] for part in parts[name]]) for name in reads}
    warnings = find_warnings(measured, compared, records, decided, [*models_trained, *external], evaluate.confidence)
    for name, pair in average.pairs().items():
        members[name] = [pair.first, pair.second]
        exported[name] = folder.average([exported[each] for each in members[name]], records[name])
    default, reason = explain_choice(export.model, measured, decided, models_trained)
    asked = export.refit and "validation" in counts
    if asked and needs_measured(data, evaluate) is None:
        frames = read_splits(splits)
        rows = pd.concat([frames[split] for split in refit.SPLITS], ignore_index=True)
        anew = []
        for name in members[default]:
            refit.require_memory(features / reads[name])
            made, made_of = refit.refit(rows, classes, train[name], records[name], vectorize, combine, pretrained)
            anew.append(made)
        if default in reads:
            top = refit.replace_terms(top, default, made, made_of, export.terms)
        exported[default] = anew[0] if default in reads else folder.average(anew, records[default])
    with outputs(models, terms) as (model_folder, terms_csv):
        model_folder.mkdir()
        write_index(default, models_trained, model_folder)
        for name, each in exported.items():
            decision = Decision.from_json(decided[name])
            expected = decided[name].get("ece_if_calibrated", {})
            watching = [part for part in members[name] if (trained / part / "history.csv").exists()]
            refitted, of_models = name if asked and name == default else None, dict.fromkeys([name, *members[name]])
            protocol = description.protocol(
                data, split, settings, evaluate, counts, class_names, of_models, clusters, refitted
            )
            text = card.render(
                name,
                settings[name].kind,
                settings[name],
                card.Results(
                    measured[name],
                    ends[name],
                    decision.to_json(),
                    records[name],
                    coverage.get(name),
                    expected,
                    unknown.get(name, {}).get("test"),
                ),
                sources=sources,
                rows=rows_by_class,
                classes=classes,
                representation=description.representations({part: described[part] for part in members[name]}),
                protocol=protocol,
                caveats=description.caveats(counts, class_names, evaluate.confidence, watching, worth, held_out),
                confidence=evaluate.confidence,
                coverage=evaluate.coverage,
                warnings=warnings.get(name, []),
                default=f"{display_name(default)}: {reason}",
                limits=description.limits(vectorize, list(parts[name])),
                weights=unite_weights(weights[part] for part in members[name]),
                onnx=name in reads,
                ignores_text=each.model.ignores_text,
                about=about,
                sizes=description.sizes_of(counts),
            )
            folder.write(model_folder / name, each, decision, text, scores.get(name))
        files.write_csv(terms_csv, top)
    remove(dropped, "params.yaml has no such representation")
    print(f"{', '.join(models_trained)}; default model: {default}, {reason}")


if __name__ == "__main__":
    stage.main(run, read_settings=read_settings)
