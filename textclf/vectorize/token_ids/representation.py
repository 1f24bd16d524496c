"""Texts as sequences of word ids.

The ids are those of Keras's Tokenizer in Keras 2, the padding is that of keras.utils.pad_sequences.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.tokens import PADDING, Tokens
from textclf.core.files import reading
from textclf.pretrained.catalogue import VECTORS, WORDS
from textclf.pretrained.weights import require
from textclf.vectorize.token_ids.settings import Settings


@dataclass(frozen=True)
class TokenIds:
    """The words of the training texts and their ids."""

    settings: Settings
    # The most frequent first: word i has the id i + 1, and 0 is padding.
    words: Sequence[str]
    # (columns, dimensions), pretrained, zeros for ids without one; a model that was read has its
    # own embedding instead
    vectors: NDArray[np.float32] | None = field(default=None, compare=False)
    kind: ClassVar[Literal["tokens"]] = "tokens"
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Give each word within `num_words` its id."""
        words = self.words
        if self.settings.num_words is not None:
            words = words[: self.settings.num_words - 1]
        ids = {word: number for number, word in enumerate(words, start=1)}
        object.__setattr__(self, "_ids", ids)

    @property
    def columns(self) -> int:
        """Return the number of ids.

        It is one per word of the training texts, kept or not, as in the course, and padding.
        """
        return len(self.words) + 1

    @classmethod
    def fit(cls, texts: Iterable[str], settings: Settings, pretrained: Path) -> "TokenIds":
        """Return the words by falling frequency, ties by occurrence.

        Raises `UserError` if pretrained vectors are damaged.
        """
        counts = Counter(chain.from_iterable(split_words(text, settings) for text in texts))
        # A stable sort: ties stay in the order of occurrence.
        words = sorted(counts, key=counts.__getitem__, reverse=True)
        if settings.vectors is None:
            return cls(settings, words)
        return cls(settings, words, read_vectors(words, pretrained, settings.vectors))

    def transform(self, texts: Iterable[str]) -> Tokens:
        """Return the ids of the known words of each text, in their order, shortened to `length`."""
        length, at_end = self.settings.length, self.settings.truncating == "post"
        rows = [
            np.array(known[:length] if at_end else known[-length:], dtype=np.int32)
            for known in map(self._known, texts)
        ]
        starts = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        ids = np.concatenate([np.zeros(0, dtype=np.int32), *rows])
        return Tokens(ids, starts, self.columns, length, self.settings.padding, self.vectors)

    def _known(self, text: str) -> list[int]:
        """Return the ids of the known words of a text, in their order."""
        ids = map(self._ids.get, split_words(text, self.settings))
        return [number for number in ids if number]

    def count_cut(self, texts: Iterable[str]) -> int:
        """Return how many of the texts have more known words than the setting `length`."""
        return sum(len(self._known(text)) > self.settings.length for text in texts)

    def to_json(self) -> dict[str, Any]:
        """Return the settings and the words, without vectors."""
        return {"settings": self.settings.model_dump(), "words": list(self.words)}

    @classmethod
    # The model has the vectors.
    def from_json(cls, content: dict[str, Any], shared: Path) -> "TokenIds":  # noqa: ARG003
        """Return what `to_json` wrote; `ValueError` if it is damaged."""
        try:
            settings, words = Settings(**content["settings"]), content["words"]
            valid = isinstance(words, list) and all(isinstance(word, str) for word in words)
        except (LookupError, TypeError) as error:
            raise ValueError("settings and words") from error
        if not valid or len(set(words)) < len(words):
            raise ValueError("words")
        return cls(settings, words)


def split_words(text: str, settings: Settings) -> list[str]:
    """Return the words of a text: what stands between spaces and filtered characters."""
    if settings.lowercase:
        text = text.lower()
    separated = text.translate(dict.fromkeys(map(ord, settings.filters), " "))
    return [word for word in separated.split(" ") if word]


def read_vectors(words: Sequence[str], root: Path, name: str) -> NDArray[np.float32]:
    """Return the vectors of the words, (words + 1, dimensions).

    Word i is in row i + 1. The rows of other words and of `PADDING` are zeros. `root` has a folder
    per catalogue name. Raises `UserError` if a file is missing or damaged.
    """
    rows = {word: row for row, word in enumerate(words, start=PADDING + 1)}
    path = require(root, name, WORDS)
    with reading(path), path.open(encoding="utf-8", newline="\n") as lines:
        words_of_rows = enumerate(line.removesuffix("\n") for line in lines)
        known = [(row, rows[word]) for row, word in words_of_rows if word in rows]
    path = require(root, name, VECTORS)
    with reading(path):
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
        vectors = np.zeros((len(words) + 1, stored.shape[1]), dtype=np.float32)
        if known:
            sources, targets = np.array(known).T
            vectors[targets] = stored[sources]
    return vectors
