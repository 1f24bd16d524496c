"""The metrics that every run has, whatever its settings."""

from textclf.evaluate.registry import METRICS

MEASURED = {name: metric for name, metric in METRICS.items() if name != "cost"}  # needs evaluate.costs
