"""The slices of the test rows: by values of the user's columns, class, and properties of texts."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from textclf.artifacts.label_sets import is_multilabel
from textclf.artifacts.shards import Shards
from textclf.artifacts.splits import open_slices
from textclf.core.arrow import count_lengths
from textclf.core.display import visible
from textclf.core.files import SLICE
from textclf.core.formatting import count_noun, join_names
from textclf.core.workers import local_pool
from textclf.evaluate.slices import names
from textclf.evaluate.slices.names import CLASS, UNKNOWN, WORDS
from textclf.evaluate.split_clusters import IdDigest

# The slices of a column are those of its most frequent values; sums are kept of each.
MOST_VALUES = 200
# A column with more distinct values has no slices: it is an id rather than a property.
MOST_DISTINCT = 100_000
# A value with more characters is no slice: it is a text rather than a property.
LONGEST = 100
# With more bytes of training texts, the unknown words of the test texts are not looked for.
MOST_BYTES = 2**26
# The fewest rows of a slice, and of the other rows.
FEWEST_ROWS = 10
Codes = NDArray[np.int8]  # position of each row's value in the values of a family
OfTexts = Callable[[pa.ChunkedArray], Codes]
# How often the texts of a shard are in memory while its slices are found.
COPIES = 8

# The most words of a text in each band; the last one has no end.
WORD_ENDS = (4, 8, 16, 32, 64, 128, 256)
WORD_BANDS = (
    "1 to 4",
    "5 to 8",
    "9 to 16",
    "17 to 32",
    "33 to 64",
    "65 to 128",
    "129 to 256",
    "257 or more",
)
# The largest share of unknown words in each band; the last one has no end.
SHARE_ENDS = (0.0, 0.1, 0.25)
SHARE_BANDS = ("none", "up to 10%", "10% to 25%", "more than 25%")
NO_YES = ("no", "yes")
# RE2, whose \b knows ASCII alone. English; what is written without an apostrophe counts too.
BEFORE, AFTER = r"(^|[^\p{L}\p{N}_])", r"([^\p{L}\p{N}_]|$)"
NEGATION_PATTERN = (
    rf"(?i){BEFORE}(no|not|never|none|nobody|nothing|nowhere|neither|nor|cannot|without"
    rf"|(ai|are|ca|could|did|do|does|had|has|have|is|should|was|were|wo|would)nt){AFTER}"
    rf"|n['\x{{2019}}]t{AFTER}"
)
CAPITALS_PATTERN = rf"{BEFORE}\p{{Lu}}{{3,}}{AFTER}"
DIGITS_PATTERN = r"\p{Nd}"
WORD = re.compile(rb"[0-9a-z\x80-\xff]+")
PATTERNS = {
    names.NEGATION: NEGATION_PATTERN,
    names.CAPITALS: CAPITALS_PATTERN,
    names.DIGITS: DIGITS_PATTERN,
}


@dataclass(frozen=True)
class Family:
    """Slices by one property; `codes` (rows,) are positions in `values`, -1 for none of them."""

    name: str
    values: tuple[str, ...]
    codes: NDArray[np.integer[Any]]

    def slices(self) -> Iterator[tuple[int, str]]:
        """Yield the position and the name of each slice, as the gate of params.yaml names it."""
        for place, value in enumerate(self.values):
            yield place, f"{self.name}={value}"


@dataclass(frozen=True)
class Membership:
    """The slices of the test rows, in the order of the split.

    `ids` is the digest of the ids of the rows. `left_out` counts the values of each column that are
    no slices.
    """

    families: tuple[Family, ...]
    ids: bytes
    rows: int
    left_out: Mapping[str, int] = field(default_factory=dict)


def count_left_out(left_out: Mapping[str, int]) -> str:
    """Return how many values are no slices by column, "" for none."""
    counts = left_out.items()
    return join_names(
        [f"{count_noun(number, 'value')} of {visible(name)}" for name, number in counts]
    )


def describe_left_out(left_out: Mapping[str, int]) -> str:
    """Return how many values are no slices and why, as the end of a sentence; "" for none."""
    values = count_left_out(left_out)
    why = (
        f"fewer than {FEWEST_ROWS} rows of them or of the others, "
        f"more than {LONGEST} characters, or not among the {MOST_VALUES} most frequent"
    )
    return f"{values} ({why})" if values else ""


def find_membership(splits: Path) -> Membership:
    """Return the slices of the test rows of a folder of splits."""
    return membership_of(open_slices(splits, "test"), open_slices(splits, "train"))


def membership_of(
    shards: Shards[pa.Table] | Sequence[pa.Table], train: Shards[pa.Table] | Sequence[pa.Table]
) -> Membership:
    """Return the slices of the test rows, from the shards of both splits.

    A process has one shard at a time. A family whose rows are all alike is left out, and slices and
    values that are too rare, as the constants here say. Shares of unknown words need the words of
    the training rows, so they are left out if these are in several shards or larger than
    `MOST_BYTES`. With several labels per text there are no slices by label: texts with more labels
    are harder, and classes.csv has the metrics of each label.
    """
    bands: dict[str, tuple[str, ...]] = {WORDS: WORD_BANDS}
    functions: dict[str, OfTexts] = {WORDS: by_words}
    for name, pattern in PATTERNS.items():
        bands[name], functions[name] = NO_YES, partial(by_pattern, pattern=pattern)
    if len(train) == 1:
        texts = next(iter(train))["text"]
        if texts.nbytes <= MOST_BYTES:
            bands[UNKNOWN] = SHARE_BANDS
            functions[UNKNOWN] = partial(by_unknown_words, known=words_of(texts))
    reads = [table.slice for table in shards] if not isinstance(shards, Shards) else shards.readers
    memory = COPIES * reads[0]()["text"].nbytes if len(reads) > 1 else 0
    with local_pool(len(reads), memory) as pool:
        parts = pool.map(_of_shard, [(read, functions) for read in reads], "find slices")
    columns: dict[str, list[pa.DictionaryArray]] = {}
    codes: dict[str, list[Codes]] = {name: [] for name in bands}
    ids, rows = IdDigest(), 0
    for of_ids, of_columns, of_texts in parts:
        ids.add(of_ids)
        rows += len(of_ids)
        for name, chunks in of_columns.items():
            columns.setdefault(name, []).extend(chunks)
        for name, own in of_texts.items():
            codes[name].append(own)
    families, left_out = [], {}
    for name, chunks in sorted(columns.items(), key=lambda pair: pair[0] == "label"):
        title = CLASS if name == "label" else name.removeprefix(SLICE)
        frequent, distinct = frequent_values(title, chunks)
        families.append(keep_large(frequent))
        dropped = distinct - len(families[-1].values)
        if dropped:
            left_out[title] = dropped
    families += [
        keep_large(Family(name, bands[name], np.concatenate(own)))
        for name, own in codes.items()
        if own
    ]
    not_empty = tuple(family for family in families if family.values)
    return Membership(not_empty, ids.digest(), rows, left_out)


def _of_shard(
    read: Callable[[], pa.Table], functions: Mapping[str, OfTexts]
) -> tuple[pa.ChunkedArray, dict[str, list[pa.DictionaryArray]], dict[str, Codes]]:
    """Return the ids of a shard, the values of its columns, and the codes of its texts."""
    table = read()
    sliced = [name for name in table.column_names if name.startswith(SLICE)]
    if not is_multilabel(table):
        sliced.insert(0, "label")
    columns = {name: table[name].dictionary_encode().chunks for name in sliced}
    codes = {name: function(table["text"]) for name, function in functions.items()}
    return table["id"], columns, codes


def keep_large(family: Family) -> Family:
    """Return a family with those of its slices that have enough rows in them and outside."""
    counts = np.bincount(family.codes + 1, minlength=len(family.values) + 1)[1:]
    others = len(family.codes) - counts
    large = np.flatnonzero((counts >= FEWEST_ROWS) & (others >= FEWEST_ROWS))
    places = np.full(len(family.values) + 1, -1, family.codes.dtype)  # the last one is that of -1
    places[large] = np.arange(len(large))
    values = tuple(family.values[place] for place in large.tolist())
    return Family(family.name, values, places[family.codes])


def frequent_values(name: str, column: Sequence[pa.DictionaryArray]) -> tuple[Family, int]:
    """Return the slices of the most frequent values of a column, and how many values it has.

    The slices are sorted by value. There are no slices if it has too many values.
    """
    chunks = pa.chunked_array(column, pa.dictionary(pa.int32(), pa.string()))
    encoded = chunks.unify_dictionaries().combine_chunks()
    codes, values = encoded.indices.to_numpy(), encoded.dictionary.to_pylist()
    if len(values) > MOST_DISTINCT:
        return Family(name, (), np.full(len(codes), -1, np.int16)), len(values)
    counts = np.bincount(codes, minlength=len(values)).tolist()
    short = [
        place
        for place, value in enumerate(values)
        if len(value) <= LONGEST and counts[place] >= FEWEST_ROWS
    ]
    by_frequency = sorted(short, key=lambda place: (-counts[place], values[place]))
    chosen = sorted(by_frequency[:MOST_VALUES], key=values.__getitem__)
    places = np.full(len(values), -1, np.int16)
    places[chosen] = np.arange(len(chosen))
    return Family(name, tuple(values[place] for place in chosen), places[codes]), len(values)


def by_words(texts: pa.ChunkedArray) -> Codes:
    """Return the band of the number of words of each text, separated by white space: (texts,)."""
    return np.searchsorted(WORD_ENDS, count_lengths(texts)[0]).astype(np.int8)


def by_pattern(texts: pa.ChunkedArray, pattern: str) -> Codes:
    """Return 1 for each text in which a regular expression of RE2 matches, else 0: (texts,)."""
    matches: NDArray[np.bool_] = pc.match_substring_regex(texts, pattern).to_numpy()
    return matches.astype(np.int8)


def words_of(texts: pa.ChunkedArray) -> set[bytes]:
    """Return the distinct words of all texts."""
    return {word for text in texts.to_pylist() for word in _words(text)}


def by_unknown_words(texts: pa.ChunkedArray, known: Set[bytes]) -> Codes:
    """Return the band of the share of each text's words, as `words_of`, that are not `known`."""
    shares = [
        sum(word not in known for word in words) / max(len(words), 1)
        for words in map(_words, texts.to_pylist())
    ]
    return np.searchsorted(SHARE_ENDS, shares).astype(np.int8)


def _words(text: str) -> list[bytes]:
    """Return the words of a text in lower case and UTF-8.

    They are runs of letters, digits and characters beyond ASCII.
    """
    return WORD.findall(text.encode().lower())
