"""The splits as features of one representation, whatever its method and the number of rows.

Terms are counted file by file, on all cores or a Dask cluster; the counts of the training files are
merged, the vocabulary is selected, and the counts of each file are moved to its columns. So texts
are read once, and the result is that of one process. The other methods transform one file after the
other in pieces, which are kept: a run that was killed goes on with the piece that it had begun.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from itertools import chain, starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq

from textclf.artifacts import features, shards, splits
from textclf.artifacts.features import VECTORS, Features
from textclf.artifacts.shapes import Part, Shapes
from textclf.artifacts.shards import Shards
from textclf.core import resources, workers
from textclf.core.files import reading, sha256, sha256_of_file, write_npy
from textclf.core.progress import bar
from textclf.core.writing_systems import SOME, unspaced_share
from textclf.vectorize import class_texts, representation
from textclf.vectorize.batches import (
    count_batch,
    load_table,
    save_parts,
    scratch_files,
    transform_batch,
    weigh_batch,
)
from textclf.vectorize.caveats import CUT, UNSPACED, reads_words
from textclf.vectorize.remembered import remembering
from textclf.vectorize.representation import VECTORIZER
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer, merge_term_counts

if TYPE_CHECKING:
    import pandas as pd

SAMPLE = 1000  # training texts, about, that are looked at for spaces between words
ROWS = 2048  # of a piece, which takes some seconds of a slow method

Paths = Mapping[str, Sequence[Path]]  # the files of each split
LETTERS_PER_WORD = 6  # including the space
PROCESS_MEMORY, WORKER_MEMORY = (
    200_000_000,
    80_000_000,
)  # bytes before any term: of this process, of each worker


def vectorize(
    rows: "Mapping[str, Shards[pd.DataFrame]]",
    classes: Sequence[str],
    name: str,
    settings: Any,
    folder: Path,
    pretrained: Path,
    kept: Path,
) -> Shapes:
    """Write the features of the splits and the fitted representation to `folder`, and return their shapes.

    What a process that was killed has done is in the folder `kept`, which the caller removes once
    the features are in their place. Memory holds some files. Raises `UserError` if one is damaged,
    or no term is left.
    """
    class_texts.require_known(name, settings, classes)
    paths = {split: each.paths for split, each in rows.items()}
    notes = _unspaced(paths["train"][0]) if reads_words(settings) else {}
    fitted: Any
    if settings.method == "terms":
        fitted, shapes = _vectorize_terms(paths, classes, name, settings, folder)
        return Shapes(fitted.kind, {name: Part(fitted.columns, shapes, notes)})
    kept.mkdir(exist_ok=True)
    total = sum(
        len(splits.read_table(path, ["id"])) for path in chain.from_iterable(paths.values())
    )
    texts = chain.from_iterable(splits.read_texts(path) for path in paths["train"])
    fitted = remembering(representation.fit(texts, settings, pretrained), total)
    scratch = kept / fingerprint(chain.from_iterable(paths.values()), fitted, classes)
    scratch.mkdir(exist_ok=True)
    with closing(bar("vectorize", total)) as progress:
        transform = partial(_transform_in_pieces, fitted=fitted, scratch=scratch, progress=progress)
        shapes = _transform(paths, folder, None, transform, classes, scratch)
    representation.write(fitted, folder / VECTORIZER)
    if (added := class_texts.encode(settings, fitted, classes)) is not None:
        features.write(added, folder / features.CLASS_TEXTS)
    if (vectors := getattr(fitted, "vectors", None)) is not None:
        with (folder / VECTORS).open("wb") as file:
            write_npy(file, vectors)
        notes["coverage"] = float(
            np.count_nonzero(vectors.any(axis=1)) / len(vectors)
        )  # ids with a pretrained vector
    for split, each in paths.items():
        cut = sum(fitted.count_cut(piece) for path in each for piece in _pieces(path))
        shapes[split] |= {CUT: cut} if cut else {}
    return Shapes(fitted.kind, {name: Part(fitted.columns, shapes, notes)})


def _vectorize_terms(
    paths: Paths, classes: Sequence[str], name: str, settings: Any, folder: Path
) -> tuple[Any, dict[str, dict[str, int]]]:
    memory = require_memory_and_disk(paths, settings, name, folder)
    (scratch := folder.parent / "scratch").mkdir()
    with workers.pool(sum(map(len, paths.values())), memory) as pool:
        if pool.is_remote:  # a worker may run in another folder
            paths = {split: [path.absolute() for path in each] for split, each in paths.items()}
            folder, scratch = folder.absolute(), scratch.absolute()
        every = list(chain.from_iterable(paths.values()))
        counted = pool.map(
            count_batch, [(path, settings, scratch) for path in every], "count terms"
        )
        merged = [
            merge_term_counts(
                [load_table(scratch_files(scratch, path, analyzer)[0]) for path in paths["train"]]
            )
            for analyzer in (settings.analyzers if settings.learns else [])
        ]
        fitted = Vectorizer.learn(merged, sum(counted[: len(paths["train"])]), settings)
        representation.write(fitted, folder / VECTORIZER)
        save_parts(fitted, scratch)
        weigh = partial(weigh_batch, settings=settings, scratch=scratch)
        return fitted, _transform(paths, folder, pool, weigh, classes, scratch)


def _transform(
    paths: Paths,
    folder: Path,
    pool: workers.Pool | None,
    transform: Any,
    classes: Sequence[str],
    scratch: Path,
) -> dict[str, dict[str, int]]:
    """Write the features of each file, by a pool or one after the other, and return the shape of each split."""
    tasks = [
        (path, folder / f"{path.stem}{features.SUFFIX}", transform, classes, scratch)
        for path in chain.from_iterable(paths.values())
    ]
    made = iter(
        pool.map(transform_batch, tasks, "vectorize") if pool else starmap(transform_batch, tasks)
    )
    shapes = {}
    for split, each in paths.items():
        parts = [next(made) for _ in each]
        total = {key: sum(part[key] for part in parts) for key in parts[0]}
        shapes[split] = total | {"features": parts[0]["features"]}
    return shapes


def _transform_in_pieces(path: Path, fitted: Any, scratch: Path, progress: Any) -> Any:
    """Return the features of the texts of a file; those of a piece come from `scratch` if an earlier run wrote them."""
    targets = []
    for number, texts in enumerate(_pieces(path), start=1):
        targets.append(shards.path(scratch, path.stem, features.SUFFIX, number))
        if not targets[-1].exists():
            none = np.zeros(len(texts), dtype=np.int64)
            with workers.atomic_path(targets[-1], scratch) as temporary:
                features.write(
                    Features(none.astype(str), fitted.transform(texts), none, none.astype(str)),
                    temporary,
                )
        progress.update(len(texts))
    return features.concatenate([features.read_shard(target) for target in targets]).X


def _pieces(path: Path) -> Iterator[list[str]]:
    texts = splits.read_texts(path)
    return (texts[start : start + ROWS] for start in range(0, len(texts), ROWS))


def fingerprint(paths: Iterable[Path], fitted: Any, classes: Sequence[str]) -> str:
    """Return 16 hexadecimal digits that change with the bytes of the files, the representation and the classes."""
    files = [[path.name, sha256_of_file(path)] for path in paths]
    content = [files, fitted.to_json(), list(classes), ROWS, shards.ROWS]
    return sha256(json.dumps(content, sort_keys=True).encode())[:16]


def _unspaced(path: Path) -> dict[str, float]:
    """Return the share of the texts of a file that have no spaces between their words, {} if it is small."""
    texts = splits.read_column(path, "text")
    share = unspaced_share(texts[:: max(len(texts) // SAMPLE, 1)])
    return {UNSPACED: share} if share >= SOME else {}


def require_memory_and_disk(
    paths: Mapping[str, Sequence[Path]], settings: Terms, name: str, folder: Path
) -> int:
    """Return the bytes of memory that a file of the splits takes, about.

    Prints memory and disk for all files if a split has several, and then raises `UserError` if
    there is not as much.
    """
    files = list(chain.from_iterable(paths.values()))
    rows, letters = _size(files)
    per_file, disk = estimate(rows, letters, len(files), settings)
    if any(len(each) > 1 for each in paths.values()):
        memory = PROCESS_MEMORY + max(workers.processes(len(files), per_file), 1) * per_file
        resources.announce(rows, len(files), memory, disk)
        resources.require_disk(folder, disk, str(folder))
        resources.require_memory(memory, f"vectorize.{name}.analyzer {settings.analyzer}")
    return per_file


def estimate(rows: int, letters: int, files: int, settings: Terms) -> tuple[int, int]:
    """Return the bytes of memory per file and those of disk, for so many rows with so many letters in so many files.

    There are six letters per word, and one n-gram of each length per word or letter. Distinct
    terms, of which there are fewer, are not counted.
    """
    ranges = {
        "word": settings.ngram_range,
        "char": settings.char_ngram_range,
        "char_wb": settings.char_ngram_range,
    }
    terms = memory = 0
    for analyzer in settings.analyzers:
        low, high = ranges[analyzer]
        count = (high - low + 1) * (letters // LETTERS_PER_WORD if analyzer == "word" else letters)
        terms += count
        memory += (90 if analyzer == "word" else 40) * count
    # Measured with 11 and with 70 words per row, and with n-grams of 2 to 5 letters, in one process
    # and with two workers. Disk: features and temporary counts, and 100 bytes per row.
    return WORKER_MEMORY + memory // files, 100 * rows + 20 * terms


def _size(files: Sequence[Path]) -> tuple[int, int]:
    """Return the number of rows of the files, and that of the bytes of their texts."""
    rows = letters = 0
    for path in files:
        with reading(path):
            metadata = pq.read_metadata(path)
            column = metadata.schema.names.index("text")
        rows += metadata.num_rows
        groups = map(metadata.row_group, range(metadata.num_row_groups))
        letters += sum(group.column(column).total_uncompressed_size for group in groups)
    return rows, letters
