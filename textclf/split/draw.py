"""Splits of rows in memory: random, optionally stratified or by whole groups; or by time.

Rows are columns by name: a mapping of Arrow arrays, or a frame.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Set
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from textclf.artifacts import shards
from textclf.artifacts.memory import MANY_CLASSES
from textclf.core.arrow import (
    array_of_numbers,
    as_array,
    encode,
    flat,
    hash_normalized,
    normalize_texts,
    rows_of,
)
from textclf.core.errors import TooRareError, UserError
from textclf.core.files import SPLITS, SUGGESTED
from textclf.core.formatting import count_noun, join_names
from textclf.core.quoting import list_few, quote_name
from textclf.split.settings import Split

SHOWN = 5  # classes that are named
# What to do if a split lacks a class, by method.
ADVICE = {
    "random": "set split.stratify to true",
    "hash": "set another split.seed, method random",
    "time": "its rows are the latest: add earlier ones, leave the class out",
}
RARE_ADVICE = "; or set data.rare to drop or merge"
DRAWN = ("test", "validation")  # in the order in which they are taken from the training rows
Positions = NDArray[np.int64]


def draw_positions(rows: Any, settings: Split, unknown: str | None = None) -> dict[str, Positions]:
    """Return the positions of the rows of each split in the order of `SPLITS`.

    Validation is among them only if it is given or its size is above 0. `rows` has the columns
    text, label and optionally group, time and split, which names given splits; the others are drawn
    from its training rows that are not `SUGGESTED`. `unknown` is a label that is no class. With
    method time the latest rows are drawn, in the order of the table; otherwise train and test are
    those of scikit-learn's `train_test_split`, or whole groups (see `assign_groups`), and
    validation rows are drawn in the same way from the training rows. Raises `UserError` if a split
    has no rows, `TooRareError` if train or test lacks a class; given test rows may lack one.
    """
    parts = _given_rows(rows)
    given = set(parts)
    settings = draw_the_rest(settings, given)
    suggested = parts.pop(SUGGESTED, np.arange(0))
    free = parts.get("train", np.arange(0 if given else len(rows["label"])))
    draw: Callable[[Positions, int], tuple[Positions, Positions]]
    if settings.method == "time":
        draw = partial(take_latest, rank_times(as_array(rows["time"]).take(free)))
    elif given:
        columns = ["label"]
        if "group" in rows:
            columns.append("group")
        if settings.group_duplicates:
            columns.append("text")
        draw = _Pool({name: as_array(rows[name]).take(free) for name in columns}, settings).draw
    else:
        draw = _Pool(rows, settings).draw
    remaining = np.arange(len(free))
    for name in DRAWN:
        share = getattr(settings, f"{name}_size")
        if share > 0:
            remaining, drawn = draw(remaining, math.ceil(share * len(free)))
            parts[name] = free[drawn]
    if settings.method != "time" and not settings.test_size and not settings.validation_size:
        remaining = np.random.RandomState(settings.seed).permutation(len(free))
    parts["train"] = np.concatenate([free[remaining], suggested])
    column = _label_column(rows)
    counts = {}
    for name, part in parts.items():
        pairs = flat(column.take(array_of_numbers(part))).value_counts().to_pylist()
        by_label = {pair["values"]: pair["counts"] for pair in pairs}
        by_label.pop(unknown, None)
        counts[name] = by_label
    row_counts = None
    if pa.types.is_list(column.type):
        row_counts = {name: len(part) for name, part in parts.items()}
    require_classes(counts, settings.method, given, row_counts)
    return {name: parts[name] for name in SPLITS if name in parts}


def draw_parts(
    rows: pa.Table, settings: Split, unknown: str | None = None
) -> Iterator[tuple[str, pa.Table]]:
    """Yield the rows of each split, a shard at a time, in the order of `draw_positions`.

    Two columns are added: `normalised`, a hash of the normalised text, and `cluster`, of rows that
    are not independent.
    """
    normalised = np.concatenate([hash_normalized(batch["text"]) for batch in rows.to_batches()])
    columns = dict(zip(rows.column_names, rows.columns, strict=True))
    rows = rows.append_column("cluster", array_of_numbers(cluster_keys(columns, normalised)))
    rows = rows.append_column("normalised", array_of_numbers(normalised))
    for name, positions in draw_positions(columns, settings, unknown).items():
        for start in range(0, len(positions), shards.ROWS):
            yield name, rows.take(array_of_numbers(positions[start : start + shards.ROWS]))


def draw_rows(rows: Any, count: int, settings: Split) -> tuple[Any, Any]:
    """Return the remaining rows and the drawn rows, about `count`, of a frame, by whole groups.

    Both are in random order; of rows that are groups of their own, they are those of
    `train_test_split`. Raises `UserError` if no rows remain.
    """
    remaining, drawn = _Pool(rows, settings).draw(np.arange(len(rows)), count)
    return rows.iloc[remaining], rows.iloc[drawn]


class _Pool:
    """The rows to draw from: their groups, unless each is its own, and labels if stratified."""

    def __init__(self, rows: Any, settings: Split) -> None:
        self.seed = settings.seed
        grouped = settings.group_duplicates or "group" in rows
        self.groups = assign_groups(rows, settings.group_duplicates) if grouped else None
        self.labels = _label_column(rows) if settings.stratify else None

    def draw(self, rows: Positions, count: int) -> tuple[Positions, Positions]:
        """Return the remaining and the drawn rows, as `draw_rows` does, of `rows`, positions."""
        if count >= len(rows):
            raise UserError(
                f"{count_noun(len(rows), 'row')} must be more than the {count} to be taken "
                "from them; set a smaller size"
            )
        groups: NDArray[Any] = np.arange(len(rows))
        if self.groups is not None:
            groups = encode(array_of_numbers(self.groups[rows]))[0]
        sizes = np.bincount(groups)
        order = self._order(rows, groups, sizes, count)
        # `count` is in rows: take groups until it is reached. If every row is a group, this changes
        # nothing.
        group_count = int(np.searchsorted(np.cumsum(sizes[order]), count)) + 1
        drawn, remaining = order[:group_count], order[group_count:]
        if not len(remaining):
            raise UserError(
                f"of {len(rows)} rows some must be kept; got none, "
                "as rows of one text or group stay together: "
                "set split.group_duplicates to false, data.group to null, or a smaller size"
            )
        # The position of each group in the random order.
        position = np.argsort(np.concatenate([drawn, remaining]))
        row_order = np.argsort(position[groups], kind="stable")
        border = sizes[drawn].sum()
        return rows[row_order[border:]], rows[row_order[:border]]

    def _order(
        self, rows: Positions, groups: NDArray[Any], sizes: NDArray[np.int64], count: int
    ) -> NDArray[np.int64]:
        """Return the groups in the order in which they are drawn, stratified if there are labels.

        `groups` (rows,) are those of the rows, `sizes` their numbers of rows.
        """
        if self.labels is not None and pa.types.is_list(self.labels.type):
            from scipy.sparse import csr_matrix  # takes long to import, as below

            from textclf.split.several_labels import draw_stratified

            labels = self.labels.take(pa.array(rows))
            codes, distinct = encode(flat(labels))
            shape = len(sizes), len(distinct)
            cells = groups[rows_of(labels)], codes
            members = csr_matrix((np.ones(len(codes), np.int64), cells), shape)
            order = np.random.RandomState(self.seed).permutation(len(sizes))
            is_drawn = draw_stratified(members, sizes.tolist(), count, order.tolist())[order]
            return np.concatenate([order[is_drawn], order[~is_drawn]])
        if self.labels is not None:
            from sklearn.model_selection import train_test_split

            first_rows = rows[np.unique(groups, return_index=True)[1]]
            codes, distinct = encode(self.labels)
            names = np.array(distinct, object)[codes[first_rows]]
            group_count = math.ceil(count * len(sizes) / len(rows))
            try:
                second, first = train_test_split(
                    np.arange(len(sizes)),
                    test_size=group_count,
                    random_state=self.seed,
                    stratify=names,
                )
            except ValueError as error:  # too few members of a class, or rows for every class
                numbers = Counter(names.tolist())
                rare = [name for name, number in numbers.items() if number == min(numbers.values())]
                line = f"{len(rows)} rows can not be stratified: {error}".rstrip(".") + RARE_ADVICE
                if min(numbers.values()) == 1:
                    line = (
                        "each class must have two texts or more, to be divided; got one of "
                        f"{list_few(list(map(quote_name, rare)), SHOWN)}; add texts, set data.rare "
                        "to drop or merge, or run textclf init on the table again"
                    )
                raise TooRareError(line, rare, numbers) from error
            return np.concatenate([first, second])
        # What train_test_split does, without the second that importing scikit-learn takes.
        return np.random.RandomState(self.seed).permutation(len(sizes))


def assign_groups(rows: Any, duplicates: bool) -> Positions:
    """Return the group of each row (rows,), numbered in the order of their first rows.

    Rows are in one group if they have the same value in the column `group`, if it exists, or, with
    `duplicates`, the same normalised text; and so are rows that are linked through other rows.
    """
    keys = [as_array(rows["group"])] if "group" in rows else []
    if duplicates:
        keys.append(normalize_texts(rows["text"]))
    if not keys:
        return np.arange(len(rows["label"]))
    codes = [encode(key)[0].astype(np.int64) for key in keys]
    if len(codes) == 1:
        return codes[0]
    return encode(array_of_numbers(link(*codes)))[0].astype(np.int64)


def link(groups: Positions, texts: Positions) -> Positions:
    """Return a number for each row, equal for rows of one group or text, also through other rows.

    Groups and texts are numbered from 0.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = np.array([groups, texts + groups.max() + 1])  # one edge per row: its group to its text
    nodes = edges.max() + 1
    graph = coo_array((np.ones(len(groups)), edges), shape=(nodes, nodes))
    _, component = connected_components(graph, directed=False)
    return np.asarray(component[groups], np.int64)


def cluster_keys(rows: Any, keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return for each row (rows,) the key of the first row that is linked to it.

    Rows are linked by groups and texts, as in `assign_groups`. `keys` are the hashes of normalised
    texts, so that the result does not depend on other rows.
    """
    if "group" not in rows:
        return keys
    groups = encode(as_array(rows["group"]))[0].astype(np.int64)
    clusters = link(groups, np.unique(keys, return_inverse=True)[1])
    return keys[np.unique(clusters, return_index=True)[1]][clusters]


def _label_column(rows: Any) -> pa.Array:
    """Return the labels of columns or of a frame, of several labels per text as lists."""
    labels = rows["label"]
    of_frame = not isinstance(labels, pa.Array | pa.ChunkedArray)
    if of_frame and len(labels) and not isinstance(labels.iloc[0], str):
        return pa.array(list(map(list, labels)), pa.list_(pa.string()))
    return as_array(labels)


def _given_rows(rows: Any) -> dict[str, Positions]:
    """Return the rows of each split, or `SUGGESTED`, that the column split names, if it exists."""
    if "split" not in rows:
        return {}
    codes, names = encode(as_array(rows["split"]))
    return {name: np.flatnonzero(codes == code) for code, name in enumerate(names)}


def draw_the_rest(settings: Split, given: Set[str]) -> Split:
    """Return the settings with size 0 for given splits.

    Raises `UserError` if there would be no rows to train or test on.
    """
    if given and not given & {"train", SUGGESTED}:
        raise UserError(
            f"the table must give rows to train on; got only {join_names(sorted(given))} rows: "
            "add training rows, or set data.split to null to split all rows anew"
        )
    if "test" not in given and not settings.test_size:
        raise UserError(
            "params.yaml: split.test_size must be greater than 0 "
            "unless the table gives test rows (data.split); got 0.0"
        )
    return settings.model_copy(update={f"{name}_size": 0.0 for name in DRAWN if name in given})


def require_classes(
    counts: Mapping[str, Mapping[str, int]],
    method: str,
    given: Collection[str] = frozenset(),
    row_counts: Mapping[str, int] | None = None,
    tested: bool = False,
) -> None:
    """Raise `TooRareError` unless train and test have rows of every class.

    Test rows that are given or the latest may lack some. `counts` has the rows by split and class;
    `given` are the splits that the table gives. With labels, `row_counts` has the rows of each
    split: training rows are needed with and without each, and test rows with each only if `tested`.
    """
    classes = {label for by_class in counts.values() for label, rows in by_class.items() if rows}
    complete = ["train", "test"]
    if "test" in given or method == "time" or (row_counts and not tested):
        complete = ["train"]
    lacking = {
        name: sorted(label for label in classes if not counts[name].get(label)) for name in complete
    }
    for name, adjective, size in (("train", "training", "smaller"), ("test", "test", "larger")):
        if missing := lacking.get(name):
            change = f"{ADVICE[method]}, or a {size} split.test_size"
            if name == "train" and given:
                change = "add some to the table"
            if len(classes) > MANY_CLASSES:
                change = (
                    f"are the labels classes ({len(classes):,}), or texts or ids by mistake? "
                    f"Else {change}"
                )
            number = row_counts[name] if row_counts else sum(counts[name].values())
            rule = (
                f"the {adjective} rows must hold every class; "
                f"class {missing[0]} has none of {number}"
            )
            change += RARE_ADVICE
            if name == "train" and given and not row_counts:
                change += f", or data.unknown to {missing[0]} if its texts belong to no class"
            raise TooRareError(f"{rule}: {change}", {*chain(*lacking.values())}, classes)
    number = row_counts["train"] if row_counts else 0
    always = sorted(label for label, rows in counts["train"].items() if rows == number)
    if number and always:
        raise UserError(
            "the training rows must hold rows without each label; "
            f"all {number} have {always[0]}: add rows without it, or leave the label out"
        )


def rank_times(times: pa.Array) -> Positions:
    """Return the rank of each row's time among the distinct times: (rows,)."""
    return np.asarray(pc.rank(as_array(times), tiebreaker="dense").to_numpy().astype(np.int64))


def take_latest(ranks: Positions, rows: Positions, count: int) -> tuple[Positions, Positions]:
    """Divide some rows into the earlier and the latest, and return both in the order of the table.

    The latest are about `count`: rows of equal times stay together. Raises `UserError` if all times
    are equal.
    """
    times, counts = np.unique(ranks[rows], return_counts=True)
    since = counts[::-1].cumsum()[::-1]  # rows of each time and later ones
    if len(times) < 2:
        raise UserError(
            f"{len(rows)} rows must have different times to be split by them (data.time); got one"
        )
    border = times[1:][np.abs(since[1:] - count).argmin()]
    is_late = ranks[rows] >= border
    return rows[~is_late], rows[is_late]


def describe_time(time: Any) -> str:
    """Return a number or a date-time as text; a midnight is a date."""
    return (
        str(time).removesuffix(" 00:00:00")
        if isinstance(time, str)
        else f"{time:f}".rstrip("0").rstrip(".")
    )
