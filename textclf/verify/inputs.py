"""What a verification starts from: the commit's own files, and commands that textclf has written."""

import os
from collections.abc import Iterator
from pathlib import Path

from textclf.core.errors import UserError
from textclf.core.installed import clone_root
from textclf.core.quoting import first_line, list_few, quote_name
from textclf.project.generated import PIPELINE, pipeline, shipped
from textclf.verify.files import SHOWN
from textclf.version import __version__

# Options of a remote that say where it is. Others name files and programs, from which a library may
# take a command, such as credential_process in the file of configpath.
ADDRESS = {"url", "endpointurl", "region", "user", "port", "version_aware", "worktree"}


def require_own_inputs(project: Path) -> None:
    """Leave only addresses in DVC's configuration of a clone, and refuse what is not the commit's.

    Raises `UserError` if the commit has another dvc.yaml than this textclf writes, links out of the
    project or to folders, or stages before `export` that textclf did not write.
    """
    if links := sorted(_links(project)):
        rule = "must be files or links to files of the project, since a run would read or write elsewhere"
        raise UserError(f"links of the commit {rule}; got {list_few(list(map(quote_name, links)), SHOWN)}")
    text = (project / PIPELINE).read_text(encoding="utf-8", errors="replace") if (project / PIPELINE).exists() else ""
    if text != (shipped(str(PIPELINE)) if clone_root() else pipeline(PIPELINE)):
        raise UserError(f"{PIPELINE} of the commit has other commands than textclf {__version__} writes; none was run")
    _keep_addresses(project / ".dvc")
    if foreign := sorted(_foreign_stages(project)):
        rule = f"stages before export must be those of {PIPELINE}"
        raise UserError(f"{rule}; got {list_few(foreign, SHOWN)}; no command was run")


def _links(project: Path) -> Iterator[str]:
    """Yield each link to a folder, to nothing, or out of the project."""
    root = project.resolve()
    for folder, folders, names in os.walk(project):
        for path in (Path(folder, name) for name in (*folders, *names)):
            target = path.resolve()
            if path.is_symlink() and not (target.is_file() and target.is_relative_to(root)):
                yield path.relative_to(project).as_posix()


def _keep_addresses(dvc: Path) -> None:
    from dvc.config import Config, ConfigError

    try:
        stated = Config.load_file(os.fspath(dvc / "config")) if (dvc / "config").exists() else {}
        for path in dvc.glob("config*"):
            path.unlink()
        with Config(os.fspath(dvc)).edit("repo") as config:
            remotes = stated.get("remote", {})
            config["remote"] = {
                name: {key: value for key, value in remote.items() if key in ADDRESS}
                for name, remote in remotes.items()
            }
            if (default := stated.get("core", {}).get("remote")) in remotes:
                config["core"]["remote"] = default
    except ConfigError as error:
        raise UserError(f".dvc/config of the commit must be as DVC reads it; {first_line(error)}") from None


def _foreign_stages(project: Path) -> Iterator[str]:
    """Yield the stages before export, with a command, of another file than dvc.yaml."""
    import networkx as nx  # type: ignore[import-untyped]
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(os.path.realpath(project)) as repo:
            graph = repo.index.graph
            own = os.path.realpath(project / PIPELINE)
            last = next(stage for stage in graph if (stage.path, getattr(stage, "name", "")) == (own, "export"))
            for stage in nx.descendants(graph, last):
                if stage.cmd and stage.path != own:
                    yield quote_name(Path(stage.path).relative_to(project.resolve()).as_posix())
    except DvcException as error:
        raise UserError(f"the stages of the commit must be as DVC reads them; {first_line(error)}") from None
