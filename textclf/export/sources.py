"""Where rows and pretrained weights come from: files, checksums and rights, and class names of built-in corpora."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePath
from typing import Any

from textclf.core.about import NOTHING, About
from textclf.core.errors import UserError
from textclf.core.formatting import join_names
from textclf.core.settings import suggest
from textclf.fetch import catalogue
from textclf.models.common.settings import ModelSettings
from textclf.pretrained.catalogue import CATALOGUE

UNSTATED = "yours to state"  # rights that only the owner of the rows knows
PUBLISHER = "Sentiment Labelled Sentences (UCI Machine Learning Repository)"


@dataclass(frozen=True)
class Source:
    """A raw file: its path, its SHA-256 and its rights; `corpus` is the name of a built-in corpus, or None."""

    path: str
    sha256: str
    corpus: str | None = None
    licence: str = UNSTATED
    citation: str = UNSTATED


@dataclass(frozen=True)
class Rights:
    """The rights in all raw files together, their language, and where they were published."""

    licence: str
    citation: str
    language: str
    origin: str


def list_sources(checksums: Mapping[str, str], path: str) -> list[Source]:
    """Return the raw files at `path`, a file or a folder, from their checksums by name below it.

    Built-in corpora are recognised by their checksum and bring their licence and citation along.
    """
    corpora = {
        each.sha256: (name, each.licence, each.citation) for name, each in catalogue.CORPORA.items()
    }
    is_file = list(checksums) == [PurePath(path).name]
    return [
        Source(
            path if is_file else f"{path.rstrip('/')}/{name}", checksum, *corpora.get(checksum, ())
        )
        for name, checksum in checksums.items()
    ]


def combine_rights(sources: Sequence[Source], about: About = NOTHING) -> Rights:
    """Return the rights in all files: what `about` states, else those of built-in corpora, else `UNSTATED`."""
    corpora = [source.corpus for source in sources if source.corpus]
    built_in = bool(sources) and len(corpora) == len(sources)
    return Rights(
        licence=about.licence
        or join_names(list(dict.fromkeys(source.licence for source in sources)))
        or UNSTATED,
        citation=about.citation
        or " ".join(dict.fromkeys(source.citation for source in sources))
        or UNSTATED,
        language=about.language or ("English" if built_in else UNSTATED),
        origin=about.title
        or (f"{join_names(corpora)}: {PUBLISHER}" if built_in else "your own file"),
    )


def class_titles(sources: Sequence[Source], about: About) -> dict[str, str]:
    """Return the name of each class label that has one in `about` or, for a built-in corpus, in the catalogue."""
    return catalogue.class_names(source.corpus for source in sources) | about.class_names


def require_known_classes(about: About, classes: Sequence[str]) -> None:
    """Raise `UserError` if `about` names a class that has no rows."""
    lines = [
        f"params.yaml: about.class_names.{label} must be a label of the data; {suggest(label, classes)}"
        for label in about.class_names
        if label not in classes
    ]
    if lines:
        raise UserError(*lines)


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
    sections = (
        [settings] if getattr(settings, "vectors", "") is None else [settings, *representations]
    )
    names = beside | {
        name for each in sections for name in getattr(each, "pretrained_names", list)()
    }
    if hasattr(settings, "chosen"):
        names.add(settings.chosen.name)
    rights = {
        name: (CATALOGUE[name].licence, CATALOGUE[name].citation)
        for name in names
        if name in CATALOGUE
    }
    return [Weights(name, name in beside, *rights.get(name, ())) for name in sorted(names)]


def unite_weights(models: Iterable[Sequence[Weights]]) -> list[Weights]:
    """Return the weights of several models, each name once, sorted; one that is read beside a model stays so."""
    by_name = {each.name: each for each in sorted(chain(*models), key=lambda each: each.beside)}
    return [by_name[name] for name in sorted(by_name)]
