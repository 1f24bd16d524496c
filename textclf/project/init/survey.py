"""What a labelled table holds: rows, classes, lengths, repeated texts and contradicting labels."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from textclf.core.arrow import array_of, count_lengths, hash_normalized
from textclf.core.files import COLUMN, SLICE, SPLITS, SUGGESTED
from textclf.core.writing_systems import MOST, is_unspaced
from textclf.evaluate.clusters import are_dependent, effective_sample_size
from textclf.export.languages import NAMES
from textclf.project.init.columns import FEW
from textclf.split.draw import link
from textclf.tables.corpus import Corpus
from textclf.tables.settings import Data

# Share of the rows that are drawn for testing, if the table gives no test rows.
TEST_SIZE = 0.25
# Classes with fewer rows than this on average have few.
FEW_PER_CLASS = 50
# A column tells the label if values that tell it have at least this share of the rows.
TELLING = 0.25
# A value tells the label if at least so many rows of other labels would be expected with it, and at
# most this share of these is there.
FEWEST_OTHERS = 10
MOST_OTHERS = 0.05
# About so many texts of a batch are a sample, whose language is detected.
SAMPLE = 200
# A tag of HTML or XML.
TAG = re.compile("</?[A-Za-z][^<>]*>")
# Characters of a text, and of all texts together, by which the language is detected.
READ = 1000
TEXT = 10_000
# Shares of the characters that texts of the language must have: alone, or if all texts together are
# of it too. Short texts are easily taken for another language.
ALONE, TOGETHER = 0.8, 0.6


@dataclass(frozen=True)
class Survey:
    """A table of labelled texts in numbers; texts that differ only in case and spaces are equal."""

    # Rows of each class, in order, without given test rows, which decide nothing; if texts have
    # several labels, rows with each.
    classes: dict[str, int]
    # Distinct texts of each class that are not given to test or validate; by first label.
    distinct: dict[str, int]
    repeated: int  # rows with the text of an earlier row
    conflicts: int  # texts with more than one label
    dropped: int  # rows without text or label, not counted in `classes`
    median_length: int  # of a text, in `unit`
    longest: int
    given: dict[str, int] = field(default_factory=dict)  # rows of each split that the table gives
    suggested: int = 0  # training rows that are never held out, as `textclf suggest` chose them
    slices: tuple[str, ...] = ()  # columns of data.slices of which some value has several labels
    # Whether each of data.columns tells the label.
    columns: Mapping[str, bool] = field(default_factory=dict)
    # The share of texts without spaces between words, as in `textclf.core.writing_systems`.
    unspaced: float = 0.0
    marked: float = 0.0  # the share of a sample of the texts that have markup, such as <p>
    language: str | None = None  # its name; None if it is not recognized or there are several
    characters: int = 0  # of all texts
    tested_characters: int = 0  # of given test rows
    unknown: int = 0  # rows of no class, which are counted nowhere else
    sets: int | None = None  # rows, if texts have several labels
    without_labels: int = 0  # rows
    unites: bool = False  # whether a text had several rows
    worth: float = 1.0  # independent rows that a test row is worth at least: `worth_of_rows`

    @property
    def rows(self) -> int:
        """The number of rows with text and label."""
        if self.sets is not None:
            return self.sets
        return sum(self.classes.values()) + self.given.get("test", 0)

    @property
    def untested(self) -> int:
        """The number of rows that train or validate: all but given test rows."""
        return self.rows - self.given.get("test", 0)

    @property
    def trained(self) -> float:
        """The number of rows that train or validate, once test rows are drawn if none are given."""
        return self.untested * (1 if "test" in self.given else 1 - TEST_SIZE)

    @property
    def has_few(self) -> bool:
        """Whether the classes have few rows."""
        return self.untested < FEW_PER_CLASS * len(self.classes)

    @property
    def choosing(self) -> int:
        """The number of rows that can be held out to choose by, or that validate.

        They are random rows: neither test rows nor those that `textclf suggest` chose.
        """
        return self.untested - self.suggested

    @property
    def untested_characters(self) -> int:
        """The characters of the rows that train or validate."""
        return self.characters - self.tested_characters

    @property
    def unit(self) -> str:
        """What the lengths of the texts count."""
        return "characters" if self.unspaced >= MOST else "words"


def survey(path: Path, settings: Data) -> Survey:
    """Return what the rows of a table hold, read as `settings` say; `UserError` as in `Corpus`."""
    corpus = Corpus(path, settings)
    corpus.layout = replace(corpus.layout, option="--")  # errors name the options of the command
    slices = [SLICE + name for name in settings.slices]
    columns = [COLUMN + name for name in settings.columns]
    rows, sample = _read(corpus, settings, (*slices, *columns, "group", "split"))
    unknown = rows["label"] == settings.unknown
    rows = rows[~unknown]
    suggested = 0
    if "split" in rows:
        is_suggested = rows["split"] == SUGGESTED
        suggested = int(is_suggested.sum())
        rows["split"] = rows["split"].astype(object).mask(is_suggested, "train")
    first = rows.drop_duplicates("text")
    learned = rows[rows["split"] == "train"] if "split" in rows else rows
    learned = learned.drop_duplicates("text")
    untested = rows[rows["split"] != "test"] if "split" in rows else rows
    counts = _count(untested["label"], settings.multilabel)
    distinct = _count(learned["label"], settings.multilabel)
    labels_per_text = rows.drop_duplicates(["text", "label"])["text"].value_counts()
    unspaced = float(rows["unspaced"].mean())
    length = rows["characters" if unspaced >= MOST else "words"]
    varied = []  # slices of which some value has several labels
    for name in slices:
        pairs = rows.drop_duplicates([name, "label"])
        if pairs[name].duplicated().any():
            varied.append(name.removeprefix(SLICE))
    given = [split for split in SPLITS if split in corpus.given]
    return Survey(
        classes={name: counts[name] for name in corpus.classes},
        distinct={name: distinct[name] for name in corpus.classes},
        repeated=len(rows) - len(first),
        conflicts=int((labels_per_text > 1).sum()),
        dropped=corpus.dropped["rows"],
        median_length=int(length.median()),
        longest=int(length.max()),
        given={split: int((rows["split"] == split).sum()) for split in given},
        suggested=suggested,
        slices=tuple(varied),
        columns={
            name.removeprefix(COLUMN): tells_label(rows[name], rows["label"]) for name in columns
        },
        unspaced=unspaced,
        marked=float(np.mean([TAG.search(text) is not None for text in sample])),
        language=detect_language(sample),
        characters=int(rows["characters"].sum()),
        tested_characters=int(rows["characters"].sum() - untested["characters"].sum()),
        unknown=int(unknown.sum()),
        sets=len(rows) if settings.multilabel else None,
        without_labels=int((untested["label"] == "[]").sum()),
        unites=len(rows) < corpus.count - corpus.dropped["rows"],
        worth=worth_of_rows(rows[rows["split"] == "test"] if "test" in corpus.given else rows),
    )


def _read(
    corpus: Corpus, settings: Data, described: Sequence[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Return what is counted of each row, with the described columns, and a sample of the texts."""
    parts: list[pd.DataFrame] = []
    sample: list[str] = []
    batches: Iterable[pa.RecordBatch] = corpus
    if settings.multilabel and settings.id is not None:  # rows of one text are united in memory
        corpus.load()
        batches = corpus.table.to_batches()
    for batch in batches:
        texts = batch["text"].to_pylist()
        part = {
            name: batch[name].dictionary_encode().to_pandas()
            for name in described
            if name in batch.schema.names
        }
        labels = batch["label"]
        if settings.multilabel:
            labels = array_of(list(map(json.dumps, labels.to_pylist())))
        part["label"] = labels.dictionary_encode().to_pandas()
        sample += texts[:: max(len(texts) // SAMPLE, 1)]
        part["text"] = hash_normalized(batch["text"])
        part["words"], part["characters"] = count_lengths(batch["text"])
        part["unspaced"] = list(map(is_unspaced, texts))
        parts.append(pd.DataFrame(part))
    return pd.concat(parts), sample


def tells_label(values: "pd.Series[Any]", labels: "pd.Series[Any]") -> bool:
    """Return whether many rows have a value that comes with one label alone beyond chance.

    Numbers with many distinct values are taken in ranges.
    """
    written = values.astype(str)
    if values.nunique() > FEW:
        ranks = pd.to_numeric(written, errors="coerce").rank(pct=True)
        ranges = ranks * min(FEW, len(values) // (4 * FEWEST_OTHERS))
        written = ranges.fillna(-1).astype(int).astype(str)
    counts = pd.crosstab(written, labels.astype(str))
    rows, label = counts.sum(axis=1), counts.idxmax(axis=1)
    expected = rows * (1 - label.map(counts.sum() / len(labels)))  # rows of other labels
    telling = (expected >= FEWEST_OTHERS) & (rows - counts.max(axis=1) <= MOST_OTHERS * expected)
    return bool(rows[telling].sum() >= TELLING * len(labels))


def worth_of_rows(rows: pd.DataFrame) -> float:
    """Return the number of independent rows that a row is worth.

    Rows of one text or group are taken to be right or wrong together. `rows` has the columns text
    and, optionally, group.
    """
    clusters = pd.factorize(rows["text"])[0]
    if "group" in rows:
        clusters = link(pd.factorize(rows["group"])[0], clusters)
    sizes = np.bincount(clusters)
    return effective_sample_size(sizes) / len(rows) if are_dependent(sizes) else 1.0


def _count(labels: "pd.Series[Any]", several: bool) -> Counter[str]:
    """Return the number of rows of each label; with `several`, a row has the JSON of its labels."""
    counts: Counter[str] = Counter()
    for label, rows in labels.value_counts().items():
        counts.update(dict.fromkeys(json.loads(str(label)) if several else [str(label)], int(rows)))
    return counts


def detect_language(texts: Sequence[str]) -> str | None:
    """Return the English name of the language of most texts.

    Return None if the language has too few of the characters, or no name here.
    """
    import py3langid

    characters: Counter[str] = Counter()
    for text in texts:
        characters[py3langid.classify(text[:READ])[0]] += len(text[:READ])
    if not characters:
        return None
    code, most = characters.most_common(1)[0]
    needed = TOGETHER if py3langid.classify(" ".join(texts)[:TEXT])[0] == code else ALONE
    return NAMES.get(code) if most >= needed * characters.total() else None
