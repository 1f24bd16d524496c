"""The command `textclf suggest`: choose texts of a pool to label next, and write them to a file."""

import copy
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.artifacts import conformal, external, splits
from textclf.artifacts.decisions import INDEX, Decision
from textclf.artifacts.features import DENSE
from textclf.core.arrow import as_array, fingerprints, hash_normalized
from textclf.core.errors import UserError
from textclf.core.files import COLUMN, DIGITS
from textclf.core.formatting import count_noun
from textclf.core.quoting import list_names
from textclf.core.settings import PARAMS_FILE, load_section
from textclf.core.text_row import TextRow
from textclf.label.arguments import Suggest
from textclf.label.rows import COLUMNS, SPLITS, TABLE, Row, cell_of, write_rows
from textclf.predict.inputs import TextBatch, read_table
from textclf.predict.predictor import Predictor, load
from textclf.predict.sources import Source, layout_of_table, require_valid
from textclf.tables import labelled
from textclf.tables.columns import column_names
from textclf.tables.copies import SIMILAR, NearCopies, list_words
from textclf.tables.given import layout_of
from textclf.tables.layout import Layout
from textclf.tables.settings import Data
from textclf.vectorize.remembered import Remembering
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

MODELS = Path("models")
CANDIDATES = 5000  # texts that are compared and, with an encoder, encoded
LARGEST = 2**64 - 1  # hash
RANDOM, DIVERSE, UNCERTAIN = "random", "diverse", "uncertain"
TERMS = Terms(weighting="tfidf", sublinear_tf=True, hashing=2**16)
COMPONENTS = 64  # of tf-idf


def run(arguments: Suggest) -> None:
    """Write the file to label, and print what is in it."""
    rows, seed, output = arguments.rows, arguments.seed, arguments.output
    random = min(rows, max(5, round(rows / 10))) if arguments.random is None else arguments.random
    limits = {
        "rows": (rows, 1, CANDIDATES),
        "random": (random, 0, rows),
        "seed": (seed, 0, 2**32 - 1),
    }
    for name, (value, least, most) in limits.items():
        if not least <= value <= most:
            raise UserError(f"--{name} must be from {least} to {most}; got {value}")
    taken = UserError(
        f"--output must be a new file; got {output}; textclf label --merge adds its answers, "
        "then remove it"
    )
    if os.path.lexists(output):
        raise taken
    if not arguments.path.exists():
        raise UserError(
            f"POOL must be a file or a folder; got {arguments.path}, which does not exist"
        )
    predictor = load(MODELS) if (MODELS / INDEX).exists() else None
    if predictor is not None and predictor.reads:
        raise UserError(
            f"the default model in {MODELS} must read texts alone; got one that reads data.columns"
        )
    source = Source(
        command=arguments.name,
        path=arguments.path,
        id=arguments.id,
        text=arguments.text,
        form=arguments.form,
    )
    require_valid(source)
    layout = layout_of_table(source, arguments.path)
    batches = read_table(arguments.path, layout, empty=True)
    pool, counted = sample_pool(batches, _known("text"), seed)
    near = NearCopies(pool.texts)
    for texts in _known("text", trained=False):
        near.compare(texts)
    if near.is_copy.any():
        pool = TextBatch(*(list(compress(column, ~near.is_copy)) for column in pool))
        counted += (
            f"; {near.is_copy.sum():,} left out as near copies of test rows or labelled texts"
        )
    if not pool.texts:
        raise UserError(f"{arguments.path} must have texts to label; got {counted}")
    encoder = _encoder(predictor and predictor.vectorizer)
    judged, margins = _judge(pool, predictor, arguments.predictions)
    vectors = encoder.transform(pool.texts) if encoder else term_vectors(pool.texts)
    chosen = choose(vectors, margins, pool.texts, (rows, random), encoder is not None)
    written = [replace(judged[position], why=why) for position, why in chosen.items()]
    ids = [row.id for row in written]
    _require_new(ids)
    others = _other_cells(arguments.path, layout, set(ids))
    written = [replace(row, other=others.get(row.id, {})) for row in written]
    columns = [*COLUMNS, *next(iter(others.values()), {})]
    try:
        order = np.argsort(fingerprints(ids, seed))
        write_rows(output, [written[position] for position in order], columns, new=True)
    except FileExistsError:  # made by somebody else meanwhile
        raise taken from None
    counts = ", ".join(f"{count} {why}" for why, count in Counter(chosen.values()).items())
    print(f"{arguments.path}: {counted}; {len(pool.texts):,} compared")
    print(f"{output}: {len(written):,} chosen ({counts}); next: textclf label {output}")


def sample_pool(
    batches: Iterable[TextBatch], known: Iterable[Any], seed: int, size: int = CANDIDATES
) -> tuple[TextBatch, str]:
    """Return a uniform sample of the distinct texts that are not known, and a line of counts.

    These are the texts with the smallest hashes, which put them in random order; of copies, the
    first in the order of text and id stands for all.
    """
    hashes_of_known = [hash_normalized(texts, seed) for texts in [[""], *known]]
    known_hashes = np.unique(np.concatenate(hashes_of_known))
    smallest: dict[int, tuple[str, str]] = {}  # text and id by hash
    largest, rows, left_out = LARGEST, 0, 0
    for ids, texts in batches:
        hashes = hash_normalized(texts, seed)
        is_known = known_hashes[np.searchsorted(known_hashes, hashes) % len(known_hashes)] == hashes
        rows, left_out = rows + len(texts), left_out + int(is_known.sum())
        for position in np.flatnonzero(~is_known & (hashes <= np.uint64(largest))).tolist():
            key, row = int(hashes[position]), (texts[position], ids[position])
            smallest[key] = min(row, smallest.get(key, row))
        if len(smallest) > 2 * size:
            smallest = dict(sorted(smallest.items())[:size])
            largest = max(smallest)
    sampled = [smallest[key] for key in sorted(smallest)[:size]]
    distinct = f"{len(smallest):,}"
    if largest < LARGEST:  # Bar-Yossef et al. (2002), RANDOM
        distinct = f"about {len(smallest) * LARGEST // max(smallest):,}"
    counted = (
        f"{count_noun(rows, 'row')}, {left_out:,} of them labelled, discarded or empty; "
        f"{distinct} other texts"
    )
    return TextBatch([row_id for _, row_id in sampled], [text for text, _ in sampled]), counted


def _other_cells(path: Path, layout: Layout, ids: Set[str]) -> dict[str, dict[str, str]]:
    """Return the cells of the other columns of a table, by name, of the rows with these ids.

    They help people to answer. A pipe has none, since it can be read only once.
    """
    if not (path.is_file() or path.is_dir()):
        return {}
    used = {*layout.names(), *COLUMNS, ""}
    if PARAMS_FILE.exists():
        used.update(layout_of(load_section("data", Data)).columns_of("label"))
    names = [name for name in column_names(path, layout) if name not in used]
    if not names:
        return {}
    columns = {**layout.columns, **{COLUMN + name: name for name in names}}
    cells: dict[str, dict[str, str]] = {}
    # Cells may be objects, which no file to label can have.
    with suppress(UserError):
        for batch in read_table(path, replace(layout, columns=columns), empty=True):
            for row_id, text in zip(batch.ids, batch.texts, strict=True):
                if row_id in ids and isinstance(text, TextRow):
                    cells[row_id] = {name: text.columns[name] for name in names}
            if len(cells) == len(ids):
                return cells
    return {}


def _known(column: str, trained: bool = True) -> Iterator[Any]:
    """Yield the ids or texts of all labelled or discarded rows: of the project, or else of `TABLE`.

    Unless `trained`, those of the training and validation rows of the project's table are left out.
    """
    if PARAMS_FILE.exists():
        for name, shards in splits.open_shards(SPLITS, unknown=True).items():
            if trained or name.startswith("test"):
                yield from (splits.read_table(path, [column])[column] for path in shards.paths)
    if labelled.LABELLED.exists():
        yield getattr(labelled.read(labelled.LABELLED), f"{column}s")
    if TABLE.exists() and not PARAMS_FILE.exists():
        for batch in read_table(TABLE, Layout({"id": "id", "text": "text"})):
            yield getattr(batch, f"{column}s")


def _require_new(ids: Sequence[str]) -> None:
    """Raise `UserError` if two texts have one id, or a text has the id of a known one."""
    counts = Counter(ids)
    for column in _known("id"):
        counts.update(counts.keys() & set(as_array(column).to_pylist()))
    if repeated := [name for name, count in counts.items() if count > 1]:
        raise UserError(
            f"an id must be that of no other text; got {list_names(repeated)}; "
            "leave out --id, or without it rename POOL"
        )


def _encoder(representation: Any) -> Any:
    """Return the encoder in a representation, None without one.

    It keeps its vectors, which are needed twice.
    """
    if getattr(representation, "kind", None) == DENSE:
        representation.transform = Remembering(copy.copy(representation)).transform
        return representation
    encoders = (_encoder(block.representation) for block in getattr(representation, "blocks", ()))
    return next(filter(None, encoders), None)


def _judge(
    pool: TextBatch, predictor: Predictor | None, path: Path | None
) -> tuple[list[Row], Any]:
    """Return a row for each text and, if a model or a file has predictions, margins (texts,).

    Rows then have a label and its probability; of several labels, that of the decision that is
    least certain.
    """
    decision = predictor.decision.answering() if predictor else Decision()
    several = decision.multilabel
    labels_only = False
    if path is not None:
        given = external.read(path, predictor.model.classes if predictor else None, several)
        positions = given.ids.get_indexer(pd.Index(pool.ids))
        if missing := [pool.ids[text] for text in np.flatnonzero(positions < 0)]:
            raise UserError(
                f"{path} must have a row for each text; ids are missing: {external.few(missing)}"
            )
        classes, labels_only = given.classes, given.labels_only
        probabilities = given.probabilities[positions]
        decision = Decision(thresholds=(0.5,) * len(classes) if several else None)
    elif predictor is not None:
        classes, probabilities = predictor.model.classes, predictor.predict_proba(pool.texts)
    else:
        return list(map(Row, *pool)), None
    decided = decision.decide(probabilities)
    sure = np.maximum(probabilities, 1 - probabilities).min(axis=1)
    margins = sure
    if not several:
        sure = np.take_along_axis(probabilities, decided[:, None], 1)[:, 0]
        margins = margins_of(probabilities)
        decided = np.arange(len(classes)) == decided[:, None]
    cells = [cell_of(names, several) for names in conformal.labels_of(decided, classes)]
    columns = zip(*pool, cells, sure.round(DIGITS).astype(str).tolist(), strict=True)
    rows = [
        Row(name, text, suggested=cell, probability=number) for name, text, cell, number in columns
    ]
    return rows, None if labels_only else margins


def choose(
    vectors: NDArray[Any],
    margins: NDArray[Any] | None,
    texts: Sequence[str],
    counts: tuple[int, int],
    encoded: bool,
) -> dict[int, str]:
    """Return positions of texts, the first of near copies, and why each was chosen.

    `counts` are those of all texts to choose and of the random ones. The texts are in random order:
    the first are those drawn at random, which alone may measure. `vectors` (texts, columns) are
    `encoded`, or those of `term_vectors`; `margins` (texts,) are small for uncertain texts.

    The others are one text of each cluster, by k-means of their vectors; with margins, among the
    half of the texts with the smaller ones. Near the centre of a cluster, an encoder has typical
    texts: TypiClust, Hacohen et al. (2022), arXiv:2202.02794. tf-idf has short ones: any of the
    nearer half serves. benchmarks/suggest.py compares with chance.
    """
    rows, random = counts
    chosen = dict.fromkeys(range(min(random, len(texts))), RANDOM)
    others = np.arange(len(chosen), len(texts))
    if margins is not None:
        by_margin = np.argsort(margins[others], kind="stable")
        others = np.sort(others[by_margin[: max(rows, len(others) // 2)]])
    words_of = [set(words) for words in list_words(texts).to_pylist()]
    chosen_words = [words_of[position] for position in chosen]
    for position in others[_spread(vectors[others], rows - len(chosen), encoded)].tolist():
        words = words_of[position]
        if len(chosen) < rows and all(
            len(words & other) < SIMILAR * len(words | other) for other in chosen_words
        ):
            chosen[position] = DIVERSE if margins is None else UNCERTAIN
            chosen_words.append(words)
    return chosen


def _spread(vectors: NDArray[Any], clusters: int, encoded: bool) -> NDArray[np.int64]:
    """Return all positions: one of each cluster, then a second one of each, and so on."""
    import pandas as pd
    from sklearn.cluster import KMeans

    clusters = min(clusters, len(np.unique(vectors, axis=0)))
    if not clusters:
        return np.arange(0)
    fitted = KMeans(clusters, n_init=1, random_state=0).fit(vectors)
    distances = np.linalg.norm(vectors - fitted.cluster_centers_[fitted.labels_], axis=1)
    clustered = pd.Series(distances).groupby(fitted.labels_)
    rank = clustered.rank("first")
    if not encoded:
        rank = (2 * rank > clustered.transform("size") + 1).groupby(fitted.labels_).rank("first")
    return np.lexsort((fitted.labels_, rank))


def margins_of(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lead of the most probable class over the second, (texts,)."""
    highest = np.sort(probabilities, axis=1)
    return np.asarray(highest[:, -1] - highest[:, -2])


def term_vectors(texts: Sequence[str]) -> NDArray[Any]:
    """Return unit vectors of the texts by latent semantic analysis of tf-idf.

    Their shape is (texts, `COMPONENTS`).
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize

    with np.errstate(invalid="ignore"):  # of the explained variance, if no text has a word
        terms = Vectorizer.fit(texts, TERMS).transform(texts)
        return np.asarray(normalize(TruncatedSVD(COMPONENTS, random_state=0).fit_transform(terms)))
