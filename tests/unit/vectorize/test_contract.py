"""What every representation promises, whatever it makes of a text."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny_bert
from tests.refusal import refusal
from textclf.artifacts.tokens import Tokens
from textclf.core.text_row import TextRow
from textclf.vectorize import representation
from textclf.vectorize.representation import CLASSES, Block, Union
from textclf.vectorize.settings import METHODS
from textclf.vectorize.static.settings import Settings as Static

CELLS = [("1", "a"), ("", "a"), ("2.5", "b"), ("1", ""), ("-1e3", "b"), ("0", "c")]
TEXTS = [
    TextRow(
        text,
        {
            "size": size,
            "brand": brand,
            "age": f"{len(text) + 1}",
            "created": f"2024-0{len(brand) + 1}-01",
        },
        "r",
    )
    for text, (size, brand) in zip(
        ["good food.", "bad", "", "good good food bad food . bad", "[SEP] [PAD]", "음식"],
        CELLS,
        strict=True,
    )
]
CASES: dict[str, dict[str, Any]] = {
    "terms": {
        "method": "terms",
        "analyzer": "word+char_wb",
        "weighting": "tfidf",
        "sublinear_tf": True,
    },
    "hashed terms": {"method": "terms", "hashing": 8, "weighting": "binary"},
    "token_ids": {"method": "token_ids", "num_words": 4, "padding": "pre"},
    "encoder": {"method": "encoder", "length": 16},
    "static": {"method": "static"},
    "wordpieces": {"method": "wordpieces", "length": 16},
    "columns": {
        "method": "columns",
        "numbers": ["size", "age"],
        "categories": ["brand"],
        "dates": ["created"],
    },
}
each_case = pytest.mark.parametrize("name", [*CASES, "union"])
Fit = Callable[[str], Any]


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fit]:
    """Yield a function that fits a representation, or a union of two, to the texts."""
    root = tmp_path_factory.mktemp("pretrained")
    tiny = tiny_bert.write_folder(root / "tiny")
    own = {"pretrained": None, "path": str(tiny), "sha256": tiny_bert.checksum(tiny)}

    def fit_case(name: str) -> Any:
        if name == "union":
            return Union(
                [
                    Block("words", 0.5, fit_case("terms")),
                    Block("sentences", 2.0, fit_case("encoder")),
                ]
            )
        given = CASES[name] | (own if "length" in CASES[name] else {})
        return representation.fit(TEXTS, METHODS[given["method"]].model_validate(given), root)

    with pytest.MonkeyPatch.context() as monkeypatch:
        tiny_bert.write_static(root, Static().pretrained, monkeypatch)
        yield fit_case


def dense(X: Any) -> Any:
    if isinstance(X, Tokens):
        return X.padded()
    return X if isinstance(X, np.ndarray) else X.toarray()


def test_every_method_has_a_class_and_a_case_here() -> None:
    assert {case["method"] for case in CASES.values()} == set(METHODS) == set(CLASSES)


@each_case
def test_each_text_has_a_row_that_does_not_depend_on_its_neighbours(name: str, fit: Fit) -> None:
    fitted = fit(name)
    together = dense(fitted.transform(iter(TEXTS)))
    width = together.shape[1]
    assert fitted.transform(TEXTS).shape == (len(TEXTS), fitted.columns)
    for number, text in enumerate(TEXTS):
        alone = fitted.transform([text])
        row = alone.padded(width) if isinstance(alone, Tokens) else dense(alone)
        assert row.tobytes() == together[[number]].tobytes()


@each_case
def test_no_texts_give_no_rows(name: str, fit: Fit) -> None:
    fitted = fit(name)
    assert fitted.transform([]).shape == (0, fitted.columns)
    assert dense(fitted.transform([])).dtype == dense(fitted.transform(TEXTS)).dtype


@each_case
def test_its_file_gives_the_same_features_and_the_same_bytes_again(
    name: str, fit: Fit, tmp_path: Path
) -> None:
    fitted, path = fit(name), tmp_path / "vectorizer.json"
    representation.write(fitted, path)
    written = path.read_bytes()
    representation.share(fitted, tmp_path / "shared")
    # In the second place, the user's own folder is still there; files of the catalogue are not.
    nowhere = [] if name == "static" else [tmp_path / "nowhere"]
    for shared in (tmp_path / "shared", *nowhere):
        again = representation.read(path, shared)
        assert (again.kind, again.columns) == (fitted.kind, fitted.columns)
        assert dense(again.transform(TEXTS)).tobytes() == dense(fitted.transform(TEXTS)).tobytes()
        representation.write(again, path)
        assert path.read_bytes() == written


@pytest.mark.parametrize("name", CASES)
def test_a_file_that_is_damaged_or_of_a_newer_textclf_is_refused(
    name: str, fit: Fit, tmp_path: Path
) -> None:
    content, path = fit(name).to_json(), tmp_path / "vectorizer.json"
    wrong: dict[str, Any] = {
        key: {}
        for key in {"length", "hashing", "numbers", "pretrained"} & content["settings"].keys()
    }
    for settings in (None, content["settings"] | wrong):
        path.write_text(json.dumps({"format": 1} | content | {"settings": settings}))
        assert "vectorizer.json is damaged; remove it and run dvc repro" in refusal(
            representation.read, path, tmp_path
        )
    path.write_text(
        json.dumps(
            {"format": 1} | content | {"settings": content["settings"] | {"method": "stemming"}}
        )
    )
    assert "was made by a newer textclf" in refusal(representation.read, path, tmp_path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "not found; run dvc repro" in refusal(
        representation.read, tmp_path / "vectorizer.json", tmp_path
    )
