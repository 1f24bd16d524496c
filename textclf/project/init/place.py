"""Where the tables of a project lie: where Git or DVC can track them, so that another machine has them too."""

import contextlib
import filecmp
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from textclf.core.errors import UserError
from textclf.core.git import git
from textclf.core.outputs import outputs

FOLDER = Path("texts")  # of tables that were copied into the project


@contextlib.contextmanager
def placed(given: Sequence[Path]) -> Iterator[tuple[list[Path], list[str]]]:
    """Yield the paths of tables, and a line for each that is copied.

    A table stays where it is in the Git repository of the project; another one is copied into `FOLDER`. `given` are a
    file or folder, or the files of training and test rows, which need a folder of their own. If the block fails, the
    copies are removed. Raises `UserError` if a table is missing, or another file is in the place of its copy.
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
                f"{option} must be in the project, or outside of it; got {path}, which contains the project"
            )
    inside = all(map(_is_in_clones, given))
    if len(given) > 1:
        inside &= not Path.cwd().is_relative_to(os.path.commonpath([path.parent for path in given]))
    if inside:
        yield [Path(os.path.relpath(path)) for path in given], []
        return
    names = [path.name for path in given]
    if len({*names}) < len(names):  # of two folders
        names = [f"{split}{''.join(path.suffixes)}" for split, path in zip(("train", "test"), given, strict=True)]
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
        yield [*copies], [f"{_shown(source)} copied to {target}" for target, source in copies.items()]
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
    names = sorted(path.relative_to(source) for path in source.rglob("*"))
    if not target.is_dir() or names != sorted(path.relative_to(target) for path in target.rglob("*")):
        return False
    return all((source / name).is_dir() or filecmp.cmp(source / name, target / name, shallow=False) for name in names)
