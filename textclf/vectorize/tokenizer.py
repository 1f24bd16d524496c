"""The tokenizer of a pretrained model, a file tokenizer.json that the package `tokenizers` reads."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from textclf.core.errors import UserError
from textclf.core.quoting import first_line

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

Window = Literal["first", "mean"]
OVERLAP = 1 / 4  # of a window that the next one repeats, without special tokens


def read_tokenizer(path: Path, length: int) -> "Tokenizer":
    """Return the tokenizer in a file, for texts of at most `length` tokens, special tokens among them.

    A longer text is divided into windows that overlap by `OVERLAP`, each with the opening and the closing token. What
    the file itself says of lengths is ignored; padding is left to models. Special tokens are never read from a text:
    "[SEP]" there is five characters.

    Raises `UserError` if the file is no tokenizer.
    """
    from tokenizers import Tokenizer

    with _tokenizers(path, "must be a file of the package tokenizers", "download it again"):
        tokenizer = Tokenizer.from_str(path.read_bytes().decode("utf-8"))
        tokenizer.no_padding()
        overlap = int(OVERLAP * max(length - tokenizer.num_special_tokens_to_add(False), 0))
        tokenizer.enable_truncation(length, stride=overlap)
    tokenizer.encode_special_tokens = True
    return tokenizer


def encode(tokenizer: "Tokenizer", texts: Sequence[str], path: Path, window: Window) -> list[list[list[int]]]:
    """Return the token ids of the first window of each text or, for `window` mean, of all its windows, on all cores.

    Every window but the last one of a text has as many tokens as the tokenizer gives at most. Raises `UserError` if the
    tokenizer, which is in `path`, fails: a user's own may have a regular expression that takes too long, or name a
    token that it does not have.
    """
    encodings = _encode(tokenizer, texts, path)
    if window == "first":
        return [[encoding.ids] for encoding in encodings]
    return [[each.ids for each in (encoding, *encoding.overflowing)] for encoding in encodings]


def count_cut(tokenizer: "Tokenizer", texts: Sequence[str], path: Path) -> int:
    """Return how many of the texts have more tokens than the tokenizer gives of a text; `UserError` as `encode`."""
    return sum(bool(encoding.overflowing) for encoding in _encode(tokenizer, texts, path))


def _encode(tokenizer: "Tokenizer", texts: Sequence[str], path: Path) -> "list[Encoding]":
    with _tokenizers(path, "must be a tokenizer of any text", "correct it, or use another"):
        return tokenizer.encode_batch_fast(list(texts))


@contextlib.contextmanager
def _tokenizers(path: Path, rule: str, advice: str) -> Iterator[None]:
    """Raise `UserError` if the package `tokenizers` fails with the tokenizer in `path`."""
    try:
        yield
    except (OSError, MemoryError):
        raise
    except BaseException as error:  # the package raises Exception; Rust's panics are not even that
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise UserError(f"{path} {rule}; got: {first_line(error)}; {advice}") from error
