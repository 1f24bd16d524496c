"""Representations side by side, and their JSON."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.vectorize.lengths import Lengths
from textclf.core.errors import UserError
from textclf.vectorize import representation
from textclf.vectorize.representation import Block, Union
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

NEWER = {"settings": {"method": "stemming"}}
TEXTS = ["good food", "bad food", "good good place"]


def words(**settings: object) -> Vectorizer:
    return Vectorizer.fit(TEXTS, Terms.model_validate(settings))


def test_a_union_multiplies_each_block_and_names_its_columns() -> None:
    both = Union([Block("words", 0.5, words()), Block("lengths", 0.1, Lengths())])
    assert both.columns == 5
    assert both.transform(["good good"]).toarray().tolist() == [[0, 0, 1.0, 0, pytest.approx(0.9)]]
    assert both.terms() == ["words__bad", "words__food", "words__good", "words__place", None]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"blocks": [{"name": "a", "scale": 1.0, "vectorizer": NEWER}]}, "was made by a newer textclf"),
        ({"blocks": None}, "is damaged"),
        ({"blocks": [{"name": "words", "scale": 0.0, "vectorizer": words().to_json()}]}, "is damaged"),
        ({"blocks": [{"name": "words", "scale": True, "vectorizer": words().to_json()}]}, "is damaged"),
        ({"blocks": [{"name": "words", "scale": 1.0, "vectorizer": {}}]}, "is damaged"),
    ],
)
def test_a_union_that_is_damaged_or_newer_is_refused(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    path = tmp_path / "vectorizer.json"
    union = Union([Block("words", 0.5, words()), Block("letters", 2.0, words(analyzer="char"))])
    path.write_text(json.dumps({"format": 1} | union.to_json() | change))
    with pytest.raises(UserError, match=reason):
        representation.read(path, tmp_path)
