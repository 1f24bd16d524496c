"""The tokenizer of a pretrained model, a file tokenizer.json for the package `tokenizers`."""

import contextlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from textclf.core.errors import UserError
from textclf.core.quoting import first_line
from textclf.pretrained.catalogue import TOKENIZER

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

Window = Literal["first", "mean"]
# Share of a window that the next one repeats, without special tokens.
OVERLAP = 1 / 4


def read_tokenizer(path: Path, length: int | None) -> "Tokenizer":
    """Return the tokenizer in a file, for windows of at most `length` tokens or for whole texts.

    Special tokens are among them. Windows overlap by `OVERLAP`. What the file itself says of
    lengths is ignored. Special tokens are never read from a text: "[SEP]" there is five characters.
    Raises `UserError` if the file is no tokenizer.
    """
    from tokenizers import Tokenizer

    with _tokenizers(path, "must be a file of the package tokenizers", "download it again"):
        tokenizer = Tokenizer.from_str(path.read_bytes().decode("utf-8"))
        tokenizer.no_padding()
        if length is None:
            tokenizer.no_truncation()
        else:
            overlap = int(OVERLAP * max(length - tokenizer.num_special_tokens_to_add(False), 0))
            tokenizer.enable_truncation(length, stride=overlap)
    tokenizer.encode_special_tokens = True
    return tokenizer


class Tokenizing:
    """A base of representations that read texts as the tokens of a pretrained model.

    The file of the tokenizer was verified.
    """

    settings: Any  # with `length`, `window` and `chosen`
    tokenizer: Path

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        return read_tokenizer(self.tokenizer, self.settings.length)

    def windows(self, texts: Iterable[str]) -> list[list[list[int]]]:
        """Return the token ids of the windows of each text, on all cores.

        They are of the first window or, if `window` is mean, of all. Raises `UserError` if the
        tokenizer fails, as a user's own may that names a token which it does not have.
        """
        encodings = self._encodings(texts)
        if self.settings.window == "first":
            return [[encoding.ids] for encoding in encodings]
        windows = ((encoding, *encoding.overflowing) for encoding in encodings)
        return [[window.ids for window in of_text] for of_text in windows]

    def count_cut(self, texts: Iterable[str]) -> int:
        """Return how many of the texts lose their ends.

        They are those longer than `length`, if `window` is first.
        """
        if self.settings.window == "mean":
            return 0
        return sum(bool(encoding.overflowing) for encoding in self._encodings(texts))

    def _encodings(self, texts: Iterable[str]) -> "list[Encoding]":
        tokenizer = self._tokenizer
        rule, advice = "must be a tokenizer of any text", "correct it, or use another"
        with _tokenizers(self.tokenizer, rule, advice):
            return tokenizer.encode_batch_fast(list(texts))

    def share(self, shared: Path) -> None:
        """Copy the tokenizer to the folder of the weights in `shared`, models/pretrained."""
        target = shared / self.settings.chosen.name
        target.mkdir(parents=True, exist_ok=True)
        (target / TOKENIZER).write_bytes(self.tokenizer.read_bytes())


@contextlib.contextmanager
def _tokenizers(path: Path, rule: str, advice: str) -> Iterator[None]:
    """Raise `UserError` if the package `tokenizers` fails with the tokenizer in `path`."""
    try:
        yield
    except (OSError, MemoryError):
        raise
    except BaseException as error:
        # The package raises Exception; Rust's panics are not even that.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise UserError(f"{path} {rule}; got: {first_line(error)}; {advice}") from error
