"""The command `textclf init`: a new project, or settings in params.yaml that suit a table."""

import argparse
import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from textclf.core.errors import UserError
from textclf.core.git import git
from textclf.core.outputs import outputs
from textclf.core.quoting import quote_argument
from textclf.core.settings import PARAMS_FILE, load_yaml
from textclf.project.generated import SETTINGS_HEADER, require_installed, shipped
from textclf.project.init.create import create, is_project, new_files, require_free
from textclf.project.init.place import placed
from textclf.project.init.proposal import GIVEN, choose
from textclf.review.markdown import code

SETTINGS = Path(__file__).parents[1] / "templates" / "params.yaml"  # those of a new project, before its preset
OF_TABLES = (*GIVEN, "test", "text", "label", "quoting", "title", "licence", "preset")
OUTSIDE = "../"  # the start of the path of a table that `git add .` misses and DVC can't track


def run(arguments: argparse.Namespace) -> None:
    """Make a project in the folder, or write settings for the table into the params.yaml of one; print what is new."""
    if (arguments.data is None) != arguments.lesson:
        raise UserError("either --data or --lesson must be given; textclf init --help lists the arguments")
    if arguments.lesson and any(getattr(arguments, name) is not None for name in OF_TABLES):
        raise UserError("--lesson has its own table; it takes FOLDER, --ci and --force alone")
    given = [Path(os.path.normpath(path.absolute())) for path in (arguments.data, arguments.test) if path is not None]
    with in_folder(arguments.folder):
        if is_clone() or is_project():
            if arguments.lesson or arguments.ci:
                raise UserError(
                    "--lesson and --ci are for a new project, and this folder is one; choose another folder, or add a "
                    "workflow by textclf upgrade --ci"
                )
            _adapt(arguments, given, PARAMS_FILE.read_text(encoding="utf-8"))
        else:
            require_installed()
            _create(arguments, given)


def _adapt(arguments: argparse.Namespace, given: list[Path], before: str) -> None:
    """Write settings for the table into params.yaml."""
    with placed(given) as (paths, copies):
        text, data, lines = choose(
            with_paths(arguments, paths),
            before,
            "changed beside data, about, and the models, which are those of the preset",
        )
        if text != before:
            require_committed(arguments.force)
            with outputs(PARAMS_FILE) as (scratch,):
                scratch.write_text(text, encoding="utf-8", newline="\n")
    print(*copies, *lines, sep="\n")
    print(f"git diff shows all changes; git checkout {PARAMS_FILE} undoes them")
    docs = ", make docs" if is_clone() else ""
    large = "" if data.startswith(OUTSIDE) else " (dvc add if it is large)"
    add = "" if is_ignored(data) else f"git add {quote_argument(data)}{large}, "
    print(*unkept(data), f"next: {cd(arguments.folder)}{add}dvc repro{docs}", sep="\n")


def _create(arguments: argparse.Namespace, given: list[Path]) -> None:
    """Make a new project in the current folder."""
    with placed(given) as (paths, copies):
        if arguments.lesson:
            text = SETTINGS_HEADER + re.sub(r"\A(?:#.*\n)*\n", "", shipped("params.yaml"))
            title = "Your First Keras Model"
            lines: list[str] = []
            subject, classes, path = "the Yelp sentences of UCI", "negative and positive", None
        else:
            before = SETTINGS_HEADER + SETTINGS.read_text(encoding="utf-8")
            text, path, lines = choose(with_paths(arguments, paths), before, "chosen for these rows")
            title, subject, classes = arguments.title or Path(path).stem, code(path), lines[1]
        files = new_files(text, title, subject, classes, arguments.ci)
        there = path if copies or path is None or not cd(arguments.folder) else str(given[0])  # seen from any folder
        require_free(files, there, arguments.force)
        made = create(files)
    warnings, add = ([] if path is None else unkept(path)), "git add ."
    if path is not None and not is_ignored(path):
        name = quote_argument(path)
        add = f"git add {name} ." if path.startswith(OUTSIDE) else f"dvc add {name} if it is large, git add ."
    print(*copies, *lines, *made, f"project made: {len(files)} files", *warnings, sep="\n")
    print(f"next: {cd(arguments.folder)}{add}, git commit, dvc repro")


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
    if not is_ignored(path) or any(Path(f"{each}.dvc").is_file() for each in (path, *Path(path).parents)):
        return []
    keep = "" if path.startswith(OUTSIDE) or is_ignored(f"{path}.dvc") else f"dvc add {quote_argument(path)}, or "
    return [f"warning: Git ignores {path}, so a clone would lack it: {keep}change the rule"]


def cd(folder: Path) -> str:
    """Return the step to a folder, if it is not the one in which the command was called."""
    return "" if folder == Path() else f"cd {quote_argument(str(folder))}, "


def is_clone() -> bool:
    """Return whether the current folder is a clone of the repository of textclf."""
    return Path("dvc.yaml").is_file() and Path("stages/train.py").is_file() and Path("textclf").is_dir()


def with_paths(arguments: argparse.Namespace, paths: list[Path]) -> argparse.Namespace:
    """Return the arguments with the paths of the tables in the project."""
    data, test = (*paths, None)[:2]
    return argparse.Namespace(**{**vars(arguments), "data": data, "test": test})


def require_committed(force: bool) -> None:
    """Raise `UserError` if Git can't bring the present params.yaml back, unless `force`."""
    load_yaml(PARAMS_FILE)
    if force:
        return
    tracked = git("ls-files", "--error-unmatch", "--", str(PARAMS_FILE))
    if tracked.returncode or git("diff", "--quiet", "HEAD", "--", str(PARAMS_FILE)).returncode:
        state = "is not in Git" if tracked.returncode else "has changes"
        raise UserError(
            f"{PARAMS_FILE} must be committed before it is overwritten; it {state}; commit it, or add --force"
        )
