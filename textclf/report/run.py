"""What the report shows of a run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.artifacts.decisions import Decision, explain_choice
from textclf.artifacts.predictions import Predictions
from textclf.artifacts.splits import ReadColumns
from textclf.behave.results import Results
from textclf.behave.settings import Behave
from textclf.core.about import About
from textclf.core.arrow import Lengths, count_lengths
from textclf.core.formatting import confidence_level, display_name, join_names, percent
from textclf.core.labels import display_labels
from textclf.evaluate.metrics.metric import MULTILABEL
from textclf.evaluate.registry import METRICS
from textclf.evaluate.settings import Evaluate
from textclf.export.explanation import COLUMNS
from textclf.export.settings import Export
from textclf.export.sources import Source, class_titles
from textclf.fetch.settings import Fetch
from textclf.models.settings import Average, Train, with_averages
from textclf.plot.charts import Chart, columns_of, of_labels
from textclf.report.settings import Report
from textclf.split.settings import Split
from textclf.tables.settings import Data
from textclf.vectorize.settings import Combine, Vectorize

SQUEEZED = 4  # times the largest error of all other models, beyond which that of a baseline is not drawn


def tables_of(task: str) -> dict[str, Sequence[str]]:
    """Return the tables in plots/ by name, each as its columns that the page shows."""
    of_class = [name for name, metric in METRICS.items() if metric.per_class and metric.suits(task == MULTILABEL)]
    metrics = [f"{name}{end}" for name in of_class for end in ("", "_low", "_high")]
    return {
        **{name: columns_of(name) for name in ("history", "confusion", "roc", "precision_recall", "risk_coverage")},
        "classes": ("model", "split", "class", "support", *metrics),
        "reliability": (*columns_of("reliability"), "low", "high"),
        "terms": COLUMNS,
    }


@dataclass(frozen=True)
class Settings:
    """The sections of params.yaml, in the order in which the page lists them."""

    fetch: Fetch
    data: Data
    about: About
    split: Split
    vectorize: Vectorize
    combine: Combine
    train: Train
    average: Average
    evaluate: Evaluate
    export: Export
    report: Report
    behave: Behave

    @property
    def models(self) -> Train:
        """The models of train, then the averages."""
        return with_averages(self.train, self.average)


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
        """Return a column of the rows at these positions, which index them; reads only the pieces with one."""
        wanted = np.unique(np.fromiter(places, dtype=np.int64))
        rows = [pd.DataFrame({column: []}, dtype=str)]
        start = 0
        for read, size in zip(self.readers, self.sizes, strict=True):
            inside = wanted[(wanted >= start) & (wanted < start + size)]
            if len(inside):
                rows.append(read([column]).take(inside - start).to_pandas().set_index(inside))
            start += size
        return pd.concat(rows)


def open_rows(readers: Sequence[ReadColumns]) -> SplitRows:
    """Return the rows of a split, whose texts are measured piece by piece."""
    lengths = [count_lengths(read(["text"])["text"]) for read in readers]
    words, characters = (np.concatenate(parts) for parts in zip(*lengths, strict=True))
    return SplitRows(readers, [len(words) for words, _ in lengths], words, characters)


@dataclass(frozen=True)
class Run:
    """Everything that the page shows: what the stages wrote, and the settings.

    `classes` are the labels in order; binary: the positive class is last. `splits` has the rows of each split and
    `predictions` those of each model, for the test rows at least, in pieces that can be read again; all models predict
    the same rows in the same order, and the test rows in the order of the split. `decisions` to `leaks` are the
    contents of metrics/*.json, `tables` those of plots/*.csv by name. `checksums` maps what was hashed to its
    SHA-256, `versions` packages to the versions that computed, or are locked. `behaviour` has the results of each file
    of behavioural tests.
    """

    settings: Settings
    classes: Sequence[str]
    splits: Mapping[str, Sequence[ReadColumns]]
    predictions: Mapping[str, Iterable[Predictions]]
    decisions: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    intervals: Mapping[str, Any]
    comparisons: Mapping[str, Mapping[str, Any]]
    slices: Mapping[str, Mapping[str, Mapping[str, Any]]]
    coverage: Mapping[str, Any]
    training: Mapping[str, Mapping[str, Any]]
    features: Mapping[str, Mapping[str, Any]]
    leaks: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    sources: Sequence[Source]
    checksums: Mapping[str, str]
    versions: Mapping[str, str]
    behaviour: Mapping[str, Results] = field(default_factory=dict)
    unknown: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def models(self) -> list[str]:
        """The names of the models, in the order of train, average and evaluate.external."""
        return list(self.predictions)

    @cached_property
    def representative(self) -> tuple[str, str]:
        """The model that represents the run, the default of `textclf predict`, and why."""
        return explain_choice(self.settings.export.model, self.evaluation, self.decisions, self.settings.models.names())

    @property
    def ordered(self) -> list[str]:
        """The names of the models, that which represents the run first."""
        return sorted(self.models, key=lambda name: name != self.representative[0])

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
        return {"kind": kind, "kinds": kinds, "accuracy": METRICS["accuracy"].titled(self.multilabel)}

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
        return display_labels(self.classes, class_titles(self.sources, self.settings.about))

    @cached_property
    def rows(self) -> dict[str, SplitRows]:
        """The rows of each split, with the lengths of their texts."""
        return {split: open_rows(readers) for split, readers in self.splits.items()}

    @property
    def clusters(self) -> Mapping[str, int]:
        """The number of clusters of each split whose rows are not independent."""
        clusters: Mapping[str, int] = self.decisions.get("protocol", {}).get("clusters", {})
        return clusters

    def ece_if_calibrated(self, model: str, split: str) -> float | None:
        """Return the calibration error to expect if the probabilities of a model are right; None if it is not known."""
        expected: Mapping[str, float] = self.decisions[model].get("ece_if_calibrated", {})
        return expected.get(split)

    def decision(self, model: str) -> Decision:
        """Return how the rows of a model are decided."""
        return Decision.from_json(self.decisions[model])

    @cached_property
    def counts(self) -> dict[str, NDArray[np.int64]]:
        """The test rows of each model as `confusion_matrix`, (classes, columns)."""
        confusion, found = self.tables["confusion"], {}
        for model in self.models:
            counts = confusion[confusion["model"] == model].pivot_table("count", "actual", "predicted", aggfunc="sum")
            columns = [*self.classes, *([""] if "" in counts.columns else [])]
            found[model] = counts.reindex(index=list(self.classes), columns=columns).fillna(0).to_numpy(np.int64)
        return found

    @cached_property
    def support(self) -> NDArray[np.int64]:
        """The test rows of each class, or with each label, (classes,)."""
        classes = self.tables["classes"]
        rows = classes[(classes["split"] == "test") & (classes["model"] == self.models[0])]
        return np.array(rows.set_index("class")["support"].reindex(list(self.classes)), dtype=np.int64)

    @cached_property
    def together(self) -> NDArray[np.int64]:
        """The test rows that have both of two labels, (labels, labels)."""
        actual = (rows.y[rows.split == "test"].astype(float) for rows in self.predictions[self.models[0]])
        return np.array(sum(y.T @ y for y in actual), dtype=np.int64)

    def right(self, model: str) -> int:
        """Return the number of test rows that a model decides correctly, with several labels each of them."""
        if self.multilabel:
            accuracy: float = self.evaluation[model]["test"]["accuracy"]
            return round(accuracy * len(self.rows["test"]))
        return int(self.counts[model].trace())

    @cached_property
    def squeezing(self) -> list[str]:
        """The names of baselines so far below the other models that these could not be told apart on one axis."""
        errors = {name: 1 - self.intervals[name]["test"]["accuracy"]["low"] for name in self.models}
        constant = [name for name in self.models if self.constant(name) is not None]
        most = max((error for name, error in errors.items() if name not in constant), default=1)
        return [name for name in constant if errors[name] > SQUEEZED * most]

    @property
    def not_drawn(self) -> str:
        """What a caption says of `squeezing`."""
        shares = {name: percent(self.evaluation[name]["test"]["accuracy"]) for name in self.squeezing}
        named = [f"{display_name(name)} ({self.words['accuracy']} {share})" for name, share in shares.items()]
        return f" Not drawn, so that the others can be told apart: {join_names(named)}." if named else ""

    def constant(self, model: str) -> list[int] | None:
        """Return the positions of the classes that a model decides for every test row; None if these differ."""
        counts = self.counts[model]
        always = (counts == self.support[:, np.newaxis]).all(axis=0)
        return np.flatnonzero(always).tolist() if (always | ~counts.any(axis=0)).all() else None
