"""The plan of a run: which models read which representations, and which pretrained weights they need."""

import hashlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclf.artifacts.plan import ModelPlan
from textclf.core.errors import UserError

if TYPE_CHECKING:
    from textclf.params import Params

MODELS = Path(__file__).parent / "models"


def plan_models(params: "Params") -> dict[str, ModelPlan]:
    """Return the plan of each model of train.models."""
    plans = {}
    for name in params.train.models:
        kind = params.train.kind(name)
        plans[name] = ModelPlan(kind, tuple(getattr(params.train, name).features), code_checksum(MODELS / kind))
    return plans


def plan_representations(params: "Params") -> dict[str, bool]:
    """Return for each representation whether a model of train.models reads it."""
    used = {feature for plan in plan_models(params).values() for feature in plan.features}
    return {name: name in used for name in params.vectorize.names()}


def plan_pretrained(params: "Params") -> list[str]:
    """Return the names of the pretrained weights that representations and models in use need, sorted."""
    return sorted(
        {name for section in _used_sections(params).values() for name in getattr(section, "pretrained_names", list)()}
    )


def plan_settings(params: "Params") -> dict[str, Any]:
    """Return the settings that the run uses, by section; of the models only those of train.models."""
    unused = {"gate", "crossvalidate", "search", "audit"} | (set() if params.behave.tests else {"behave"})
    content = params.model_dump(exclude=unused, warnings=False)
    trained = {name: content["train"][name] for name in params.train.models}
    return content | {"train": {"models": list(params.train.models), **trained}}


def missing_packages(params: "Params") -> Iterator[str]:
    """Yield a sentence for each representation or model in use that needs a package which is not installed."""
    for key, section in _used_sections(params).items():
        if missing := [name for name in getattr(section, "packages", ()) if find_spec(name) is None]:
            needs = f"{key} needs {' and '.join(missing)}"
            yield f"{needs}, which the lesson's run does not install; run make .venv/pretrained"


def wrong_weights(params: "Params") -> Iterator[str]:
    """Yield a sentence for each representation or model in use whose own weights lack the checksum of the settings."""
    for key, section in _used_sections(params).items():
        if hasattr(section, "chosen"):
            try:
                section.chosen.verify_own()
            except UserError as error:
                yield from (f"{key}: {line}" for line in error.lines)


def _used_sections(params: "Params") -> dict[str, Any]:
    """Return the settings of the representations and models in use, by key in params.yaml."""
    read = [name for name, used in plan_representations(params).items() if used]
    sections = {f"vectorize.{name}": params.vectorize[name] for name in read}
    return sections | {f"train.{name}": getattr(params.train, name) for name in params.train.models}


def code_checksum(package: Path) -> str:
    """Return the SHA-256 of the Python files of a package."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()
