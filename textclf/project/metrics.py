"""The command `textclf metrics`: print the outcome of the last run again, and whether it is that of today's files."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from textclf.artifacts.checked import read_settings
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


def run() -> None:
    """Print a table of the models, the default model, where the report is, and which stages would run anew."""
    settings: dict[str, Any] = load_params(
        {"train": Train, "average": Average, "evaluate": Evaluate, "export": Export}
    )
    train, average, evaluate, export = settings.values()
    models = with_averages(train, average).names()
    external = sorted(evaluate.external)
    results = Results.read(METRICS, outcome.FILES, models, external)
    looks = count_results(results.decisions.protocol.test_rows, METRICS)
    print(
        *outcome.describe(results, models, export.model, evaluate.confidence, external, looks),
        sep="\n",
    )
    print(
        f"report: {PAGE}"
        if PAGE.exists()
        else f"no report: {PAGE} not found; run dvc repro (or dvc pull) to make it"
    )
    if line := stale(settings):
        print(f"warning: {line}")


def stale(settings: Mapping[str, Section]) -> str:
    """Return which stages of the report DVC would run, and what of `settings`, code and files has changed, if any."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.repo.reproduce import plan_repro

    try:
        with Repo() as repo:
            own = [stage for stage in repo.index.stages if stage.path_in_repo == "dvc.yaml"]
            written = [Path(output.fspath) for stage in own for output in stage.outs]
            graph = repo.index.graph
            stages = plan_repro(graph, [stage for stage in own if stage.addressing == "report"])
            measured = [
                stage for stage in stages if stage in own and stage.addressing != UNMEASURED
            ]
            changes = {
                stage.addressing: [*_changes(stage, written, settings)] for stage in measured
            }
            names = [name for name in changes if changes[name]]
            next_ones = [
                each
                for stage in measured
                if changes[stage.addressing]
                for each in graph.predecessors(stage)
            ]
            rest = " and what follows" * any(
                each in own and each.addressing not in names for each in next_ones
            )
    except (DvcException, UserError, OSError) as error:
        return f"it is unknown whether these are the results of today's files; {first_line(error)}"
    causes = dict.fromkeys(chain.from_iterable(changes.values()))
    would = f"stale: dvc repro would run {list_names(names)}{rest}; changed since the last run: {list_names([*causes])}"
    return would if names else ""


def _changes(stage: Any, written: Sequence[Path], settings: Mapping[str, Section]) -> Iterator[str]:
    """Yield settings, inputs that no stage has `written` and results in Git that exist and differ from dvc.lock."""
    if stage.cmd_changed or not any(dep.hash_info for dep in stage.deps):
        yield f"{stage.addressing} (dvc.yaml)"
        return
    for dep in stage.deps:
        path, now = (
            Path(dep.fspath),
            {name: section.model_dump() for name, section in settings.items()},
        )
        if dep.hash_info.name == "params":
            yield from (
                each.name for each in compare_values(dep.hash_info.value, dep.read_params())
            )
        elif path == IN_USE.absolute() and dep.exists and not dep.changed_checksum():
            used = read_settings(IN_USE)
            yield from (
                each.name for each in compare_values({name: used.get(name) for name in now}, now)
            )
        elif not any(path.is_relative_to(each) or each.is_relative_to(path) for each in written):
            yield from [str(dep)] * (dep.exists and dep.changed_checksum())
    yield from (
        str(out)
        for out in stage.outs
        if not out.use_cache and out.exists and out.changed_checksum()
    )
