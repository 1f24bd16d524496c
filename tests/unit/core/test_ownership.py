"""No run removes or replaces a file that no run has made."""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes import ROOT
from tests.refusal import refusal
from textclf.core.git import git
from textclf.core.outputs import finished_by, outputs, remove
from textclf.core.ownership import RECORDS, foreign_files, note_made
from textclf.core.settings import load_yaml
from textclf.project import declared

pytestmark = pytest.mark.usefixtures("here")
PIPELINES = {
    Path(name): (ROOT / name).read_text(encoding="utf-8")
    for name in ("dvc.yaml", "studies/dvc.yaml")
}
SETTINGS = load_yaml(ROOT / "params.yaml")
ALL = sorted({path for path, _ in declared.outputs(PIPELINES, SETTINGS)} | {declared.UNDECLARED})
MODELS = Path("models")


def run(target: Path, files: tuple[str, ...] = ("",), content: str = "made") -> None:
    """Make an output as a stage does: a file, or a folder of these files."""
    with finished_by(lambda: None), outputs(target) as (scratch,):
        for name in files:
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            (scratch / name).write_text(content)


def dvc(*arguments: str) -> None:
    subprocess.run(["dvc", *arguments], check=True, capture_output=True)


def own(path: Path | str) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    return path


@pytest.mark.parametrize("target", ALL, ids=str)
@pytest.mark.parametrize("inside", ["", "final.pkl", "deep/interviews.txt"])
def test_a_stage_replaces_no_file_of_the_user(target: Path, inside: str) -> None:
    mine = own(target / inside)
    line = (
        f"{target} must have only files that a run made, since each run replaces it; got {mine}; "
    )
    for files in (("",), ("a", "b")):
        assert refusal(run, target, files) == f"{line}move what is yours elsewhere"
        assert [path for path in Path().rglob("*") if path.is_file()] == [mine]
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("target", ALL, ids=str)
def test_a_stage_replaces_what_a_run_has_made(target: Path) -> None:
    for content in ("one", "two"):
        for files in (("a", "b/c"), ("b/d",)):
            run(target, files, content)
            assert [path.read_text() for path in target.rglob("*") if path.is_file()] == [
                content
            ] * len(files)


def test_a_file_that_was_added_to_what_a_run_has_made_stays() -> None:
    run(MODELS, ("a/model.json",))
    own("models/final.pkl")
    assert "got models/final.pkl; move" in refusal(run, MODELS, ("a/model.json",))
    assert Path("models/final.pkl").read_text() == "mine"
    assert Path("models/a/model.json").read_text() == "made"


def test_the_same_bytes_may_be_replaced() -> None:
    own("data/raw/corpus.txt")
    run(Path("data/raw"), ("corpus.txt",), "mine")
    own("data/raw/other.txt")
    assert "got data/raw/other.txt; move" in refusal(run, Path("data/raw"), ("corpus.txt",), "mine")


@pytest.mark.parametrize("killed_before_the_rename", [True, False])
def test_after_a_kill_what_was_made_is_known(killed_before_the_rename: bool) -> None:
    run(MODELS, ("a", "b"))
    Path("new").mkdir()
    own("new/c")
    note_made(MODELS, Path("new"))
    if not killed_before_the_rename:
        shutil.rmtree(MODELS)
        Path("new").rename(MODELS)
    assert foreign_files(MODELS) == []
    run(MODELS, ("c",))
    own("models/b")
    assert foreign_files(MODELS) == [Path("models/b")]


def test_what_a_killed_stage_left_unfinished_is_no_file_of_the_user() -> None:
    run(Path("data/pretrained"), ("tiny/model.onnx",))
    own("data/pretrained/.tiny.x1.scratch/tiny/model.onnx")
    assert foreign_files(Path("data/pretrained")) == []


def test_a_link_is_not_replaced() -> None:
    own("elsewhere/final.pkl")
    MODELS.symlink_to("elsewhere")
    assert "got models; move" in refusal(run, MODELS, ("a",))
    MODELS.unlink()
    MODELS.mkdir()
    Path("models/disk").symlink_to(Path("elsewhere").absolute())
    assert foreign_files(MODELS) == [Path("models/disk")]


def test_a_file_in_the_place_of_a_folder_is_named() -> None:
    own("metrics")
    assert foreign_files(Path("metrics/models")) == [Path("metrics")]


def test_what_is_dropped_is_removed_only_if_a_run_made_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    old = Path("data/trained/old")
    run(old, ("model.json",))
    mine = own(old / "notes.txt")
    assert f"got {mine}; move" in refusal(remove, [old], "no entry")
    assert (old / "model.json").exists()
    mine.unlink()
    remove([old], "no entry")
    assert not old.exists()
    assert capsys.readouterr().out == f"{old} removed: no entry\n"


LOCK = """\
schema: '2.0'
stages:
  export:
    cmd: export
    outs:
    - path: models
      hash: md5
      md5: {}
      nfiles: 1
"""


@pytest.fixture(scope="module")
def pulled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone without runs, whose dvc.lock has an output that DVC has pulled."""
    folder = tmp_path_factory.mktemp("pulled")
    with contextlib.chdir(folder):
        git("init", "--quiet")
        dvc("init", "--quiet")
        own("models/a/model.json")
        dvc("add", "--quiet", "models")
        Path("dvc.lock").write_text(LOCK.format(load_yaml(Path("models.dvc"))["outs"][0]["md5"]))
        Path("models.dvc").unlink()
    return folder


@pytest.fixture
def clone(pulled: Path, here: Path) -> Callable[[], None]:
    """Return a run in a copy of the clone."""
    shutil.copytree(pulled, here, dirs_exist_ok=True)
    return lambda: run(MODELS, ("a/model.json",))


def test_what_dvc_lock_has_was_made_by_a_run_elsewhere(clone: Callable[[], None]) -> None:
    shutil.rmtree(".dvc/cache")
    clone()
    assert Path("models/a/model.json").read_text() == "made"


def test_a_file_beside_what_was_pulled_stays(clone: Callable[[], None]) -> None:
    own("models/final.pkl").write_text("a model of mine")
    assert "got models/final.pkl; move" in refusal(clone)
    assert Path("models/final.pkl").read_text() == "a model of mine"


def test_what_was_pulled_for_another_lock_file_is_in_the_cache(clone: Callable[[], None]) -> None:
    Path("dvc.lock").write_text(LOCK.format("0" * 32 + ".dir"))
    clone()
    own("models/other.json").write_text("not in the cache")
    git("add", "--force", "models/other.json")  # as metrics are
    assert foreign_files(MODELS) == []


def test_the_cache_may_be_elsewhere(clone: Callable[[], None], tmp_path: Path) -> None:
    Path("dvc.lock").write_text(LOCK.format("0" * 32 + ".dir"))
    shutil.move(".dvc/cache", tmp_path / "shared")
    assert "got models/a/model.json; move" in refusal(clone)
    dvc("config", "--local", "cache.dir", str(tmp_path / "shared"))
    clone()


def test_what_dvc_tracks_without_a_run_is_the_users(clone: Callable[[], None]) -> None:
    Path("dvc.lock").unlink()
    assert "got models/a/model.json; move" in refusal(clone)


@pytest.mark.parametrize("record", ["", "[", "{}"])
def test_a_damaged_record_is_none(record: str) -> None:
    run(Path("models"), ("a",))
    (path,) = RECORDS.iterdir()
    assert json.loads(path.read_text()) == ["a"]
    path.write_text(record)
    assert foreign_files(MODELS) == [Path("models/a")]


@pytest.mark.parametrize(
    ("text", "line"),
    {
        "stages: [a": "dvc.yaml:1: expected ',' or ']', but got '<stream end>'; expected YAML",
        "a: 1\na: 2": "dvc.yaml:2: key a is repeated; expected YAML",
        "- a": "dvc.yaml must be as textclf writes it; git diff dvc.yaml shows what differs",
    }.items(),
)
def test_a_damaged_pipeline_is_an_error(text: str, line: str) -> None:
    assert refusal(lambda: [*declared.outputs({Path("dvc.yaml"): text})]) == line
