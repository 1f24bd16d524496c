"""Edits while a stage runs, by the real DVC: what the stage uses is refused, and what it does not use is not."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.verify import DVC, Copy

# Runs in each stage, before anything else: edits a file as soon as the stage opens one of its inputs.
EDITING = """\
import os, sys

stage, trigger, file, old, new = os.environ["EDIT"].split("|")

def edit(event, arguments):
    global trigger
    if event == "open" and trigger and str(arguments[0]).endswith(trigger):
        trigger = ""
        with open(file, encoding="utf-8") as opened:
            text = opened.read()
        assert old in text, (file, old)
        with open(file, "w", encoding="utf-8") as opened:
            opened.write(text.replace(old, new, 1))

if os.environ.get("DVC_STAGE") == stage and sys.orig_argv[1:2] == ["-m"] and "stages" in sys.orig_argv[2]:
    sys.addaudithook(edit)
"""
ROWS, SPLITS, FEATURES, TRAINED = "yelp_labelled.txt", "splits/classes.json", "shapes.json", "majority/training.json"
LR = "train@logistic_regression"


@pytest.fixture(scope="module")
def finished(small: Copy, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy in which `dvc repro` ran, whose stages make the edit of the variable EDIT."""
    site = tmp_path_factory.mktemp("site")
    (site / "sitecustomize.py").write_text(EDITING)
    return replace(small, variables={**small.variables, "PYTHONPATH": str(site), "EDIT": "||||"})


@pytest.fixture
def project(finished: Copy) -> Iterator[Copy]:
    """The finished copy, whose files and outputs are brought back after the test."""
    yield finished
    finished.run("git", "checkout", "--quiet", ".")
    finished.dvc("checkout", "--force", "--quiet")


def edited(copy: Copy, stage: str, trigger: str, file: str, old: str, new: str) -> str:
    """Run a stage by DVC, make the edit when it opens its input, and return what was printed."""
    copy = replace(copy, variables={**copy.variables, "EDIT": "|".join((stage, trigger, file, old, new))})
    printed, _ = copy.run_anyway(*DVC, "repro", "--force", "--single-item", stage)
    assert new in (copy.folder / file).read_text(encoding="utf-8")
    return printed


@pytest.mark.parametrize(
    ("stage", "trigger", "file", "old", "new", "named"),
    [
        ("check", "/checked", "params.yaml", "terms: ", "terms: 1", "export.terms"),
        ("split", ROWS, "params.yaml", "seed: 1000", "seed: 1001", "split.seed"),
        ("split", ROWS, "textclf/split/write.py", '"""', '"""New. ', "textclf/split/write.py"),
        (LR, FEATURES, "textclf/models/logistic_regression/fitting.py", '"""', '"""New. ', "fitting.py"),
        ("report", SPLITS, "textclf/report/templates/sections/provenance.html.j2", "Checksums", "Sums", ".j2"),
    ],
)
def test_an_edit_of_what_a_running_stage_uses_is_refused(
    project: Copy, stage: str, trigger: str, file: str, old: str, new: str, named: str
) -> None:
    printed = edited(project, stage, trigger, file, old, new)
    assert f"error: {stage.partition('@')[0]}: " in printed
    assert named in printed
    assert "must not change while" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    ("stage", "trigger", "file", "old", "new"),
    [
        ("split", ROWS, "params.yaml", "confidence: 0.95", "confidence: 0.9"),
        (LR, FEATURES, "textclf/models/keras/build.py", '"""', '"""New. '),
    ],
)
def test_unused_files_may_be_edited(project: Copy, stage: str, trigger: str, file: str, old: str, new: str) -> None:
    printed = edited(project, stage, trigger, file, old, new)
    assert "error" not in printed
