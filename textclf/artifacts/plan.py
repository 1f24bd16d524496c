"""What check finds out from the whole of params.yaml for stages that must not depend on all of it.

`models/<name>.json`: the kind of a model, the representations that it reads, and a checksum of the kind's code.
`representations/<name>.json`: whether a model reads it. `pretrained.json`: the pretrained weights in use. Each stage
depends on its own file, so that it runs again only if that changes. `settings.json`: all settings that the run uses, on
which stages depend that show most of them; as params of each they would be half of dvc.lock, which DVC reads and writes
for every stage.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from textclf.artifacts.checksums import read_checked_json, write_checked_json
from textclf.core.errors import UserError
from textclf.core.outputs import SCRATCH

PRETRAINED, SETTINGS = "pretrained.json", "settings.json"


@dataclass(frozen=True)
class ModelPlan:
    """A model of train.models: its kind, the names of the representations that it reads, its code's SHA-256."""

    kind: str
    features: tuple[str, ...]
    code: str


def model_path(folder: Path, name: str) -> Path:
    """Return the path of a model's plan."""
    return folder / "models" / f"{name}.json"


def representation_path(folder: Path, name: str) -> Path:
    """Return the path of a representation's plan."""
    return folder / "representations" / f"{name}.json"


def write(
    folder: Path,
    models: dict[str, ModelPlan],
    representations: dict[str, bool],
    pretrained: Sequence[str],
    settings: Mapping[str, Any],
) -> None:
    """Write the plan; `representations` says of each whether it is in use."""
    for name in ("models", "representations"):
        (folder / name).mkdir(parents=True)
    for name, plan in models.items():
        write_checked_json(model_path(folder, name), asdict(plan))
    for name, used in representations.items():
        write_checked_json(representation_path(folder, name), {"used": used})
    write_checked_json(folder / PRETRAINED, {"names": list(pretrained)})
    write_checked_json(folder / SETTINGS, {"settings": settings})


def read_models(folder: Path) -> dict[str, ModelPlan]:
    """Return the plan of each model, by name; `UserError` if one is damaged, or there is none."""
    plans = {}
    for path in _files(model_path(folder, "").parent):
        content = read_checked_json(path, ("kind", "features", "code"))
        plans[path.stem] = ModelPlan(content["kind"], tuple(content["features"]), content["code"])
    return plans


def read_settings(path: Path) -> dict[str, Any]:
    """Return all settings that the run uses from the file `SETTINGS`; `UserError` if it is missing or damaged."""
    settings: dict[str, Any] = read_checked_json(path, ("settings",))["settings"]
    return settings


def leftovers(folder: Path, features: Path) -> list[Path]:
    """Return what is in the folder of features and is of no representation in the plan, as of one that was removed.

    Raises `UserError` if the plan has no representation, because then it is lost, and the features are not leftovers.
    """
    known = {path.stem for path in _files(representation_path(folder, "").parent)}
    return sorted(path for path in features.iterdir() if path.name not in known and not path.name.endswith(SCRATCH))


def _files(folder: Path) -> list[Path]:
    """Return the plans in a folder, sorted; `UserError` if there are none."""
    if not (paths := sorted(folder.glob("*.json"))):
        raise UserError(f"{folder} must have a plan; run dvc repro to make it")
    return paths


def is_used(folder: Path, representation: str) -> bool:
    """Return whether a model reads the representation; `UserError` if its plan is missing or damaged."""
    used: bool = read_checked_json(representation_path(folder, representation), ("used",))["used"]
    return used


def read_pretrained(folder: Path) -> list[str]:
    """Return the names of the pretrained weights in use; `UserError` if their file is missing or damaged."""
    names: list[str] = read_checked_json(folder / PRETRAINED, ("names",))["names"]
    return names
