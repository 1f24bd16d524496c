"""The command `textclf doctor`."""

import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.processes import WITHOUT_EXTRAS, Command, python
from tests.settings import put
from textclf.core.extras import EXTRAS, how_to_install

Doctor = Callable[[], tuple[object, dict[str, str]]]


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: Command) -> Doctor:
    """Return a function for an exit code and the rest of each line by name, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run() -> tuple[object, dict[str, str]]:
        status, out, err = command_line("doctor")
        assert err == ""
        lines = out.splitlines()
        facts = dict(line.split(maxsplit=1) for line in lines)
        starts = {line.index(rest) for line, rest in zip(lines, facts.values(), strict=True)}
        assert len(starts) == 1, "aligned"
        return status, facts

    return run


def test_all_that_is_there_is_ok(doctor: Doctor) -> None:
    Path(".dvc").mkdir()
    Path(".dvc/config").write_text(
        "[core]\n    remote = storage\n['remote \"storage\"']\n    url = /x%y\n"
    )
    Path("requirements.txt").write_text(
        f"numpy=={version('numpy')} \\\n    --hash=sha256:00\nabsent==1.0\n"
    )
    status, facts = doctor()
    assert status == 0
    assert [name for name, rest in facts.items() if not rest.startswith("ok ")] == []
    assert facts["remote"] == "ok  storage"
    assert facts["device"] == "ok  cpu"
    assert set(EXTRAS) < set(facts)


def test_what_is_missing_is_told_with_what_to_do(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".dvc").mkdir()
    Path("requirements.txt").write_text("numpy==1.0\nscipy==1.1\n")
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    status, facts = doctor()
    assert status == 0, "the pipeline does without"
    assert facts["serve"] == f"no  uvicorn missing; {how_to_install('serve')}"
    assert facts["remote"] == "no  none; dvc remote add --default storage <address>"
    assert facts["requirements.txt"] == (
        f"no  numpy {version('numpy')} instead of 1.0, scipy {version('scipy')} instead of 1.1; "
        "textclf was tested with the latter: pip install --require-hashes -r requirements.txt"
    )


@pytest.mark.parametrize(
    ("settings", "package", "extra"),
    [
        (("vectorize.sentences", "{method: encoder}"), "tokenizers", "encoder"),
        (("data.path", "rows.xlsx"), "openpyxl", "excel"),
        (("fetch", "{database: SHOP, query: select 1}"), "sqlalchemy", "sql"),
    ],
)
def test_what_the_settings_need_decides_it_too(
    settings: tuple[str, str],
    package: str,
    extra: str,
    doctor: Doctor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    Path("params.yaml").write_text(put(*settings))
    status, facts = doctor()
    said = f"no  {package} missing, though params.yaml needs it; {how_to_install(extra)}"
    assert (status, facts[extra]) == (1, said)


@pytest.mark.parametrize(
    ("patched", "value", "name", "rest"),
    [
        ("sys.version_info", (3, 15, 0), "Python", "install Python 3.11, 3.12, 3.13 or 3.14"),
        (
            "textclf.project.doctor.has_avx2",
            lambda: False,
            "CPU",
            "without AVX2 and FMA, only predict and ",
        ),
        ("shutil.which", lambda _: None, "Git", "no  missing; install git"),
        (
            "textclf.project.doctor.find_spec",
            lambda _: None,
            "pipeline",
            how_to_install("pipeline"),
        ),
    ],
)
def test_what_the_pipeline_needs_decides_the_exit_code(
    patched: str,
    value: object,
    name: str,
    rest: str,
    doctor: Doctor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("textclf.project.doctor.is_x86", lambda: True)
    monkeypatch.setattr(patched, value)
    status, facts = doctor()
    assert (status, rest in facts[name]) == (1, True)


def test_doctor_needs_no_extra_and_no_project(tmp_path: Path) -> None:
    done = python("-c", WITHOUT_EXTRAS, "doctor", folder=tmp_path)
    assert (done.status, done.err) == (1, "")
    line = "project     no  none in this folder; cd to the folder of one, or textclf init FOLDER\n"
    assert line in done.out
