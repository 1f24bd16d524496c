import re
import tomllib

import pytest

from tests.conftest import ROOT
from textclf.core import stage
from textclf.core.extras import EXTRAS, LOCKED, extra_of
from textclf.core.failures import USAGE_ERROR

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MODULES = {
    "scikit-learn": "sklearn",
    "vl-convert-python": "vl_convert",
    "keras-hub": "keras_hub",
}  # that are not named as their packages
NEVER_IMPORTED = {"ruamel.yaml.clib"}  # by textclf; DVC's reader of YAML finds it


def modules(requirements: list[str]) -> set[str]:
    names = (re.split(r"[<>=]", line)[0] for line in requirements)
    return {MODULES.get(name, name) for name in names} - NEVER_IMPORTED


def test_every_package_of_an_extra_is_known_by_the_module_that_it_brings() -> None:
    declared = {name: modules(lines) for name, lines in PROJECT["optional-dependencies"].items()}
    declared["pipeline"] |= {"markupsafe"}
    declared["pipeline"] -= declared["parquet"]
    declared["pretrained"] -= declared["encoder"]
    assert {name: set(packages) for name, packages in EXTRAS.items()} == declared


def test_each_extra_with_a_lock_file_is_installed_from_it() -> None:
    locks = {path.stem for path in (ROOT / "requirements").glob("*.txt")}
    assert set(LOCKED) == locks & set(EXTRAS)


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("pyarrow.parquet", "parquet"),
        ("pandas", "pipeline"),
        ("markupsafe", "pipeline"),
        ("uvicorn", "serve"),
        ("numpy", None),
        (None, None),
    ],
)
def test_the_extra_of_a_module_is_found(module: str | None, extra: str | None) -> None:
    assert extra_of(module) == extra


def fail(error: Exception) -> None:
    raise error


def test_a_missing_extra_is_one_line_that_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert stage.exit_code("predict", lambda: fail(ModuleNotFoundError("", name="pyarrow"))) == USAGE_ERROR
    line = "error: predict: the package pyarrow must be installed for this; pip install --only-binary :all: pyarrow\n"
    assert capsys.readouterr().err == line


def test_an_extra_with_a_lock_file_is_installed_by_hash(capsys: pytest.CaptureFixture[str]) -> None:
    assert stage.exit_code("serve", lambda: fail(ModuleNotFoundError("", name="uvicorn"))) == USAGE_ERROR
    assert capsys.readouterr().err == (
        "error: serve: the package uvicorn must be installed for this; in a clone of textclf: "
        "pip install --require-hashes --only-binary :all: -r requirements/serve.txt\n"
    )


def test_python_without_the_requirements_is_told_to_use_their_environment(capsys: pytest.CaptureFixture[str]) -> None:
    assert stage.exit_code("check", lambda: fail(ModuleNotFoundError("", name="ruamel.yaml"))) == USAGE_ERROR
    line = "error: check: the package ruamel must be installed; activate the environment: . .venv/bin/activate\n"
    assert capsys.readouterr().err == line


@pytest.mark.parametrize("name", ["textclf.lost", "stages.lost", None])
def test_a_missing_module_of_textclf_is_a_defect(name: str | None) -> None:
    with pytest.raises(ModuleNotFoundError):
        stage.exit_code("predict", lambda: fail(ModuleNotFoundError("", name=name)))
