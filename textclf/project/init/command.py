"""The command `textclf init`: a new project, or settings in params.yaml that suit a table."""

import contextlib
import filecmp
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from textclf.core.differences import value_at
from textclf.core.errors import UserError
from textclf.core.extras import EXTRAS, how_to_install
from textclf.core.git import git, is_committed, is_tracked
from textclf.core.outputs import outputs
from textclf.core.quoting import list_names, quote_argument
from textclf.core.settings import PARAMS_FILE, load_yaml, parse_yaml
from textclf.project.arguments import Init
from textclf.project.generated import SETTINGS_HEADER, require_installed, shipped
from textclf.project.init.create import (
    create,
    is_project,
    new_files,
    of_earlier_table,
    require_free,
)
from textclf.project.init.proposal import choose
from textclf.review.markdown import code

# The settings of a new project, before its preset.
SETTINGS = Path(__file__).parents[1] / "templates" / "params.yaml"
# The lesson's network in its params.yaml, and the limits of the gate for it.
NETWORK = re.compile(
    r"^  keras:.*\n(?:    .*\n)+|, keras: \{test: \{accuracy: [\d.]+\}\}", re.MULTILINE
)
# The start of the path of a table that `git add .` misses and DVC can't track.
OUTSIDE = "../"
# The folder of tables that were copied into the project: where Git or DVC can track them.
FOLDER = Path("texts")


def run(arguments: Init) -> None:
    """Make a project in the folder, or adapt params.yaml of one to the table; print what is new."""
    if (arguments.data is None) != arguments.lesson:
        raise UserError(
            "either --data or --lesson must be given; textclf init --help lists the arguments"
        )
    of_table = [*vars(arguments.columns).values(), *arguments.form.settings]
    of_table += [arguments.test, arguments.text, arguments.label, arguments.preset]
    of_table += [arguments.title, arguments.licence]
    if arguments.lesson and any(value is not None for value in of_table):
        raise UserError("--lesson has its own table; it takes FOLDER, --ci and --force alone")
    tables = [path for path in (arguments.data, arguments.test) if path is not None]
    given = [Path(os.path.normpath(path.absolute())) for path in tables]
    with in_folder(arguments.folder):
        if is_clone() or is_project():
            if arguments.lesson or arguments.ci:
                raise UserError(
                    "--lesson and --ci are for a new project, and this folder is one; "
                    "choose another folder, or add a workflow by textclf upgrade --ci"
                )
            _adapt(arguments, given, PARAMS_FILE.read_text(encoding="utf-8"))
        else:
            require_installed()
            _create(arguments, given)


def _adapt(arguments: Init, given: list[Path], before: str) -> None:
    """Write settings for the table into params.yaml."""
    with placed(given) as (paths, copies):
        done = "changed beside data, about, and the models, which are those of the preset"
        text, data, lines = choose(arguments, paths, before, done)
        undoing = f"{PARAMS_FILE} is as it was"
        if text != before:
            undoing = how_to_undo(arguments.force)
            with outputs(PARAMS_FILE) as (scratch,):
                scratch.write_text(text, encoding="utf-8", newline="\n")
    moved = value_at(parse_yaml(before, str(PARAMS_FILE)), "data.path") != data
    kept = of_earlier_table(code(data), lines[1], moved)
    print(*copies, *lines, *kept, undoing, sep="\n")
    docs = ", make docs" if is_clone() else ""
    large = "" if data.startswith(OUTSIDE) else " (dvc add if it is large)"
    add = "" if is_ignored(data) else f"git add {quote_argument(data)}{large}, "
    print(*unkept(data), f"next: {cd(arguments.folder)}{add}dvc repro{docs}", sep="\n")


def _create(arguments: Init, given: list[Path]) -> None:
    """Make a new project in the current folder."""
    with placed(given) as (paths, copies):
        if arguments.lesson:
            text, lines = lesson()
            title = "Your First Keras Model"
            subject, classes, path = "the Yelp sentences of UCI", "negative and positive", None
        else:
            before = SETTINGS_HEADER + SETTINGS.read_text(encoding="utf-8")
            text, path, lines = choose(arguments, paths, before, "chosen for these rows")
            title, subject, classes = arguments.title or Path(path).stem, code(path), lines[1]
        files = new_files(text, title, subject, classes, arguments.ci)
        # The proposed command is for the folder in which this one was called.
        elsewhere = path is not None and not copies and bool(cd(arguments.folder))
        require_free(files, str(given[0]) if elsewhere else path, arguments.force)
        made = create(files)
    warnings = [] if path is None else unkept(path)
    add = "git add ."
    if path is not None and not is_ignored(path):
        name = quote_argument(path)
        outside = path.startswith(OUTSIDE)
        add = f"git add {name} ." if outside else f"dvc add {name} if it is large, git add ."
    next_steps = f"{cd(arguments.folder)}{add}, git commit, dvc repro"
    done = f"project made: {len(files)} files; next: {next_steps}"
    print(*copies, *lines, *made, *warnings, done, sep="\n")


def lesson() -> tuple[str, list[str]]:
    """Return the lesson's params.yaml; without the network, and a line, if TensorFlow is missing.

    The line says how to install what the network needs.
    """
    text = SETTINGS_HEADER + re.sub(r"\A(?:#.*\n)*\n", "", shipped("params.yaml"))
    missing = [name for name in EXTRAS["keras"] if find_spec(name) is None]
    if not missing:
        return text, []
    line = (
        f"left out: the lesson's network, which needs {list_names(missing)}; "
        f"{how_to_install('keras')}, and make the project in another folder to have it"
    )
    return NETWORK.sub("", text), [line]


@contextlib.contextmanager
def in_folder(folder: Path) -> Iterator[None]:
    """Make a folder if it is missing, and work in it; if that fails, remove it again."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} must be a folder; got a file")
    missing = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with contextlib.chdir(folder):
            yield
    except BaseException:
        if missing:
            with contextlib.suppress(OSError):  # something is in it
                folder.rmdir()
        raise


def is_ignored(path: str) -> bool:
    """Return whether Git ignores a path, as it does what DVC keeps."""
    return git("check-ignore", "--quiet", "--", path).returncode == 0


def unkept(path: str) -> list[str]:
    """Return a warning if Git ignores a table and DVC does not track it."""
    tracked = any(Path(f"{tree}.dvc").is_file() for tree in (path, *Path(path).parents))
    if tracked or not is_ignored(path):
        return []
    can_track = not path.startswith(OUTSIDE) and not is_ignored(f"{path}.dvc")
    keep = f"dvc add {quote_argument(path)}, or " if can_track else ""
    return [f"warning: Git ignores {path}, so a clone would lack it: {keep}change the rule"]


def cd(folder: Path) -> str:
    """Return the step to a folder, if it is not the one in which the command was called."""
    return "" if folder == Path() else f"cd {quote_argument(str(folder))}, "


def is_clone() -> bool:
    """Return whether the current folder is a clone of the repository of textclf."""
    return (
        Path("dvc.yaml").is_file()
        and Path("stages/train.py").is_file()
        and Path("textclf").is_dir()
    )


def how_to_undo(force: bool) -> str:
    """Return how a change of the present params.yaml is undone; `UserError` if Git can't do it.

    With `force` the line says so.
    """
    load_yaml(PARAMS_FILE)
    if is_committed(PARAMS_FILE):
        return f"git diff shows all changes; git checkout {PARAMS_FILE} undoes them"
    state = "has changes" if is_tracked(PARAMS_FILE) else "is not in Git"
    if not force:
        raise UserError(
            f"{PARAMS_FILE} must be committed before it is overwritten; it {state}; "
            "commit it, or add --force"
        )
    return f"{PARAMS_FILE} was not committed before, so Git can't undo this; commit it from now on"


@contextlib.contextmanager
def placed(given: Sequence[Path]) -> Iterator[tuple[list[Path], list[str]]]:
    """Yield the paths of tables, and a line for each that is copied.

    A table stays where it is in the Git repository of the project; another one is copied into
    `FOLDER`. `given` are a file or folder, or the files of training and test rows, which need a
    folder of their own. If the block fails, the copies are removed. Raises `UserError` if a table
    is missing, or another file is in the place of its copy.
    """
    for path, option in zip(given, ("--data", "--test"), strict=False):
        if not path.exists():
            raise UserError(f"{_shown(path)} not found; set {option} to a file or folder of texts")
        if len(given) > 1 and not path.is_file():
            raise UserError(f"{option} must be a file if --test is given; got {_shown(path)}")
        if not (path.is_file() or path.is_dir()):
            raise UserError(f"{option} must be a file or a folder; got {path}, which is neither")
        if Path.cwd().is_relative_to(path):
            raise UserError(
                f"{option} must be in the project, or outside of it; "
                f"got {path}, which contains the project"
            )
    inside = all(map(_is_in_clones, given))
    if len(given) > 1:
        inside &= not Path.cwd().is_relative_to(os.path.commonpath([path.parent for path in given]))
    if inside:
        yield [Path(os.path.relpath(path)) for path in given], []
        return
    names = [path.name for path in given]
    if len({*names}) < len(names):  # of two folders
        endings = ["".join(path.suffixes) for path in given]
        names = [f"train{endings[0]}", f"test{endings[1]}"]
    copies = {FOLDER / name: path for name, path in zip(names, given, strict=True)}
    missing = [target for target, source in copies.items() if not _same(source, target)]
    if taken := next((target for target in missing if target.exists()), None):
        raise UserError(f"{taken} must not exist, because {copies[taken]} is copied there; move it")
    made: list[Path] = []
    try:
        for target in missing:
            source = copies[target]
            with outputs(target) as (scratch,):
                (shutil.copytree if source.is_dir() else shutil.copyfile)(source, scratch)
            made.append(target)
        pairs = [f"{_shown(source)} copied to {target}" for target, source in copies.items()]
        copied = ["; ".join(pairs)] if pairs else []
        yield [*copies], copied
    except BaseException as error:
        for target in made:
            shutil.rmtree(target) if target.is_dir() else target.unlink()
        with contextlib.suppress(OSError):  # it has other files
            FOLDER.rmdir()
        if isinstance(error, UserError):  # name the file that is there
            named = {str(target): str(_shown(source)) for target, source in copies.items()}
            raise UserError(*(_renamed(line, named) for line in error.lines)) from error
        raise


def _renamed(line: str, names: Mapping[str, str]) -> str:
    for old, new in names.items():
        line = line.replace(old, new)
    return line


def _shown(path: Path) -> Path:
    """Return a path relative to the current folder if it lies in it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _is_in_clones(path: Path) -> bool:
    """Return whether a path is in the project, or in the Git repository that has the project."""
    top = git("rev-parse", "--show-toplevel")
    repository = os.fsdecode(top.stdout).rstrip("\n") if top.returncode == 0 else Path.cwd()
    return path.is_relative_to(Path.cwd()) or path.is_relative_to(repository)


def _same(source: Path, target: Path) -> bool:
    """Return whether there is a copy already, as an `init` that was killed leaves it."""
    if source.is_file():
        return target.is_file() and filecmp.cmp(source, target, shallow=False)
    if not target.is_dir():
        return False
    names = sorted(path.relative_to(source) for path in source.rglob("*"))
    copied = sorted(path.relative_to(target) for path in target.rglob("*"))
    return names == copied and all(
        (source / name).is_dir() or filecmp.cmp(source / name, target / name, shallow=False)
        for name in names
    )
