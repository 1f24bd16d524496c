"""The workflow with which a host of Git runs the pipeline of a project or of this repository."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Literal

from textclf.core.installed import LOCAL

Host = Literal["github", "gitlab"]
OF_MACHINE = (
    " # a path of the machine that wrote this, unknown to CI: "
    "install from an address, then textclf upgrade"
)
# How a shell finds the lock file of model-signing in the installed package, for which a key is
# needed as well.
SIGN = (
    "\"$(python -P -c 'from textclf import project; print(*project.__path__)')"
    '/shipped/requirements/sign.txt"'
)
PATHS: dict[Host, Path] = {
    "github": Path(".github/workflows/textclf.yml"),
    "gitlab": Path(".gitlab-ci.yml"),
}


def workflow(host: Host, clone: bool, install: str = "") -> str:
    """Return the workflow as YAML.

    That of a clone of this repository has its tests, too, and installs by the Makefile. That of a
    project installs the requirement `install` of pip, such as `textclf-pipeline @
    git+<address>@<commit>`.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(  # noqa: S701
        "[%", "%]", "[[", "]]", trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    template = (
        files("textclf.project").joinpath("templates", f"{host}.yml").read_text(encoding="utf-8")
    )
    address = f"{json.dumps(install)}{OF_MACHINE if LOCAL.match(install) else ''}"
    sign = "requirements/sign.txt" if clone else SIGN
    return environment.from_string(template).render(clone=clone, install=address, sign=sign) + "\n"
