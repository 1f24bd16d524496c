"""A model made again at its commit, in a temporary clone, and compared with the existing model."""

import contextlib
import json
import math
import os
import re
import shlex
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from textclf.artifacts import layers, predictions, splits, statement
from textclf.artifacts.checksums import sums_of
from textclf.artifacts.statement import PROVENANCE, Statement
from textclf.artifacts.unknown import MEANS
from textclf.core.arithmetic import gives_same_bytes
from textclf.core.differences import compare_values
from textclf.core.errors import UserError
from textclf.core.installed import clone_root
from textclf.core.quoting import list_few, quote_name
from textclf.core.settings import PARAMS_FILE, parse_yaml
from textclf.export import onnx_model
from textclf.export.folder import CARD
from textclf.params import Params, load
from textclf.predict import predictor
from textclf.pretrained.catalogue import SHARED
from textclf.project.check import SPLITS
from textclf.review.base import DVC, cloned, fetch, run
from textclf.review.differences import checksums
from textclf.review.revisions import Revision, prediction_files
from textclf.verify.files import SHOWN, Check
from textclf.verify.inputs import ForeignInputsError, changed_data, require_own_inputs

RAN = re.compile(r"^Running stage '(.+)':", re.MULTILINE)
# Units of a hidden layer, up to which every x86-64 CPU adds in the same order.
NARROW = 64
# Numbers agree to these digits on any machine.
DIGITS = 1e-6
NETWORK = "model.keras"
# Of probabilities where bytes may differ, with a network and without one.
TOLERANCES = {True: 1e-3, False: 1e-9}


@dataclass(frozen=True)
class Clone:
    """A project in which stages run, with the Python in the folder `path`, "" for this one."""

    project: Path
    path: str

    def repro(self, *arguments: str) -> list[str]:
        """Run stages, and return the names of those that ran; DVC's output goes to stderr."""
        # In a clone of textclf, Python must import no other module of the commit's folder, such as
        # numpy.py.
        root = clone_root()
        own = {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.fspath(root)} if root else {}
        command = *DVC, "repro", "--no-run-cache", *arguments
        output = run(*command, folder=self.project, path=self.path, echo=True, variables=own)
        return RAN.findall(output)

    @property
    def lock(self) -> dict[str, Any]:
        """Return the stages of dvc.lock by name, as the last run has left it."""
        text = (self.project / "dvc.lock").read_text(encoding="utf-8")
        stages: dict[str, Any] = parse_yaml(text, "dvc.lock")["stages"]
        return stages

    def measure(self) -> list[str]:
        """Evaluate and export what the models of the clone predict."""
        return self.repro("--force", "--single-item", "evaluate", "export")


def rederive(folder: Path, commit: str, python: str | None, *, explain: bool) -> Iterator[Check]:
    """Run the stages that a model needs at a commit, and yield how it compares with theirs.

    `folder` has the model; `python` is the command of another Python; with `explain` the first
    output that differs from dvc.lock is named. Raises `UserError` if a stage fails.
    """
    stated, revision = statement.read(folder), Revision(commit)
    with contextlib.ExitStack() as stack:
        try:
            project = stack.enter_context(cloned(commit, require_own_inputs))
        except ForeignInputsError as error:
            yield Check("pipeline", error.lines[0], failed=True)
            return
        path = stack.enter_context(_interpreter(python))
        clone, stages = Clone(project, path), _stages(load(project / PARAMS_FILE))
        needed = {stated.model, *stated.params["train"]}
        others = [stage for name, stage in stages.items() if name not in needed]
        fetch(project, ["fetch", *others])
        if changed := sorted(changed_data(project)):
            text = (
                f"{list_few(changed, SHOWN)} must be what the checksums in the commit say; "
                "Git, DVC's cache or remote has other bytes"
            )
            yield Check("inputs", text, failed=True)
            return
        ran = clone.repro("--force", stages[stated.model])
        if others:  # what could not be fetched
            ran += clone.repro(*others)
        ran += clone.measure()
        yield from _compare_statements(stated, statement.read(project / "models" / stated.model))
        yield from _compare_models(folder, clone, stated)
        if explain:
            yield _first_difference(ran, revision, clone)


@contextlib.contextmanager
def _interpreter(command: str | None) -> Iterator[str]:
    """Yield a folder in which the program `python` is this command, "" for None.

    Raises `UserError` if there is no such program.
    """
    if command is None:
        yield ""
        return
    program, *words = shlex.split(command) or [""]
    path = shutil.which(program)
    if path is None:
        raise UserError(
            f"--python must be the command of a Python; got {command!r}, which was not found"
        )
    with tempfile.TemporaryDirectory(prefix="textclf-") as folder:
        line = shlex.join([str(Path(path).absolute()), *words])
        script = Path(folder, "python")
        script.write_text(f'#!/bin/sh\nexec {line} "$@"\n', encoding="utf-8")
        script.chmod(0o755)
        yield folder


def _stages(params: Params) -> dict[str, str]:
    """Return the stage that predicts for each model, by the model's name."""
    groups = {
        "train": params.train.names(),
        "average": params.average.pairs(),
        "external": params.evaluate.external,
    }
    return {name: f"{stage}@{name}" for stage, names in groups.items() for name in names}


def _compare_statements(stated: Statement, made: Statement) -> Iterator[Check]:
    """Yield whether the model was made of what its statement says; and the versions that differ.

    Versions may differ.
    """
    names = sorted({*stated.files, *made.files})
    wrong = [quote_name(name) for name in names if stated.files.get(name) != made.files.get(name)]
    wrong += [setting.name for setting in compare_values(dict(stated.params), dict(made.params))]
    if stated.version != made.version:
        wrong.append(f"textclf {stated.version}")
    if not wrong and stated.claims() != made.claims():
        wrong = ["content"]
    text = "they and the settings are those of the commit"
    if wrong:
        text = f"{PROVENANCE} has another {list_few(wrong, SHOWN)}"
    yield Check("inputs", text, bool(wrong))
    here = sorted({*made.packages} - {*stated.packages})
    there = sorted({*stated.packages} - {*made.packages})
    if here or there:
        versions = [
            list_few(list(map(quote_name, packages)), SHOWN) or "none of these"
            for packages in (here, there)
        ]
        yield Check("versions", f"here {versions[0]}; in {PROVENANCE} {versions[1]}")


def _compare_models(folder: Path, clone: Clone, stated: Statement) -> Iterator[Check]:
    """Yield whether the files are the same, else predictions close enough; and the card's check."""
    made = clone.project / "models" / stated.model
    one, other = {**stated.subjects, **sums_of(folder)}, sums_of(made)
    names = sorted({*one, *other} - {CARD, PROVENANCE})
    changed = [quote_name(name) for name in names if one.get(name) != other.get(name)]
    tolerance = tolerance_of(stated) if changed else None
    if not changed:
        yield Check("model", f"{len(names)} files made again, byte for byte")
    elif tolerance is None:
        yield Check("model", f"made again, it has another {list_few(changed, SHOWN)}", failed=True)
    else:
        off = _predict_again(folder, clone, stated)
        text = (
            f"probabilities of the rows differ by at most {off:.1g}, "
            f"of {tolerance:g} that its kind may"
        )
        yield Check("model", text, not off <= tolerance)
        clone.measure()
        least = max(tolerance, DIGITS)
        different = [quote_name(name) for name in names if not _agrees(folder, made, name, least)]
        text = "those made again agree"
        if different:
            text = f"made again, it has another {list_few(different, SHOWN)}"
        yield Check("other files", text, bool(different))
    yield _compare_cards(folder / CARD, made / CARD)


def tolerance_of(stated: Statement) -> float | None:
    """Return by how much probabilities may differ; None where the same bytes are promised."""
    sections = [*stated.params["vectorize"].values(), *stated.params["train"].values()]
    networks = [section.get("units") or () for section in sections]
    wide = any(units > NARROW for network in networks for units in network)
    shared = any(name.startswith(f"{SHARED}/") for name in stated.files)
    encoded = shared or any(section.get("path") for section in sections)
    if gives_same_bytes() and not (wide or encoded):
        return None
    return TOLERANCES[wide or encoded or any("epochs" in section for section in sections)]


def _agrees(folder: Path, made: Path, name: str, tolerance: float) -> bool:
    """Return whether a file is the one made again, where the weights may differ.

    The graph in ONNX must be that of the model's own weights, the network of Keras must have these;
    the weights themselves are compared by their predictions. Of JSON, decimal numbers may differ by
    the tolerance.
    """
    path, other = folder / name, made / name
    if not (path.is_file() and other.is_file()):
        return False
    if path.read_bytes() == other.read_bytes():
        return True
    if path.name == onnx_model.ONNX and (path.parent / layers.WEIGHTS).exists():
        return path.read_bytes() == _onnx_of(folder)
    if path.name == NETWORK:
        with contextlib.suppress(OSError, LookupError, ValueError, zipfile.BadZipFile):  # damaged
            return _is_network(path, other)
    if path.suffix == ".json":
        return _close(json.loads(path.read_bytes()), json.loads(other.read_bytes()), tolerance)
    return path.name in {layers.WEIGHTS, onnx_model.ONNX, MEANS}


def _onnx_of(folder: Path) -> bytes:
    """Return the graph in ONNX of the weights in a model's folder."""
    model = predictor.load(folder)
    proto = onnx_model.build(model.vectorizer, model.model, model.decision)
    return bytes(proto.SerializeToString(deterministic=True))


def _is_network(path: Path, other: Path) -> bool:
    """Return whether a .keras file has the configuration of another one and its own weights.

    Its weights are those in the file beside it, in the same places as in the other.
    """
    import h5py  # type: ignore[import-untyped]

    arrays: list[dict[str, Any]] = []
    configs = []
    own, made = (
        np.load(network.parent / layers.WEIGHTS, allow_pickle=False) for network in (path, other)
    )
    for network in (path, other):
        with (
            zipfile.ZipFile(network) as archive,
            h5py.File(archive.open("model.weights.h5")) as file,
        ):
            configs.append((archive.namelist(), archive.read("config.json")))
            stored: list[str] = []
            file.visit(stored.append)
            datasets = [name for name in stored if isinstance(file[name], h5py.Dataset)]
            arrays.append({name: file[name][()] for name in datasets})
    if configs[0] != configs[1] or arrays[0].keys() != arrays[1].keys():
        return False
    for name, again in arrays[1].items():
        keys = (key for key in made.files if np.array_equal(made[key], again))
        if not any(np.array_equal(own[key], arrays[0][name]) for key in keys):
            return False
    return True


def _close(one: Any, other: Any, tolerance: float) -> bool:
    """Return whether two values of JSON are the same, with decimal numbers within a tolerance."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        same_keys = one.keys() == other.keys()
        return same_keys and all(_close(one[key], other[key], tolerance) for key in one)
    if isinstance(one, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(_close(*pair, tolerance) for pair in pairs)
    if isinstance(one, float):
        return math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)
    return bool(one == other)


def _predict_again(folder: Path, clone: Clone, stated: Statement) -> float:
    """Return how far the model's probabilities differ from those of the one made again.

    Its predictions take the place of those of the clone, unless these are not of the exported
    model, which export.refit has fitted on more rows.
    """
    path = clone.project / prediction_files(clone.lock)[stated.model][0]
    models = [predictor.load(folder), predictor.load(clone.project / "models" / stated.model)]
    measured = predictions.read(path)
    own, again = (measured.probabilities.copy() for _ in models)
    for split, rows in splits.read(clone.project / SPLITS).items():
        for loaded, probabilities in zip(models, (own, again), strict=True):
            features = loaded.vectorizer.transform(rows["text"])
            probabilities[measured.split == split] = loaded.model.predict_proba(features)
    if np.array_equal(again, measured.probabilities):
        predictions.write([replace(measured, probabilities=own)], path)
    return float(np.abs(own - again).max())


def _compare_cards(card: Path, made: Path) -> Check:
    """Return whether a card has the lines of one made again."""
    lines = [
        path.read_text(encoding="utf-8").split("\n") if path.is_file() else []
        for path in (card, made)
    ]
    for stated, again in zip_longest(*lines):
        if stated != again:
            return Check(
                "metrics", f"{CARD} has {stated!r}; the predictions give {again!r}", failed=True
            )
    return Check("metrics", f"those in {CARD} follow from the predictions")


def _first_difference(ran: Sequence[str], revision: Revision, clone: Clone) -> Check:
    """Return the first output of the stages that ran which is not as dvc.lock has it."""
    before, after = revision.lock, clone.lock
    lock = f"dvc.lock of {revision.name}"
    for stage in ran:
        recorded = checksums(before.get(stage, {}), "outs")
        for path, checksum in checksums(after.get(stage, {}), "outs").items():
            if checksum != recorded.get(path):
                return Check("first difference", f"{stage} made another {path} than {lock} has")
    return Check("first difference", f"none; {len(ran)} stages made what {lock} has")
