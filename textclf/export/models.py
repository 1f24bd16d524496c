"""The models of a run as users get them: as measured, and the default one perhaps fitted anew."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from textclf.artifacts import packages, shapes
from textclf.artifacts.checked import read_teacher
from textclf.artifacts.checksums import verify_folder
from textclf.artifacts.conformal import Conformal
from textclf.artifacts.decisions import write_index
from textclf.artifacts.splits import read as read_splits
from textclf.artifacts.splits import read_checksums, read_classes
from textclf.evaluate.results import Results
from textclf.export import card, folder, provenance, refit
from textclf.export.explanation import terms_of_models
from textclf.export.facts import Facts, Settings
from textclf.export.sources import list_sources, require_known_classes
from textclf.tables.given import require_split_rows

METRICS = (
    "evaluation",
    "intervals",
    "comparisons",
    "decisions",
    "training",
    "splits",
    "coverage",
    "unknown",
)


def read_facts(settings: Settings, splits: Path, trained: Path, metrics: Path) -> Facts:
    """Return what the cards say of a run.

    Raises `UserError` if the table is not the one that was split, or an artifact is damaged.
    """
    data, names = settings.data, settings.models.names()
    split_rows = read_checksums(splits)
    require_split_rows(Path(data.path), data, split_rows)
    for name in names:
        verify_folder(trained / name)
    results = Results.read(metrics, METRICS, names, settings.external)
    classes = read_classes(splits)
    require_known_classes(settings.about, classes)
    watching = [
        name for name in settings.train.names() if (trained / name / "history.csv").exists()
    ]
    return Facts(settings, classes, results, list_sources(split_rows, data.path), watching)


class Models:
    """All models of train and average, with the table of the `terms` that weigh most in them."""

    def __init__(self, facts: Facts, features: Path, trained: Path, pretrained: Path) -> None:
        """Read the models as they were measured, and the representations that they read."""
        settings = facts.settings
        self.facts, self.features, self.pretrained = facts, features, pretrained
        self.trained = trained
        self.reads = {name: settings.train[name].features for name in settings.train.names()}
        vectorizers: dict[str, Any] = {
            read: folder.read_vectorizer(features / read, pretrained)
            for read in dict.fromkeys(self.reads.values())
        }
        self.exported = {
            name: folder.measured(trained / name, vectorizers[read])
            for name, read in self.reads.items()
        }
        fitted = {name: exported.model for name, exported in self.exported.items()}
        self.terms = terms_of_models(
            fitted, self.reads, vectorizers, features, settings.export.terms
        )
        for name in settings.average.pairs():
            members = [self.exported[member] for member in settings.members(name)]
            self.exported[name] = folder.average(members, facts.results.training[name])

    def refit_default(self, splits: Path) -> None:
        """Fit the default model anew on training and validation rows.

        Raises `UserError` if memory does not hold them.
        """
        settings, training = self.facts.settings, self.facts.results.training
        frames = read_splits(splits)
        rows = pd.concat([frames[split] for split in refit.SPLITS], ignore_index=True)
        default, _ = self.facts.default
        anew = []
        for name in settings.members(default):
            refit.require_memory(self.features / self.reads[name])
            made, made_of = refit.refit(
                rows,
                self.facts.classes,
                settings.train[name],
                training[name],
                settings.vectorize,
                settings.combine,
                self.pretrained,
            )
            anew.append(made)
        if default in self.reads:
            self.exported[default] = made
            self.terms = refit.replace_terms(
                self.terms, default, made, made_of, settings.export.terms
            )
        else:
            self.exported[default] = folder.average(anew, training[default])

    def write(
        self,
        target: Path,
        weights: Path,
        files: Iterable[Path],
        scores: Mapping[str, Conformal],
    ) -> None:
        """Write a folder per model into a new folder, and the index that names the default.

        `weights` has the teachers of models, `files` are those that people edit beside params.yaml
        and the lock files, `scores` those from which prediction sets follow.
        """
        facts, settings = self.facts, self.facts.settings
        columns = {
            part: shape.columns
            for name in self.reads
            for part, shape in shapes.read(self.trained / name).parts.items()
        }
        target.mkdir()
        write_index(facts.default[0], [*self.exported], target)
        for name, exported in self.exported.items():
            text = card.render(facts, name, columns, ignores_text=exported.model.ignores_text)
            teachers = [read_teacher(weights, member) for member in settings.members(name)]
            definition = provenance.define(
                facts,
                name,
                packages.read(self.trained / name),
                files,
                filter(None, teachers),
            )
            decision = facts.results.decisions[name].decision
            folder.write(target / name, exported, decision, text, definition, scores.get(name))
