"""The files of a project that textclf generates, and generates again in `textclf upgrade`.

All but the workflow are made of files of textclf's own repository, which the wheel ships. In a
project the stages run out of the installed package, and depend on checksums of its code:
`textclf.core.code`.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

from textclf.core.code import ALL, CODE, PROJECT, checksum, read_code
from textclf.core.errors import UserError
from textclf.core.extras import EXTRAS, LOCKED, OF_RUNS
from textclf.core.files import sha256
from textclf.core.git import git
from textclf.core.installed import LOCAL, clone_root, requirement
from textclf.core.outputs import outputs
from textclf.core.quoting import list_names
from textclf.models.settings import KINDS
from textclf.plot.charts import CHARTS
from textclf.project.workflows import PATHS, Host, workflow
from textclf.version import __version__

PIPELINE = Path("dvc.yaml")
STUDIES = Path("studies/dvc.yaml")
REQUIREMENTS = Path("requirements.txt")
SCHEMA = Path(".textclf/params.schema.json")
HEADERS = {
    PIPELINE: (
        "# The pipeline of textclf; `textclf upgrade` writes this file anew. "
        "Own stages belong into the dvc.yaml of a subfolder.\n"
        "# Hyperparameters are in params.yaml. "
        "Each stage is a script of the installed package, whose code is a dependency\n"
        "# by its checksum in .textclf/code.\n"
    ),
    STUDIES: (
        "# Studies train the models many times, so they are not part of the default run: "
        "`textclf crossvalidate`,\n"
        "# `textclf learning-curve`, `textclf search`, `textclf audit`. `textclf upgrade` writes "
        "this file anew.\n"
    ),
}
SETTINGS_HEADER = (
    f"# yaml-language-server: $schema={SCHEMA.as_posix()}\n"
    "#\n"
    "# The settings of this project, one section per stage. "
    "Change one and run `dvc repro`, or try\n"
    "# `dvc exp run -S split.seed=7`. "
    "A setting that is not here has its default, and is set by a line here or by\n"
    "# `-S ++key=value`: docs/params.md of textclf has all. `textclf check` validates this file.\n"
    "\n"
)
# The dependencies of a stage that are code, which stand together.
CODE_DEPS = re.compile(
    r"^( *)- (?:textclf|stages)\b.*\n(?: *- (?:textclf|stages)\b.*\n)*", re.MULTILINE
)
KIND = "${item.kind}"
# The files with the checksum of a stage's code that do not have the stage's name: check depends on
# all code, and train on that of one kind of model.
CODE_FILES = {"check": ALL, "train": f"train.{KIND}"}


def shipped(name: str) -> str:
    """Return the text of a file of the repository that the wheel ships, such as `dvc.yaml`."""
    return ((clone_root() or Path(__file__).parent / "shipped") / name).read_text(encoding="utf-8")


def require_installed() -> None:
    """Raise `UserError` if textclf runs from a clone of its repository.

    The stages of a project would not be found.
    """
    if root := clone_root():
        raise UserError(
            "textclf must be installed as a package to make a project; it runs from its clone "
            f"{root}; make wheel there, and pip install dist/*.whl in another environment"
        )


def pipeline(path: Path) -> str:
    """Return dvc.yaml or studies/dvc.yaml of a project."""
    text = HEADERS[path]
    for stage, block in _stages(path):
        file = CODE / CODE_FILES.get(stage, stage)
        text += CODE_DEPS.sub(rf"\1- {file.as_posix()}\n", block)
    # With -P no file of the project, such as random.py or textclf/, takes the place of a module
    # that a stage imports.
    text = text.replace("python -m stages.", "python -P -m textclf.stages.")
    # requirements.txt has the packages of keras.txt, if the models need them.
    text = re.sub(r".*requirements/keras\.txt\n", "", text)
    return text.replace("requirements/run.txt", str(REQUIREMENTS))


def _stages(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each stage in a file of the repository without its header.

    What stands before the first stage comes first.
    """
    body = re.sub(r"\A(?:#.*\n)*", "", shipped(path.as_posix()))
    for block in re.split(r"^(?=  \w+:\n)", body, flags=re.MULTILINE):
        yield block.partition(":")[0].strip(), block


def code_files() -> Iterator[tuple[Path, str]]:
    """Yield each file with a checksum of code on which stages of a project depend, and its text."""
    code = read_code()
    for stage, block in chain.from_iterable(map(_stages, HEADERS)):
        deps = CODE_DEPS.search(block)
        if deps is None:
            continue
        paths = re.findall(r"- (?:textclf/)?(\S+)", deps[0])
        for kind in KINDS if KIND in deps[0] else KINDS[:1]:
            name = CODE_FILES.get(stage, stage).replace(KIND, kind)
            of_kind = [path.replace(KIND, kind) for path in paths]
            yield CODE / name, f"{checksum(code, *of_kind)}\n"


def locked_requirements(extras: Iterable[str]) -> str:
    """Return requirements.txt: what the pipeline and these extras need, with hashes."""
    entries: dict[str, str] = {}
    for name in ("run", *extras):
        locked = shipped(f"requirements/{name}.txt")
        _, *blocks = re.split(r"^(?=[a-z0-9])", locked, flags=re.MULTILINE)
        for block in blocks:
            lines = [line for line in block.splitlines() if not line.lstrip().startswith("#")]
            entries.setdefault(block.partition("==")[0], "\n".join(lines))
    return (
        f"# What textclf-pipeline {__version__} needs, locked; "
        "`textclf upgrade` writes this file anew.\n"
        "#   pip install --require-hashes -r requirements.txt\n"
        f'#   pip install --no-deps "{requirement()}"\n'
        "--only-binary :all:\n--no-binary antlr4-python3-runtime\n"
        + "\n".join(entries[name] for name in sorted(entries))
    ) + "\n"


def generated_files(ci: Host | None, extras: Collection[str] = ()) -> dict[Path, str]:
    """Return the text of each generated file of a project.

    `ci` is the host of its workflow. requirements.txt has `extras`, which the settings need, and
    those of features that are installed. Raises `UserError` for a workflow of a project in a folder
    of its repository, where the host would not find it.
    """
    if ci is not None:
        prefix = git("rev-parse", "--show-prefix").stdout
        if folder := prefix.decode(errors="replace").strip():
            raise UserError(
                "--ci must be of a project at the top of its repository; "
                f"got one in {folder} of another"
            )
    of_features = {*LOCKED}.difference(OF_RUNS)
    installed = {
        extra for extra in of_features if all(find_spec(name) is not None for name in EXTRAS[extra])
    }
    extras = sorted(installed.union(extras))
    files = {path: pipeline(path) for path in HEADERS}
    schema = shipped("docs/params.schema.json")
    files |= {REQUIREMENTS: locked_requirements(extras), SCHEMA: schema, **dict(code_files())}
    templates = [f".dvc/plots/{name}.json" for name in CHARTS]
    files |= {Path(path): shipped(path) for path in templates}
    if ci is not None:
        files[PATHS[ci]] = workflow(ci, clone=False, install=requirement())
    content = {
        "format": 1,
        "version": __version__,
        "requirement": requirement(),
        "ci": ci,
        "extras": extras,
        "files": {path.as_posix(): sha256(text.encode()) for path, text in sorted(files.items())},
    }
    return files | {PROJECT: json.dumps(content, indent=2) + "\n"}


def local_address(paths: Iterable[Path]) -> Iterator[str]:
    """Yield a line if some of these files name textclf by a path of this machine."""
    named = [str(path) for path in (REQUIREMENTS, *PATHS.values()) if path in paths]
    if named and LOCAL.match(requirement()):
        yield (
            f"{list_names(named)}: textclf is named by its path on this machine; "
            "others install it from elsewhere"
        )


def write_files(files: Mapping[Path, str]) -> None:
    """Write each file whole, the checksums of code as one folder, and .textclf/project.json last.

    A project without it is not complete: the next call writes the same files again.
    """
    targets = {CODE if path.is_relative_to(CODE) else path for path in files}
    ordered = sorted(targets, key=lambda path: (path == PROJECT, path))
    with outputs(*ordered) as scratch:
        for path, target in zip(ordered, scratch, strict=True):
            for name, text in files.items():
                if not name.is_relative_to(path):
                    continue
                file = target / name.relative_to(path)
                file.parent.mkdir(exist_ok=True)
                file.write_text(text, encoding="utf-8", errors="surrogateescape", newline="\n")
