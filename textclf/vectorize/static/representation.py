"""Means of static vectors of word pieces: nothing is learned from the training texts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import scipy
from numpy.typing import NDArray

from textclf.core.files import reading, sha256_of_file
from textclf.pretrained.catalogue import PIECES, TOKENIZER
from textclf.pretrained.weights import verify
from textclf.vectorize.static.settings import Settings
from textclf.vectorize.tokenizer import Tokenizing, read_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Texts whose word pieces are in memory at once.
CHUNK = 4096
# A piece with this share of all tokens counts half as much as a rare one. Chosen among 1e-5 to 1e-3
# by cross-validation on the lesson's corpora; SIF and model2vec have 1e-3 and 1e-4.
HALF = 3e-5
# The weight of a piece that never occurs.
FULL = 255


@dataclass(eq=False)
class Representation(Tokenizing):
    """Static vectors and their tokenizer, whose files were verified: use `fit` or `from_json`.

    The mean is weighted: a frequent piece counts less (Arora et al., 2017, "A Simple but
    Tough-to-Beat Baseline for Sentence Embeddings", ICLR).
    """

    kind: ClassVar[Literal["dense"]] = "dense"
    settings: Settings
    tokenizer: Path
    pieces: Path

    @classmethod
    def fit(
        cls,
        texts: Iterable[str],  # noqa: ARG003
        settings: Settings,
        pretrained: Path,
    ) -> "Representation":
        """Return the vectors that the settings name; `UserError` if a file is missing or wrong."""
        files = (settings.chosen.require(pretrained, file) for file in (TOKENIZER, PIECES))
        return cls(settings, *files)

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        return read_tokenizer(self.tokenizer, None)

    @cached_property
    def _vectors(self) -> NDArray[np.float64]:
        """The weighted vector of each piece, (pieces, columns), of whole numbers."""
        with reading(self.pieces):
            vectors = np.load(self.pieces, allow_pickle=False)
        return np.asarray(vectors * weights(len(vectors))[:, None])

    @property
    def columns(self) -> int:
        """Return the length of a vector."""
        return int(self._vectors.shape[1])

    def transform(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """Return the vectors of the texts, (texts, columns) float32, of length 1.

        The vector of a text without pieces is 0. Sums are of whole numbers, which are exact, so
        that each processor gives the same bytes.
        """
        remaining = iter(texts)
        chunks = [np.empty((0, self.columns), dtype=np.float32)]
        while chunk := list(islice(remaining, CHUNK)):
            sums = self._counts(chunk) @ self._vectors
            lengths = np.sqrt((sums**2).sum(axis=1, keepdims=True))
            chunks.append((sums / np.maximum(lengths, 1)).astype(np.float32))
        return np.concatenate(chunks)

    def _counts(self, texts: list[str]) -> "scipy.sparse.csr_array":
        """Return how often each text has each piece, (texts, pieces)."""
        # Without the special tokens that open and close each text.
        rows = [encoding.ids[1:-1] for encoding in self._encodings(texts)]
        starts = np.cumsum([0, *map(len, rows)])
        ids = np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=starts[-1])
        shape = (len(texts), len(self._vectors))
        return scipy.sparse.csr_array((np.ones(len(ids)), ids, starts), shape=shape)

    def count_cut(self, texts: Iterable[str]) -> int:  # noqa: ARG002
        """Return 0: a text is read to its end."""
        return 0

    def to_json(self) -> dict[str, Any]:
        """Return the settings, the folder of the files and their SHA-256."""
        return {
            "settings": self.settings.model_dump(),
            "name": self.settings.pretrained,
            "tokenizer": sha256_of_file(self.tokenizer),
            "pieces": sha256_of_file(self.pieces),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any], shared: Path) -> "Representation":
        """Return the vectors with the content of `to_json`.

        `shared` is data/pretrained or models/pretrained. Raises `ValueError` or the like if the
        content is damaged, `UserError` if a file is missing or another one.
        """
        settings = Settings.model_validate(content["settings"])
        folder = shared / settings.pretrained
        tokenizer = verify(folder / TOKENIZER, content["tokenizer"])
        return cls(settings, tokenizer, verify(folder / PIECES, content["pieces"]))

    def share(self, shared: Path) -> None:
        """Copy tokenizer and vectors to their folder in `shared`, models/pretrained."""
        super().share(shared)
        target = shared / self.settings.pretrained / PIECES
        target.write_bytes(self.pieces.read_bytes())


def weights(pieces: int) -> NDArray[np.float64]:
    """Return the weight of each piece, (pieces,): a whole number from 0 to `FULL`.

    BERT's pieces are in the order of their frequency, which so follows from their rank by Zipf's
    law.
    """
    shares = 1 / np.arange(2, pieces + 2)
    shares /= shares.sum()
    return np.rint(FULL * HALF / (HALF + shares))
