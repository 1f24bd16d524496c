"""The command `textclf upgrade`: bring a project to the installed version of textclf."""

import contextlib
import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path

from textclf.artifacts.checked import read_settings
from textclf.core.code import CODE, PROJECT, read_project
from textclf.core.differences import MISSING, compare_values, value_at
from textclf.core.errors import UserError
from textclf.core.files import sha256_of_file
from textclf.core.git import is_committed
from textclf.core.settings import PARAMS_FILE, load_yaml
from textclf.params import Params, load
from textclf.project.arguments import Upgrade
from textclf.project.check import needed_extras, run_settings
from textclf.project.generated import (
    REQUIREMENTS,
    generated_files,
    local_address,
    require_installed,
    write_files,
)
from textclf.project.init.create import depended_on, differs
from textclf.version import __version__

LAST_RUN = Path("data/settings.json")
# Folders that are named in place of their files.
FOLDERS = (CODE, Path(".dvc/plots"))


def run(arguments: Upgrade) -> None:
    """Print what changes; then write what textclf generates in a project."""
    params = load()
    if not PROJECT.parent.is_dir():
        print("there is no project of textclf init here; Git updates a clone of textclf")
        return
    require_installed()
    made = read_project()
    files = generated_files(arguments.ci or made["ci"], needed_extras(params).union(made["extras"]))
    files |= {path: text for path, text in depended_on().items() if not path.exists()}
    edited: dict[Path, str] = {}
    if not arguments.force:
        edited = {path: text for path, text in files.items() if _is_edited(path, text)}
    files = {path: text for path, text in files.items() if path not in edited}
    changed, version = _changes(files), made["version"]
    lines = [f"textclf {__version__}: up to date"]
    if changed:
        newer = f" -> {__version__}" if version != __version__ else ""
        lines = [f"textclf {version}{newer}", *_changed_defaults(params)]
        names = {str(path.parent if path.parent in FOLDERS else path) for path in changed}
        lines += [f"files to write: {', '.join(sorted(names))}", *local_address(changed)]
    print(*lines, *_differences(edited), sep="\n")
    if changed and not arguments.dry_run:
        undoing = "these files were not committed before, so Git can't undo this"
        if is_committed(*(path for path in changed if path.exists())):
            undoing = "git diff shows all changes; git checkout . undoes them"
        write_files(files)
        install = ""
        if REQUIREMENTS in changed:
            install = f"pip install --require-hashes -r {REQUIREMENTS}, "
        print(undoing, f"next: {install}textclf check, dvc status, dvc repro", sep="\n")


def _changed_defaults(params: Params) -> Iterator[str]:
    """Yield a line per setting that params.yaml leaves out and whose default has changed.

    The last run had the other default.
    """
    content, before = load_yaml(PARAMS_FILE), {}
    with contextlib.suppress(UserError):  # there was no run
        before = read_settings(LAST_RUN)
    for setting in compare_values(before, run_settings(params)):
        if setting.base and setting.head and value_at(content, setting.name) is MISSING:
            yield f"{setting.name}: {setting.base} -> {setting.head}, the default of this version"


def _is_edited(path: Path, text: str) -> bool:
    """Return whether a file is neither as textclf last wrote it nor as it would write it now."""
    if path == PROJECT or path.parent == CODE or not differs(path, text):
        return False
    return bool(sha256_of_file(path) != read_project()["files"].get(path.as_posix()))


def _changes(files: Mapping[Path, str]) -> list[Path]:
    """Return the paths of files that differ from the disk, and of obsolete checksums of code."""
    changed = [path for path, text in files.items() if differs(path, text) or not path.exists()]
    return changed + [path for path in CODE.glob("*") if path not in files]


def _differences(edited: Mapping[Path, str]) -> Iterator[str]:
    """Yield a unified diff per file that the user has edited, to what this version would write."""
    for path, text in edited.items():
        yield (
            f"{path} has changes of your own and is left alone; "
            "--force overwrites it with this version's:"
        )
        before = path.read_text(encoding="utf-8", errors="replace").splitlines()
        after, name = text.splitlines(), f"{path} of textclf {__version__}"
        yield from difflib.unified_diff(before, after, str(path), name, lineterm="")
