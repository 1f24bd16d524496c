"""Where rows and pretrained weights come from: files, checksums, rights and class names."""

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

# Stands for rights that only the owner of the rows knows.
UNSTATED = "yours to state"
PUBLISHER = "Sentiment Labelled Sentences (UCI Machine Learning Repository)"


@dataclass(frozen=True)
class Source:
    """A raw file: its path, SHA-256 and rights; `corpus` is the name of a built-in corpus."""

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
        corpus.sha256: (name, corpus.licence, corpus.citation)
        for name, corpus in catalogue.CORPORA.items()
    }
    is_file = list(checksums) == [PurePath(path).name]
    folder = path.rstrip("/")
    return [
        Source(path if is_file else f"{folder}/{name}", checksum, *corpora.get(checksum, ()))
        for name, checksum in checksums.items()
    ]


def combine_rights(sources: Sequence[Source], about: About = NOTHING) -> Rights:
    """Return the rights in all files: from `about`, else of built-in corpora, else `UNSTATED`."""
    corpora = [source.corpus for source in sources if source.corpus]
    licences = list(dict.fromkeys(source.licence for source in sources))
    citations = dict.fromkeys(source.citation for source in sources)
    language, origin = UNSTATED, "your own file"
    if sources and len(corpora) == len(sources):
        language, origin = "English", f"{join_names(corpora)}: {PUBLISHER}"
    return Rights(
        licence=about.licence or join_names(licences) or UNSTATED,
        citation=about.citation or " ".join(citations) or UNSTATED,
        language=about.language or language,
        origin=about.title or origin,
    )


def class_titles(sources: Sequence[Source], about: About) -> dict[str, str]:
    """Return the name of each class label that has one in `about` or in the catalogue."""
    return catalogue.class_names(source.corpus for source in sources) | about.class_names


def require_known_classes(about: About, classes: Sequence[str]) -> None:
    """Raise `UserError` if `about` names a class that has no rows."""
    lines = [
        f"params.yaml: about.class_names.{label} must be a label of the data; "
        f"{suggest(label, classes)}"
        for label in about.class_names
        if label not in classes
    ]
    if lines:
        raise UserError(*lines)


@dataclass(frozen=True)
class Weights:
    """Pretrained weights: name and rights; `beside` says that predicting reads a file of theirs."""

    name: str
    beside: bool
    licence: str = UNSTATED
    citation: str = UNSTATED


def list_weights(settings: ModelSettings, representations: Sequence[Any]) -> list[Weights]:
    """Return the weights that settings of a model and its representations name, sorted by name."""
    beside = {read.chosen.name for read in representations if hasattr(read, "chosen")}
    sections = [settings, *representations]
    # A network without `vectors` starts from its seed, whatever vectors the representation has.
    if getattr(settings, "vectors", "") is None:
        sections = [settings]
    names = beside.copy()
    for section in sections:
        names.update(getattr(section, "pretrained_names", list)())
    if hasattr(settings, "chosen"):
        names.add(settings.chosen.name)
    rights = {
        name: (CATALOGUE[name].licence, CATALOGUE[name].citation)
        for name in names
        if name in CATALOGUE
    }
    return [Weights(name, name in beside, *rights.get(name, ())) for name in sorted(names)]


def unite_weights(models: Iterable[Sequence[Weights]]) -> list[Weights]:
    """Return the weights of several models by name; `beside` if they are so for any model."""
    # Weights that are read beside a model come last, and replace those of the same name.
    ordered = sorted(chain(*models), key=lambda weights: weights.beside)
    by_name = {weights.name: weights for weights in ordered}
    return [by_name[name] for name in sorted(by_name)]
