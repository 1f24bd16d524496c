"""The splits as features of one representation, whatever its method and the number of rows.

Terms are counted file by file, on all cores or a Dask cluster; the counts of the training files are
merged, the vocabulary is selected, and the counts of each file are moved to its columns. So texts
are read once, and the result is that of one process. The other methods transform one file after the
other in pieces, which are kept: a run that was killed goes on with the piece that it had begun.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from itertools import chain, starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq

from textclf.artifacts import features, shards, splits
from textclf.artifacts.checksums import checksum_of_json
from textclf.artifacts.features import VECTORS, Features
from textclf.artifacts.shapes import Part, Shapes
from textclf.artifacts.shards import Shards
from textclf.core import resources, workers
from textclf.core.files import reading, sha256_of_file, write_npy
from textclf.core.progress import bar
from textclf.core.writing_systems import SOME, unspaced_share
from textclf.vectorize import class_texts, representation
from textclf.vectorize.batches import (
    count_batch,
    load_table,
    merge_batches,
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
    import pyarrow as pa

# About how many training texts are looked at for spaces between words.
SAMPLE = 1000
# Rows of a piece, which takes some seconds of a slow method.
ROWS = 2048
# Letters of a word, including the space.
LETTERS_PER_WORD = 6
# Files whose term counts are merged together, by one worker.
MERGED = 8
# Bytes before any term: of this process, and of each worker.
PROCESS_MEMORY = 200_000_000
WORKER_MEMORY = 80_000_000

# The files of each split.
Paths = Mapping[str, Sequence[Path]]


def vectorize(
    rows: "Mapping[str, Shards[pd.DataFrame]]",
    classes: Sequence[str],
    name: str,
    settings: Any,
    folder: Path,
    pretrained: Path,
    kept: Path,
) -> Shapes:
    """Write the features of the splits and the fitted representation, and return their shapes.

    They are written to `folder`. What a process that was killed has done is in the folder `kept`,
    which the caller removes once the features are in their place. Memory holds some files. Raises
    `UserError` if one is damaged, or no term is left.
    """
    class_texts.require_known(name, settings, classes)
    paths = {split: shards_of_split.paths for split, shards_of_split in rows.items()}
    notes = _unspaced(paths["train"][0]) if reads_words(settings) else {}
    fitted: Any
    if settings.method == "terms":
        fitted, shapes = _vectorize_terms(paths, classes, name, settings, folder)
        return Shapes(fitted.kind, {name: Part(fitted.columns, shapes, notes)})
    kept.mkdir(exist_ok=True)
    files = list(chain.from_iterable(paths.values()))
    total = sum(len(splits.read_table(path, ["id"])) for path in files)
    texts = chain.from_iterable(splits.read_texts(path) for path in paths["train"])
    fitted = remembering(representation.fit(texts, settings, pretrained), total)
    scratch = kept / fingerprint(files, fitted, classes)
    scratch.mkdir(exist_ok=True)
    with closing(bar("vectorize", total)) as progress:
        transform = partial(_transform_in_pieces, fitted=fitted, scratch=scratch, progress=progress)
        shapes = _transform(paths, folder, None, transform, classes, scratch)
    representation.write(fitted, folder / VECTORIZER)
    added = class_texts.encode(settings, fitted, classes)
    if added is not None:
        features.write(added, folder / features.CLASS_TEXTS)
    vectors = getattr(fitted, "vectors", None)
    if vectors is not None:
        with (folder / VECTORS).open("wb") as file:
            write_npy(file, vectors)
        # The share of ids with a pretrained vector.
        notes["coverage"] = float(np.count_nonzero(vectors.any(axis=1)) / len(vectors))
    for split, split_paths in paths.items():
        if cut := sum(map(fitted.count_cut, chain.from_iterable(map(_pieces, split_paths)))):
            shapes[split][CUT] = cut
    return Shapes(fitted.kind, {name: Part(fitted.columns, shapes, notes)})


def _vectorize_terms(
    paths: Paths, classes: Sequence[str], name: str, settings: Any, folder: Path
) -> tuple[Any, dict[str, dict[str, int]]]:
    memory = require_memory_and_disk(paths, settings, name, folder)
    scratch = folder.parent / "scratch"
    scratch.mkdir()
    with workers.pool(sum(map(len, paths.values())), memory) as pool:
        if pool.is_remote:  # a worker may run in another folder
            paths = {split: [path.absolute() for path in files] for split, files in paths.items()}
            folder, scratch = folder.absolute(), scratch.absolute()
        tasks = [(path, settings, scratch) for path in chain.from_iterable(paths.values())]
        rows = pool.map(count_batch, tasks, "count terms")
        merged = []
        for analyzer in settings.analyzers if settings.learns else ():
            files = [scratch_files(scratch, path, analyzer)[0] for path in paths["train"]]
            merged.append(_merge(files, pool, scratch))
        fitted = Vectorizer.learn(merged, sum(rows[: len(paths["train"])]), settings)
        representation.write(fitted, folder / VECTORIZER)
        save_parts(fitted, scratch)
        weigh = partial(weigh_batch, settings=settings, scratch=scratch)
        return fitted, _transform(paths, folder, pool, weigh, classes, scratch)


def _merge(files: Sequence[Path], pool: workers.Pool, scratch: Path) -> "pa.Table":
    """Return the term counts of the texts of all files, of which workers merge some at a time."""
    while len(files) > MERGED:
        groups = [files[start : start + MERGED] for start in range(0, len(files), MERGED)]
        targets = [scratch / f"{group[0].stem}-merged.terms" for group in groups]
        pool.map(merge_batches, [*zip(groups, targets, strict=True)], "merge terms")
        files = targets
    return merge_term_counts([load_table(file) for file in files])


def _transform(
    paths: Paths,
    folder: Path,
    pool: workers.Pool | None,
    transform: Any,
    classes: Sequence[str],
    scratch: Path,
) -> dict[str, dict[str, int]]:
    """Write the features of each file, and return the shape of each split.

    A pool works on the files or, without one, this process on one after the other.
    """
    tasks = [
        (path, folder / f"{path.stem}{features.SUFFIX}", transform, classes, scratch)
        for path in chain.from_iterable(paths.values())
    ]
    if pool:
        shape_of_files = iter(pool.map(transform_batch, tasks, "vectorize"))
    else:
        shape_of_files = starmap(transform_batch, tasks)
    shapes = {}
    for split, split_paths in paths.items():
        parts = [next(shape_of_files) for _ in split_paths]
        total = {key: sum(part[key] for part in parts) for key in parts[0]}
        shapes[split] = total | {"features": parts[0]["features"]}
    return shapes


def _transform_in_pieces(path: Path, fitted: Any, scratch: Path, progress: Any) -> Any:
    """Return the features of the texts of a file.

    Those of a piece come from `scratch` if an earlier run wrote them.
    """
    targets = []
    for number, texts in enumerate(_pieces(path), start=1):
        target = shards.path(scratch, path.stem, features.SUFFIX, number)
        targets.append(target)
        if not target.exists():
            # Neither ids nor labels nor classes are read from the file of a piece.
            none = np.zeros(len(texts), dtype=np.int64)
            with workers.atomic_path(target, scratch) as temporary:
                names = none.astype(str)
                features.write(Features(names, fitted.transform(texts), none, names), temporary)
        progress.update(len(texts))
    return features.concatenate([features.read_shard(target) for target in targets]).X


def _pieces(path: Path) -> Iterator[list[str]]:
    texts = splits.read_texts(path)
    return (texts[start : start + ROWS] for start in range(0, len(texts), ROWS))


def fingerprint(paths: Iterable[Path], fitted: Any, classes: Sequence[str]) -> str:
    """Return 16 hexadecimal digits that change with files, representation and classes."""
    files = [[path.name, sha256_of_file(path)] for path in paths]
    return checksum_of_json([files, fitted.to_json(), list(classes), ROWS, shards.ROWS])[:16]


def _unspaced(path: Path) -> dict[str, float]:
    """Return the share of the texts of a file without spaces between words, {} if it is small."""
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
    if any(len(split_paths) > 1 for split_paths in paths.values()):
        memory = PROCESS_MEMORY + max(workers.processes(len(files), per_file), 1) * per_file
        resources.announce(rows, len(files), memory, disk)
        resources.require_disk(folder, disk, str(folder))
        resources.require_memory(memory, f"vectorize.{name}.analyzer {settings.analyzer}")
    return per_file


def estimate(rows: int, letters: int, files: int, settings: Terms) -> tuple[int, int]:
    """Return the bytes of memory per file and those of disk.

    They are for so many rows with so many letters in so many files. There are six letters per word,
    and one n-gram of each length per word or letter. Distinct terms, of which there are fewer, are
    not counted.
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
