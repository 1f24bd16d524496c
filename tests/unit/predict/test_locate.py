import re
from pathlib import Path

import pytest

import textclf
from tests.processes import git
from tests.refusal import refusal
from tests.unit.predict.models import export, three_classes, two_classes
from textclf.artifacts.decisions import write_index
from textclf.predict import released
from textclf.predict.locate import project_folder


@pytest.fixture
def inside(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, two levels below a project of the models first and second."""
    export(two_classes(), here / "models" / "first")
    export(three_classes(), here / "models" / "second")
    write_index("second", ["first", "second"], here / "models")
    folder = here / "notebooks" / "old"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ((), "second"),
        ((None,), "second"),
        (("first",), "first"),
        (("models/first",), "first"),
        (("../../models/first",), "first"),
        ((Path("../../models/first"),), "first"),
        (("../../models",), "second"),
    ],
)
def test_a_model_is_loaded_from_a_folder_inside_the_project(
    inside: Path, given: tuple[str | Path | None, ...], name: str
) -> None:
    model = textclf.load(*given)
    assert (model.name, model.predict(["food"]).shape) == (name, (1,))
    assert Path.cwd() == inside


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize("name", ["third", "old", "prod", "first@v0.0.1", "models/third"])
def test_the_error_of_an_unknown_name_lists_the_models_of_the_project(name: str) -> None:
    assert refusal(textclf.load, name).startswith(
        "the model must be one in models (first, second), the folder of one or "
    )


def test_a_folder_that_is_no_model_does_not_hide_one_of_its_name(inside: Path) -> None:
    (inside / "first").mkdir()
    assert textclf.load("first").name == "first"


def test_no_folder_takes_the_place_of_a_tag(inside: Path) -> None:
    export(two_classes(), inside / "first@v0.0.1")
    assert "got 'first@v0.0.1'" in refusal(textclf.load, "first@v0.0.1")
    # An absolute path is no tag.
    assert textclf.load(str(inside / "first@v0.0.1")).name == "first@v0.0.1"


def test_the_nearest_project_counts(inside: Path) -> None:
    above = inside.parent.parent
    assert project_folder() == project_folder(inside) == above
    for name in ("params.yaml", "dvc.yaml"):
        assert project_folder() == above
        (inside.parent / name).touch()
    assert project_folder() == inside.parent
    rule = "models/index.json not found; run dvc repro (or dvc pull) to make it"
    assert refusal(textclf.load) == rule


def test_outside_a_project_only_a_path_names_a_model(here: Path) -> None:
    for call in (textclf.load, lambda: textclf.load("first")):
        assert refusal(call) == (
            f"{here} must be in a project, a folder with models/index.json, or with params.yaml "
            "and dvc.yaml; got none; change to one, or give the path of a model or project"
        )
    export(two_classes(), here / "alone")
    assert textclf.load("alone").name == textclf.load(Path("alone")).name == "alone"


def test_a_release_is_loaded_from_a_folder_inside_the_project(
    inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = inside.parent.parent
    monkeypatch.chdir(project)
    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--message=one")
    for name in ("first@v0.0.1", "first#prod#1"):
        git("tag", "--annotate", "--message=release", name)
    commit = released.active()["first#prod"][0]
    export(three_classes(), released.place_of("first", commit))
    monkeypatch.chdir(inside)
    for name in ("prod", "first#prod", "first@v0.0.1"):
        model = textclf.load(name)
        assert (model.name, model.version, len(model.classes_)) == ("first", "first@v0.0.1", 3)
    assert re.fullmatch("[0-9a-f]{12}", textclf.load("first").version)
