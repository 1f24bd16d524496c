"""The runner of a stage. The real scripts, run as processes, are tested in tests/contract."""

import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import numpy as np
import pyarrow as pa
import pytest
from pydantic import Field

from tests.processes import ROOT, Ended, python
from textclf.core import stage
from textclf.core.errors import UserError
from textclf.core.outputs import outputs
from textclf.core.settings import Names, Param, Section

PARAMS = "split: {seed: 1000, stratify: true}\ndata: {classes: [a, b]}\n"


class Split(Section):
    """A section."""

    seed: int = Field(0, description="a seed")
    stratify: bool = Field(False, description="a choice")


def end(run: Callable[..., None], *arguments: str) -> int | str | None:
    """Return the status that a process would exit with."""
    sys.argv = ["script", *arguments]
    with pytest.raises(SystemExit) as stop:
        stage.main(run)
    return stop.value.code


@pytest.fixture(autouse=True)
def project(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def leave(status: int) -> NoReturn:
        raise SystemExit(status)

    (here / "params.yaml").write_text(PARAMS)
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr("os._exit", leave)
    monkeypatch.setattr("atexit._run_exitfuncs", lambda: None)  # those of pytest
    return here


def raising(error: BaseException) -> Callable[..., None]:
    def run(split: Split) -> None:  # noqa: ARG001
        raise error

    return run


def test_positional_parameters_are_params_and_keyword_only_ones_arguments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(
        split: Split,
        models: Annotated[Names, Param("data.classes")],
        stratified: Annotated[bool, Param("split.stratify")],
        *,
        model: str,
        model_folder: Path,
    ) -> None:
        print(split.seed, models, stratified, repr(model), model_folder / "x")

    assert end(run, "--model-folder", "models", "--model", "keras") == 0
    assert capsys.readouterr() == ("1000 ('a', 'b') True 'keras' models/x\n", "")


def test_a_stage_takes_its_item_from_dvc(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*, item: str) -> None:
        print(item)

    monkeypatch.setenv("DVC_STAGE", "train@a b@c")
    assert end(run) == 0
    monkeypatch.delenv("DVC_STAGE")
    assert end(run) == 2
    line = (
        "error: test_stage: the variable DVC_STAGE must be the stage of an entry, "
        "such as test_stage@keras; got '';"
    )
    out, err = capsys.readouterr()
    assert out == "a b@c\n"
    assert err.startswith(line)


def test_garbage_is_collected_while_a_stage_runs_but_not_among_its_modules(
    capsys: pytest.CaptureFixture[str],
) -> None:
    gc.disable()
    gc.unfreeze()
    assert end(lambda: print(gc.isenabled(), gc.get_freeze_count() > 0)) == 0
    assert capsys.readouterr().out == "True True\n"


def test_every_mistake_in_sections_of_a_stage_is_reported(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(
        split: Split,
        other: Split,  # a missing section has its defaults
        models: Annotated[Names, Param("data.classes")],
        path: Annotated[str, Param("data.path")],
        model: Annotated[Split, Param("train.a")],
    ) -> None:
        raise AssertionError(split, other, models, path, model)

    text = "split: {seed: a, sead: 1}\ndata: {classes: []}\nreport: {wrong: 1}\ntrain: [a]\n"
    (project / "params.yaml").write_text(text)
    assert end(run) == 2
    assert capsys.readouterr().err.splitlines() == [
        "error: test_stage: params.yaml: split.seed must be an integer; got a",
        "error: test_stage: params.yaml: split.sead is no setting; did you mean seed?",
        "error: test_stage: params.yaml: data.classes must be a list of 1 or more; got []",
        "error: test_stage: params.yaml: data.path is missing; it must be set",
        "error: test_stage: params.yaml: train must be a section of settings; got [a]",
    ]


def test_settings_that_change_while_a_stage_runs_are_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(split: Split) -> None:
        (project / "params.yaml").write_text(PARAMS.replace(str(split.seed), "7"))
        with outputs(project / "out") as (scratch,):
            scratch.touch()

    assert end(run) == 2
    line = (
        "error: test_stage: params.yaml: split.seed must not change while the stage runs; "
        "it was 1000 and is 7 now; "
    )
    assert capsys.readouterr().err.startswith(line)
    assert not (project / "out").exists()


class ResourceExhaustedError(Exception):
    """Looks like TensorFlow's."""

    __module__ = "tensorflow.python.framework.errors_impl"


def numpy_error() -> MemoryError:
    with pytest.raises(MemoryError) as error:
        np.empty(2**59)
    return error.value


MAPPED = "libopenblas.so: failed to map segment from shared object"
MORE = "; end other programs, raise a limit (ulimit -v), or use a machine with more memory"
OF_MEMORY = {  # and the reason that is told
    MemoryError(): "",
    pa.ArrowMemoryError("malloc of size 64 failed"): "; malloc of size 64 failed",
    (numpys := numpy_error()): f"; {numpys}",
    ResourceExhaustedError("OOM when allocating tensor\nmore"): "; OOM when allocating tensor",
    RuntimeError("can't start new thread"): "; can't start new thread",
    ImportError(f"\nPLEASE READ THIS\n{MAPPED}\n"): f"; {MAPPED}",
}
SAID = {error: [f"memory ran out{reason}{MORE}"] for error, reason in OF_MEMORY.items()} | {
    UserError("a must be b", "c must be \udcff"): ["a must be b", "c must be \\udcff"],
    FileNotFoundError(2, "No such file", "x"): ["x: No such file or directory"],
    OSError("cannot write"): ["cannot write"],
    # As tempfile has it.
    FileNotFoundError(2, "No usable folder in ['/tmp']"): ["No usable folder in ['/tmp']"],
}


@pytest.mark.parametrize(("error", "lines"), SAID.items(), ids=repr)
def test_each_line_names_the_stage(
    capsys: pytest.CaptureFixture[str], error: Exception, lines: list[str]
) -> None:
    assert end(raising(error)) == 2
    assert capsys.readouterr() == ("", "".join(f"error: test_stage: {line}\n" for line in lines))


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError(),
        RuntimeError("a defect"),
        ImportError("cannot import name"),
        SystemError("null"),
    ],
)
def test_a_defect_keeps_its_traceback(error: Exception) -> None:
    sys.argv = ["script"]
    with pytest.raises(type(error)):
        stage.main(raising(error))


def test_missing_params_are_reported_before_anything_runs(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "params.yaml").unlink()
    assert end(raising(AssertionError())) == 2
    line = "params.yaml not found; run in the folder that holds it, or git checkout params.yaml"
    assert capsys.readouterr().err == f"error: test_stage: {line}\n"


def test_wrong_arguments_are_one_line_and_help_says_what_the_stage_does(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*, raw_folder: Path) -> None:
        """Do 100% of RAW."""
        raise AssertionError(raw_folder)

    assert end(run) == 2
    assert capsys.readouterr().err == (
        "error: test_stage: the following arguments are required: --raw-folder; "
        "python -m stages.test_stage --help lists the arguments\n"
    )
    assert end(run, "--help") == 0
    assert "Do 100% of RAW." in capsys.readouterr().out
    monkeypatch.setattr(sys, "stdout", None)  # as Python sets it if it is started with >&-
    assert end(lambda: None) == 0


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt(), 130), (BrokenPipeError(32, "Broken pipe"), 141)]
)
def test_an_interrupt_prints_nothing(
    capsys: pytest.CaptureFixture[str], error: BaseException, status: int
) -> None:
    assert end(raising(error)) == status
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("returned", "status"), [(None, 0), (0, 0), (1, 1), (3, 3)])
def test_the_exit_code_is_what_the_work_returns(returned: int | None, status: int) -> None:
    assert stage.exit_code("work", lambda: returned) == status


def interpret(text: str, name: str = "program") -> Ended:
    """Run a program that fails in a way that nothing catches."""
    program = (
        f"from textclf.core.failures import report_uncaught\nreport_uncaught({name!r})\n{text}\n"
    )
    return python("-c", program)


@pytest.mark.parametrize(
    ("failure", "status", "line"),
    [
        (
            "raise OSError(5, '', 'numpy/x.py')",
            2,
            "error: program: numpy/x.py: Input/output error\n",
        ),
        (
            "raise ImportError('cannot map', path='x.so')",
            2,
            "error: program: x.so: cannot map; install the requirements again\n",
        ),
        (
            "raise ImportError('no numpy') from OSError(5, '', 'x')",
            2,
            "error: program: x: Input/output error\n",
        ),
        ("raise KeyboardInterrupt", 130, ""),
    ],
)
def test_a_failure_during_imports_is_one_line(failure: str, status: int, line: str) -> None:
    done = interpret(failure)
    assert (done.status, done.err) == (status, line)


def test_a_defect_has_an_exit_code_of_its_own_and_leaves_no_temporary_files(tmp_path: Path) -> None:
    path = tmp_path / "temporary"
    done = interpret(
        f"import atexit, os\nopen({str(path)!r}, 'w').close()\natexit.register(os.remove, "
        f"{str(path)!r})\n1 / 0"
    )
    assert done.status == 70
    assert done.err.endswith("ZeroDivisionError: division by zero\n")
    assert not path.exists()


def test_a_stage_that_is_run_reports_failures_of_its_imports_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "pydantic.py").write_text("raise OSError(5, '', 'x')")
    done = python(
        "-m",
        "stages.split",
        folder=tmp_path,
        PYTHONPATH=os.pathsep.join((str(tmp_path), str(ROOT))),
    )
    assert (done.status, done.err) == (2, "error: split: x: Input/output error\n")
