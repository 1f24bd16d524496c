"""The metrics that every run with one label per text has, whatever its settings."""

from textclf.evaluate.registry import metrics_of

MEASURED = {
    name: metric for name, metric in metrics_of(False).items() if name != "cost"
}  # needs evaluate.costs
