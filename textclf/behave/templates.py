"""Templates: texts with slots such as {thing}, of which each stands for every word of a list.

A slot that a template has twice has the same word at both places. A doubled brace stands for the
brace itself.
"""

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence

from textclf.core.arrow import fingerprints
from textclf.core.errors import UserError
from textclf.core.quoting import quote_name, quote_value
from textclf.core.settings import ENTRY, suggest

PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
# Combinations of the words of one template.
MOST_COMBINATIONS = 100_000
# Texts in memory at a time, of which samples are chosen.
BLOCK = 1_000

# A text, or the two of a pair.
Texts = tuple[str, ...]


def slots_of(templates: Texts, slots: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the slots by first occurrence; `UserError` for one without list, or a lone brace."""
    names: dict[str, None] = {}
    for template in templates:
        for match in PART.finditer(template):
            if match[0] in {"{{", "}}"}:
                continue
            if match[0] in {"{", "}"}:
                text = quote_value(template)
                raise UserError(
                    f"must have a doubled brace ({match[0] * 2}) where it is no slot; got {text}"
                )
            if not ENTRY.fullmatch(match[1]) or match[1] not in slots:
                raise UserError(
                    f"must have slots with a list in slots; got {quote_name(match[0])}; "
                    f"{suggest(match[1], slots)}"
                )
            names[match[1]] = None
    return list(names)


def count_combinations(templates: Texts, slots: Mapping[str, Sequence[str]]) -> int:
    """Return the number of combinations of words; `UserError` as `slots_of`, and if too many."""
    number = math.prod(len(slots[name]) for name in slots_of(templates, slots))
    if number > MOST_COMBINATIONS:
        raise UserError(
            f"must have at most {MOST_COMBINATIONS:,} combinations of words; got {number:,}; "
            "use fewer slots"
        )
    return number


def expand(
    templates: Texts, slots: Mapping[str, Sequence[str]], samples: int | None = None, seed: int = 0
) -> Iterator[Texts]:
    """Yield the texts of templates that are filled together, for every combination of words.

    The last slot changes fastest. With `samples`, only so many: those whose texts have the smallest
    MurmurHash3 by the seed, in the same order, so that a longer list changes few of them. Raises
    `UserError` as `count_combinations`.
    """
    number = count_combinations(templates, slots)
    names = slots_of(templates, slots)

    def filled() -> Iterator[Texts]:
        for words in itertools.product(*(slots[name] for name in names)):
            yield tuple(
                _fill(template, dict(zip(names, words, strict=True))) for template in templates
            )

    if samples is None or samples >= number:
        yield from filled()
        return
    texts = filled()
    hashes: list[int] = []
    while block := ["\0".join(pair) for pair in itertools.islice(texts, BLOCK)]:
        hashes += fingerprints(block, seed).tolist()
    chosen = set(sorted(range(number), key=lambda n: (hashes[n], n))[:samples])
    yield from (pair for n, pair in enumerate(filled()) if n in chosen)


def _fill(template: str, words: Mapping[str, str]) -> str:
    return PART.sub(
        lambda match: match[0][0] if match[0] in {"{{", "}}"} else words[match[1]], template
    )
