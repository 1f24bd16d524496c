"""The outputs that dvc.yaml and studies/dvc.yaml declare, and the user's files in their place."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from textclf.core.differences import MISSING, value_at
from textclf.core.errors import UserError
from textclf.core.ownership import foreign_files, refusal
from textclf.core.settings import parse_yaml
from textclf.fetch.catalogue import CORPORA
from textclf.pretrained.catalogue import CATALOGUE, NOTE

# Made by a stage, but not kept by DVC.
UNDECLARED = Path("reports/audit.html")
RAW, PRETRAINED = Path("data/raw"), Path("data/pretrained")
# Files that a user may have put there; the stage fetch verifies them.
FETCHED = {
    *(RAW / corpus.file for corpus in CORPORA.values()),
    *(PRETRAINED / entry.name / file.name for entry in CATALOGUE.values() for file in entry.files),
    PRETRAINED / NOTE,
}


def outputs(
    pipelines: Mapping[Path, str], settings: Mapping[str, Any] | None = None
) -> Iterator[tuple[Path, bool]]:
    """Yield the path of each output of the stages, and whether DVC's cache keeps it.

    `pipelines` are the texts of dvc.yaml files by their paths. `settings` is the content of
    params.yaml, which has the items of the stages that DVC makes per item; without it, the item is
    `*`. Raises `UserError` if a text is no pipeline.
    """
    for file, text in pipelines.items():
        try:
            yield from _outputs(file.parent, _parse(text, str(file))["stages"].values(), settings)
        except (AttributeError, LookupError, TypeError, ValueError):
            raise UserError(
                f"{file} must be as textclf writes it; git diff {file} shows what differs"
            ) from None


def _parse(text: str, name: str) -> Any:
    """Return the mapping in a dvc.yaml; `UserError` as `parse_yaml`.

    It is read by the fast parser in C, which DVC uses too.
    """
    with suppress(Exception):  # parse_yaml says what is wrong
        return YAML(typ="safe").load(text)
    return parse_yaml(text, name)


def _outputs(
    folder: Path, stages: Iterable[Mapping[str, Any]], settings: Mapping[str, Any] | None
) -> Iterator[tuple[Path, bool]]:
    for stage in stages:
        items: Any = ["*"]
        if settings is not None and "foreach" in stage:
            value = value_at(settings, stage["foreach"].strip("${}"))
            items = [] if value is MISSING else value or []
        body = stage.get("do", stage)
        for entry in (*body.get("outs", ()), *body.get("metrics", ())):
            ((path, options),) = entry.items() if isinstance(entry, dict) else [(entry, {})]
            for item in items:
                output = folder / body.get("wdir", "") / path.replace("${key}", item)
                yield Path(os.path.normpath(output)), options.get("cache", True)


def refusals(pipelines: Mapping[Path, str], settings: Mapping[str, Any]) -> list[str]:
    """Return a line for each output in whose place are files that no run made.

    A run would replace them.
    """
    paths = dict.fromkeys(path for path, _ in outputs(pipelines, settings))
    foreign = {
        path: [file for file in foreign_files(path) if file not in FETCHED] for path in paths
    }
    return [refusal(path, files) for path, files in foreign.items() if files]


def written_into(pipelines: Mapping[Path, str], settings: Mapping[str, Any]) -> list[str]:
    """Return a line if the table is a folder into which a run writes, which DVC refuses."""
    folder = Path(str(value_at(settings, "data.path")))
    inside = sorted(path for path, _ in outputs(pipelines, settings) if folder in path.parents)
    if not inside:
        return []
    rule = f"{folder} must hold texts alone, since a run writes {inside[0]}"
    return [f"{rule}; move the texts to a folder of their own, such as texts"]


def ignored(pipelines: Mapping[Path, str]) -> list[str]:
    """Return the lines of .gitignore for what stages make and Git does not keep.

    A line has at most two levels of a path.
    """
    outside_git = [*(path for path, cached in outputs(pipelines) if cached), UNDECLARED]
    return sorted({"/".join(["", *path.parts[:2]]) for path in outside_git})
