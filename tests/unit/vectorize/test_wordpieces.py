import json
from pathlib import Path
from typing import Any

import pytest

from tests import tiny_bert
from tests.refusal import refusal
from textclf.core.errors import UserError
from textclf.vectorize.wordpieces.representation import Representation
from textclf.vectorize.wordpieces.settings import Settings

NOWHERE = Path("nowhere")
SPLIT = {"type": "Split", "behavior": "Isolated", "invert": False}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_bert.write_folder(tmp_path / "mine")


def fit(folder: Path, length: int = 16, **changes: Any) -> Representation:
    own: dict[str, Any] = {
        "pretrained": None,
        "path": str(folder),
        "sha256": tiny_bert.checksum(folder),
    }
    return Representation.fit((), Settings(**own, length=length, **changes), NOWHERE)


def test_texts_become_pieces_between_special_tokens(folder: Path) -> None:
    tokens = fit(folder).transform(iter(["Good service!", "", "food"]))
    assert tokens.ids.tolist() == [2, 4, 7, 8, 1, 3, 2, 3, 2, 6, 3]
    assert tokens.starts.tolist() == [0, 6, 8, 11]
    assert (tokens.ids.dtype.name, tokens.starts.dtype.name) == ("int32", "int64")
    assert (tokens.vocabulary, tokens.length, tokens.padding) == (len(tiny_bert.PIECES), 16, "post")


def test_a_long_text_is_cut_and_keeps_its_closing_token(folder: Path) -> None:
    assert fit(folder, length=4).transform(["good food bad food"]).padded().tolist() == [
        [2, 4, 6, 3]
    ]


def test_a_long_text_is_read_in_windows_that_overlap(folder: Path) -> None:
    texts = ["good food bad food . bad . good .", "food", "bad " * 4]
    fitted = fit(folder, length=6, window="mean")
    tokens = fitted.transform(texts)
    windows, first = tokens.windows()
    assert windows.padded().tolist() == [
        [2, 4, 6, 5, 6, 3],
        [2, 6, 9, 5, 9, 3],
        [2, 9, 4, 9, 3, 0],
        [2, 6, 3, 0, 0, 0],
        [2, 5, 5, 5, 5, 3],
    ]
    assert first.tolist() == [0, 3, 4]
    cut = fit(folder, length=6)
    assert cut.transform(texts).ids.tolist() == windows[first].ids.tolist()
    assert (cut.count_cut(texts), fitted.count_cut(texts)) == (1, 0)


def test_special_tokens_are_never_read_from_a_text(folder: Path) -> None:
    assert fit(folder).transform(["[PAD][SEP]"]).ids.tolist() == [2, 10, 12, 11, 10, 13, 11, 3]


def test_another_tokenizer_than_the_stored_one_is_refused(folder: Path, tmp_path: Path) -> None:
    content = fit(folder).to_json()
    (folder / "tokenizer.json").write_text("{}")
    assert "sha256 must be the checksum of its files together" in refusal(
        Representation.from_json, content, tmp_path
    )


@pytest.mark.parametrize(
    ("part", "rule"),
    [
        (
            {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}},
            "a file of the package tokenizers",
        ),
        (
            {"pre_tokenizer": SPLIT | {"pattern": {"Regex": "("}}},
            "a file of the package tokenizers",
        ),
        ({"pre_tokenizer": SPLIT | {"pattern": {"Regex": "(a+)+$"}}}, "a tokenizer of any text"),
        (
            {"model": {"type": "WordLevel", "vocab": {"[PAD]": 0}, "unk_token": "?"}},
            "a tokenizer of any text",
        ),
    ],
    ids=["panic", "no expression", "expression without end", "no token"],
)
def test_a_tokenizer_that_fails_is_one_line(folder: Path, part: dict[str, Any], rule: str) -> None:
    (folder / "tokenizer.json").write_text(
        json.dumps(tiny_bert.tokenizer_json() | {"post_processor": None} | part)
    )
    with pytest.raises(
        UserError, match=rf"tokenizer\.json must be {rule}; got: .*; (download|correct) it"
    ) as error:
        fit(folder).transform([f"{'a' * 40}b"])
    assert "\n" not in str(error.value)


def test_padding_and_the_token_0_change_places(folder: Path) -> None:
    content = tiny_bert.tokenizer_json()
    content["model"]["vocab"] |= {"[PAD]": 4, "good": 0}
    content["added_tokens"][0]["id"] = 4
    content["padding"] = None
    expected = fit(folder).transform(["Good food", "good bad"]).ids.tolist()
    (folder / "tokenizer.json").write_text(json.dumps(content))
    assert fit(folder).transform(["Good food", "good bad"]).ids.tolist() == expected


def test_a_tokenizer_without_padding_is_refused(folder: Path) -> None:
    text = json.dumps(tiny_bert.tokenizer_json()).replace("[PAD]", "[HOLE]")
    (folder / "tokenizer.json").write_text(text)
    assert "must have a token for padding, [PAD] or <pad>" in refusal(fit, folder)
