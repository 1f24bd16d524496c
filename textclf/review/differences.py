"""Differences between two versions of params, of other metrics, and of the stages in dvc.lock.

Nothing in this module reads a file: contents come as the mappings that the files hold.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from textclf.core.differences import MISSING, compare_values, flatten, value_at
from textclf.core.errors import UserError
from textclf.core.settings import validate
from textclf.evaluate.settings import Evaluate
from textclf.fetch.settings import Fetch
from textclf.review.settings import Gate
from textclf.split.settings import Split
from textclf.tables.settings import Data

SECTIONS = {"fetch": Fetch, "data": Data, "split": Split, "evaluate": Evaluate, "gate": Gate}
# Sections of params.yaml that choose the rows and the column of labels.
TASK = ("fetch", "data")
# Columns that are kept beside the texts, and change neither rows nor labels.
KEPT = ("data.slices", "data.columns")
# The value of data.path with which section fetch chooses the rows.
FETCHED = "data/raw"
# The stage that reads all params and makes no numbers of them.
UNMEASURED = "check"
# Where params.yaml names the items of a stage; dvc.lock keeps those of before.
ITEMS = {name: name for name in ("vectorize", "combine", "train", "average")}
ITEMS |= {"external": "evaluate.external", "behave": "behave.tests"}


def with_defaults(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return params.yaml with the defaults of the settings that its `SECTIONS` leave out.

    So both revisions have them. A section that breaks a rule of this version stays as it is.
    """
    filled = dict(params)
    for name, kind in SECTIONS.items():
        if isinstance(params.get(name), dict):
            with suppress(UserError):
                values = validate(kind, params[name]).model_dump()
                filled[name] = json.loads(json.dumps(values))  # lists for tuples
    return filled


def task_differences(
    params: Sequence[Mapping[str, Any]], splits: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return the names of what makes the two tasks different, none if the task is the same.

    `params` and `splits` hold params.yaml and the metrics of the split stage, each at the base and
    at the head. A section or a list of classes that is missing at either revision is not compared:
    an older version may have had none.
    """
    shared = [name for name in TASK if all(content.get(name) for content in params)]
    if all(value_at(content, "data.path") not in (MISSING, FETCHED) for content in params):
        shared = [name for name in shared if name != "fetch"]
    sections = ({name: content[name] for name in shared} for content in params)
    changed = [setting.name for setting in compare_values(*sections)]
    names = [name for name in changed if not name.startswith(KEPT)]
    classes = [
        {key for key in flatten(content) if key.startswith("test.classes.")} for content in splits
    ]
    if all(classes) and classes[0] != classes[1]:
        names.append("test.classes")
    return names


def not_run(params: Mapping[str, Any], lock: Mapping[str, Any], file: str) -> list[str]:
    """Return the dotted keys of params whose values differ from dvc.lock's.

    Stages that are not in use, and the stage check, do not count.
    """
    names: dict[str, None] = {}
    for stage, record in lock.items():
        kind, _, item = stage.partition("@")
        items = value_at(params, ITEMS[kind]) if kind in ITEMS else (item,)
        if kind == UNMEASURED or not isinstance(items, list | tuple | dict) or item not in items:
            continue
        for key, value in record.get("params", {}).get(file, {}).items():
            now = value_at(params, key)
            if now is not MISSING:
                changed = compare_values({key: value}, {key: now})
                names |= dict.fromkeys(setting.name for setting in changed)
    return list(names)


@dataclass(frozen=True)
class StageChange:
    """A stage whose record in dvc.lock differs: which inputs, and which outputs."""

    name: str
    inputs: list[str]
    outputs: list[str]


def compare_stages(base: Mapping[str, Any], head: Mapping[str, Any]) -> list[StageChange]:
    """Return the stages that differ between two versions of dvc.lock, in their order."""
    changes = []
    for name in {**base, **head}:
        old, new = base.get(name), head.get(name)
        if old == new:
            continue
        if old is None or new is None:
            status = "new stage" if old is None else "removed stage"
            changes.append(StageChange(name, [status], list(checksums(new or old or {}, "outs"))))
            continue
        inputs = _changed_keys(checksums(old, "deps"), checksums(new, "deps"))
        before, after = old.get("params", {}), new.get("params", {})
        for file in before | after:
            changed = compare_values(before.get(file), after.get(file))
            inputs += [setting.name for setting in changed]
        if old.get("cmd") != new.get("cmd"):
            inputs.append("command")
        outputs = _changed_keys(checksums(old, "outs"), checksums(new, "outs"))
        changes.append(StageChange(name, inputs, outputs))
    return changes


def find_causes(stages: Sequence[StageChange]) -> dict[str, list[str]]:
    """Return the changed inputs of each stage that no changed stage wrote; only stages with any."""
    written = {out for stage in stages for out in stage.outputs}
    causes: dict[str, list[str]] = {}
    for stage in stages:
        inputs = [name for name in stage.inputs if not any(_overlap(name, out) for out in written)]
        if inputs:
            causes[stage.name] = inputs
    return causes


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def checksums(record: Mapping[str, Any], kind: str) -> dict[str, str]:
    """Return the MD5 by path of the `deps` or `outs` of a stage in dvc.lock."""
    return {entry["path"]: entry.get("md5", "") for entry in record.get(kind, [])}


def _changed_keys(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return [key for key in {**before, **after} if before.get(key) != after.get(key)]
