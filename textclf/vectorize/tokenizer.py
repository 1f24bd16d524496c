"""The tokenizer of a pretrained model, a file tokenizer.json that the package `tokenizers` reads."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textclf.core.errors import UserError
from textclf.core.quoting import first_line

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def read_tokenizer(path: Path, length: int) -> "Tokenizer":
    """Return the tokenizer in a file, for texts of at most `length` tokens, special tokens among them.

    A longer text loses its end but keeps its closing token. What the file itself says of lengths is ignored; padding is
    left to models. Special tokens are never read from a text: "[SEP]" there is five characters.

    Raises `UserError` if the file is no tokenizer.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(path.read_bytes().decode("utf-8"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(length)
    except Exception as error:  # the package raises nothing narrower
        if isinstance(error, OSError):
            raise
        raise UserError(
            f"{path} must be a file of the package tokenizers; got: {first_line(error)}; download it again"
        ) from error
    tokenizer.encode_special_tokens = True
    return tokenizer


def encode(tokenizer: "Tokenizer", texts: Sequence[str]) -> list[list[int]]:
    """Return the token ids of each text, on all cores."""
    return [encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts))]


def count_cut(tokenizer: "Tokenizer", texts: Sequence[str]) -> int:
    """Return how many of the texts have more tokens than the tokenizer gives of a text."""
    return sum(bool(encoding.overflowing) for encoding in tokenizer.encode_batch_fast(list(texts)))
