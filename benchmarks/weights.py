"""The pretrained weights that the benchmarks use.

The pipeline keeps in data/pretrained only what its own params.yaml names, so these are in a folder of their own.
"""

from benchmarks.runs import WEIGHTS
from textclf.fetch.pretrained import fetch_pretrained

NAMES = ("all-minilm-l6-v2", "glove-6b-50d")


def fetch_weights() -> None:
    """Fetch what is not there yet."""
    fetch_pretrained(NAMES, WEIGHTS, print)
