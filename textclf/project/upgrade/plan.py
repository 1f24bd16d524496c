"""What the run after an upgrade will do: which stages it will run, and whether their results may change."""

import contextlib
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from textclf.artifacts.checked import read_settings
from textclf.core.differences import MISSING, compare_values, value_at
from textclf.core.errors import UserError
from textclf.core.git import git
from textclf.core.installed import LOCKED
from textclf.core.provenance import Record, read_records
from textclf.core.quoting import first_line
from textclf.core.settings import PARAMS_FILE, load_yaml
from textclf.params import Params
from textclf.project.check import command as check

DATA = Path("data")
CHECKED = ("checked", "models.json", "default.json", "settings.json", "studies", "weights")  # of the stage check
LARGEST = 2**24  # bytes of such a file; a larger one is a table
READ_BY_DVC = ("*.yaml", "*.yml", "*.lock", "*.json", "*.toml", "*.py")  # pipelines, and files of their variables


def stages_to_run(files: Mapping[Path, str], params: Params) -> tuple[list[str], list[str]]:
    """Return the stages that will run, and those that will if outputs of these change, in the order of a run.

    `files` are the generated files after the upgrade, and `params` the settings. DVC compares them, and what the stage
    check will write, with dvc.lock in a copy of the project; other inputs, such as the table, are taken as unchanged.
    Raises `UserError` if DVC can't read the project.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.repo.reproduce import plan_repro

    with tempfile.TemporaryDirectory() as folder:
        _copy_project(Path(folder), files, params)
        with contextlib.chdir(folder), Repo() as repo:
            try:
                graph = repo.index.graph
            except DvcException as error:
                raise UserError(f"DVC can't read the project after the upgrade: {first_line(str(error))}") from error
            first = [stage for stage in plan_repro(graph) if _is_used(stage) and _is_changed(stage)]
            origins = [stage for stage in first if stage.addressing != "check"]  # the outputs of check are compared
            later = plan_repro(graph, origins, downstream=True) if origins else []
            return [each.addressing for each in first], [
                stage.addressing for stage in later if _is_used(stage) and stage not in first
            ]


def _copy_project(folder: Path, files: Mapping[Path, str], params: Params) -> None:
    """Write what DVC reads of the project after the upgrade into a folder, with the outputs of the stage check."""
    listed = git("ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *READ_BY_DVC).stdout
    paths = [Path(name) for name in os.fsdecode(listed).split("\0")]
    texts = {path: path.read_bytes() for path in paths if path.is_file() and path.stat().st_size <= LARGEST}
    texts |= {path: text.encode() for path, text in files.items()}
    texts[Path(".dvc/config")] = f"[core]\n    no_scm = true\n    site_cache_dir = {folder}/.dvc/site\n".encode()
    for path, content in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    (folder / DATA).mkdir(exist_ok=True)
    check.write(params, *(folder / DATA / name for name in CHECKED))


def _is_used(stage: Any) -> bool:
    """Return whether `dvc repro` runs a stage, or it has run before, as a study may have."""
    return stage.path_in_repo == "dvc.yaml" or any(part.hash_info for part in (*stage.deps, *stage.outs))


def _is_changed(stage: Any) -> bool:
    """Return whether a stage has another command or other inputs or outputs than in dvc.lock, of those in the copy."""
    unknown = (part for part in (*stage.deps, *stage.outs) if not part.hash_info)
    return stage.cmd_changed or any(unknown) or any(dep.status() for dep in stage.deps if dep.exists)


def changed_defaults(params: Params) -> Iterator[str]:
    """Yield a line per setting with another default than in the last run, of those that params.yaml leaves out."""
    content, before = load_yaml(PARAMS_FILE), {}
    with contextlib.suppress(UserError):  # there was no run
        before = read_settings(DATA / "settings.json")
    for found in compare_values(before, check.run_settings(params)):
        if found.base and found.head and value_at(content, found.name) is MISSING:
            yield f"{found.name}: {found.base} -> {found.head}, the default of this version"


def package_changes(stages: Iterable[str], requirements: str) -> list[str]:
    """Return a line per package that is locked in another version than computed results of these stages."""
    locked = dict(LOCKED.findall(requirements))
    records: dict[str, Record] = {}
    for stage in stages:
        with contextlib.suppress(UserError):  # a damaged one, which a run makes again
            records |= read_records(DATA / "provenance", [stage])
    changes: dict[str, list[str]] = defaultdict(list)
    for stage, record in records.items():
        for name, version in record.packages.items():
            if version != (now := locked.get(name, "not locked")):
                changes[f"{name} {version} -> {now}"].append(stage)
    if records and not changes:
        return ["same versions of the packages that compute"]
    return [f"{change}: results of {', '.join(names)} may change" for change, names in changes.items()]
