"""A new project in an empty folder: the files that `textclf init` writes beside params.yaml."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template

from textclf.core.code import PROJECT
from textclf.core.display import escape_markdown
from textclf.core.errors import UserError
from textclf.core.formatting import count_noun
from textclf.core.git import git
from textclf.core.installed import other_versions
from textclf.core.outputs import require_writable
from textclf.core.quoting import list_names, quote_argument
from textclf.core.settings import PARAMS_FILE, parse_yaml
from textclf.params import parse
from textclf.project import declared
from textclf.project.check import needed_extras
from textclf.project.generated import (
    HEADERS,
    REQUIREMENTS,
    generated_files,
    local_address,
    shipped,
    write_files,
)
from textclf.project.workflows import Host
from textclf.tables import labelled
from textclf.tables.edited import read_form
from textclf.tables.labelled import COLUMNS, LABELLED

README = Path("README.md")
# The tables of a project beside that of data.path.
TABLES = {Path("corrections.csv"): "id,label\n", LABELLED: f"{','.join(COLUMNS)}\n"}
# Files to which lines are added if they exist, and those that stay as they are.
EXTENDED = Path(".gitignore"), Path(".dvcignore"), Path(".gitattributes")
KEPT = README, Path(".dvc/config"), Path(".dvc/.gitignore")
IGNORED = "# Made by the pipeline and kept by DVC; metrics/ and plots/ are small and in Git."
SCRATCH = ["/dvc_plots/", "# Left by a stage that was killed.", ".*.scratch/", "/.venv/"]
ATTRIBUTES = (
    "# Checksums are of bytes: Git converts no line ends, but those of DVC's lock files, "
    "which on Windows it ends with CRLF.\n"
    "* -text\n"
    "dvc.lock text eol=lf\n"
)
CONFIG = "[core]\n    analytics = false\n"
# The lines of .dvc/.gitignore, as `dvc init` writes them.
OWN_IGNORED = "/config.local\n/tmp\n/cache\n"
# Lines that keep data/external in Git where data/ is ignored.
KEPT_IN_DATA = "!/data/\n/data/*\n!/data/external/\n"
# Files on which check and report depend.
PLACEHOLDERS = ("data/external/README.md", "metrics/behaviour/README.md")


def depended_on() -> dict[Path, str]:
    """Return the first text of each file that stages depend on and that the user may fill."""
    return TABLES | {Path(name): shipped(name) for name in PLACEHOLDERS}


def new_files(params: str, title: str, data: str, classes: str, ci: Host | None) -> dict[Path, str]:
    """Return the text of each file of a new project with these settings.

    `data` is Markdown, `title` and `classes` are plain text.
    """
    generated = generated_files(ci, needed_extras(parse(params)))
    ignored = [IGNORED, *declared.ignored({path: generated[path] for path in HEADERS}), *SCRATCH]
    return {
        PARAMS_FILE: params,
        **depended_on(),
        README: readme(title, data, classes),
        Path(".gitignore"): "\n".join([*ignored, ""]),
        Path(".dvcignore"): ".*.scratch\n",
        Path(".gitattributes"): ATTRIBUTES,
        Path(".dvc/config"): CONFIG,
        Path(".dvc/.gitignore"): OWN_IGNORED,
        **generated,
    }


def readme(title: str, data: str, classes: str) -> str:
    """Return README.md of a project; the arguments are those of `new_files`."""
    template = Path(__file__).parents[1] / "templates" / "README.md"
    return Template(template.read_text(encoding="utf-8")).substitute(
        title=escape_markdown(title), classes=escape_markdown(classes), data=data
    )


def of_earlier_table(data: str, classes: str, moved: bool) -> Iterator[str]:
    """Yield a line for each file that stays as it is and is of the table of an earlier `init`.

    `moved` says whether that table had another path than this one, of these `data` and `classes`.
    """
    text = README.read_text(encoding="utf-8", errors="replace") if README.is_file() else ""
    paragraph = readme("", data, classes).splitlines()[2]
    if "made by `textclf init`" in text and paragraph not in text:
        yield (
            f"{README} stays as it is and describes an earlier table or its classes; "
            "edit its first paragraph"
        )
    for path in TABLES if moved else ():
        if path.is_file() and len(path.read_bytes().splitlines()) > 1:
            yield (
                f"{path} stays as it is; delete the rows below its first line "
                "that are of an earlier table"
            )


def require_free(files: Mapping[Path, str], table: str | None, force: bool) -> None:
    """Raise `UserError` if a new project would replace files of the user's.

    These are files in place of outputs and, unless `force`, other texts than `files`. Also if lines
    can't be added to a file, or labelled texts that stay have a mistake.
    """
    pipelines = {path: files[path] for path in HEADERS}
    settings = parse_yaml(files[PARAMS_FILE], str(PARAMS_FILE))
    lines = declared.refusals(pipelines, settings)
    if table is not None:
        lines += declared.written_into(pipelines, settings)
    taken = [
        str(path)
        for path, text in files.items()
        if path not in {*KEPT, *EXTENDED}
        and differs(path, text)
        and not (path == LABELLED and list(read_form(path).columns) == list(COLUMNS))
    ]
    if taken and not force:
        lines.append(
            f"textclf init would overwrite {list_names(taken)}; move what is there, or add --force"
        )
    for path in EXTENDED:
        if path.is_file() and b"\0" in path.read_bytes():
            lines.append(
                f"{path} must be in UTF-8, which Git and DVC read; got UTF-16; save it anew"
            )
    if lines:
        source = "--lesson" if table is None else f"--data {quote_argument(table)}"
        raise UserError(
            *lines, f"or make the project in a folder of its own: textclf init classifier {source}"
        )
    if LABELLED.is_file():
        labelled.read(LABELLED)  # a mistake in it is told before anything is written


def differs(path: Path, text: str) -> bool:
    """Return whether a path exists and is no file with this text."""
    return path.exists() and not (path.is_file() and path.read_bytes() == text.encode("utf-8"))


def create(files: Mapping[Path, str]) -> list[str]:
    """Write a new project into the current folder and return what to say of it.

    Raises `UserError` if Git ignores a file.
    """
    written, lines = dict(files), []
    for path in (*KEPT, LABELLED):
        if differs(path, files[path]):
            del written[path]
            lines.append(f"{path} stays as it is")
    for path in EXTENDED:
        if differs(path, files[path]):
            before = path.read_bytes().decode("utf-8", "surrogateescape")
            line_end = "\r\n" if "\r\n" in before else "\n"
            there = before.removeprefix("\ufeff").splitlines()
            missing = [line for line in files[path].splitlines() if line not in there]
            if missing and before and not before.endswith("\n"):
                before += line_end
            written[path] = before + "".join(line + line_end for line in missing)
            if missing:
                lines.append(f"{path}: {count_noun(len(missing), 'line')} added")
    lines += local_address(files)
    if other := other_versions(files[REQUIREMENTS]):
        packages = count_noun(len(other), "package")
        lines.append(f"{packages} of another version than in {REQUIREMENTS}: textclf doctor")
    require_writable(*written)
    if git("rev-parse", "--is-inside-work-tree").returncode:
        made = git("init", "--quiet")
        if made.returncode:
            raise UserError(f"git init failed: {made.stderr.decode(errors='replace').strip()}")
    listed = git("check-ignore", "--", *(path.as_posix() for path in files)).stdout
    ignored = listed.decode(errors="replace").splitlines()
    if PLACEHOLDERS[0] in ignored:  # Git ignores data/ as a whole
        ignored.remove(PLACEHOLDERS[0])
        written[EXTENDED[0]] = written.get(EXTENDED[0], files[EXTENDED[0]]) + KEPT_IN_DATA
    if ignored:
        verbose = git("check-ignore", "--verbose", "--", ignored[0]).stdout
        rule = verbose.decode(errors="replace").partition("\t")[0]
        more = f" and {count_noun(len(ignored) - 1, 'more file')}" if len(ignored) > 1 else ""
        raise UserError(
            f"Git must not ignore {ignored[0]}{more} of the project; it does by {rule}; "
            "change this rule"
        )
    write_files(written)
    return lines


def is_project() -> bool:
    """Return whether the current folder is a project that `textclf init` has made."""
    return PROJECT.is_file()
