"""What an exported model was made of, as SLSA's buildDefinition: settings and dependencies."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from textclf.artifacts.checked import Teacher
from textclf.artifacts.packages import Versions
from textclf.core.code import checksum, read_code
from textclf.core.files import require, sha256_of_file
from textclf.export.facts import Facts, Settings
from textclf.pretrained.catalogue import CATALOGUE, SHARED
from textclf.vectorize.settings import below

# Code below textclf on which the stage export depends; that of other stages shows in their outputs.
CODE = (
    *("artifacts", "core", "evaluate", "export", "fetch", "models", "pretrained"),
    *("split/settings.py", "stages/export.py", "tables", "vectorize"),
)
# How a statement names all of it.
CODE_NAME = "textclf.stages.export"
# Sections that every model uses.
ALWAYS = ("data", "about", "split", "evaluate", "export")


def define(
    facts: Facts, model: str, versions: Versions, files: Iterable[Path], teachers: Iterable[Teacher]
) -> dict[str, Any]:
    """Return the parameters and the dependencies of a model, in a fixed order.

    `versions` are those of the packages that computed it; `files` are those that people edit beside
    params.yaml, and the lock files; `teachers` are those of its members.
    """
    # The settings have the checksums of weights that are not in the catalogue.
    catalogued = [weights for weights in facts.weights(model) if weights.name in CATALOGUE]
    return {
        "externalParameters": {"model": model, "params": used_settings(facts.settings, model)},
        "resolvedDependencies": [
            *(
                _file(source.path, source.sha256, source.licence, source.citation)
                for source in facts.sources
            ),
            *(_file(path.as_posix(), sha256_of_file(require(path))) for path in files),
            *(_file(teacher["file"], teacher["sha256"]) for teacher in teachers),
            *(
                _file(
                    f"{SHARED}/{weights.name}/{file.name}",
                    file.sha256,
                    weights.licence,
                    weights.citation,
                )
                for weights in catalogued
                for file in CATALOGUE[weights.name].files
            ),
            _file(CODE_NAME, checksum(read_code(), *CODE)),
            *(
                {"uri": f"pkg:pypi/{name}@{number}"}
                for name, numbers in versions.items()
                for number in numbers
            ),
        ],
    }


def _file(name: str, sha256: str, licence: str = "", citation: str = "") -> dict[str, Any]:
    rights = {"annotations": {"licence": licence, "citation": citation}} if licence else {}
    return {"name": name, "digest": {"sha256": sha256}, **rights}


def used_settings(settings: Settings, model: str) -> dict[str, Any]:
    """Return the settings that a model uses, by section, with their defaults."""
    members = settings.members(model)
    features: set[str] = set()
    for member in members:
        read = settings.train[member].features
        features |= {read, *below(read, settings.combine)}
    used: dict[str, dict[str, Any]] = {
        "vectorize": {
            name: settings.vectorize[name]
            for name in features
            if name in settings.vectorize.names()
        },
        "combine": {
            name: pair for name, pair in settings.combine.pairs().items() if name in features
        },
        "train": {name: settings.train[name] for name in members},
        "average": {name: pair for name, pair in settings.average.pairs().items() if name == model},
    }
    always = {key: getattr(settings, key).model_dump(mode="json") for key in ALWAYS}
    return always | {
        key: {name: section.model_dump(mode="json") for name, section in sections.items()}
        for key, sections in used.items()
    }
