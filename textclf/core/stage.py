"""Run a stage script: params from params.yaml, paths from arguments, one line for each error."""

import atexit
import contextlib
import dataclasses
import gc
import inspect
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn, get_args, get_type_hints

from textclf.core import settings
from textclf.core.code import changed_code
from textclf.core.differences import MISSING, compare_values, value_at
from textclf.core.errors import UserError
from textclf.core.failures import USAGE_ERROR, Parser, complain, discard, lines_of
from textclf.core.outputs import finished_by
from textclf.core.quoting import quote_value
from textclf.core.settings import PARAMS_FILE, Param, load_params, load_yaml

ITEM = "item"  # the parameter of `run` for one entry of params.yaml


def main(
    run: Callable[..., None],
    planned: Path = PARAMS_FILE,
    read_planned: Callable[[Path], Mapping[str, Any]] | None = None,
) -> None:
    """Run a stage and exit: 0 when its outputs are complete, 2 after a mistake of the user.

    The stage's name is that of its file. Positional parameters of `run` take validated params: the
    section named as the parameter, the key that `Annotated[..., Param(key)]` names, or the sections
    that are the fields of a dataclass. Keyword-only parameters are command-line arguments:
    `features: Path` is `--features PATH`, which may be left out if the parameter has a default;
    `item` is what `item_of` returns. Params are those of params.yaml, or of a file `planned` that
    `read_planned` reads; the argument --settings names another one, or params.yaml itself.
    """
    name = Path(inspect.getfile(run)).stem
    parameters = inspect.signature(run, eval_str=True).parameters.values()
    positional = [one for one in parameters if one.kind is not one.KEYWORD_ONLY]
    wanted: dict[str, Any] = {}
    for parameter in positional:
        wanted |= params_of(parameter)
    parser = Parser(
        prog=f"python -m stages.{name}", description=inspect.getdoc(run), allow_abbrev=False
    )
    named = {one.name: one for one in parameters if one.kind is one.KEYWORD_ONLY}
    has_item = named.pop(ITEM, None) is not None
    for argument in named.values():
        option = f"--{argument.name.replace('_', '-')}"
        # Path of `Path | None`.
        kind = next(iter(get_args(argument.annotation)), argument.annotation)
        optional = {} if argument.default is argument.empty else {"default": argument.default}
        parser.add_argument(
            option, dest=argument.name, type=kind, required=not optional, **optional
        )
    if read_planned is not None:
        parser.add_argument("--settings", type=Path, default=planned)
    given = vars(parser.parse_args())
    settings_file = given.pop("settings", PARAMS_FILE)

    def work() -> None:
        if has_item:
            given[ITEM] = item_of(name)
        with guarded():
            content = None
            if read_planned is not None and settings_file != PARAMS_FILE:
                content = read_planned(settings_file)
            values = load_params(wanted, content=content)
            run(*(fill(parameter, values) for parameter in positional), **given)

    gc.freeze()  # imported modules, which no collection needs to look at
    gc.enable()
    leave(exit_code(name, work))


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Refuse to rename outputs if settings that the block reads, or code that it runs, change.

    DVC records the settings and the code that it finds after a stage has ended. If they changed in
    the meantime, dvc.lock and DVC's cache would say of the outputs that they were made with what
    they were not made with.
    """
    settings.READ.clear()
    with finished_by(require_unchanged):
        yield


def require_unchanged() -> None:
    """Raise `UserError` if settings or code have changed since this process read them."""
    contents = {file: load_yaml(file) for file in {file for file, _ in settings.READ}}
    for (file, key), before in settings.READ.items():
        now = contents[file] if key == "" else value_at(contents[file], key)
        now = {} if now is MISSING else now
        base, head = ({key: before}, {key: now}) if key else (before, now)
        for change in compare_values(base, head):
            raise UserError(
                f"{file.name}: {change.name} must not change while the stage runs; "
                f"it was {change.base or 'not set'} and is {change.head or 'not set'} now; "
                "run dvc repro again"
            )
    path = changed_code()
    if path:
        raise UserError(f"{path} must not change while the stage runs; run dvc repro again")


def params_of(parameter: inspect.Parameter) -> dict[str, Any]:
    """Return the params.yaml keys that a positional parameter of `run` takes, with their types."""
    if dataclasses.is_dataclass(parameter.annotation):
        return get_type_hints(parameter.annotation)
    marks: list[Any] = [mark for mark in get_args(parameter.annotation) if isinstance(mark, Param)]
    return {str(marks[0].key) if marks else parameter.name: parameter.annotation}


def fill(parameter: inspect.Parameter, values: Mapping[str, Any]) -> Any:
    """Return the value of a positional parameter of `run` from those of all keys."""
    own = {key: values[key] for key in params_of(parameter)}
    kind = parameter.annotation
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return kind(**own)
    return next(iter(own.values()))


def item_of(name: str) -> str:
    """Return the item of a stage that DVC makes per model or name: keras of train@keras.

    DVC gives each stage its name in the environment variable DVC_STAGE. A name from params.yaml
    within a command would be read by the shell, and may be a command.
    """
    stage = os.environ.get("DVC_STAGE", "")
    _, at, item = stage.partition("@")
    if not at:
        raise UserError(
            f"the variable DVC_STAGE must be the stage of an entry, such as {name}@keras; "
            f"got {quote_value(stage)}; set it, or run dvc repro {name}@..., which sets it"
        )
    return item


def exit_code(name: str, work: Callable[[], int | None]) -> int:
    """Return the exit code of a process that does the work: what `work` returns, 0 for None.

    2 after an error that `lines_of` knows; each of its lines goes to stderr as `error: <name>:
    ...`.
    """
    # Errors quote what the user typed; a lone surrogate (a name that is not UTF-8) must not break
    # them.
    # A stream that is closed, as by >&-, is None.
    streams = [stream for stream in (sys.stdout, sys.stderr) if stream is not None]
    for stream in streams:
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        status = work() or 0
        for stream in streams:
            stream.flush()
    except BrokenPipeError:
        discard(sys.stdout)
        return 141  # 128 + SIGPIPE, which Windows lacks
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except Exception as error:
        lines = lines_of(error)
        if lines is None:
            raise
        if not isinstance(error, UserError):
            discard(sys.stdout)
        for line in lines:
            complain(f"error: {name}: {line}")
        return USAGE_ERROR
    return status


def leave(status: int) -> NoReturn:
    """End this process with a status of `exit_code`, after the functions registered by `atexit`.

    These remove temporary files and the like. The ordinary exit takes a second to take TensorFlow
    apart, and .05 s for numpy and scipy. After Ctrl-C while Python ran code that was made as text,
    as dataclasses are, it would forget that the signal was handled, and end by it.
    """
    atexit._run_exitfuncs()
    os._exit(status)
