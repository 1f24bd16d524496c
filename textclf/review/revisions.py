"""Two revisions of the project in the current folder: what Git and DVC's cache have of them."""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar, cast

from textclf.artifacts import predictions
from textclf.artifacts.decisions import Decision
from textclf.behave.results import Behaviour, parse_metrics
from textclf.core.differences import value_at
from textclf.core.errors import UserError
from textclf.core.git import git
from textclf.core.ownership import md5_of_file
from textclf.core.result_files import check, parse
from textclf.core.settings import MOST_VALUES, PARAMS_FILE, Section, parse_yaml, validate
from textclf.evaluate.results import KINDS
from textclf.review.changes import Numbers
from textclf.review.differences import checksums
from textclf.review.pairing import Decided

S = TypeVar("S", bound=Section)
# Names of files among the outputs of dvc.yaml.
EVALUATION, INTERVALS, DECISIONS = "evaluation.json", "intervals.json", "decisions.json"
SLICES, SPLITS, COMPARISONS = "slices.json", "splits.json", "comparisons.json"
# Levels of mappings and lists in a YAML file, at most.
DEEPEST = 50
# Errors of predictions and decisions that another version wrote.
OF_OTHER_VERSION = (UserError, ValueError, LookupError, TypeError, AttributeError, OSError)


@dataclass(frozen=True)
class Revision:
    """The project in the current folder at a commit, or with `tree` as the working tree has it."""

    commit: str
    tree: bool = False

    @property
    def name(self) -> str:
        """Return the short hash of the commit."""
        return self.commit[:8]

    @property
    def where(self) -> str:
        """Return how errors name the revision."""
        return "the working tree" if self.tree else self.name

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file, None if there is none."""
        if self.tree:
            return Path(path).read_bytes() if Path(path).is_file() else None
        done = git("cat-file", "blob", f"{self.commit}:./{path}")
        return None if done.returncode else done.stdout

    def yaml(self, path: str) -> dict[str, Any]:
        """Return the mapping in a YAML file, empty without it; `UserError` if the file has none."""
        data, name = self.read(path), f"{path} of {self.where}"
        if data is None:
            return {}
        try:
            content = parse_yaml(data.decode("utf-8"), name)
        except UnicodeDecodeError:
            raise UserError(f"{name} must be UTF-8; got other bytes") from None
        if _is_excessive(content):
            raise UserError(
                f"{name} must have at most {MOST_VALUES:,} values and {DEEPEST} levels, "
                "aliases written out"
            )
        return content

    def stages(self, path: str) -> dict[str, Any]:
        """Return the stages in dvc.yaml or dvc.lock by name.

        Raises `UserError` unless they have the form that DVC reads.
        """
        from dvc import schema
        from voluptuous import Invalid

        forms = {
            "dvc.yaml": schema.COMPILED_MULTI_STAGE_SCHEMA,
            "dvc.lock": schema.COMPILED_LOCKFILE_SCHEMA,
        }
        content = self.yaml(path)
        if not content:
            return {}
        try:
            stages: dict[str, Any] = forms[path](content).get("stages", {})
        except Invalid as error:
            key = ".".join(map(str, error.path))
            raise UserError(
                f"{path} of {self.where}: {key} must be as DVC reads it: {error.msg}"
            ) from None
        return stages

    @cached_property
    def pipeline(self) -> dict[str, Any]:
        """Return the stages of dvc.yaml by name."""
        return self.stages("dvc.yaml")

    @cached_property
    def lock(self) -> dict[str, Any]:
        """Return the stages of dvc.lock by name."""
        return self.stages("dvc.lock")

    @cached_property
    def params(self) -> dict[str, Any]:
        """Return the content of params.yaml."""
        return self.yaml(str(PARAMS_FILE))

    def metric_files(self) -> dict[str, str]:
        """Return the path of each JSON file in Git of the outputs of dvc.yaml, by its name."""
        declared = _outputs(self.pipeline.values(), "outs", "metrics")
        in_git = [path for path, options in declared if options.get("cache") is False]
        return {PurePosixPath(path).name: path for path in in_git if path.endswith(".json")}

    def metrics(self, name: str) -> dict[str, Any]:
        """Return the content of a metrics file, empty without one; `UserError` if it is damaged."""
        path = self.metric_files().get(name)
        data = self.read(path) if path else None
        if data is None:
            return {}
        where = f"{path} of {self.where}"
        content: dict[str, Any] = parse(data, where)
        kind = KINDS.get(PurePosixPath(name).stem)
        if kind is not None:
            check(kind, content, where, remedy="")
        return content

    def behaviour(self) -> dict[str, Behaviour]:
        """Return the results of behavioural tests by the names in behave.tests.

        Missing ones are left out. Their path is that of dvc.yaml. Raises `UserError` if a file is
        damaged.
        """
        tests = value_at(self.params, "behave.tests")
        declared = self.pipeline.get("behave", {}).get("do", {})
        results = {}
        for name in tests if isinstance(tests, dict) else ():
            for pattern, options in _outputs([declared], "outs"):
                path = pattern.replace("${key}", name)
                data = self.read(path) if options.get("cache") is False else None
                if data is not None:
                    results[name] = parse_metrics(data, f"{path} of {self.where}")
        return results

    def evaluation(self) -> Numbers:
        """Return the metrics of each model; raise `UserError` if there are none."""
        numbers = self.metrics(EVALUATION)
        if not numbers:
            path = self.metric_files().get(EVALUATION)
            what = f"dvc.yaml must name an output called {EVALUATION}; got none"
            if path:
                what = f"{path} not found"
            where = f"{self.name}; name another BASE"
            if self.tree:
                where = "the working tree; run dvc repro to make it"
            raise UserError(f"{what} in {where}")
        return numbers

    def figures(self) -> list[str]:
        """Return the paths of the images among the outputs of dvc.yaml."""
        outputs = _outputs(self.pipeline.values(), "outs", "plots")
        return [path for path, _ in outputs if path.endswith(".svg")]

    def section(self, key: str, kind: type[S]) -> S:
        """Return a section of params.yaml; `UserError` if it is not valid under today's rules."""
        return cast("S", validate(kind, self.params.get(key, {}), str(PARAMS_FILE), prefix=key))

    def decided(self, models: Iterable[str]) -> dict[str, Decided]:
        """Return the decided predictions of those models that are on this machine.

        Nothing is pulled. Predictions or decisions in a form that this version does not read are
        left out: another version wrote them.
        """
        files = prediction_files(self.lock)
        decisions = self.metrics(DECISIONS)
        decided = {}
        for model in models:
            path = _cached(*files[model]) if model in files and model in decisions else None
            if path is None:
                continue
            with contextlib.suppress(*OF_OTHER_VERSION):
                rows = predictions.read(path)
                if not all(isinstance(value, str) for value in chain(rows.ids, rows.split)):
                    continue
                decision = Decision.from_json(decisions[model])
                # This raises ValueError if the decision is of other classes.
                decision.decide(decision.calibrate(rows.probabilities))
                decided[model] = Decided(rows, decision)
        return decided

    def uncommitted(self) -> list[str]:
        """Return the paths of the working tree that differ from the commit.

        There are none for a revision that is a commit.
        """
        if not self.tree:
            return []
        names = git("diff", "-z", "--name-only", "--relative", "HEAD").stdout
        return [name for name in names.decode(errors="replace").split("\0") if name]


def _is_excessive(content: Any) -> bool:
    """Return whether there are too many values or levels.

    A few lines of aliases can stand for billions, or no end.
    """
    count, values = 0, [content]
    for _ in range(DEEPEST + 1):
        inner: list[Any] = []
        for value in values:
            parts: Collection[Any] = value if isinstance(value, list) else ()
            if isinstance(value, dict):
                parts = value.values()
            count += len(parts)
            if count > MOST_VALUES:
                return True
            inner += parts
        values = inner
    return bool(values)


def commit_of(revision: str) -> str:
    """Return the hash of the commit that a revision names; `UserError` if Git has none here."""
    if git("rev-parse", "--git-dir").returncode:
        raise UserError("the current folder must be in a Git repository; got none")
    done = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if done.returncode:
        raise UserError(
            f"a revision must be a commit that Git has here; got {revision}; git fetch may bring it"
        )
    return done.stdout.decode().strip()


def merge_base(base: str, head: Revision) -> Revision:
    """Return the commit where the head left the branch `base`.

    Later commits there are not part of the change. It is `base` itself if Git knows no common
    commit, and if that commit would be the head itself.
    """
    common = git("merge-base", base, head.commit).stdout.decode().split()
    if common and (head.tree or common[0] != head.commit):
        return Revision(common[0])
    return Revision(base)


def _outputs(stages: Iterable[Mapping[str, Any]], *kinds: str) -> Iterator[tuple[str, Any]]:
    """Yield the path and the options of each output of these kinds of the stages of dvc.yaml."""
    entries = (entry for stage in stages for kind in kinds for entry in stage.get(kind, ()))
    for entry in entries:
        if isinstance(entry, dict):
            yield next(iter(entry.items()), ("", {}))
        else:
            yield entry, {}


def prediction_files(lock: Mapping[str, Any]) -> dict[str, tuple[Path, str]]:
    """Return path and MD5 of the predictions of each model, from the stages of dvc.lock."""
    files = {}
    for stage, record in lock.items():
        model = stage.partition("@")[2]
        for path, md5 in checksums(record, "outs").items():
            if model and PurePosixPath(path).name == f"{model}.parquet":
                files[model] = Path(path), md5
    return files


def _cached(path: Path, md5: str) -> Path | None:
    """Return the path, or else that in DVC's cache, that has this MD5; None if neither has it."""
    if md5_of_file(path) == md5:
        return path
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            path = Path(repo.cache.local.oid_to_path(md5))
    except DvcException:  # for example if there is no .dvc
        return None
    return path if md5_of_file(path) == md5 else None
