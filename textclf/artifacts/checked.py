"""What the stage check derives from params.yaml for stages that must not depend on all of it."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from textclf.artifacts.checksums import read_checked_json, write_checked_json
from textclf.artifacts.shapes import FILE as SHAPES

# SHA-256 of each file, by the name of the weights and of the file.
Weights = Mapping[str, Mapping[str, str]]
Teacher = Mapping[str, str]  # `file`, its path, and its `sha256`
OF_STAGE = ("weights", "teacher")  # keys of the file of a stage


def write_models(path: Path, names: Sequence[str], baselines: Sequence[str]) -> None:
    """Write the names of the models that are trained, in the order of params.yaml.

    DVC does not see this order. `baselines` are those of them that ignore the texts.
    """
    write_checked_json(path, {"models": list(names), "baselines": list(baselines)})


def read_models(path: Path) -> tuple[list[str], list[str]]:
    """Return the names of the models that are trained, and of those of them that ignore the texts.

    Raises `UserError` if the file is missing or damaged.
    """
    content = read_checked_json(path, ("models", "baselines"))
    return list(content["models"]), list(content["baselines"])


def write_default(path: Path, *, settled: bool) -> None:
    """Write whether no choice, such as that of the default model, needs held-out training rows.

    If one does, training cross-validates.
    """
    write_checked_json(path, {"settled": settled})


def read_default(path: Path) -> bool:
    """Return whether no choice needs held-out training rows.

    Raises `UserError` if the file is missing or damaged.
    """
    return bool(read_checked_json(path, ("settled",))["settled"])


def write_settings(path: Path, settings: Mapping[str, Any]) -> None:
    """Write all settings that a run or a study uses, by section, in their order.

    As params of each stage that shows them they would be half of dvc.lock.
    """
    write_checked_json(path, {"settings": settings}, sort_keys=False)


def read_settings(path: Path) -> dict[str, Any]:
    """Return all settings of a run or a study; `UserError` if the file is missing or damaged."""
    return dict(read_checked_json(path, ("settings",))["settings"])


def write_weights(
    folder: Path, weights: Mapping[str, Weights], teachers: Mapping[str, Teacher]
) -> None:
    """Write the pretrained weights that each stage reads, and the teacher of a model.

    `weights` are by stage, such as vectorize@sentences. So a stage runs again only if its own
    weights or its teacher change.
    """
    for stage, files in weights.items():
        path = folder / f"{stage.replace('@', '/')}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_checked_json(path, {"weights": files, "teacher": teachers.get(stage)})


def read_weights(folder: Path) -> list[str]:
    """Return the names of all pretrained weights in use, sorted; `UserError` if one is damaged."""
    contents = (read_checked_json(path, OF_STAGE) for path in sorted(folder.glob("*/*.json")))
    return sorted({name for content in contents for name in content["weights"]})


def read_teacher(folder: Path, model: str) -> Teacher | None:
    """Return the teacher of a model, None without one.

    Raises `UserError` if its file is missing or damaged.
    """
    content = read_checked_json(folder / "train" / f"{model}.json", OF_STAGE)
    teacher: Teacher | None = content["teacher"]
    return teacher


def feature_leftovers(folder: Path, names: Collection[str]) -> list[Path]:
    """Return the folders of features that belong to none of these representations.

    DVC keeps the outputs of an entry that was removed from params.yaml, and would record them as
    inputs of stages that depend on the folder.
    """
    folders = (path.parent for path in folder.glob(f"*/{SHAPES}"))
    return sorted(path for path in folders if path.name not in names)
