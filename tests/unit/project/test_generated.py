"""A project's generated files, against the repository's files that they are made of."""

import hashlib
import re
import shutil
import sys
import tomllib
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest
import yaml

from tests.processes import ROOT, python, run
from tests.refusal import refusal
from tests.settings import TEXT, put
from textclf.core import code
from textclf.core.errors import UserError
from textclf.core.extras import OF_RUNS
from textclf.models.settings import KINDS
from textclf.project import declared, generated
from textclf.project.comments import commented
from textclf.version import __version__

FILES = ("dvc.yaml", "studies/dvc.yaml")
CODE = code.read_code()


def stages(text: str) -> dict[str, Any]:
    result = yaml.safe_load(text)["stages"]
    return {name: stage.get("do", stage) for name, stage in result.items()}


def is_code(path: str) -> bool:
    return path.startswith((".textclf/code/", "textclf", "stages"))


def code_of(stage: dict[str, Any], kind: str) -> list[str]:
    """Return the files of code among the deps of a stage of the repository, for a kind of model."""
    paths = [dep.replace("${item.kind}", kind) for dep in stage["deps"] if is_code(dep)]
    if "textclf" in paths:
        return sorted(CODE)
    below = [path.removeprefix("textclf/") for path in paths]
    return sorted(
        {file for path in below for file in CODE if file == path or file.startswith(f"{path}/")}
    )


@pytest.mark.parametrize("name", FILES)
def test_a_project_has_the_stages_of_the_repository(name: str) -> None:
    here = stages((ROOT / name).read_text(encoding="utf-8"))
    there = stages(generated.pipeline(Path(name)))
    checksums = dict(generated.code_files())
    assert list(here) == list(there)
    for stage, own in there.items():
        assert own["cmd"] == f"python -P -m textclf.stages.{stage}"
        files = [
            dep.replace("requirements/run.txt", "requirements.txt")
            for dep in here[stage]["deps"]
            if dep != "requirements/keras.txt"
        ]
        assert [dep for dep in own["deps"] if not is_code(dep)] == [
            dep for dep in files if not is_code(dep)
        ]
        (checksum,) = filter(is_code, own["deps"])
        for kind in KINDS:
            lines = [f"{CODE[file]}  {file}\n" for file in code_of(here[stage], kind)]
            digest = hashlib.sha256("".join(lines).encode()).hexdigest()
            assert checksums[Path(checksum.replace("${item.kind}", kind))] == f"{digest}\n"
        rest = {"cmd", "deps"}
        assert {key: own[key] for key in own.keys() - rest} == {
            key: here[stage][key] for key in own.keys() - rest
        }


def test_the_wheel_and_its_sources_ship_each_file_that_a_project_is_made_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names: dict[str, str] = {}
    read = generated.shipped
    monkeypatch.setattr(generated, "shipped", lambda name: names.setdefault(name, read(name)))
    monkeypatch.setattr(generated, "find_spec", lambda name: name)  # all extras
    files = generated.generated_files(None, OF_RUNS[1:])
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    # Those of the wheel, then those of its sources.
    for included in (build["targets"]["wheel"]["force-include"], build["only-include"]):
        folders = {Path(name) for name in included}
        assert [name for name in names if not folders & {Path(name), *Path(name).parents}] == []
    plots = {path.name: path.read_text() for path in (ROOT / ".dvc/plots").iterdir()}
    assert plots == {
        path.name: text for path, text in files.items() if path.parent == Path(".dvc/plots")
    }


def test_on_windows_the_files_of_a_project_have_the_same_names_and_texts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = {path.as_posix(): text for path, text in generated.generated_files(None).items()}
    for name in ("CODE", "PROJECT", "REQUIREMENTS", "SCHEMA"):
        monkeypatch.setattr(generated, name, PureWindowsPath(getattr(generated, name)))
    monkeypatch.setattr(
        generated,
        "HEADERS",
        {PureWindowsPath(path): text for path, text in generated.HEADERS.items()},
    )
    monkeypatch.setattr(generated, "Path", PureWindowsPath)
    assert {
        path.as_posix(): text for path, text in generated.generated_files(None).items()
    } == before
    monkeypatch.setattr(
        declared, "outputs", lambda _: [(PureWindowsPath("data/features/words"), True)]
    )
    assert declared.ignored({}) == ["/data/features", "/reports/audit.html"]


def test_init_loads_nothing_that_draws_or_fills_templates() -> None:
    code = (
        "import sys, textclf.project.init.command; print({'jinja2', "
        "'textclf.plot.draw'} & {*sys.modules})"
    )
    assert python("-c", code).out == "set()\n"


def test_no_file_of_a_project_takes_the_place_of_a_module_that_a_stage_imports(
    tmp_path: Path,
) -> None:
    for name in ("random.py", "numpy.py", "textclf/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("raise SystemExit('of the project')\n")
    _, *words = (
        stages(generated.pipeline(Path("dvc.yaml")))["split"]["cmd"]
        .replace("textclf.stages", "stages")
        .split()
    )
    done = run(sys.executable, *words, folder=tmp_path)
    assert (done.status, done.err[:37]) == (2, "error: split: params.yaml not found; ")


def test_beside_its_stages_dvc_yaml_is_that_of_the_repository() -> None:
    here, there = (
        yaml.safe_load(text)
        for text in (generated.shipped("dvc.yaml"), generated.pipeline(Path("dvc.yaml")))
    )
    assert {**here, "stages": None} == {**there, "stages": None}


def test_every_checksum_that_a_stage_depends_on_has_its_file() -> None:
    files = dict(generated.code_files())
    named = set(
        re.findall(
            r"\.textclf/code/(\S+)", "".join(generated.pipeline(Path(name)) for name in FILES)
        )
    )
    expected = {name.replace("${item.kind}", kind) for name in named for kind in KINDS}
    assert {path.name for path in files} == expected


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("report/page.py", {"report", "textclf"}),
        (
            "models/keras/network.py",
            {"audit", "crossvalidate", "export", "learning_curve", "report", "search"}
            | {"textclf", "train.keras"},
        ),
        (
            "split/settings.py",
            {"audit", "crossvalidate", "export", "learning_curve", "report", "search"}
            | {"split", "textclf"},
        ),
        ("stages/report.py", {"report", "textclf"}),
    ],
)
def test_an_edit_changes_the_checksums_of_the_stages_that_use_the_file(
    file: str, changed: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dict(generated.code_files())
    monkeypatch.setattr(generated, "read_code", lambda: {**CODE, file: "another"})
    after = dict(generated.code_files())
    assert {path.name for path in before if before[path] != after[path]} == changed


def test_the_requirements_are_locked_and_have_no_address_of_an_index() -> None:
    text = generated.locked_requirements(["audit", "keras"])
    lines = [line for line in re.sub(r"\\\n", " ", text).splitlines() if not line.startswith("#")]
    assert lines[:2] == ["--only-binary :all:", "--no-binary antlr4-python3-runtime"]
    names = [line.partition("==")[0] for line in lines[2:]]
    assert len(set(names)) == len(names)
    assert {"dvc", "tensorflow", "antlr4-python3-runtime", "cleanlab"} <= set(names)
    assert [
        line
        for line in lines[2:]
        if not re.match(r"[\w.\[\]-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ] == []


def test_a_project_made_with_other_code_is_refused(here: Path) -> None:
    code.require_own_version()  # no project
    generated.write_files(generated.generated_files(None))
    (here / ".textclf/code/new").write_text("of a later version whose upgrade was undone\n")
    code.require_own_version()
    (here / ".textclf/code/report").write_text("0\n")
    with pytest.raises(
        UserError, match=r"made with other code of this version, and textclf .*run textclf upgrade"
    ):
        code.require_own_version()
    project = here / ".textclf/project.json"
    project.write_text(
        project.read_text().replace(f'"version": "{__version__}"', '"version": "0.1.9"')
    )
    with pytest.raises(
        UserError, match=r"made with textclf 0\.1\.9, and .*install that one: pip install"
    ):
        code.require_own_version()


OF_FILES = (
    '{"version": "0.2.0", "requirement": "textclf-pipeline==0.2.0", "ci": null, "extras": '
    '[], "files": %s}'
)
DAMAGED = r"project\.json is missing or damaged; git checkout HEAD"
LACKING = r"code must have each checksum .*textclf upgrade"


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        (code.PROJECT, text, DAMAGED)
        for text in ("{<<<<", '{"format": 1}', "[]", "5", OF_FILES % 5, OF_FILES % "null")
    ]
    + [(code.PROJECT, None, DAMAGED), (code.PROJECT, OF_FILES % "{}", LACKING)]
    + [(code.CODE / "report", None, LACKING), (code.CODE, None, LACKING)],
)
def test_a_record_of_the_project_or_of_code_that_is_damaged_is_told_in_a_line(
    file: Path,
    content: str | None,
    said: str,
) -> None:
    generated.write_files(generated.generated_files(None))
    if content is not None:
        file.write_text(content)
    elif file.is_dir():
        shutil.rmtree(file)
    else:
        file.unlink()
    assert re.match(rf"\.textclf/{said}", refusal(code.require_own_version))


def test_code_below_a_folder_of_any_name_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "shipped" / "textclf"
    for name in (
        "stages/split.py",
        "core/git.py",
        "project/shipped/dvc.yaml",
        "core/__pycache__/git.pyc",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    monkeypatch.setattr(code, "PACKAGE", folder)
    monkeypatch.setattr(code, "_read_files", code._read_files.__wrapped__)
    assert list(code.read_code()) == ["core/git.py", "stages/split.py"]


def test_params_yaml_has_the_comments_of_the_settings() -> None:
    assert commented(TEXT) == TEXT
    bare = "\n".join(
        line.partition(" # ")[0].rstrip() for line in TEXT.splitlines() if line.strip()[:1] != "#"
    )
    again = commented(bare).splitlines()
    without_header = TEXT[TEXT.index("fetch:") :].splitlines()
    assert [line for line in again if line] == [line for line in without_header if line]


@pytest.mark.parametrize("value", ['"a #b"', "'a #b'", "a#b", "it's.csv", 'a"b'])
def test_a_value_survives_the_comments(value: str) -> None:
    assert f"  group: {value} " in commented(put("data.group", value))


def test_a_comment_too_long_for_the_line_stands_above_and_replaces_the_old_one() -> None:
    text = commented(
        put("data.group", "x" * 100).replace("  group:", "  # an old comment\n  group:")
    )
    lines = text.splitlines()
    place = lines.index(f"  group: {'x' * 100}")
    assert lines[place - 1].startswith("  # column whose equal values")
    assert "an old comment" not in text
    assert commented(text) == text


def test_a_value_that_would_be_lost_in_the_comment_is_refused() -> None:
    assert "on one line" in refusal(commented, put("data.group", '"a\n    b"'))
