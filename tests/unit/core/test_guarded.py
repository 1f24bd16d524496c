"""No output of a stage is complete if settings or code changed while it ran."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.refusal import refusal
from textclf.core import code
from textclf.core.outputs import outputs
from textclf.core.ownership import note_made
from textclf.core.settings import load_params
from textclf.core.stage import guarded

PARAMS = "split: {seed: 1, test_size: 0.25}\ntrain: {keras: {epochs: 40}, other: {}}\n"
USED = {"train.keras": dict, "split": dict}


@pytest.fixture(autouse=True)
def folder(here: Path) -> Path:
    Path("params.yaml").write_text(PARAMS)
    Path("output").write_text("old")
    note_made(Path("output"), Path("output"))
    return here


def run(change: Callable[[], object]) -> None:
    """Run a stage that reads `USED`, during which `change` is called."""
    with guarded():
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
def test_no_output_is_complete_if_a_setting_that_was_read_has_changed(
    old: str, new: str, error: str
) -> None:
    assert error in refusal(run, rewrite(old, new))
    assert Path("output").read_text() == "old"


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


def test_after_the_block_settings_may_change() -> None:
    run(lambda: None)
    Path("params.yaml").write_text("")
    with outputs(Path("output")) as (target,):
        target.write_text("newer")
    assert Path("output").read_text() == "newer"


LOADED = Path(code.__file__)


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        (LOADED, True),
        (LOADED.with_name("data.txt"), True),  # a file that a module may read, such as a template
        (LOADED.parents[1] / "never_imported" / "data.txt", False),
        (LOADED.parents[2] / "stages" / "never_imported.py", False),
    ],
)
def test_no_output_is_complete_if_code_has_changed(
    path: Path, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (
        {path.with_name("__init__.py"): "of a package"}
        | code._read_files()
        | {path: "another checksum"}
    )
    monkeypatch.setattr(code, "_read_files", lambda: before)
    if not refused:
        run(lambda: None)
        return
    assert f"{path.name} must not change while the stage runs; run dvc repro again" in refusal(
        run, lambda: None
    )
    assert Path("output").read_text() == "old"
