"""Where the rows come from: the raw files, their checksums and rights, and the class names of built-in corpora."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from textclf.core.formatting import join_names
from textclf.core.labels import display_labels
from textclf.fetch import catalogue

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
    corpora = {corpus.sha256: (name, corpus) for name, corpus in catalogue.CORPORA.items()}
    is_file = list(checksums) == [PurePath(path).name]
    sources = []
    for name, checksum in checksums.items():
        file = path if is_file else f"{path.rstrip('/')}/{name}"
        if checksum in corpora:
            corpus_name, corpus = corpora[checksum]
            sources.append(Source(file, checksum, corpus_name, corpus.licence, corpus.citation))
        else:
            sources.append(Source(file, checksum))
    return sources


def combine_rights(sources: Sequence[Source]) -> Rights:
    """Return the rights in all files; `UNSTATED` language if one of them is not built in."""
    corpora = [source.corpus for source in sources if source.corpus]
    built_in = bool(sources) and len(corpora) == len(sources)
    return Rights(
        licence=join_names(list(dict.fromkeys(source.licence for source in sources))) or UNSTATED,
        citation=" ".join(dict.fromkeys(source.citation for source in sources)) or UNSTATED,
        language="English" if built_in else UNSTATED,
        origin=f"{join_names(corpora)}: {PUBLISHER}" if built_in else "your own file",
    )


def class_names(sources: Sequence[Source], classes: Sequence[str]) -> dict[str, str]:
    """Return what to show for each class label, in order: `negative` for label 0 of a built-in corpus.

    Labels of other rows are shown as they are, made visible and cut. All names are different.
    """
    return display_labels(classes, catalogue.class_names(source.corpus for source in sources))


def labelled_class_names(sources: Sequence[Source], classes: Sequence[str]) -> dict[str, str]:
    """Return `class_names` with the label in brackets if it differs from the name: `negative (0)`."""
    labels = display_labels(classes)
    names = class_names(sources, classes)
    return {label: shown if names[label] == shown else f"{names[label]} ({shown})" for label, shown in labels.items()}
