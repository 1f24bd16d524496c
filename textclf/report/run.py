"""What the report shows of a run."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import Predictions
from textclf.artifacts.splits import ReadColumns
from textclf.behave import results as behaviour_files
from textclf.behave.settings import Behave
from textclf.core.arrow import Lengths, count_lengths
from textclf.core.display import display_labels
from textclf.core.formatting import confidence_level, display_name, join_names, percent
from textclf.core.workers import Pool, local_pool
from textclf.evaluate.metrics.metric import MULTILABEL
from textclf.evaluate.registry import METRICS
from textclf.export.explanation import COLUMNS
from textclf.export.facts import Facts, Settings
from textclf.fetch.settings import Fetch
from textclf.plot.charts import Chart, columns_of, of_labels
from textclf.report.settings import Report

# A baseline whose error is more than this many times the largest of other models is not drawn.
SQUEEZED = 4
# How often the texts of a piece are in memory while they are measured.
COPIES = 8


def tables_of(task: str) -> dict[str, Sequence[str]]:
    """Return the tables in plots/ by name, each as its columns that the page shows."""
    of_class = [
        name
        for name, metric in METRICS.items()
        if metric.per_class and metric.suits(task == MULTILABEL)
    ]
    metrics = [f"{name}{end}" for name in of_class for end in ("", "_low", "_high")]
    whole = ("history", "confusion", "roc", "precision_recall", "risk_coverage")
    return {
        **{name: columns_of(name) for name in whole},
        "classes": ("model", "split", "class", "support", *metrics),
        "reliability": (*columns_of("reliability"), "low", "high"),
        "terms": COLUMNS,
    }


@dataclass(frozen=True)
class PageSettings(Settings):
    """All sections of params.yaml that the page lists."""

    fetch: Fetch
    report: Report
    behave: Behave


@dataclass(frozen=True)
class SplitRows:
    """The rows of a split in pieces: a reader of each piece, and its number of rows.

    `words` and `characters` (rows,) are the lengths of the texts.
    """

    readers: Sequence[ReadColumns]
    sizes: Sequence[int]
    words: Lengths
    characters: Lengths

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.words)

    def at(self, places: Iterable[int], column: str) -> pd.DataFrame:
        """Return a column of the rows at these positions (the index); read only their pieces."""
        wanted = np.unique(np.fromiter(places, dtype=np.int64))
        rows = [pd.DataFrame({column: []}, dtype=str)]
        start = 0
        for read, size in zip(self.readers, self.sizes, strict=True):
            inside = wanted[(wanted >= start) & (wanted < start + size)]
            if len(inside):
                rows.append(read([column]).take(inside - start).to_pandas().set_index(inside))
            start += size
        return pd.concat(rows)


def open_rows(readers: Sequence[ReadColumns], pool: Pool | None = None) -> SplitRows:
    """Return the rows of a split, whose texts a pool measures piece by piece."""
    lengths = (pool or Pool()).map(_lengths, [(read,) for read in readers], "measure texts")
    words, characters = (np.concatenate(parts) for parts in zip(*lengths, strict=True))
    return SplitRows(readers, [len(words) for words, _ in lengths], words, characters)


def _lengths(read: ReadColumns) -> tuple[Lengths, Lengths]:
    return count_lengths(read(["text"])["text"])


def pool_of(splits: Iterable[Sequence[ReadColumns]]) -> AbstractContextManager[Pool]:
    """Return a pool for the pieces of splits, whose texts each process holds a few times."""
    several = [readers for readers in splits if len(readers) > 1]
    sizes = [COPIES * readers[0](["text"]).nbytes for readers in several]
    return local_pool(sum(map(len, several)), max(sizes, default=0))


@dataclass(frozen=True)
class Run(Facts):
    """Everything that the page shows: what the stages wrote, and the settings.

    `splits` has the rows of each split and `predictions` those of each model, for the test rows at
    least, in pieces that can be read again; all models predict the same rows in the same order, the
    test rows in that of the split.
    """

    settings: PageSettings
    splits: Mapping[str, Sequence[ReadColumns]]
    predictions: Mapping[str, Iterable[Predictions]]
    # Of plots, by name.
    tables: Mapping[str, pd.DataFrame]
    # SHA-256 of what was hashed.
    checksums: Mapping[str, str]
    # Of packages that computed, or are locked.
    versions: Mapping[str, str]
    # Of each file of behavioural tests.
    behaviour: Mapping[str, behaviour_files.Results] = field(default_factory=dict)
    # A sentence on each package that computed in another version than is locked.
    unlocked: Sequence[str] = ()

    @property
    def models(self) -> list[str]:
        """The names of the models, in the order of train, average and evaluate.external."""
        return list(self.predictions)

    @property
    def ordered(self) -> list[str]:
        """The names of the models, that which represents the run first."""
        return sorted(self.models, key=lambda name: name != self.default[0])

    @property
    def multilabel(self) -> bool:
        """Whether a text has a set of labels; these are the classes."""
        return self.settings.data.task == MULTILABEL

    @property
    def binary(self) -> bool:
        """Whether a text has one of two classes."""
        return len(self.classes) == 2 and not self.multilabel

    @property
    def words(self) -> dict[str, str]:
        """What the page calls a class, several of them, and the share of rows that are right."""
        kind, kinds = ("label", "labels") if self.multilabel else ("class", "classes")
        return {
            "kind": kind,
            "kinds": kinds,
            "accuracy": METRICS["accuracy"].titled(self.multilabel),
        }

    def chart(self, chart: Chart) -> Chart:
        """Return a chart in the words of the task."""
        return of_labels(chart) if self.multilabel else chart

    @property
    def class_metrics(self) -> list[str]:
        """The names of the metrics that are measured for each class or label."""
        return [name for name in METRICS if name in self.tables["classes"]]

    @property
    def level(self) -> str:
        """The level of the intervals as a percentage, such as 95%."""
        return confidence_level(self.settings.evaluate.confidence)

    @cached_property
    def names(self) -> dict[str, str]:
        """What to show for each class label."""
        return display_labels(self.classes, self.titles)

    @cached_property
    def rows(self) -> dict[str, SplitRows]:
        """The rows of each split, with the lengths of their texts."""
        with pool_of(self.splits.values()) as pool:
            return {split: open_rows(readers, pool) for split, readers in self.splits.items()}

    def decision(self, model: str) -> Decision:
        """Return how the rows of a model are decided."""
        decision: Decision = self.results.decisions[model].decision
        return decision

    @cached_property
    def counts(self) -> dict[str, NDArray[np.int64]]:
        """The test rows of each model as `confusion_matrix`, (classes, columns)."""
        confusion, matrices = self.tables["confusion"], {}
        for model in self.models:
            counts = confusion[confusion["model"] == model].pivot_table(
                "count", "actual", "predicted", aggfunc="sum"
            )
            columns = [*self.classes, *([""] if "" in counts.columns else [])]
            matrices[model] = (
                counts.reindex(index=list(self.classes), columns=columns)
                .fillna(0)
                .to_numpy(np.int64)
            )
        return matrices

    @cached_property
    def support(self) -> NDArray[np.int64]:
        """The test rows of each class, or with each label, (classes,)."""
        classes = self.tables["classes"]
        rows = classes[(classes["split"] == "test") & (classes["model"] == self.models[0])]
        return np.array(
            rows.set_index("class")["support"].reindex(list(self.classes)), dtype=np.int64
        )

    @cached_property
    def together(self) -> NDArray[np.int64]:
        """The test rows that have both of two labels, (labels, labels)."""
        actual = (
            rows.y[rows.split == "test"].astype(float) for rows in self.predictions[self.models[0]]
        )
        return np.array(sum(y.T @ y for y in actual), dtype=np.int64)

    def right(self, model: str) -> int:
        """Return the number of test rows that a model decides correctly, in all their labels."""
        if self.multilabel:
            accuracy: float = self.results.evaluation[model]["test"]["accuracy"]
            return round(accuracy * len(self.rows["test"]))
        return int(self.counts[model].trace())

    @cached_property
    def squeezing(self) -> list[str]:
        """The names of baselines too far below the other models to be drawn on one axis."""
        errors = {name: 1 - self.results.accuracy_ends(name).low for name in self.models}
        constant = [name for name in self.models if self.constant(name) is not None]
        most = max((error for name, error in errors.items() if name not in constant), default=1)
        return [name for name in constant if errors[name] > SQUEEZED * most]

    @property
    def not_drawn(self) -> str:
        """What a caption says of `squeezing`."""
        shares = {
            name: percent(self.results.evaluation[name]["test"]["accuracy"])
            for name in self.squeezing
        }
        named = [
            f"{display_name(name)} ({self.words['accuracy']} {share})"
            for name, share in shares.items()
        ]
        if not named:
            return ""
        return f" Not drawn, so that the others can be told apart: {join_names(named)}."

    def constant(self, model: str) -> list[int] | None:
        """Return the positions of the classes decided for every test row; None if rows differ."""
        counts = self.counts[model]
        always = (counts == self.support[:, np.newaxis]).all(axis=0)
        return np.flatnonzero(always).tolist() if (always | ~counts.any(axis=0)).all() else None
