"""How a stage ends. The real scripts, run as processes, stand in tests/contract."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from textclf.core import stage
from textclf.core.errors import UserError
from textclf.params import Params

PARAMS = Path(__file__).parents[3] / "params.yaml"


def end(run: Callable[..., None], *arguments: str) -> int | str | None:
    """The status that a process would exit with."""
    sys.argv = ["script", *arguments]
    with pytest.raises(SystemExit) as stop:
        stage.main(run)
    return stop.value.code


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def leave(status: int) -> NoReturn:
        raise SystemExit(status)

    (tmp_path / "params.yaml").write_bytes(PARAMS.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr("os._exit", leave)
    monkeypatch.setattr("atexit._run_exitfuncs", lambda: None)  # those of pytest
    return tmp_path


def raising(error: BaseException) -> Callable[..., None]:
    def run(_: Params) -> None:
        raise error

    return run


def test_arguments_arrive_as_annotated_behind_the_params(capsys: pytest.CaptureFixture[str]) -> None:
    def run(params: Params, model: str, folder: Path) -> None:
        print(params.split.seed, repr(model), folder / "x")

    assert end(run, "keras", "models") == 0
    assert capsys.readouterr() == ("1000 'keras' models/x\n", "")


def test_a_users_error_is_told_line_by_line_behind_the_name_of_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert end(raising(UserError("a must be b", "c must be d"))) == 2
    assert capsys.readouterr() == ("", "error: test_stage: a must be b\nerror: test_stage: c must be d\n")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (FileNotFoundError(2, "No such file", "x"), "x: No such file or directory"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError("cannot write"), "cannot write"),
    ],
)
def test_a_file_that_can_not_be_used_is_told_in_a_line(
    capsys: pytest.CaptureFixture[str], error: OSError, line: str
) -> None:
    assert end(raising(error)) == 2
    assert capsys.readouterr() == ("", f"error: test_stage: {line}\n")


def test_wrong_params_are_told_before_anything_runs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "params.yaml").unlink()
    assert end(raising(AssertionError())) == 2
    line = "params.yaml not found; run in the folder that holds it, or git checkout params.yaml"
    assert capsys.readouterr().err == f"error: test_stage: {line}\n"


def test_missing_arguments_are_told_with_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    def run(_: Params, raw: Path) -> None:
        raise AssertionError(raw)

    assert end(run) == 2
    assert capsys.readouterr().err == (
        "usage: python -m stages.test_stage [-h] raw\n"
        "python -m stages.test_stage: error: the following arguments are required: raw\n"
    )


def test_help_says_what_the_stage_does(capsys: pytest.CaptureFixture[str]) -> None:
    def run(_: Params, raw: Path) -> None:
        """Do 100% of RAW."""
        raise AssertionError(raw)

    assert end(run, "--help") == 0
    assert "Do 100% of RAW." in capsys.readouterr().out


def test_a_defect_keeps_its_traceback() -> None:
    sys.argv = ["script"]
    with pytest.raises(ZeroDivisionError):
        stage.main(raising(ZeroDivisionError()))


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt(), 130), (BrokenPipeError(32, "Broken pipe"), 141)])
def test_an_interrupted_stage_says_nothing(
    capsys: pytest.CaptureFixture[str], error: BaseException, status: int
) -> None:
    assert end(raising(error)) == status
    assert capsys.readouterr() == ("", "")


def test_what_can_not_be_printed_is_escaped(capfd: pytest.CaptureFixture[str]) -> None:
    assert end(raising(UserError("got \udcff"))) == 2
    assert capfd.readouterr().err == "error: test_stage: got \\udcff\n"


def test_a_stage_without_a_standard_output_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_: Params) -> None:
        """Nothing."""

    monkeypatch.setattr(sys, "stdout", None)  # as Python sets it where it was started with >&-
    assert end(run) == 0
