"""The pretrained weights that a model was made with: their rights, and where they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textclf.export.sources import UNSTATED
from textclf.models.common.settings import ModelSettings
from textclf.pretrained.catalogue import CATALOGUE


@dataclass(frozen=True)
class Weights:
    """Pretrained weights: their name and their rights; `beside` says that predicting reads a file of theirs."""

    name: str
    beside: bool
    licence: str = UNSTATED
    citation: str = UNSTATED


def list_weights(settings: ModelSettings, representations: Sequence[Any]) -> list[Weights]:
    """Return the weights that the settings of a model and of its representations name, each once, sorted by name."""
    beside = {each.chosen.name for each in representations if hasattr(each, "chosen")}
    # A network without `vectors` starts from its seed, whatever vectors the representation has.
    sections = [settings] if getattr(settings, "vectors", "") is None else [settings, *representations]
    names = beside | {name for each in sections for name in getattr(each, "pretrained_names", list)()}
    if hasattr(settings, "chosen"):
        names.add(settings.chosen.name)
    rights = {name: (CATALOGUE[name].licence, CATALOGUE[name].citation) for name in names if name in CATALOGUE}
    return [Weights(name, name in beside, *rights.get(name, ())) for name in sorted(names)]
