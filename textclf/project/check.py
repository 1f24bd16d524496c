"""Check all settings before a run and find which of them each stage reads.

Used by the command `textclf check` and the stage check.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclf import params
from textclf.artifacts import checked
from textclf.artifacts.checked import Teacher, Weights
from textclf.behave import suite
from textclf.core.arithmetic import gives_same_bytes, promise
from textclf.core.code import read_code, require_own_version
from textclf.core.differences import MISSING, value_at
from textclf.core.errors import UserError
from textclf.core.extras import extra_with, how_to_install
from textclf.core.files import sha256_of_file
from textclf.core.formatting import count_noun
from textclf.core.git import git
from textclf.core.quoting import list_names, quote_argument
from textclf.core.settings import CONFLICTED, PARAMS_FILE, Section, load_yaml, show, suggest
from textclf.evaluate.settings import unknown_classes
from textclf.models.settings import baselines
from textclf.params import Params
from textclf.pretrained.catalogue import CATALOGUE
from textclf.project import declared

# Not imported otherwise, since the stage check does without the arguments of a command.
if TYPE_CHECKING:
    from textclf.project.arguments import Check

SPLITS = Path("data/splits")
PIPELINES = Path("dvc.yaml"), Path("studies/dvc.yaml")
# Where DVC runs the experiments of its queue.
EXPERIMENTS = "/.dvc/tmp/exps/"
# Settings that dvc.yaml reads itself.
REQUIRED = ("fetch", "data.path", "about", "split", "vectorize", "train", "evaluate")
# Sections that all studies read, and those that each study reads beside them.
SHARED = ("combine", "evaluate", "split", "train", "vectorize")
STUDIES = {
    "audit": ("about", "audit", "data"),
    "crossvalidate": ("crossvalidate", "data"),
    "learning_curve": (),
    "search": ("search",),
}
# Files that DVC reads or people edit, in which a merge may leave markers of a conflict.
MERGED = (
    "*dvc.lock",
    "*dvc.yaml",
    "*.dvc",
    ".dvc/config",
    "corrections.csv",
    "labelled.csv",
    "params.yaml",
    "metrics/*.json",
)
# What runs that were interrupted have left, and DVC's own folders: nothing in them is an input.
UNFINISHED = (":(glob)**/.*.scratch/**", ":(glob).dvc/tmp/**", ":(glob).dvc/cache/**")
MESSAGE = "params.yaml was checked\n"
# Code that every stage runs, and depends on through data/checked.
FIRST = ("stages/__init__.py", "__init__.py")


def run(arguments: "Check") -> None:
    """Check what a run needs and print what params.yaml asks for; or print the named settings."""
    if arguments.keys:
        print(*describe_settings(arguments.keys), sep="\n")
        return
    settings = load_for_run()
    for line in doubts(settings, SPLITS):
        print(line)
    if not gives_same_bytes():
        print(
            f"results of this machine: {promise()}. Commit dvc.lock, metrics and plots; "
            "CI compares within this"
        )
    representations = len(settings.vectorize.names()) + len(settings.combine.pairs())
    models = count_noun(len(settings.models.names()), "model")
    print(f"{PARAMS_FILE}: {count_noun(representations, 'representation')}, {models}")


def doubts(settings: Params, splits: Path) -> Iterator[str]:
    """Yield a line for each thing that may surprise the user.

    These are an experiment before the first run, and costs of classes that the splits lack.
    """
    if "DVC_EXP_NAME" in os.environ and not Path("dvc.lock").exists():
        yield (
            "DVC warned of each output that no run has made yet (No file hash info found); "
            "this run makes them"
        )
    # With data.classes, the names of the costs were checked against it.
    if settings.evaluate.costs and not settings.data.classes:
        from textclf.artifacts.splits import read_classes  # takes long to import

        with suppress(UserError):  # nothing was split yet
            for sentence in unknown_classes(settings.evaluate.costs, read_classes(splits)):
                yield f"warning: {PARAMS_FILE}: {sentence} (classes of the last run)"


def describe_settings(names: Sequence[str]) -> list[str]:
    """Return a line per setting: value, default and description.

    Raises `UserError` with a line for each name that is no setting.
    """
    lines = dict(_described(params.load()))
    matches = [
        (name, [line for key, line in lines.items() if f"{key}.".startswith(f"{name}.")])
        for name in names
    ]
    if unknown := [name for name, of_name in matches if not of_name]:
        raise UserError(*(f"{name} is no setting; {suggest(name, lines)}" for name in unknown))
    return [line for _, of_name in matches for line in of_name]


def _described(section: Section, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the dotted key of each setting within a section, and the line that describes it."""
    for name, value in section:
        key = f"{prefix}{name}"
        if isinstance(value, Section):
            yield from _described(value, f"{key}.")
        else:
            field = type(section).model_fields[name]
            default = ""
            if not field.is_required():
                default = f" (default: {show(field.get_default(call_default_factory=True))})"
            yield key, f"{key}: {show(value)}{default}; {field.description}"


def load_for_run() -> Params:
    """Return all settings, as `load`.

    Raises `UserError` also if DVC can't run for a file of its own that is damaged, or would remove
    files of the user's.
    """
    if lines := [*damaged_files(), *conflicted_files()]:
        raise UserError(*lines)
    settings = load()
    require_own_outputs()
    return settings


def require_own_outputs() -> None:
    """Raise `UserError` if files that no run made stand in place of outputs.

    DVC would remove them.
    """
    pipelines = {path: path.read_text(encoding="utf-8") for path in PIPELINES if path.is_file()}
    if lines := declared.refusals(pipelines, load_yaml(PARAMS_FILE)):
        raise UserError(*lines)


def damaged_files(folder: Path = Path()) -> list[str]:
    """Return a line for each file of DVC's that a kill or a full disk damaged.

    DVC does not say how to mend it.
    """
    lines = []
    lock, running = folder / "dvc.lock", folder / ".dvc/tmp/rwlock"
    # DVC empties the file before it writes it again. Whatever part of it was written, its last line
    # is not complete.
    if lock.exists() and not lock.read_bytes().endswith(b"\n"):
        lines.append(
            "dvc.lock must be complete; got a part, as a killed DVC leaves it; "
            "git checkout dvc.lock"
        )
    try:
        json.loads(running.read_bytes() if running.exists() else b"{}")
    except ValueError:
        lines.append(
            ".dvc/tmp/rwlock must be JSON; got another text, as a full disk leaves it; "
            "if no other DVC runs here: rm .dvc/tmp/rwlock"
        )
    return lines


def conflicted_files() -> Iterator[str]:
    """Yield a line for each file in Git, of those in `MERGED`, with markers of a conflict."""
    with suppress(UserError):  # there is no Git
        listed = git("grep", "-lzE", "^(<{7}|>{7}) ", "--", *MERGED).stdout
        for name in os.fsdecode(listed).split("\0")[:-1]:
            yield (
                f"{name} {CONFLICTED}; edit it or git checkout HEAD {quote_argument(name)} "
                "(HEAD^ if HEAD has them too), then dvc repro"
            )


def unfinished_files(folder: Path = Path()) -> Iterator[str]:
    """Yield a line for each file in Git from which a run would resume, as if it had written it."""
    with suppress(UserError):  # there is no Git
        listed = git("-C", os.fspath(folder), "ls-files", "-z", "--", *UNFINISHED).stdout
        for name in os.fsdecode(listed).split("\0")[:-1]:
            yield (
                f"{name} must not be in Git, since a run would go on from it; "
                f"git rm --cached {quote_argument(name)}, and commit"
            )


def load() -> Params:
    """Return all settings.

    Raises `UserError` with a line for each mistake, and one if Git has other settings. First those
    within sections, then conflicts between them; then what dvc.yaml needs, packages and weights of
    the user's own that are missing, and files of behavioural tests.
    """
    require_own_version()
    try:
        return _load()
    except UserError as error:
        raise UserError(*error.lines, *_uncommitted()) from None


def _uncommitted() -> Iterator[str]:
    """Yield a line if params.yaml differs from Git's.

    `dvc exp run -S` leaves the values of a run that failed. Yield none in the temporary folder of a
    queued experiment.
    """
    with suppress(UserError):  # there is no Git
        state = git("status", "--porcelain", "--", str(PARAMS_FILE)).stdout[:2]
        if state in (b" M", b"M ", b"MM") and EXPERIMENTS not in Path.cwd().as_posix():
            yield (
                f"{PARAMS_FILE} has uncommitted changes, perhaps of a dvc exp run -S that failed; "
                f"git diff {PARAMS_FILE} shows them, "
                f"git checkout HEAD {PARAMS_FILE} takes them back"
            )


def _load() -> Params:
    settings = params.load()
    lines = [
        f"{PARAMS_FILE}: {key} is missing; it must be set, since dvc.yaml reads it"
        for key in REQUIRED
        if value_at(load_yaml(PARAMS_FILE), key) is MISSING
    ]
    if lines:
        raise UserError(*lines)
    lines = [
        *_missing_packages(settings),
        *_wrong_weights(settings),
        *_wrong_tests(settings),
        *unfinished_files(),
    ]
    if lines:
        raise UserError(*lines)
    teachers(settings)
    return settings


def write(settings: Params, *paths: Path) -> None:
    """Write the outputs of the stage check: see its docstring, and `textclf.artifacts.checked`."""
    output, models, default, in_use, studies, of_weights = paths
    code = read_code()
    sums = (f"{code[path]}  {path if '/' in path else f'textclf/{path}'}\n" for path in FIRST)
    output.write_text("".join([MESSAGE, *sums]), encoding="utf-8", newline="\n")
    checked.write_models(
        models, settings.models.names(), baselines(settings.train, settings.average)
    )
    checked.write_default(default, settled=is_settled(settings))
    checked.write_settings(in_use, run_settings(settings))
    studies.mkdir()
    for study, content in study_settings(settings).items():
        checked.write_settings(studies / f"{study}.json", content)
    of_weights.mkdir()
    checked.write_weights(of_weights, weights(settings), teachers(settings))


def is_settled(settings: Params) -> bool:
    """Return whether no choice is made by held-out training rows.

    Either there is nothing to choose, or validation rows choose it.
    """
    several = len(settings.train.names()) > 1
    chooses = (
        settings.evaluate.chooses
        or settings.data.unknown is not None
        or settings.average.pairs()
        or (settings.export.model is None and several)
    )
    return settings.split.validation_size > 0 or not chooses


def run_settings(settings: Params) -> dict[str, Any]:
    """Return the settings that the stages of a run use, by section."""
    unused = {"gate", "crossvalidate", "search", "audit"}
    if not settings.behave.tests:
        unused.add("behave")
    return settings.model_dump(exclude=unused)


def study_settings(settings: Params) -> dict[str, dict[str, Any]]:
    """Return the settings that each study uses, by section."""
    content = settings.model_copy(update={"search": params.searched(settings)}).model_dump()
    return {
        study: {key: content[key] for key in sorted([*own, *SHARED])}
        for study, own in STUDIES.items()
    }


def weights(settings: Params) -> dict[str, Weights]:
    """Return the catalogue's weights that each stage reads, by stage, such as train@transformer."""
    by_stage: dict[str, Weights] = {}
    for key, section in entries(settings):
        names: list[str] = getattr(section, "pretrained_names", list)()
        by_stage[key.replace(".", "@")] = {
            name: {file.name: file.sha256 for file in CATALOGUE[name].files} for name in names
        }
    return by_stage


def teachers(settings: Params) -> dict[str, Teacher]:
    """Return the file with a teacher's predictions, and its SHA-256, by the stage it teaches."""
    named = {
        name: getattr(settings.train[name], "teacher", None) for name in settings.train.names()
    }
    files = {
        f"train@{name}": settings.evaluate.external[teacher]
        for name, teacher in named.items()
        if teacher
    }
    for file in files.values():
        if not Path(file).is_file():
            raise UserError(
                f"{file} not found; put the predictions of a teacher there, or correct params.yaml"
            )
    return {
        stage: {"file": file, "sha256": sha256_of_file(Path(file))} for stage, file in files.items()
    }


def entries(settings: Params) -> Iterator[tuple[str, Any]]:
    """Yield the settings of each representation and model, with its key in params.yaml."""
    for section in ("vectorize", "train"):
        group = getattr(settings, section)
        for name in group.names():
            yield f"{section}.{name}", group[name]


def needed_extras(settings: Params) -> set[str]:
    """Return the extras that the representations and models need beside that of every pipeline."""
    extras = {extra_with(getattr(section, "packages", ())) for _, section in entries(settings)}
    return extras - {"pipeline"}


def _missing_packages(settings: Params) -> Iterator[str]:
    for key, section in entries(settings):
        missing = [name for name in getattr(section, "packages", ()) if find_spec(name) is None]
        if missing:
            yield f"{key} needs {list_names(missing)}; {how_to_install(extra_with(missing))}"


def _wrong_weights(settings: Params) -> Iterator[str]:
    """Yield a line for own weights that DVC does not watch, or that lack their checksum."""
    for key, section in entries(settings):
        path = section.chosen.path if hasattr(section, "chosen") else None
        if path is None:
            continue
        if not Path(path).is_relative_to(params.EXTERNAL):
            yield (
                f"{PARAMS_FILE}: {key}.path must be in {params.EXTERNAL}, "
                f"whose changes dvc repro sees; got {path}; move it there"
            )
            continue
        try:
            section.chosen.verify_own()
        except UserError as error:
            yield from (f"{key}: {line}" for line in error.lines)


def _wrong_tests(settings: Params) -> Iterator[str]:
    """Yield a line for each mistake in behavioural tests and each gate limit without its test."""
    several_labels = settings.data.task == params.MULTILABEL
    for name, path in settings.behave.tests.items():
        try:
            tests = suite.read(Path(path), settings.behave.seed, several_labels).tests
        except UserError as error:
            yield from error.lines
            continue
        for model, limits in settings.gate.behaviour.items():
            for test in limits.get(name, {}):
                if test not in tests:
                    yield (
                        f"{PARAMS_FILE}: gate.behaviour.{model}.{name}.{test} is no test of "
                        f"{path}; {suggest(test, tests)}"
                    )
