"""A new project in an empty folder: the files that `textclf init` writes beside params.yaml."""

from collections.abc import Mapping
from pathlib import Path
from string import Template

from textclf.core.code import PROJECT
from textclf.core.errors import UserError
from textclf.core.git import git
from textclf.core.installed import requirement
from textclf.core.quoting import list_names
from textclf.core.settings import PARAMS_FILE
from textclf.project.generated import generated_files, shipped, write_files
from textclf.project.workflows import Host

CORRECTIONS, README, GITIGNORE = Path("corrections.csv"), Path("README.md"), Path(".gitignore")
IGNORED = """\
# Made by the pipeline and kept by DVC; metrics/ and plots/ are small and in Git.
/data/
/models/
/reports/
/dvc_plots/
# Left by a stage that was killed.
.*.scratch/
/.venv/
"""
CONFIG = "[core]\n    analytics = false\n"
OWN_IGNORED = "/config.local\n/tmp\n/cache\n"  # as dvc init has them
BEHAVIOUR = "metrics/behaviour/README.md"  # the report depends on its folder


def new_files(params: str, title: str, classes: str, data: str, ci: Host | None) -> dict[Path, str]:
    """Return the text of each file of a new project with these settings."""
    readme = Template((Path(__file__).parents[1] / "templates" / "README.md").read_text(encoding="utf-8"))
    return {
        PARAMS_FILE: params,
        CORRECTIONS: "id,label\n",
        README: readme.substitute(title=title, classes=classes, data=data),
        GITIGNORE: IGNORED,
        Path(".dvcignore"): ".*.scratch\n",
        Path(".dvc/config"): CONFIG,
        Path(".dvc/.gitignore"): OWN_IGNORED,
        Path(BEHAVIOUR): shipped(BEHAVIOUR),
        **generated_files(ci),
    }


def require_free(files: Mapping[Path, str]) -> None:
    """Raise `UserError` if a file exists with another text; those that the user may have already are kept or added to.

    Files with the same text are those of an `init` that was killed.
    """
    taken = [str(path) for path, text in files.items() if path not in {README, GITIGNORE} and differs(path, text)]
    if taken:
        raise UserError(
            f"{list_names(taken)} must not exist, as textclf init writes them; move them, choose another folder, or "
            "add --force to overwrite them"
        )


def differs(path: Path, text: str) -> bool:
    """Return whether a path exists and is no file with this text."""
    return path.exists() and not (path.is_file() and path.read_bytes() == text.encode("utf-8"))


def create(files: Mapping[Path, str]) -> list[str]:
    """Write a new project into the current folder and return what to say of it."""
    written, lines = dict(files), []
    if differs(README, files[README]):
        del written[README]
        lines.append(f"{README} stays as it is")
    if differs(GITIGNORE, files[GITIGNORE]):
        before = GITIGNORE.read_text(encoding="utf-8")
        missing = [line for line in IGNORED.splitlines() if line not in before.splitlines()]
        written[GITIGNORE] = before.rstrip("\n") + "\n" * bool(before) + "".join(f"{line}\n" for line in missing)
        if missing:
            lines.append(f"{GITIGNORE}: {len(missing)} lines added")
    if "@ file:" in requirement():
        lines.append("requirements.txt names the wheel by its path on this machine; other machines need it, too")
    if git("rev-parse", "--is-inside-work-tree").returncode and (done := git("init", "--quiet")).returncode:
        raise UserError(f"git init failed: {done.stderr.decode(errors='replace').strip()}")
    write_files(written)
    return lines


def is_project() -> bool:
    """Return whether the current folder is a project that `textclf init` has made."""
    return PROJECT.is_file()
