"""Token ids of a pretrained transformer: nothing is learned from the training texts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from textclf.artifacts.tokens import PADDING, Tokens
from textclf.core.errors import UserError
from textclf.core.files import sha256_of_file
from textclf.pretrained.catalogue import TOKENIZER
from textclf.pretrained.weights import verify
from textclf.vectorize.tokenizer import Tokenizing
from textclf.vectorize.wordpieces.settings import Settings

# The token of padding in BERT and in MPNet.
PADS = ("[PAD]", "<pad>")


@dataclass(eq=False)
class Representation(Tokenizing):
    """The tokenizer of a pretrained transformer, with a verified file: use `fit` or `from_json`."""

    kind: ClassVar[Literal["tokens"]] = "tokens"
    settings: Settings
    tokenizer: Path
    checksum: str

    @classmethod
    def fit(
        cls,
        texts: Iterable[str],  # noqa: ARG003
        settings: Settings,
        pretrained: Path,
    ) -> "Representation":
        """Return the tokenizer that the settings name.

        Raises `UserError` if its file is missing, damaged or another one.
        """
        path = settings.chosen.require(pretrained, TOKENIZER)
        fitted = cls(settings, path, sha256_of_file(path))
        fitted.padding()
        return fitted

    def padding(self) -> int:
        """Return the id of padding; `UserError` if the tokenizer has no token for it."""
        for name in PADS:
            number = self._tokenizer.token_to_id(name)
            if number is not None:
                return number
        raise UserError(
            f"{self.tokenizer} must have a token for padding, {' or '.join(PADS)}; "
            "use another tokenizer"
        )

    @property
    def columns(self) -> int:
        """Return the number of ids."""
        return self._tokenizer.get_vocab_size()

    def transform(self, texts: Iterable[str]) -> Tokens:
        """Return the word pieces of the texts; special tokens open and close each window.

        Their ids are those of the tokenizer, except that padding and the token 0 change places.
        """
        rows = [list(chain.from_iterable(windows)) for windows in self.windows(texts)]
        starts = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        ids = np.fromiter(chain.from_iterable(rows), dtype=np.int32, count=int(starts[-1]))
        ids[ids == PADDING] = self.padding()
        return Tokens(ids, starts, self.columns, self.settings.length)

    def to_json(self) -> dict[str, Any]:
        """Return the settings, the folder of the tokenizer, and the SHA-256 of its file."""
        return {
            "settings": self.settings.model_dump(),
            "name": self.settings.chosen.name,
            "tokenizer": self.checksum,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any], shared: Path) -> "Representation":
        """Return the tokenizer with the content of `to_json`.

        `shared` is data/pretrained or models/pretrained. Raises `ValueError` or the like if the
        content is damaged, `UserError` if the tokenizer's file is.
        """
        settings = Settings.model_validate(content["settings"])
        path = shared / settings.chosen.name / TOKENIZER
        if settings.pretrained is None and not path.exists():
            path = settings.chosen.require(shared, TOKENIZER)
        return cls(settings, verify(path, content["tokenizer"]), content["tokenizer"])
