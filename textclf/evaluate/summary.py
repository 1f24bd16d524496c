"""The few numbers of each model that people compare: what `dvc metrics` and `dvc exp show` list."""

from collections.abc import Mapping

from textclf.artifacts.decisions import Measured

COMPARED = ("accuracy", "f1", "log_loss", "roc_auc")  # on rows that the model was not fitted to
FITTED = ("accuracy",)  # on the training rows
TRAINING = ("parameters", "epochs", "best_epoch")  # of a model that is trained in epochs

Summary = dict[str, float | dict[str, float]]


def summarise(
    measured: Measured, records: Mapping[str, Mapping[str, float]], rows: int, columns: Mapping[str, int]
) -> dict[str, Summary]:
    """Return for each model the content of its file in metrics/models.

    `measured` is the content of evaluation.json, `records` that of training.json. `rows` is the number of training
    rows, `columns` that of the features of each model that was trained here.
    """
    summaries = {}
    for model, splits in measured.items():
        summary: Summary = {"rows": rows}
        if model in columns:
            summary["features"] = columns[model]
        if "epochs" in records[model]:
            summary |= {name: records[model][name] for name in TRAINING if name in records[model]}
        for split, metrics in splits.items():
            names = FITTED if split == "train" else COMPARED
            summary[split] = {name: metrics[name] for name in names if name in metrics}
        summaries[model] = summary
    return summaries
