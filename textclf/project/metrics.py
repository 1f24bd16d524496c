"""The command `textclf metrics`: print the outcome of the last run, and whether it is stale."""

from collections.abc import Iterator, Mapping, Sequence
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
from textclf.review.differences import UNMEASURED

METRICS, PAGE, IN_USE = Path("metrics"), Path("reports/report.html"), Path("data/settings.json")


def run(_: Command) -> None:
    """Print the models, the default model, where the report is, and which stages would run anew."""
    settings: dict[str, Any] = load_params(
        {"train": Train, "average": Average, "evaluate": Evaluate, "export": Export}
    )
    train, average, evaluate, export = settings.values()
    models = with_averages(train, average).names()
    external = sorted(evaluate.external)
    results = Results.read(METRICS, outcome.FILES, models, external)
    looks = count_results(results.decisions.protocol.test_rows, METRICS)
    lines = outcome.describe(results, models, export.model, evaluate.confidence, external, looks)
    print(*lines, sep="\n")
    if PAGE.exists():
        print(f"report: {PAGE}")
    else:
        print(f"no report: {PAGE} not found; run dvc repro (or dvc pull) to make it")
    if line := stale(settings):
        print(f"warning: {line}")


def stale(settings: Mapping[str, Section]) -> str:
    """Return which stages of the report DVC would run and what has changed, "" if nothing has.

    `settings`, code and files may have changed.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.repo.reproduce import plan_repro

    try:
        with Repo() as repo:
            own = [stage for stage in repo.index.stages if stage.path_in_repo == "dvc.yaml"]
            written = [Path(output.fspath) for stage in own for output in stage.outs]
            graph = repo.index.graph
            names: list[str] = []
            causes: list[str] = []
            followers = []
            report = [stage for stage in own if stage.addressing == "report"]
            for stage in plan_repro(graph, report):
                if stage not in own or stage.addressing == UNMEASURED:
                    continue
                if changes := [*_changes(stage, written, settings)]:
                    names.append(stage.addressing)
                    causes += changes
                    followers += [other for other in graph.predecessors(stage) if other in own]
    except (DvcException, UserError, OSError) as error:
        return f"it is unknown whether these are the results of today's files; {first_line(error)}"
    if not names:
        return ""
    more = any(stage.addressing not in names for stage in followers)
    stages = list_names(names) + (" and what follows" if more else "")
    changed = list_names([*dict.fromkeys(causes)])
    return f"stale: dvc repro would run {stages}; changed since the last run: {changed}"


def _changes(stage: Any, written: Sequence[Path], settings: Mapping[str, Section]) -> Iterator[str]:
    """Yield what of a stage differs from dvc.lock.

    These are settings, inputs that no stage has `written`, and results in Git that exist.
    """
    if stage.cmd_changed or not any(dep.hash_info for dep in stage.deps):
        yield f"{stage.addressing} (dvc.yaml)"
        return
    for dep in stage.deps:
        path = Path(dep.fspath)
        is_made = any(path.is_relative_to(out) or out.is_relative_to(path) for out in written)
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
