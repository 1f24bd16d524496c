"""Hand on every model: a folder each with all that it takes to predict with it, to explain it and to judge it.

Reads: DATA, for its checksums; FEATURES; TRAINED, a folder a model; and the metrics of the run.
Writes: MODELS, a folder a model with its numbers, vectorizer and decision, ONNX, what its own library opens, and a
model card; TERMS, the terms that speak most for each class, as CSV.
Params: data, evaluate, export, fetch, split, train, vectorize.
"""

import shutil
from pathlib import Path

from textclf.artifacts import layers as portable
from textclf.core import files, progress, stage
from textclf.evaluate import evaluation
from textclf.export import card, explanation, provenance
from textclf.export import onnx_model as exchange
from textclf.params import Params
from textclf.predict import predictor as prediction
from textclf.tables import corpus
from textclf.vectorize import features

CARD = "README.md"  # what those who look at a folder look at first


def run(
    params: Params,
    data: Path,
    feature_folder: Path,
    trained: Path,
    evaluation_json: Path,
    intervals_json: Path,
    decisions_json: Path,
    training_json: Path,
    splits_json: Path,
    features_json: Path,
    models: Path,
    terms_csv: Path,
) -> None:
    """Export the models of train.models."""
    names = params.train.models
    vectorizer = features.read_vectorizer(feature_folder / features.VECTORIZER)
    shards = features.open_shards(feature_folder)["train"]
    measured, intervals, decisions, records, report, shapes = map(
        files.read_json, (evaluation_json, intervals_json, decisions_json, training_json, splits_json, features_json)
    )
    portables: dict[str, portable.Portable] = {name: portable.read(trained / name) for name in names}
    default = evaluation.default_model(params.export.model, measured, names)
    settings = card.Settings(
        params.fetch, params.data, params.split, params.vectorize, params.train, params.evaluate, params.export
    )
    raw = card.sources(provenance.checksums(corpus.files(data, params.data)), str(data))
    read = progress.counted(shards, "training rows read", len(shards), "shard")
    terms = explanation.top_terms(portables, (shard.X for shard in read), vectorizer.terms(), params.export.terms)
    with files.outputs(models, terms_csv) as (folder, table):
        folder.mkdir()
        files.write_json(folder / prediction.INDEX, {"default": default, "models": names})
        for name in names:
            (target := folder / name).mkdir()
            for path in sorted((trained / name).glob("model.*")):
                shutil.copyfile(path, target / path.name)
            features.write_vectorizer(vectorizer, target / features.VECTORIZER)
            prediction.write_decision(decisions[name], target / prediction.DECISION)
            exchange.write(prediction.load(target), target / exchange.FILE)
            text = card.card(
                name,
                settings,
                list(portables[name].classes),
                measured[name],
                intervals[name],
                decisions[name],
                records[name],
                report,
                shapes,
                raw,
                watched=(trained / name / "history.csv").exists(),
            )
            (target / CARD).write_text(text, encoding="utf-8", newline="\n")
        files.write_csv(table, evaluation.stacked(terms, explanation.COLUMNS))
    print(f"{', '.join(names)}; textclf predict takes {default}")


if __name__ == "__main__":
    stage.main(run)
