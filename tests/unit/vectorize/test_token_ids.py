"""Sequences of word ids, held against Keras's own Tokenizer and pad_sequences."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from textclf.artifacts.tokens import Tokens
from textclf.vectorize.token_ids import representation
from textclf.vectorize.token_ids.representation import TokenIds
from textclf.vectorize.token_ids.settings import Settings

NOWHERE = Path("nowhere")
TRAIN = ["The food was good, the staff was GOOD", "It's great food!", "bad\tfood\nhere"]


def fit(texts: list[str] = TRAIN, **changes: Any) -> TokenIds:
    return TokenIds.fit(iter(texts), Settings(**changes), NOWHERE)


def test_ids_follow_frequency_and_then_first_occurrence() -> None:
    made = fit()
    assert made.words == ["food", "the", "was", "good", "staff", "it's", "great", "bad", "here"]
    assert made.columns == 10
    rows = made.transform(["Good food, good life", "", "life"])
    assert rows.padded(4).tolist() == [[4, 1, 4, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert (rows.shape, rows.nnz) == ((3, 10), 3)
    assert [rows.ids.dtype, rows.starts.dtype] == [np.dtype("int32"), np.dtype("int64")]


def as_keras(texts: list[str], settings: Settings) -> tuple[list[str], list[list[int]]]:
    from keras.src.legacy.preprocessing.text import Tokenizer
    from keras.utils import pad_sequences

    tokenizer = Tokenizer(settings.num_words, filters=settings.filters, lower=settings.lowercase)
    tokenizer.fit_on_texts(texts)
    sequences = tokenizer.texts_to_sequences([*texts, "other food"])
    padded = pad_sequences(
        sequences, maxlen=settings.length, padding=settings.padding, truncating=settings.truncating
    )
    return list(tokenizer.word_index), padded.tolist()


@example(TRAIN, Settings(length=2, truncating="post"))
@given(
    st.lists(st.text(st.sampled_from("abAB'.,-\t\n \x85\xa0İß音")), min_size=1, max_size=6),
    st.builds(
        Settings,
        num_words=st.sampled_from([None, 2, 4]),
        length=st.integers(1, 5),
        padding=st.sampled_from(["pre", "post"]),
        truncating=st.sampled_from(["pre", "post"]),
        lowercase=st.booleans(),
        filters=st.sampled_from([Settings().filters, "b"]),
    ),
)
def test_ids_of_any_texts_are_those_of_keras(texts: list[str], settings: Settings) -> None:
    made = TokenIds.fit(texts, settings, NOWHERE)
    words, padded = as_keras(texts, settings)
    assert made.words == words
    assert made.transform([*texts, "other food"]).padded().tolist() == padded


@pytest.mark.parametrize("damage", [{"words": None}, {"words": ["a", 1]}, {"words": ["a", "a"]}])
def test_damaged_content_is_a_value_error(damage: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        TokenIds.from_json(fit().to_json() | damage, NOWHERE)


@pytest.fixture
def pretrained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with vectors of a few words, with the checksums that the catalogue names."""
    folder = tmp_path / "glove-6b-50d"
    folder.mkdir()
    (folder / "words.txt").write_bytes("food\nthe\n\x85\nbad\nunknown\n".encode())
    np.save(folder / "vectors.npy", np.arange(1, 11, dtype=np.float32).reshape(5, 2))
    monkeypatch.setattr(representation, "require", lambda root, name, file: root / name / file)
    return tmp_path


def test_ids_get_the_vectors_of_their_words_and_others_zeros(pretrained: Path) -> None:
    made = TokenIds.fit(TRAIN, Settings(vectors="glove-6b-50d"), pretrained)
    rows: Tokens = made.transform(["food"])
    assert rows.vectors is not None
    assert rows.vectors.dtype == np.float32
    assert rows.vectors[:3].tolist() == [[0, 0], [1, 2], [3, 4]]  # padding, food, the
    assert rows.vectors[8].tolist() == [7, 8]  # bad: a line ends at LF alone
    assert "vectors" not in made.to_json()
    assert TokenIds.from_json(made.to_json(), pretrained).vectors is None
