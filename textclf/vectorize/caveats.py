"""What a representation misses of its texts: the terminal and the report show it."""

from collections.abc import Mapping
from typing import Any

from textclf.core.files import SPLITS
from textclf.core.formatting import percent
from textclf.core.writing_systems import EXAMPLES, SOME
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.token_ids.settings import Settings as TokenIds

# Keys of a number of texts, for each split, and of a share of the training texts.
CUT = "cut"
UNSPACED = "unspaced"


def reads_words(settings: Any) -> bool:
    """Return whether a representation sees only what is between spaces or other separators."""
    # With another pattern, the user has dealt with it.
    pattern = Terms.model_fields["token_pattern"].default
    if isinstance(settings, Terms):
        return settings.analyzer == "word" and settings.token_pattern == pattern
    return isinstance(settings, TokenIds)


def caveats(name: str, settings: Any, shape: Mapping[str, Any]) -> list[str]:
    """Return sentences on a representation; `shape` is its entry in metrics/features.json."""
    sentences = []
    share = shape.get(UNSPACED, 0.0)
    if share >= SOME:
        remedy = "read letters (method terms, analyzer char)"
        if isinstance(settings, Terms):
            remedy = f"set vectorize.{name}.analyzer to char"
        sentences.append(
            f"{percent(share)} of the training texts are {EXAMPLES}, and vectorize.{name} takes "
            "what stands between spaces for words, few of which occur in other texts: "
            f"{remedy}, or put spaces between the words."
        )
    splits = [shape[split] for split in SPLITS if split in shape]
    if cut := sum(split.get(CUT, 0) for split in splits):
        rows = sum(split["rows"] for split in splits)
        remedy = ""
        if hasattr(settings, "window"):
            remedy = f" Set vectorize.{name}.window to mean to read all of them."
        verb = "is" if cut == 1 else "are"
        sentences.append(
            f"{cut:,} of {rows:,} texts ({percent(cut / rows)}) {verb} longer than "
            f"vectorize.{name}.length, {settings.length} {settings.unit}, "
            f"and the model does not see the rest of them.{remedy}"
        )
    return sentences
