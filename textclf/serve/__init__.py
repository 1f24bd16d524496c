"""Trained models as an HTTP service: `textclf serve`.

The limits of the server stand here: the command line shows them and must not import a web
framework.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Sizes of a request, requests at once, and seconds for a body, its answer, and taking that."""

    texts: int = 1000
    characters: int = 100_000  # of one text
    bytes: int = 4 * 2**20  # of a body
    requests: int = 32
    seconds: float = 10.0
