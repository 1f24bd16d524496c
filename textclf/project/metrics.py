"""The command `textclf metrics`: print the outcome of the last run, and whether it is stale."""

import os
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

from textclf.artifacts.checked import read_settings
from textclf.core.command import Command
from textclf.core.differences import compare_values
from textclf.core.errors import UserError
from textclf.core.quoting import first_line, list_names
from textclf.core.settings import Section, load_params
from textclf.evaluate.looks import count_results
from textclf.evaluate.results import Results
from textclf.evaluate.settings import Evaluate
from textclf.export import outcome
from textclf.export.settings import Export
from textclf.models.settings import Average, Train, with_averages
from textclf.project.generated import PIPELINE
from textclf.review.differences import UNMEASURED

READ = {"train": Train, "average": Average, "evaluate": Evaluate, "export": Export}
METRICS, PAGE, IN_USE = Path("metrics"), Path("reports/report.html"), Path("data/settings.json")


def run(_: Command) -> None:
    """Print the models, the default model, where the report is, and which stages would run anew."""
    settings = load_params(READ)
    print(*describe(settings), sep="\n")
    if line := stale(settings):
        print(f"warning: {line}")


def describe(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the report's stage prints of the results: models, default, where the report is."""
    train, average, evaluate, export = (settings[name] for name in READ)
    models = with_averages(train, average).names()
    external = sorted(evaluate.external)
    results = Results.read(METRICS, outcome.FILES, models, external)
    looks = count_results(results.decisions.protocol.test_rows, METRICS)
    yield from outcome.describe(results, models, export.model, evaluate.confidence, external, looks)
    if PAGE.exists():
        yield f"report: {PAGE}"
    else:
        yield f"no report: {PAGE} not found; run dvc repro (or dvc pull) to make it"


def stale(settings: Mapping[str, Section]) -> str:
    """Return which stages of the report DVC would run and what has changed, "" if nothing has.

    `settings`, code and files may have changed.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.repo.index import Index
    from dvc.repo.reproduce import plan_repro

    try:
        with Repo() as repo:
            # Not all of the repository, which takes as long as the rest.
            index = Index.from_file(repo, str(PIPELINE))
            written = {output.fspath for stage in index.stages for output in stage.outs}
            names: list[str] = []
            causes: list[str] = []
            followers = []
            report = [stage for stage in index.stages if stage.addressing == "report"]
            for stage in plan_repro(index.graph, report):
                if stage.addressing == UNMEASURED:
                    continue
                if changes := [*_changes(stage, written, settings)]:
                    names.append(stage.addressing)
                    causes += changes
                    followers += index.graph.predecessors(stage)
    except (DvcException, UserError, OSError) as error:
        return f"it is unknown whether these are the results of today's files; {first_line(error)}"
    if not names:
        return ""
    more = any(stage.addressing not in names for stage in followers)
    stages = list_names(names) + (" and what follows" if more else "")
    changed = list_names([*dict.fromkeys(causes)])
    return f"stale: dvc repro would run {stages}; changed since the last run: {changed}"


def _changes(stage: Any, written: Set[str], settings: Mapping[str, Section]) -> Iterator[str]:
    """Yield what of a stage differs from dvc.lock.

    These are settings, inputs that no stage has `written`, and results in Git that exist.
    """
    if stage.cmd_changed or not any(dep.hash_info for dep in stage.deps):
        yield f"{stage.addressing} (dvc.yaml)"
        return
    for dep in stage.deps:
        path = Path(dep.fspath)
        is_made = any(_overlap(dep.fspath, out) for out in written)
        if dep.hash_info.name == "params":
            for setting in compare_values(dep.hash_info.value, dep.read_params()):
                yield setting.name
        elif path == IN_USE.absolute() and dep.exists and not dep.changed_checksum():
            used = read_settings(IN_USE)
            before = {name: used.get(name) for name in settings}
            now = {name: section.model_dump() for name, section in settings.items()}
            for setting in compare_values(before, now):
                yield setting.name
        elif not is_made and dep.exists and dep.changed_checksum():
            yield str(dep)
    for out in stage.outs:
        if not out.use_cache and out.exists and out.changed_checksum():
            yield str(out)


def _overlap(path: str, other: str) -> bool:
    """Return whether one of two paths is the other one, or lies in it."""
    return f"{path}{os.sep}".startswith(f"{other}{os.sep}") or other.startswith(f"{path}{os.sep}")
