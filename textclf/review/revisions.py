"""Two revisions of the project in the current folder: what Git has of them, and DVC's cache on this machine."""

import contextlib
import hashlib
import io
import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from textclf import params as rules
from textclf.core.errors import UserError
from textclf.review.changes import Numbers, hashes

if TYPE_CHECKING:
    import pandas as pd

METRICS, INTERVALS, SPLITS = "evaluation.json", "intervals.json", "splits.json"  # names of files of dvc.yaml's metrics


@dataclass(frozen=True)
class Revision:
    """The project in the current folder at a commit, or with `tree` as it stands there."""

    commit: str
    tree: bool = False

    @property
    def name(self) -> str:
        """The short hash of the commit."""
        return self.commit[:8]

    def read(self, path: str) -> bytes | None:
        """The bytes of a file, None where there is none."""
        if self.tree:
            return Path(path).read_bytes() if Path(path).is_file() else None
        found = git("cat-file", "blob", f"{self.commit}:./{path}")
        return None if found.returncode else found.stdout

    def yaml(self, path: str) -> dict[str, Any]:
        """The mapping in a YAML file, empty where there is no such file; `UserError` if it is none."""
        try:
            content = yaml.safe_load(self.read(path) or b"")
        except (yaml.YAMLError, ValueError, RecursionError):
            raise UserError(f"{path} of {self.name} must be YAML; got something else") from None
        return content if isinstance(content, dict) else {}

    def json(self, path: str) -> dict[str, Any]:
        """The mapping in a JSON file, empty where there is no such file; `UserError` if it is none."""
        try:
            content = json.loads(self.read(path) or b"{}")
        except (ValueError, RecursionError):
            raise UserError(f"{path} of {self.name} must be JSON; got something else") from None
        return content if isinstance(content, dict) else {}


def git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """What Git did, whether it succeeded or not."""
    try:
        return subprocess.run(("git", *arguments), capture_output=True)  # noqa: PLW1510, S603, S607 (git, no shell)
    except FileNotFoundError:
        raise UserError("git not found; install it") from None


def commit_of(revision: str) -> str:
    """The hash of the commit that a revision names; `UserError` if there is none, or no repository."""
    inside = git("rev-parse", "--git-dir")
    if inside.returncode:
        raise UserError("the current folder must be in a Git repository; got none")
    found = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if found.returncode:
        raise UserError(f"BASE and --head must be commits that Git has here; got {revision}; git fetch may bring it")
    return found.stdout.decode().strip()


def left_at(base: str, head: Revision) -> Revision:
    """Where head left the commit `base`: their merge base, since what others brought there later is no part of it.

    It is `base` itself where Git knows no such commit, and where it would be head itself.
    """
    common = git("merge-base", base, head.commit).stdout.decode().split()
    return Revision(common[0] if common and (head.tree or common[0] != head.commit) else base)


def metric_files(pipeline: Mapping[str, Any]) -> dict[str, str]:
    """Name of the file to its path, of every metrics file that a dvc.yaml names."""
    entries = [entry for stage in (pipeline.get("stages") or {}).values() for entry in stage.get("metrics", [])]
    return {PurePosixPath(path).name: path for path in map(_path, entries)}


def figures(pipeline: Mapping[str, Any]) -> list[str]:
    """Paths of the images among the plots of a dvc.yaml."""
    return [path for path in map(_path, pipeline.get("plots") or []) if path.endswith(".svg")]


def _path(entry: Any) -> str:
    return next(iter(entry), "") if isinstance(entry, dict) else str(entry)


def metrics(revision: Revision, pipeline: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The content of a metrics file, empty where there is none."""
    path = metric_files(pipeline).get(name)
    return revision.json(path) if path else {}


def numbers(revision: Revision, pipeline: Mapping[str, Any], name: str) -> Numbers:
    """Model, split, metric of a metrics file; whatever else stands in it is left out."""
    content = metrics(revision, pipeline, name)
    return {
        model: {split: dict(metrics) for split, metrics in splits.items() if isinstance(metrics, dict)}
        for model, splits in content.items()
        if isinstance(splits, dict)
    }


def measured(revision: Revision, pipeline: Mapping[str, Any]) -> Numbers:
    """The metrics of each model; `UserError` if there are none."""
    found = numbers(revision, pipeline, METRICS)
    if not found:
        path = metric_files(pipeline).get(METRICS)
        what = f"{path} not found" if path else f"dvc.yaml must name metrics called {METRICS}; got none"
        where = "the working tree; run dvc repro to make it" if revision.tree else f"{revision.name}; name another BASE"
        raise UserError(f"{what} in {where}")
    return {
        model: {
            split: {metric: value for metric, value in metrics.items() if isinstance(value, int | float)}
            for split, metrics in splits.items()
        }
        for model, splits in found.items()
    }


def predictions_of(lock: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Model to path and md5 of its predictions, as dvc.lock records them."""
    found = {}
    for stage, record in (lock.get("stages") or {}).items():
        model = stage.partition("@")[2]
        for path, md5 in hashes(record, "outs").items():
            if model and PurePosixPath(path).name == f"{model}.parquet":
                found[model] = path, md5
    return found


def _cached(path: str, md5: str) -> bytes | None:
    """The bytes with this md5, from the path or else from DVC's cache on this machine; None if neither has them."""
    data = _with_md5(Path(path), md5)
    if data is None:
        from dvc.exceptions import DvcException
        from dvc.repo import Repo

        try:
            with Repo() as repo:
                data = _with_md5(Path(repo.cache.local.oid_to_path(md5)), md5)
        except DvcException:  # as where there is no .dvc
            return None
    return data


def _with_md5(path: Path, md5: str) -> bytes | None:
    data = path.read_bytes() if path.is_file() else b""
    return data if hashlib.md5(data, usedforsecurity=False).hexdigest() == md5 else None


def decided(lock: Mapping[str, Any], settings: rules.Evaluate, models: Iterable[str]) -> "dict[str, pd.DataFrame]":
    """The decided rows of those models whose predictions are on this machine; nothing is pulled."""
    import pandas as pd

    from textclf.evaluate import evaluation

    recorded = predictions_of(lock)
    tables: dict[str, pd.DataFrame] = {}
    for model in models:
        data = _cached(*recorded[model]) if model in recorded else None
        if data is not None:
            # What another time's code wrote may have had another form: then there is nothing to pair.
            with contextlib.suppress(UserError, ValueError, LookupError, OSError):
                tables |= evaluation.decisions({model: pd.read_parquet(io.BytesIO(data))}, settings)[0]
    return tables


def evaluate_section(params: Mapping[str, Any]) -> rules.Evaluate | None:
    """The section by which a revision decided, None if it is none; others may be of another time's rules."""
    try:
        return rules.Evaluate.model_validate(params.get("evaluate"))
    except ValidationError:
        return None


def gate_section(revision: Revision) -> rules.Gate:
    """The gate of a revision; `UserError` with what is wrong in its params.yaml if it is none."""
    try:
        return rules.Gate.model_validate(revision.yaml(str(rules.PARAMS_FILE)).get("gate"))
    except ValidationError:
        return rules.parse((revision.read(str(rules.PARAMS_FILE)) or b"").decode("utf-8", "replace")).gate


def uncommitted(head: Revision) -> list[str]:
    """Paths of the working tree that are otherwise than in its commit."""
    if not head.tree:
        return []
    changed = git("diff", "-z", "--name-only", "--relative", "HEAD").stdout
    return [name for name in changed.decode(errors="replace").split("\0") if name]
