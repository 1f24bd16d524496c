"""Counts of what splits share: planted, and against a naive count."""

from collections import Counter
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.leaks import count_leaks, normalised
from tests.unit.split.rows import batch_of
from textclf.core.arrow import normalize_text
from textclf.split.leaks import LeakCounter


def naive(parts: dict[str, list[tuple[str, str]]]) -> dict[str, Any]:
    report: dict[str, Any] = {
        name: {"classes": dict(Counter(label for _, label in part))} for name, part in parts.items()
    }
    report |= {"duplicates": {}, "leaks": {}, "label_conflicts": {}}
    for kind, key in (("exact", str), ("normalised", normalize_text)):
        texts = {name: [key(text) for text, _ in part] for name, part in parts.items()}
        report["duplicates"][kind] = {
            name: len(part) - len(set(part)) for name, part in texts.items()
        }
        names = list(texts)
        report["leaks"][kind] = {
            f"{later}_in_{earlier}": sum(text in texts[earlier] for text in texts[later])
            for position, later in enumerate(names)
            for earlier in names[:position]
        }
        labels: dict[str, set[str]] = {}
        for part in parts.values():
            for text, label in part:
                labels.setdefault(key(text), set()).add(label)
        report["label_conflicts"][kind] = sum(len(names) > 1 for names in labels.values())
    return report


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "A", " a", "b", "B ", "é", "É", "e\u0301", "c"]),
        st.sampled_from("xyz"),
    ),
    max_size=12,
)


@given(train=ROWS, validation=st.none() | ROWS, test=ROWS, cut=st.integers(1, 5))
def test_counts_are_those_of_a_naive_count(
    tmp_path_factory: pytest.TempPathFactory,
    train: list[tuple[str, str]],
    validation: list[tuple[str, str]] | None,
    test: list[tuple[str, str]],
    cut: int,
) -> None:
    parts = {
        "train": train,
        **({} if validation is None else {"validation": validation}),
        "test": test,
    }
    frames = {name: pd.DataFrame(part, columns=["text", "label"]) for name, part in parts.items()}
    assert count_leaks(frames) == naive(parts)
    # Of several processes, in as many partitions.
    folder = tmp_path_factory.mktemp("counters")
    counters = [LeakCounter(folder / str(number), 3) for number in range(3)]
    for counter in counters:
        counter.folder.mkdir()
    for name in reversed(parts):
        for start in range(0, max(len(parts[name]), 1), cut):
            rows = pa.Table.from_batches([batch_of(parts[name][start : start + cut])])
            counter = counters[start // cut % 3]
            counter.add(name, counter.encode(normalised(rows)))
    for counter in counters:
        counter.close()
    first, *others = counters
    for other in others:
        first.merge(other)
    assert first.report() == naive(parts)
