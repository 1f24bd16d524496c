"""What a representation misses is counted and said; nothing of texts that it sees whole."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests import stored_splits, tiny_bert
from tests.unspaced import WORDS
from tests.unspaced import rows as rows_of
from textclf.artifacts import splits
from textclf.vectorize.caveats import caveats
from textclf.vectorize.settings import METHODS
from textclf.vectorize.stage import vectorize

ENGLISH = ["good food", "bad food", "good good food", "food"]
LONG = [*ENGLISH, "good " * 20 + "food"]
CUT = (
    "1 of 10 texts (10.0%) is longer than vectorize.mine.length, {}, "
    "and the model does not see the rest of them."
)


def say(
    folder: Path, train: Sequence[str], test: Sequence[str], settings: dict[str, Any]
) -> tuple[list[str], Any]:
    """Return the sentences on a representation of the texts, and its shapes."""
    if settings["method"] in {"encoder", "wordpieces"}:
        own = tiny_bert.write_folder(folder / "tiny")
        settings |= {"pretrained": None, "path": str(own), "sha256": tiny_bert.checksum(own)}
    chosen = METHODS[settings["method"]].model_validate(settings)
    (folder / "splits").mkdir()
    for name, texts in (("train", train), ("test", test)):
        ids = [f"{name}{number}" for number in range(len(texts))]
        stored_splits.write_shards(
            pd.DataFrame({"id": ids, "text": texts, "label": "x"}), folder / "splits", name
        )
    (folder / "mine").mkdir()
    rows = splits.open_shards(folder / "splits")
    shapes = vectorize(rows, ["x"], "mine", chosen, folder / "mine", folder, folder / "kept")
    part = shapes.parts["mine"]
    return caveats("mine", chosen, {**part.splits, **part.notes}), part


@pytest.mark.parametrize(
    ("settings", "limit"),
    [
        ({"method": "encoder", "length": 16}, "16 word pieces"),
        ({"method": "wordpieces", "length": 16}, "16 word pieces"),
        ({"method": "token_ids", "length": 16}, "16 known words"),
    ],
)
def test_texts_that_lose_their_ends_are_counted(
    settings: dict[str, Any], limit: str, tmp_path: Path
) -> None:
    whole = 4 * ["good " * 14]  # as many as the limit with the two pieces around them
    sentences, shapes = say(tmp_path, ENGLISH, [LONG[-1], "bad", *whole], settings)
    read_all = (
        " Set vectorize.mine.window to mean to read all of them." if "pieces" in limit else ""
    )
    assert sentences == [CUT.format(limit) + read_all]
    assert ("cut" in shapes.splits["train"], shapes.splits["test"]["cut"]) == (False, 1)


@pytest.mark.parametrize("method", [name for name in METHODS if name != "columns"])
def test_nothing_is_said_or_written_of_short_texts_with_spaces(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_bert.write_static(tmp_path, "all-minilm-l6-v2-static", monkeypatch)
    # The tiny encoder has no more positions.
    settings = {"length": 16} if method == "encoder" else {}
    sentences, shapes = say(tmp_path, ENGLISH, ENGLISH, {"method": method, **settings})
    assert sentences == []
    assert shapes.notes == {}
    assert all({*shape} == {"rows", "features", "nonzeros"} for shape in shapes.splits.values())


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"method": "terms"}, "set vectorize.mine.analyzer to char, or"),
        ({"method": "token_ids"}, "read letters (method terms, analyzer char), or"),
        ({"method": "terms", "analyzer": "char"}, ""),
        ({"method": "terms", "analyzer": "word+char"}, ""),
        ({"method": "terms", "token_pattern": r"\w"}, ""),  # somebody has thought about words
        ({"method": "wordpieces"}, ""),
    ],
)
def test_words_of_texts_without_spaces_are_warned_of(
    settings: dict[str, Any], remedy: str, language: str, tmp_path: Path
) -> None:
    texts = [text for text, _ in rows_of(language, 40)]
    sentences, shapes = say(tmp_path, texts, texts, dict(settings))
    assert (shapes.notes.get("unspaced"), len(sentences)) == ((1.0, 1) if remedy else (None, 0))
    assert all(
        sentence.startswith("100.0% of the training texts are in a script without")
        for sentence in sentences
    )
    assert all(f": {remedy} put spaces between the words." in sentence for sentence in sentences)


@pytest.mark.parametrize(("unspaced", "warned"), [(3, False), (4, True)])
def test_some_texts_without_spaces_suffice(unspaced: int, warned: bool, tmp_path: Path) -> None:
    texts = [text for text, _ in rows_of("Thai", unspaced)] + (40 - unspaced) * ENGLISH[:1]
    assert bool(say(tmp_path, texts, texts, {"method": "terms"})[0]) == warned
