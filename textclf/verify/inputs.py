"""What a verification starts from: the commit's files, and commands that textclf has written."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from textclf.core.errors import UserError
from textclf.core.installed import clone_root
from textclf.core.ownership import checksum_of
from textclf.core.quoting import first_line, list_few, quote_name
from textclf.project.check import unfinished_files
from textclf.project.generated import PIPELINE, pipeline, shipped
from textclf.verify.files import SHOWN
from textclf.version import __version__

# Options of a remote that say where it is. Others name files and programs, from which a library may
# take a command, such as credential_process in the file of configpath.
ADDRESS = {"url", "endpointurl", "region", "user", "port", "version_aware", "worktree"}


class ForeignInputsError(UserError):
    """The commit has commands that textclf did not write, or links; none was followed or run."""


def require_own_inputs(project: Path) -> None:
    """Refuse a commit whose stages would run or read what textclf does not know.

    This is checked before DVC reads the commit. Of its configuration of DVC, only the addresses of
    remotes stay. Raises `ForeignInputsError` for another dvc.yaml than this textclf writes, links
    to folders or out of the project, unfinished work of a run, and commands of other files, or
    imports that a run makes anew, on which the stage `export` depends.
    """
    if links := sorted(_links(project)):
        raise ForeignInputsError(
            "links of the commit must be files or links to files of the project, since a run would "
            f"read or write elsewhere; got {list_few(list(map(quote_name, links)), SHOWN)}"
        )
    if lines := [*unfinished_files(project)]:
        raise ForeignInputsError(*lines)
    path, text, root = project / PIPELINE, "", clone_root()
    if path.exists():
        text = path.read_text(encoding="utf-8", errors="replace")
    if text != (shipped(str(PIPELINE)) if root else pipeline(PIPELINE)):
        raise ForeignInputsError(
            f"{PIPELINE} of the commit has other commands than textclf {__version__} writes; "
            "none was run"
        )
    if root:
        # Its commands run modules of the current folder, which must be those of this textclf.
        for name in ("stages", "textclf"):
            shutil.rmtree(project / name)
            (project / name).symlink_to(root / name)
    _keep_addresses(project / ".dvc")
    if foreign := sorted(_foreign_stages(project)):
        raise ForeignInputsError(
            f"stages before export must be those of {PIPELINE}, imports frozen; "
            f"got {list_few(foreign, SHOWN)}; no command was run"
        )


def changed_data(project: Path) -> Iterator[str]:
    """Yield each file or folder of DVC that exists and differs from its checksum in the commit.

    DVC does not read a file of its cache that is read-only, nor what comes from a remote, to see
    this.
    """
    from dvc.repo import Repo

    with Repo(os.path.realpath(project)) as repo:
        for out in repo.index.outs:
            path = Path(out.fs_path)
            if out.use_cache and path.exists() and checksum_of(path) != out.hash_info.value:
                yield quote_name(os.path.relpath(path, repo.root_dir))


def _links(project: Path) -> Iterator[str]:
    """Yield each link to a folder, to nothing, or out of the project."""
    root = project.resolve()
    for folder, folders, names in os.walk(project):
        for name in (*folders, *names):
            path = Path(folder, name)
            if not path.is_symlink():
                continue
            target = Path(os.path.realpath(path))
            if not (target.is_file() and target.is_relative_to(root)):
                yield path.relative_to(project).as_posix()


def _keep_addresses(dvc: Path) -> None:
    """Write the configuration of DVC anew, with the addresses of its remotes alone."""
    from dvc.config import Config, ConfigError

    try:
        stated = Config(os.fspath(dvc)).load_one("repo")
        for path in dvc.glob("config*"):
            path.unlink()
        with Config(os.fspath(dvc)).edit("repo") as config:
            for name, remote in stated["remote"].items():
                config["remote"][name] = {key: remote[key] for key in ADDRESS & remote.keys()}
            # Else DVC puts the file that its cache has under a checksum in the place of one that a
            # stage has made.
            config["cache"]["type"] = ["copy"]
            if default := stated["core"].get("remote"):
                config["core"]["remote"] = default
    except ConfigError as error:
        raise ForeignInputsError(
            f".dvc/config of the commit must be as DVC reads it; {first_line(error)}"
        ) from None


def _foreign_stages(project: Path) -> Iterator[str]:
    """Yield the file of each command or import on which `export` depends, but for dvc.yaml."""
    import networkx as nx  # type: ignore[import-untyped]
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(os.path.realpath(project)) as repo:
            graph = repo.index.graph
            own = os.path.realpath(project / PIPELINE)
            last = [stage for stage in graph if stage.path == own and stage.name == "export"]
            if not last:  # .dvcignore hides dvc.yaml
                raise ForeignInputsError(
                    f"DVC must see {PIPELINE}; .dvcignore of the commit hides it"
                )
            for stage in nx.descendants(graph, last[0]):
                # An import that is not frozen takes the place of the data whose checksum Git has.
                imported = stage.is_import and not stage.frozen
                if (stage.cmd or imported) and stage.path != own:
                    yield quote_name(os.path.relpath(stage.path, Path(own).parent))
    except DvcException as error:
        raise ForeignInputsError(
            f"the stages of the commit must be as DVC reads them; {first_line(error)}"
        ) from None
