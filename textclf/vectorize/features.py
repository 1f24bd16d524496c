"""Texts as vectors: counts, presence or tf-idf of words and letters, and the files that carry them.

The vectors are those of scikit-learn's vectorizers to the bit, as tests/unit/test_features.py holds them to. They are
made here without it, since its import takes longer than all that a stage or a prediction then does with it.

Rows in shards are read once: each shard becomes counts of its own terms, which lie in a scratch folder, the terms of
the training shards are added up, and each shard's counts move to the columns that were learned. Shards are independent,
so that they are done on all cores; sums of integers and sorted terms are the same in whatever order they come.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from itertools import chain, count, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, get_index_dtype, hstack, vstack

from textclf.artifacts import shards
from textclf.core import workers
from textclf.core.errors import UserError
from textclf.core.files import read_json, reading, write_json
from textclf.params import Vectorize
from textclf.vectorize.analysis import Analyze, analyzer

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

LETTERS = 6  # of a word and the space behind it, about
VECTORIZER = "vectorizer.json"  # beside the features: what made them
UNKNOWN = -1  # the column of a term that the vocabulary does not have
ENOUGH = 1_000_000  # terms to wait for before they are added up

Lookup = Callable[[Iterable[str]], Iterable[int]]  # the column of each term


@dataclass(frozen=True)
class Features:
    """The rows of one split as a model sees them.

    `ids` (rows,) text; `X` (rows, features) CSR with sorted indices, the weight of each term, not negative: int64
    counts or presence, float64 tf-idf; `y` (rows,) int64, the position of each row's label in `classes`; `classes`
    (classes,) text, in their order.
    """

    ids: NDArray[np.str_]
    X: csr_array
    y: NDArray[np.int64]
    classes: NDArray[np.str_]


@dataclass(frozen=True)
class Part:
    """The columns of one analyzer: its terms in order, or None where they are hashed; their idf in tf-idf."""

    analyzer: str
    columns: int
    vocabulary: list[str] | None
    idf: list[float] | None


class Vectorizer:
    """A fitted vectorizer: the settings and, for each analyzer, side by side, what it learned from the training rows.

    It transforms as scikit-learn's CountVectorizer, TfidfVectorizer and HashingVectorizer do, and a FeatureUnion of
    them where the analyzer names two; hashed terms have no sign, since naive Bayes takes none.
    """

    def __init__(self, settings: Vectorize, parts: Sequence[Part]) -> None:
        """Keep both; `fit` and `read_vectorizer` make one."""
        self.settings = settings
        self.parts = tuple(parts)

    @classmethod
    def fit(cls, texts: Iterable[str], settings: Vectorize) -> "Vectorizer":
        """What is learned from the training texts; `UserError` if no term is left."""
        texts = list(texts)
        parts = []
        for name in settings.analyzer.split("+"):
            terms, _ = _met(texts, analyzer(name, settings), settings)
            parts.append(_learned(name, terms, len(texts), settings))
        return cls(settings, parts)

    def transform(self, texts: Iterable[str]) -> csr_array:
        """The texts as vectors, as `Features.X`."""
        texts = list(texts)
        return _beside([block.transform(texts) for block in self._blocks])

    @cached_property
    def _blocks(self) -> "list[_Block]":
        """What makes the columns of each part, ready once for every call of `transform`."""
        return [_Block(part, self.settings) for part in self.parts]

    def terms(self) -> list[str]:
        """The term of each column; of two analyzers each with its name before it, and hashed ones numbered."""
        names = []
        for part in self.parts:
            prefix = f"{part.analyzer}__" if len(self.parts) > 1 else ""
            terms = [f"hash_{number}" for number in range(part.columns)] if part.vocabulary is None else part.vocabulary
            names += [prefix + term for term in terms]
        return names

    def named(self, text: str) -> dict[int, str]:
        """The terms of a text by their columns, named as in `terms`, hashed ones too; of two in a column both."""
        names: dict[int, str] = {}
        start = 0
        for part, block in zip(self.parts, self._blocks, strict=True):
            prefix = f"{part.analyzer}__" if len(self.parts) > 1 else ""
            for term, column in block.columns(text).items():
                if column != UNKNOWN:
                    place = start + column
                    names[place] = f"{names[place]} | {term}" if place in names else prefix + term
            start += part.columns
        return names

    def content(self) -> dict[str, Any]:
        """All there is to it, as JSON has it."""
        return {"settings": self.settings.model_dump(), "parts": [vars(part) for part in self.parts]}

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Vectorizer":
        """The vectorizer of such a content."""
        return cls(Vectorize.model_validate(content["settings"]), [Part(**part) for part in content["parts"]])


class _Block:
    """A part at work: the columns that one analyzer gives of any texts."""

    def __init__(self, part: Part, settings: Vectorize) -> None:
        self.analyze = analyzer(part.analyzer, settings)
        self.settings = settings
        self.width = part.columns
        self.vocabulary = None if part.vocabulary is None else dict(zip(part.vocabulary, count(), strict=False))
        self.idf = None if part.idf is None else np.array(part.idf)

    def lookup(self) -> Lookup:
        return _hashed(self.width) if self.vocabulary is None else _known(self.vocabulary)

    def columns(self, text: str) -> dict[str, int]:
        """The column of each of a text's terms, `UNKNOWN` where it has none."""
        terms = list(dict.fromkeys(self.analyze(text)))
        return dict(zip(terms, self.lookup()(terms), strict=True))

    def transform(self, texts: Iterable[str]) -> csr_array:
        columns, lengths = _columns(texts, self.analyze, self.lookup())
        counts = _counts(columns, lengths, self.width, self.settings)
        return counts if self.idf is None else _tfidf(counts, self.idf, self.settings)


# What is learned


def _met(texts: Iterable[str], analyze: Analyze, settings: Vectorize) -> "tuple[pa.Table, csr_array]":
    """The terms that stand in the texts, and how often each stands in each text (texts, terms), or that it does.

    The terms are sorted, by code point, or are the columns that they are hashed into: `term`, `rows` in which it
    stands, and the sum of its counts, `times`.
    """
    import pyarrow as pa

    if settings.hashing is not None:
        columns, lengths = _columns(texts, analyze, _hashed(settings.hashing))
        met_columns, places = np.unique(columns, return_inverse=True)
        terms = pa.array(met_columns, pa.int32())
    else:
        met: defaultdict[str, int] = defaultdict(count().__next__)  # numbered as they are met
        columns, lengths = _columns(texts, analyze, partial(map, met.__getitem__))
        ordered = sorted(met)
        place = np.empty(len(ordered), dtype=np.int64)
        place[[met[term] for term in ordered]] = np.arange(len(ordered))
        places = place[columns]
        terms = pa.array(ordered, pa.string())
    counts = _counts(places, lengths, len(terms), settings)
    rows = np.bincount(counts.indices, minlength=len(terms))
    times = np.bincount(counts.indices, counts.data, minlength=len(terms)).astype(np.int64)  # exact below 2^53
    return pa.table({"term": terms, "rows": rows, "times": times}), counts


def _added_up(tables: "Iterable[pa.Table]") -> "pa.Table":
    """The terms of all tables of `_met`, as it would give them for all texts at once.

    They are added up whenever as many have come again, so that memory holds a few times all different terms, however
    many tables there are, and no term is looked at more than a few times.
    """
    import pyarrow as pa

    whole: pa.Table | None = None
    waiting: list[pa.Table] = []

    def add() -> pa.Table:
        terms = pa.concat_tables(waiting if whole is None else [whole, *waiting])
        sums = terms.group_by("term", use_threads=False).aggregate([("rows", "sum"), ("times", "sum")])
        waiting.clear()
        return sums.select(["term", "rows_sum", "times_sum"]).rename_columns(["term", "rows", "times"])

    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= max(ENOUGH, 0 if whole is None else len(whole)):
            whole = add()
    return (add() if waiting or whole is None else whole).sort_by("term")


def _learned(name: str, terms: "pa.Table", rows: int, settings: Vectorize) -> Part:
    """The columns of an analyzer, from the terms of all training texts; `UserError` if none is left."""
    frequencies = terms["rows"].to_numpy()
    if settings.hashing is not None:
        if settings.weighting != "tfidf":
            return Part(name, settings.hashing, None, None)
        every = np.zeros(settings.hashing, dtype=np.int64)
        every[terms["term"].to_numpy()] = frequencies
        return Part(name, settings.hashing, None, _idf(every, rows))
    try:
        kept = _kept(frequencies, terms["times"].to_numpy(), rows, settings)
    except ValueError as error:
        raise UserError(f"no vocabulary under the settings of vectorize: {error}") from error
    idf = _idf(frequencies[kept], rows) if settings.weighting == "tfidf" else None
    return Part(name, len(kept), terms["term"].take(kept).to_pylist(), idf)


def _kept(
    frequencies: NDArray[np.int64], times: NDArray[np.int64], rows: int, settings: Vectorize
) -> NDArray[np.int64]:
    """The terms that are neither too rare nor too common, ascending; the most frequent, if they are too many.

    `ValueError`, in the words of scikit-learn, if there are none.
    """
    if not len(frequencies):
        raise ValueError("empty vocabulary; perhaps the documents only contain stop words")
    low, high = (
        limit if isinstance(limit, int) else limit * rows  # 1 is one row, 1.0 all of them
        for limit in (settings.min_df, settings.max_df)
    )
    if high < low:
        raise ValueError("max_df corresponds to < documents than min_df")
    kept = np.flatnonzero((frequencies >= low) & (frequencies <= high))
    if settings.max_features is not None and len(kept) > settings.max_features:
        # Which of equally frequent terms are kept is left to the sort, so it is the very one of scikit-learn.
        kept = np.sort(kept[(-times[kept]).argsort()[: settings.max_features]])
    if not len(kept):
        raise ValueError("After pruning, no terms remain. Try a lower min_df or a higher max_df.")
    return kept


def _idf(frequencies: NDArray[np.int64], rows: int) -> list[float]:
    """The inverse document frequency of each column, as if one more text had every term: ln((1 + n) / (1 + df)) + 1."""
    return [float(weight) for weight in np.log((rows + 1.0) / (frequencies + 1.0)) + 1.0]


# Columns of terms


def _known(vocabulary: dict[str, int]) -> Lookup:
    return lambda terms: map(vocabulary.get, terms, repeat(UNKNOWN))


def _hashed(width: int) -> Lookup:
    """The columns of hashed terms: the absolute value of MurmurHash3, 32 bits, of their UTF-8, modulo the width.

    Weinberger et al. (2009), ICML, 1113-1120, doi:10.1145/1553374.1553516, but for their second hash, that of the sign
    of a weight. What is met twice in a call is hashed once.
    """
    from mmh3 import hash as murmur

    # -2^31 has no absolute value among C's integers of 32 bits; scikit-learn gives it the same column by hand.
    return partial(map, cache(lambda term: abs(murmur(term)) % width))


# Vectors


def _columns(texts: Iterable[str], analyze: Analyze, lookup: Lookup) -> tuple[NDArray[np.int32], list[int]]:
    """The columns of all terms of the texts, one text after the other, and the number of terms of each.

    The terms of a text are gone when the next one's come, so that memory holds four bytes a term.
    """
    lengths: list[int] = []

    def terms() -> Iterator[list[str]]:
        for text in texts:
            found = analyze(text)
            lengths.append(len(found))
            yield found

    return np.fromiter(lookup(chain.from_iterable(terms())), dtype=np.int32), lengths


def _counts(
    columns: NDArray[np.int32] | NDArray[np.int64], lengths: list[int], width: int, settings: Vectorize
) -> csr_array:
    """How often each column stands among those of each text, or that it does (rows, width)."""
    rows = np.repeat(np.arange(len(lengths)), lengths)
    cells = (rows * width + columns)[columns != UNKNOWN]  # each numbered, row by row
    kind = get_index_dtype(maxval=len(columns))  # as scikit-learn chooses it
    cells.sort()
    first = np.flatnonzero(np.diff(cells, prepend=-1))
    times = np.ones(len(first), dtype=np.int64) if settings.weighting == "binary" else np.diff(first, append=len(cells))
    cells = cells[first]
    starts = np.searchsorted(cells, np.arange(len(lengths) + 1) * width)
    cells -= np.repeat(np.arange(len(lengths)) * width, np.diff(starts))
    return csr_array((times, cells.astype(kind), starts.astype(kind)), shape=(len(lengths), width))


def _moved(counts: csr_array, columns: NDArray[np.int32], width: int) -> csr_array:
    """The counts with each column at another place, in the same order, or gone where that is `UNKNOWN`."""
    indices = columns[counts.indices]
    known = indices != UNKNOWN
    before = np.zeros(len(known) + 1, dtype=counts.indptr.dtype)
    np.cumsum(known, out=before[1:])
    shape = (counts.shape[0], width)
    return csr_array((counts.data[known].astype(np.int64), indices[known], before[counts.indptr]), shape=shape)


def _tfidf(counts: csr_array, idf: NDArray[np.float64], settings: Vectorize) -> csr_array:
    """Counts, or one more than their logarithms, times idf; each row is then of length 1, unless it is empty."""
    weights = counts.data.astype(np.float64)
    if settings.sublinear_tf:
        # The C library's logarithm, which no worker's CPU changes; numpy's is pinned where it is loaded after textclf.
        different, place = np.unique(counts.data, return_inverse=True)
        weights = np.array([math.log(number) + 1.0 for number in different.tolist()])[place]
    weights *= idf[counts.indices]
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    # bincount adds from left to right, as scikit-learn does; other sums of numpy add in pairs.
    norms = np.sqrt(np.bincount(rows, weights**2, minlength=counts.shape[0]))
    return csr_array((weights / norms[rows], counts.indices, counts.indptr), shape=counts.shape)


# Splits as features


def vectorize(
    splits: "Mapping[str, pd.DataFrame]", settings: Vectorize, classes: Sequence[str]
) -> tuple[dict[str, Features], Vectorizer]:
    """Features of each split, and the vectorizer, which has seen the training rows alone.

    `classes` are those of all labels, in order. `UserError` if no term is left.
    """
    vectorizer = Vectorizer.fit(splits["train"]["text"], settings)
    names = np.array(classes, dtype=str)
    features = {}
    for split, rows in splits.items():
        y = _positions(rows["label"], classes)
        features[split] = Features(rows["id"].to_numpy(dtype=str), vectorizer.transform(rows["text"]), y, names)
    return features, vectorizer


def vectorize_shards(
    sources: Mapping[str, Sequence[Path]], settings: Vectorize, classes: Sequence[str], folder: Path, scratch: Path
) -> dict[str, dict[str, int]]:
    """The shape of each split, as of `shape`; in `folder` features of its shards and the vectorizer, as `vectorize`.

    `sources` are the Parquet files of each split. `folder` and `scratch` lie in one file system; scratch, in which a
    few bytes a term are left, is to be removed.
    """
    chosen = settings.model_dump()
    with workers.pool(sum(map(len, sources.values()))) as pool:
        if pool.client is not None:  # a worker may be in another folder
            sources = {name: [path.absolute() for path in pieces] for name, pieces in sources.items()}
            folder, scratch = folder.absolute(), scratch.absolute()
        paths = list(chain.from_iterable(sources.values()))
        rows = dict(
            zip(paths, pool.map(count_shard, [(path, chosen, scratch) for path in paths], "count terms"), strict=True)
        )
        parts = []
        for number, name in enumerate(settings.analyzer.split("+")):
            tables = (_load_table(scratch / f"{path.stem}-{number}.terms") for path in sources["train"])
            parts.append(_learned(name, _added_up(tables), sum(rows[path] for path in sources["train"]), settings))
            _save_columns(parts[-1], scratch / f"{number}.columns")
        write_vectorizer(Vectorizer(settings, parts), folder / VECTORIZER)
        tasks = [(path, chosen, list(classes), scratch, folder / f"{path.stem}.npz") for path in paths]
        shapes = dict(zip(paths, pool.map(finish_shard, tasks, "vectorize"), strict=True))
    return {
        name: {
            "rows": sum(rows[path] for path in pieces),
            "features": sum(part.columns for part in parts),
            "nonzeros": sum(shapes[path]["nonzeros"] for path in pieces),
        }
        for name, pieces in sources.items()
    }


def needs(sources: Mapping[str, Sequence[Path]], settings: Vectorize) -> tuple[int, int, int, int]:
    """About what `vectorize_shards` takes: rows, shards, and bytes of memory of a process and of disk.

    From the size of the texts: six letters a word, and as many n-grams of each length as there are words or letters.
    """
    import pyarrow.parquet as pq

    rows = letters = 0
    paths = list(chain.from_iterable(sources.values()))
    for path in paths:
        with reading(path):
            stored = pq.read_metadata(path)
        column = stored.schema.names.index("text")
        groups = map(stored.row_group, range(stored.num_row_groups))
        rows += stored.num_rows
        letters += sum(group.column(column).total_uncompressed_size for group in groups)
    ranges = {"word": settings.ngram_range, "char": settings.char_ngram_range, "char_wb": settings.char_ngram_range}
    terms = 0
    for name in settings.analyzer.split("+"):
        low, high = ranges[name]
        terms += (high - low + 1) * (letters // LETTERS if name == "word" else letters)
    # A shard's terms as Python has them; features and what is counted of them, ids and the like.
    return rows, len(paths), 100 * 2**20 + 20 * terms // len(paths), 100 * rows + 20 * terms


def count_shard(source: Path, chosen: Mapping[str, Any], scratch: Path) -> int:
    """The rows of a shard of a split; in `scratch` the terms of its texts, and how often each stands in each."""
    settings = Vectorize.model_validate(chosen)
    texts = _read_column(source, "text")
    for number, name in enumerate(settings.analyzer.split("+")):
        terms, counts = _met(texts, analyzer(name, settings), settings)
        _save_table(terms, scratch / f"{source.stem}-{number}.terms")
        with workers.whole(scratch / f"{source.stem}-{number}.npz", scratch) as path, path.open("wb") as file:
            data = counts.data.astype(np.int32)  # half of what is written
            np.savez(file, allow_pickle=False, data=data, indices=counts.indices, indptr=counts.indptr)
    return len(texts)


def finish_shard(
    source: Path, chosen: Mapping[str, Any], classes: Sequence[str], scratch: Path, target: Path
) -> dict[str, int]:
    """The shape of a shard's features, which are written to `target`."""
    import pyarrow.compute as pc

    settings = Vectorize.model_validate(chosen)
    blocks = []
    for number in range(len(settings.analyzer.split("+"))):
        terms = _load_table(scratch / f"{source.stem}-{number}.terms")["term"]
        columns = _load_table(scratch / f"{number}.columns")
        width = settings.hashing or len(columns)
        if settings.hashing is None:
            terms = pc.fill_null(pc.index_in(terms, value_set=columns["term"]), UNKNOWN)
        with np.load(scratch / f"{source.stem}-{number}.npz", allow_pickle=False) as stored:
            local = csr_array(
                (stored["data"], stored["indices"], stored["indptr"]), shape=(len(stored["indptr"]) - 1, len(terms))
            )
        counts = _moved(local, terms.to_numpy(), width)
        idf = columns["idf"].to_numpy() if settings.weighting == "tfidf" else None
        blocks.append(counts if idf is None else _tfidf(counts, idf, settings))
    features = Features(
        np.array(_read_column(source, "id"), dtype=str),
        _beside(blocks),
        _positions(_read_column(source, "label"), classes),
        np.array(classes, dtype=str),
    )
    with workers.whole(target, scratch) as path:
        write(features, path)
    return shape(features)


def _beside(blocks: Sequence[csr_array]) -> csr_array:
    return blocks[0] if len(blocks) == 1 else csr_array(hstack(blocks, format="csr"))


def _positions(labels: Iterable[str], classes: Sequence[str]) -> NDArray[np.int64]:
    position = {name: number for number, name in enumerate(classes)}
    return np.array([position[label] for label in labels], dtype=np.int64)


def _read_column(path: Path, name: str) -> list[str]:
    import pyarrow.parquet as pq

    with reading(path):
        values: list[str] = pq.read_table(path, columns=[name], partitioning=None)[name].to_pylist()
    return values


def _save_columns(part: Part, path: Path) -> None:
    """Write the columns of a part for the workers: `term` and `idf`, if it has them."""
    import pyarrow as pa

    columns = {} if part.vocabulary is None else {"term": pa.array(part.vocabulary, pa.string())}
    if part.idf is not None:
        columns["idf"] = pa.array(part.idf, pa.float64())
    _save_table(pa.table(columns), path)


def _save_table(table: "pa.Table", path: Path) -> None:
    import pyarrow as pa

    with (
        workers.whole(path, path.parent) as temporary,
        temporary.open("wb") as file,
        pa.ipc.new_file(file, table.schema) as writer,
    ):
        writer.write_table(table)


def _load_table(path: Path) -> "pa.Table":
    """The table, in pages of the file, which memory need not hold."""
    import pyarrow as pa

    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def shape(features: Features) -> dict[str, int]:
    """How many rows, features (columns) and nonzeros there are."""
    rows, columns = features.X.shape
    return {"rows": rows, "features": columns, "nonzeros": features.X.nnz}


def write(features: Features, path: Path) -> None:
    """Write the features of a split as an npz without pickles: arrays named as in `Features`, X as its parts."""
    X = features.X
    with path.open("wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            ids=features.ids,
            y=features.y,
            classes=features.classes,
            data=X.data,
            indices=X.indices,
            indptr=X.indptr,
            shape=np.array(X.shape, dtype=np.int64),
        )


def read(folder: Path) -> dict[str, Features]:
    """The features of each split in a folder, in the order of `SPLITS`; `UserError` if there are none."""
    return {name: together([read_shard(path) for path in paths]) for name, paths in shard_paths(folder).items()}


def shard_paths(folder: Path) -> dict[str, list[Path]]:
    """The shards of each split in a folder, in the order of `SPLITS`; `UserError` if there are none."""
    return shards.of_each_split(folder, ".npz")


class Shards:
    """The shards of a split, read one at a time, as often as they are iterated over."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Keep the paths; there is at least one."""
        self.paths = tuple(paths)

    def __iter__(self) -> Iterator[Features]:
        """The features of each shard in order."""
        return map(read_shard, self.paths)

    def __len__(self) -> int:
        """The number of shards."""
        return len(self.paths)

    def together(self) -> Features:
        """All of them as one, in memory."""
        return together(list(self))


def open_shards(folder: Path) -> dict[str, Shards]:
    """The shards of each split in a folder, in the order of `SPLITS`, not yet read; `UserError` if there are none."""
    return {name: Shards(paths) for name, paths in shard_paths(folder).items()}


def together(pieces: Sequence[Features]) -> Features:
    """The shards of a split as one."""
    if len(pieces) == 1:
        return pieces[0]
    X = csr_array(vstack([piece.X for piece in pieces], format="csr"))
    ids, y = (np.concatenate([getattr(piece, name) for piece in pieces]) for name in ("ids", "y"))
    return Features(ids, X, y, pieces[0].classes)


def read_shard(path: Path) -> Features:
    """The features of a shard; `UserError` if it is missing or damaged."""
    with reading(path), path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        X = csr_array((stored["data"], stored["indices"], stored["indptr"]), shape=tuple(stored["shape"]))
        return Features(stored["ids"], X, stored["y"], stored["classes"])


def write_vectorizer(vectorizer: Vectorizer, path: Path) -> None:
    """Write all there is to a vectorizer as JSON; its floats come back to the bit."""
    write_json(path, vectorizer.content())


def read_vectorizer(path: Path) -> Vectorizer:
    """The vectorizer that `write_vectorizer` wrote; `UserError` if it is missing or damaged."""
    content = read_json(path)
    with reading(path):
        return Vectorizer.of(content)
