"""What the model cards and the report share: the settings, results and sources of a run."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from textclf.core.about import About
from textclf.evaluate.choose import explain_calibration
from textclf.evaluate.model_choice import explain_choice
from textclf.evaluate.results import Results
from textclf.evaluate.settings import Evaluate
from textclf.export.settings import Export, needs_measured
from textclf.export.sources import Source, Weights, class_titles, list_weights, unite_weights
from textclf.models.settings import Average, Train, with_averages
from textclf.split.settings import Split
from textclf.tables.settings import Data
from textclf.vectorize.settings import Combine, Vectorize, leaves


@dataclass(frozen=True)
class Settings:
    """The sections of params.yaml that describe a run, in the order of the page."""

    data: Data
    about: About
    split: Split
    vectorize: Vectorize
    combine: Combine
    train: Train
    average: Average
    evaluate: Evaluate
    export: Export

    @cached_property
    def models(self) -> Train:
        """The models of train, then the averages."""
        return with_averages(self.train, self.average)

    @cached_property
    def external(self) -> list[str]:
        """The names of the predictions made elsewhere."""
        return sorted(self.evaluate.external)

    def members(self, model: str) -> list[str]:
        """Return the models of train of which a model is made: itself, or the two of an average."""
        pair = self.average.pairs().get(model)
        return [model] if pair is None else [pair.first, pair.second]

    def representations(self, model: str) -> list[str]:
        """Return the names in vectorize of the representations that a model reads."""
        names: dict[str, None] = {}
        for member in self.members(model):
            names |= dict.fromkeys(leaves(self.train[member].features, self.combine))
        return list(names)


@dataclass(frozen=True)
class Facts:
    """A run as its cards and its report describe it."""

    settings: Settings
    # The labels in order; binary: the positive class is last.
    classes: Sequence[str]
    results: Results
    sources: Sequence[Source]
    # Models that recorded their loss on validation rows, or else test rows, while training.
    watching: Collection[str]

    @cached_property
    def default(self) -> tuple[str, str]:
        """The model that represents the run, the default of `textclf predict`, and why."""
        return explain_choice(
            self.settings.export.model, self.results, self.settings.models.names()
        )

    @cached_property
    def refitted(self) -> str | None:
        """The model for which export.refit is set, with validation rows."""
        refit = self.settings.export.refit and self.results.splits.validation
        return self.default[0] if refit else None

    @cached_property
    def measured_only(self) -> str | None:
        """What holds only for the measured default, so that a refit changes nothing, or None."""
        for name in self.settings.members(self.default[0]):
            teacher = getattr(self.settings.train[name], "teacher", None)
            if teacher:
                return f"what its teacher {teacher} has taught it"
        return needs_measured(self.settings.data, self.settings.evaluate)

    @cached_property
    def titles(self) -> dict[str, str]:
        """The name of each class label that has one."""
        return class_titles(self.sources, self.settings.about)

    def calibration(self, model: str) -> str:
        """Return what evaluate.calibration did to a model, "" if it is not set."""
        decisions = self.results.decisions
        return explain_calibration(
            decisions[model],
            self.settings.evaluate.calibration,
            decisions.protocol.validation_rows > 0,
        )

    def weights(self, *models: str) -> list[Weights]:
        """Return the pretrained weights that these models use, each once."""
        settings = self.settings
        weights = []
        for member in dict.fromkeys(chain.from_iterable(map(settings.members, models))):
            names = leaves(settings.train[member].features, settings.combine)
            read = [settings.vectorize[name] for name in names]
            weights.append(list_weights(settings.train[member], read))
        return unite_weights(weights)
