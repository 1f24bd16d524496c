"""Made-up tables in scripts without spaces between words; words decide the class."""

import random
from collections.abc import Sequence
from pathlib import Path

import yaml

from tests.unit.tables.tables import delimited

WORDS: dict[str, dict[str, str]] = yaml.safe_load(
    Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
)


def rows(language: str, count: int = 400, seed: int = 0) -> list[tuple[str, str]]:
    """Return texts without spaces and their labels, bad and good in turn."""
    draw = random.Random(seed)  # noqa: S311 (no secret)
    subjects, fillers, bad, good, stop = WORDS[language].values()
    made: dict[str, str] = {}
    while len(made) < count:
        label = ("bad", "good")[len(made) % 2]
        said = draw.choice((bad if label == "bad" else good).split())
        words: Sequence[str] = [
            draw.choice(subjects.split()),
            *draw.sample(fillers.split(), 3),
            said,
        ]
        made.setdefault("".join(words) + stop, label)
    return list(made.items())


def write_table(path: Path, language: str) -> None:
    path.write_text(delimited([("text", "label"), *rows(language)]), encoding="utf-8")
