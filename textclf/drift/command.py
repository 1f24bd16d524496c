"""The command `textclf drift`: from its arguments to the answer."""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from textclf.core.errors import UserError
from textclf.core.failures import complain
from textclf.core.files import SPLITS
from textclf.core.formatting import count_noun
from textclf.core.quoting import quote_name, quote_value
from textclf.drift import result
from textclf.drift.arguments import Drift
from textclf.drift.measure import CHECKS, Settings, measure
from textclf.drift.pool import PooledTexts, Sample, pool_texts, sample_texts
from textclf.drift.result import Result, Side
from textclf.predict.outputs import open_output, require_other_files
from textclf.predict.predictor import find_model, load
from textclf.predict.sources import Source, read_batches

STDIN = "-"
FOLDER = Path("data/splits")
# Models learn from these splits, by export.refit from both.
OTHER = {"train": "validation", "validation": "train"}
# The split whose rows decide nothing about a model.
HELD_OUT = "test"
# With fewer clusters of texts on a side, hardly any drift can be found.
FEWEST_CLUSTERS = 20
MOST_PERMUTATIONS = 100_000
# With a smaller alpha, even the most permutations could not find drift.
LEAST_ALPHA = CHECKS / MOST_PERMUTATIONS
# Rows of a split that are read at a time.
BATCH = 4096

# Texts and the group of each.
Texts = tuple[Sequence[str], Sequence[str] | None]


def run(arguments: Drift) -> int:
    """Print whether new texts are like those of the reference; return 1 if they are not, else 0."""
    settings = _settings(arguments)
    read = {} if arguments.new == STDIN else {"NEW": Path(arguments.new)}
    if arguments.reference not in SPLITS:
        read["--reference"] = Path(arguments.reference)
    require_other_files(read, {"--output": arguments.output, "--page": arguments.page})
    writers: list[tuple[Path, str, Callable[[Result], str]]] = []
    if arguments.output is not None:
        writers.append((arguments.output, "--output", result.to_json))
    if arguments.page is not None:
        # Imported before any work, so that a missing package is an error now.
        from textclf.drift.page import render

        writers.append((arguments.page, "--page", render))
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(open_output(path, option)) for path, option, _ in writers]
        comparison = _compare(arguments, settings)
        for stream, (_, _, write) in zip(streams, writers, strict=True):
            stream.write(write(comparison).encode())
    print("\n".join(result.to_lines(comparison)))
    return 1 if comparison.drifted else 0


def _compare(arguments: Drift, settings: Settings) -> Result:
    """Return what the checks find in the texts that the arguments name."""
    folder = find_model(arguments.choice.models, arguments.choice.model)
    predictor = load(folder)
    name = "standard input" if arguments.new == STDIN else Path(arguments.new).resolve().name
    if arguments.new != STDIN and not _exists(arguments.new):
        raise UserError(
            f"NEW must be an existing file or folder, or -; got {quote_value(arguments.new)}"
        )
    reference = _reference(arguments, settings.seed)
    new = sample_texts(_read(arguments, arguments.new), settings.seed)
    if reference.grouped and arguments.group is None:
        complain(
            "warning: drift: the reference has groups of texts; set --group if NEW has some too"
        )
    if new.grouped and not reference.grouped:
        complain(
            "warning: drift: NEW has groups of several texts and the reference has none, so false "
            "alarms may be more frequent; compare with a reference that has groups (a file, or a "
            "split of a run with data.group)"
        )
    pooled = pool_texts(reference, new)
    of_new = Side.of(name, new, pooled, pooled.new)
    of_reference = Side.of(Path(arguments.reference).name, reference, pooled, pooled.reference)
    _require_clusters(f"--reference {quote_name(arguments.reference)}", of_reference)
    _require_clusters(quote_name(name), of_new)
    shared = int(((pooled.new > 0) & (pooled.reference > 0)).sum())
    if reference.grouped or new.grouped:
        # The pool has each text on one side alone.
        shared = len({key for _, key in reference.texts} & {key for _, key in new.texts})
    other = OTHER.get(arguments.reference)
    sides, seen = _unseen(new, reference, other, settings.seed) if other else (None, pooled)
    return Result(
        folder.resolve().name,
        settings,
        of_new,
        of_reference,
        sides,
        shared,
        measure(pooled, seen, predictor, settings),
    )


def _exists(path: str) -> bool:
    """Return whether a path exists; an empty one is not taken for the current folder."""
    return bool(path) and Path(path).exists()


def _settings(arguments: Drift) -> Settings:
    """Return the settings of the tests; `UserError` for numbers that could not find any drift."""
    if not LEAST_ALPHA <= arguments.alpha < 1:
        raise UserError(
            f"--alpha must be at least {LEAST_ALPHA:g} and below 1; got {arguments.alpha:g}"
        )
    # The smallest p-value is 1 / (permutations + 1).
    fewest = math.ceil(CHECKS / arguments.alpha) - 1
    if not fewest <= arguments.permutations <= MOST_PERMUTATIONS:
        raise UserError(
            f"--permutations must be from {fewest:,} to {MOST_PERMUTATIONS:,} "
            f"with --alpha {arguments.alpha:g}; got {arguments.permutations:,}"
        )
    if not 0 <= arguments.seed < 2**32:
        raise UserError(f"--seed must be from 0 to {2**32 - 1}; got {arguments.seed}")
    return Settings(arguments.alpha, arguments.permutations, arguments.seed)


def _read(arguments: Drift, path: str) -> Iterator[Texts]:
    """Yield texts of a file, a folder or standard input with their groups, None without --group."""
    source = Source(
        command=arguments.name,
        path=None if path == STDIN else Path(path),
        group=arguments.group,
        text=arguments.text,
        form=arguments.form,
        has_ids=False,
    )
    for batch in read_batches(source, empty=True):
        # As in the table that was split, rows without text are left out.
        rows = [row for row, text in enumerate(batch.texts) if text.strip()]
        groups = None if arguments.group is None else [batch.ids[row] for row in rows]
        yield [batch.texts[row] for row in rows], groups


def _reference(arguments: Drift, seed: int) -> Sample:
    """Return the texts of the reference, of a split or of a file."""
    if arguments.reference in SPLITS:
        return sample_texts(_read_split(arguments.reference), seed)
    if arguments.reference == STDIN or not _exists(arguments.reference):
        raise UserError(
            f"--reference must be {', '.join(SPLITS)} or an existing file; "
            f"got {quote_value(arguments.reference)}"
        )
    return sample_texts(_read(arguments, arguments.reference), seed)


def _read_split(name: str, optional: bool = False) -> Iterator[Texts]:
    """Yield the texts of a split and their clusters; `UserError` without it unless `optional`."""
    # Needs pyarrow.
    from textclf.artifacts import splits

    shards = splits.open_columns(FOLDER)
    if name not in shards and not optional:
        raise UserError(
            f"--reference must be a split in {FOLDER} ({', '.join(shards)}); got {name}"
        )
    for read in shards.get(name, ()):
        rows = read(["text", "cluster"])
        for start in range(0, len(rows), BATCH):
            batch = rows.slice(start, BATCH)
            yield batch["text"].to_pylist(), list(map(str, batch["cluster"].to_pylist()))


def _unseen(
    new: Sample, reference: Sample, other: str, seed: int
) -> tuple[tuple[Side, Side] | None, PooledTexts | None]:
    """Return rows that no model has learned from, new rows, and their pool; None for too few.

    Texts that a model can have learned, of the reference and of the split `other`, are left out on
    both sides.
    """
    sample, others = sample_texts(_read_split(HELD_OUT), seed), new
    for learned in (reference, sample_texts(_read_split(other, optional=True), seed)):
        sample, others = sample.without(learned), others.without(learned)
    unseen = pool_texts(sample, others)
    sides = (
        Side.of(HELD_OUT, sample, unseen, unseen.reference),
        Side.of("NEW", others, unseen, unseen.new),
    )
    for side in sides:
        if side.clusters < FEWEST_CLUSTERS:
            complain(
                "warning: drift: unknown words and predicted classes are left out, for which "
                f"{side.name} must have at least {FEWEST_CLUSTERS} different texts or groups other "
                f"than training or validation texts; got {side.clusters}"
            )
            return None, None
    known = len(new.keys) - len(others.keys)
    if known:
        complain(
            f"warning: drift: {count_noun(known, 'text')} of {len(new.keys):,} are training or "
            "validation texts, and left out in unknown words and predicted classes"
        )
    return sides, unseen


def _require_clusters(option: str, side: Side) -> None:
    if side.clusters < FEWEST_CLUSTERS:
        raise UserError(
            f"{option} must have at least {FEWEST_CLUSTERS} different texts or groups: fewer can't "
            f"show whether texts have changed; got {side.clusters} in "
            f"{count_noun(side.rows, 'row')}, nearly the same texts counted once; add more texts, "
            "or read what textclf predict answers for these"
        )
