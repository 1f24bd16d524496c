"""The tables of docs/ with accuracies and simulations, as Markdown; docs/generate.py puts them into the pages.

Every function takes nothing and reads benchmarks/results/.
"""

from benchmarks import few_rows, presets

CORPORA = ("yelp", "amazon", "imdb")


def interval(value: float, ends: dict[str, float | None] | None, sign: str = "") -> str:
    """Return a number with its interval, if there is one."""
    if ends is None or ends["low"] is None:
        return f"{value:{sign}.3f}"
    return f"{value:{sign}.3f} ({ends['low']:{sign}.3f} to {ends['high']:{sign}.3f})"


TABLES = {
    "few-rows": few_rows.table,
    "presets": presets.table,
}
