"""What a stage used: settings, code and packages. Settings and code must not change while the stage runs.

DVC records the settings and the code that it finds after a stage has ended. If they changed in the meantime, dvc.lock
and DVC's cache would say of the outputs that they were made with settings or code with which they were not made.
"""

import contextlib
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textclf.core import settings
from textclf.core.differences import MISSING, Difference, compare_values, value_at
from textclf.core.errors import UserError
from textclf.core.files import read_versioned_json, reading, write_versioned_json
from textclf.core.outputs import finished_by
from textclf.core.ownership import foreign_files, stages_of
from textclf.core.settings import PARAMS_FILE, Section, load_yaml, validate
from textclf.core.unchanged import changed_code

LOCK = Path("dvc.lock")
# Modules that compute, with the name of their distribution; those that only pass rows on are left out.
COMPUTING = {name: name for name in ("keras", "numpy", "onnxruntime", "scipy", "tensorflow", "tokenizers")}
COMPUTING |= {"keras_hub": "keras-hub", "sklearn": "scikit-learn"}


@contextlib.contextmanager
def recorded(stage: str, folder: Path | None) -> Iterator[None]:
    """Refuse to rename outputs if settings or code changed, and write a record of what the stage used.

    The record is `<stage>.json` in the folder, `train/keras.json` for the stage train@keras; without a folder there is
    none.
    """
    settings.READ.clear()

    def finish() -> dict[Path, Callable[[Path], None]]:
        require_unchanged()
        return {} if folder is None else {record_path(folder, stage): _write}

    with finished_by(finish):
        yield


def require_unchanged() -> None:
    """Raise `UserError` if a setting that this process has read, or code that it runs, has changed since its start."""
    contents = {file: load_yaml(file) for file in {file for file, _ in settings.READ}}
    for (file, key), before in settings.READ.items():
        now = contents[file] if key == "" else value_at(contents[file], key)
        if found := _compare(key, before, {} if now is MISSING else now):
            raise UserError(
                f"{file.name}: {found.name} must not change while the stage runs; it was {found.base or 'not set'} and "
                f"is {found.head or 'not set'} now; run dvc repro again"
            )
    if path := changed_code():
        raise UserError(f"{path} must not change while the stage runs; run dvc repro again")


def _compare(key: str, first: Any, second: Any) -> Difference | None:
    """Return the first difference between two values of a dotted key, "" for the whole file; None if they are equal."""
    return next(iter(compare_values(*({key: value} if key else value for value in (first, second)))), None)


def record_path(folder: Path, stage: str) -> Path:
    """Return the path of the record of a stage, such as train@keras."""
    return folder / f"{stage.replace('@', '/')}.json"


def _write(path: Path) -> None:
    """Write the settings that this process has read, as they stand in params.yaml, and the versions of packages."""
    if "numpy" in sys.modules:
        import scipy  # noqa: F401 (workers may compute with it in the place of this process)
    params = {key: value for (file, key), value in settings.READ.items() if file.name == PARAMS_FILE.name}
    packages = {name: sys.modules[module].__version__ for module, name in COMPUTING.items() if module in sys.modules}
    write_versioned_json(path, {"params": params, "packages": packages})


@dataclass(frozen=True)
class Record:
    """What a stage used: the values of params.yaml by dotted key, and the version of each package that computed."""

    params: Mapping[str, Any]
    packages: Mapping[str, str]


def read_records(folder: Path, stages: Iterable[str]) -> dict[str, Record]:
    """Return the records of these stages, such as train@keras, that have one; `UserError` if one is damaged."""
    records = {}
    for stage in stages:
        if (path := record_path(folder, stage)).is_file():
            content = read_versioned_json(path)
            with reading(path):
                records[stage] = Record(dict(content["params"]), dict(content["packages"]))
    return records


def unrecorded(records: Mapping[str, Record], lock: Path = LOCK) -> Iterator[str]:
    """Yield a line for each stage that used other settings than dvc.lock says; none if there is no dvc.lock."""
    stages = stages_of(lock.read_bytes()) if lock.exists() else {}
    for stage, record in records.items():
        locked = stages.get(stage, {}).get("params", {}).get(PARAMS_FILE.name, {})
        for key in sorted(record.params.keys() & locked.keys()):
            if found := _compare(key, record.params[key], locked[key]):
                used, locked_value = found.base or "not set", found.head or "not set"
                yield (
                    f"{lock.name}: {found.name} of {stage} is {locked_value}, but the stage ran with {used}; "
                    f"run dvc repro --force --single-item {stage}, then dvc repro"
                )


def require_recorded(folder: Path, stages: Iterable[str]) -> dict[str, Record]:
    """Return the records of these stages; `UserError` with a line for each that dvc.lock contradicts."""
    records = read_records(folder, stages)
    if lines := [*unrecorded(records)]:
        raise UserError(*lines)
    return records


def require_used(records: Mapping[str, Record], sections: Mapping[str, Section]) -> None:
    """Raise `UserError` unless the stages ran with the settings of the run, which `sections` holds by dotted key."""
    for stage, record in records.items():
        for key in record.params.keys() & sections.keys():
            used = validate(type(sections[key]), record.params[key], prefix=key)
            if found := _compare(key, used.model_dump(), sections[key].model_dump()):
                raise UserError(
                    f"params.yaml: {found.name} must not change while the pipeline runs; {stage} ran with "
                    f"{found.base or 'no value'}, the run began with {found.head or 'no value'}; run dvc repro again"
                )


def remove_dropped(folder: Path, stage: str, items: Collection[str]) -> None:
    """Remove the records of a stage's items that are no longer in params.yaml, which DVC leaves behind."""
    for path in (folder / stage).glob("*.json"):
        if path.stem not in items and not foreign_files(path, dropped=True):
            path.unlink()
