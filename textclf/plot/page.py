"""The template of the page that `dvc plots show` and `dvc plots diff` write, so that it needs no network."""

from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from textclf.core.outputs import outputs

TEMPLATE = "tmp/plots.html"  # in .dvc; Git ignores it
MADE_FROM = ("dvc-render", "vl-convert-python")


def write_template(folder: Path) -> None:
    """Write DVC's own template with Vega's scripts inside, and name it in DVC's local configuration.

    `folder` is .dvc. Nothing is written if it can't be, if another template is named, or if it was with these versions.
    """
    made_by = f"<!-- {', '.join(f'{name} {version(name)}' for name in MADE_FROM)} -->\n"
    with suppress(OSError):
        is_made = (folder / TEMPLATE).read_bytes().startswith(made_by.encode())
        if is_made and f"html_template = {TEMPLATE}".encode() in (folder / "config.local").read_bytes():
            return
    if not folder.is_dir():
        return
    from dvc.config import Config
    from dvc.exceptions import DvcException
    from dvc_render.html import PAGE_HTML
    from vl_convert import javascript_bundle

    with suppress(OSError, DvcException, RuntimeError):  # the last from DVC if the user has no home
        config = Config(str(folder))
        if config["plots"].get("html_template", TEMPLATE) == TEMPLATE:
            with outputs(folder / TEMPLATE) as (scratch,):
                scripts = javascript_bundle("window.vegaEmbed = vegaEmbed;")
                page = made_by + PAGE_HTML.replace("{scripts}", f"<script>{scripts}</script>")
                scratch.write_text(page, encoding="utf-8", newline="\n")
            with config.edit("local") as local:
                local["plots"]["html_template"] = TEMPLATE
