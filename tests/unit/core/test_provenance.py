"""What a stage used: no output is complete if settings or code changed, and a record says what they were."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.refusal import refusal
from textclf.core import unchanged
from textclf.core.files import read_json
from textclf.core.outputs import outputs
from textclf.core.ownership import note_made
from textclf.core.provenance import Record, read_records, recorded, remove_dropped, require_used, unrecorded
from textclf.core.settings import Section, load_params

PARAMS = "split: {seed: 1, test_size: 0.25}\ntrain: {keras: {epochs: 40}, other: {}}\n"
USED = {"train.keras": dict, "split": dict}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS)
    Path("output").write_text("old")
    note_made(Path("output"), Path("output"))
    return tmp_path


def run(change: Callable[[], object]) -> None:
    """Run a stage that reads `USED`, during which `change` is called."""
    with recorded("train@keras", Path("records")):
        load_params(USED)
        with outputs(Path("output")) as (target,):
            target.write_text("new")
            change()


def rewrite(old: str, new: str) -> Callable[[], object]:
    assert old in PARAMS
    return lambda: Path("params.yaml").write_text(PARAMS.replace(old, new))


CHANGED = "must not change while the stage runs; it was"


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("epochs: 40", "epochs: 60", f"train.keras.epochs {CHANGED} 40 and is 60 now"),
        ("epochs: 40", "epochs: 40.0", f"train.keras.epochs {CHANGED} 40 and is 40.0"),
        ("epochs: 40", "epochs: 40, lr: 1", f"train.keras.lr {CHANGED} not set and is"),
        ("seed: 1, ", "", f"split.seed {CHANGED} 1 and is not set now"),
        ("keras:", "network:", f"train.keras.epochs {CHANGED} 40 and is not set now"),
        ("seed: 1", "seed: [", "params.yaml:1: "),
    ],
)
def test_no_output_is_complete_if_a_setting_that_was_read_has_changed(old: str, new: str, error: str) -> None:
    assert error in refusal(run, rewrite(old, new))
    assert Path("output").read_text() == "old"
    assert list(Path("records").rglob("*.json")) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("other: {}", "other: {epochs: 3}"),
        ("{seed: 1, test_size: 0.25}", "{test_size: 0.25, seed: 1} # another order"),
    ],
)
def test_changes_of_other_settings_and_of_the_order_are_allowed(old: str, new: str) -> None:
    run(rewrite(old, new))
    assert Path("output").read_text() == "new"
    params = {"split": {"seed": 1, "test_size": 0.25}, "train.keras": {"epochs": 40}}
    assert read_records(Path("records"), ["train@keras"])["train@keras"].params == params


def test_a_record_has_the_versions_of_packages_that_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    monkeypatch.setitem(sys.modules, "onnxruntime", SimpleNamespace(__version__="9"))  # not the name of its wheel
    monkeypatch.delitem(sys.modules, "tokenizers", raising=False)
    run(lambda: None)
    packages = read_json(Path("records/train/keras.json"))["packages"]
    assert (packages["numpy"], packages["onnxruntime"]) == (np.__version__, "9")
    assert "scipy" in packages  # even if it is workers that import it
    assert not {"tokenizers", "pytest"} & packages.keys()


def test_after_the_block_outputs_are_written_without_a_record() -> None:
    run(lambda: None)
    Path("params.yaml").write_text("")
    Path("records/train/keras.json").unlink()
    with outputs(Path("output")) as (target,):
        target.write_text("newer")
    assert (Path("output").read_text(), [*Path("records/train").iterdir()]) == ("newer", [])


LOADED = Path(unchanged.__file__)


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        (LOADED, True),
        (LOADED.with_name("data.txt"), True),  # a file that a module may read, such as a template
        (LOADED.parents[1] / "never_imported" / "data.txt", False),
        (LOADED.parents[2] / "stages" / "never_imported.py", False),
    ],
)
def test_no_output_is_complete_if_code_that_runs_has_changed(
    path: Path, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unchanged, "_code", {})
    unchanged.watch_code(LOADED.parents[2])
    unchanged._code.setdefault(path.with_name("__init__.py"), "of a package")
    unchanged._code[path] = "another checksum"
    if not refused:
        run(lambda: None)
        return
    assert f"{path.name} must not change while the stage runs; run dvc repro again" in refusal(run, lambda: None)
    assert Path("output").read_text() == "old"


def test_settings_that_dvc_lock_contradicts_are_named() -> None:
    lock = "stages:\n  train@keras:\n    params:\n      params.yaml:\n        train.keras: {epochs: 60}\n"
    Path("dvc.lock").write_text(lock)
    records = {"train@keras": Record({"train.keras": {"epochs": 40}}, {}), "split": Record({"split": {}}, {})}
    (line,) = unrecorded(records)
    assert line == (
        "dvc.lock: train.keras.epochs of train@keras is 60, but the stage ran with 40; "
        "run dvc repro --force --single-item train@keras, then dvc repro"
    )
    Path("dvc.lock").write_text(lock.replace("60", "40"))
    assert [*unrecorded(records)] == []


@pytest.mark.parametrize("lock", [None, "", "stages: {train@keras: {params: [", "schema: '2.0'\n"])
def test_without_a_complete_dvc_lock_nothing_is_compared(lock: str | None) -> None:
    if lock is not None:
        Path("dvc.lock").write_text(lock)
    assert [*unrecorded({"train@keras": Record({"train.keras": {"epochs": 40}}, {})})] == []


class Network(Section):
    epochs: int = 100
    rate: float = 1.0


def test_a_stage_that_ran_with_other_settings_than_the_run_is_named() -> None:
    run_settings = {"train.keras": Network(epochs=40)}
    for same in ({"epochs": 40}, {"epochs": 40, "rate": 1}):  # as the defaults make them
        require_used({"train@keras": Record({"train.keras": same, "more": 1}, {})}, run_settings)
    assert refusal(require_used, {"train@keras": Record({"train.keras": {}}, {})}, run_settings) == (
        "params.yaml: train.keras.epochs must not change while the pipeline runs; train@keras ran with 100, "
        "the run began with 40; run dvc repro again"
    )


def test_records_of_dropped_items_are_removed() -> None:
    run(lambda: None)
    remove_dropped(Path("records"), "train", ["keras"])
    assert [*read_records(Path("records"), ["split", "train@keras"])] == ["train@keras"]
    remove_dropped(Path("records"), "train", ["other"])
    assert read_records(Path("records"), ["train@keras"]) == {}
