"""The metrics that every run with one label per text has, whatever its settings."""

from textclf.evaluate.registry import OF_SCALE, metrics_of

# The others need evaluate.costs or data.order.
MEASURED = {
    name: metric for name, metric in metrics_of(False).items() if name not in {"cost", *OF_SCALE}
}
