"""Draw the figures of the run.

Reads: RAW, for the class names of the corpora in it; from PLOTS the tables of the charts as CSV.
Writes: into PLOTS the figures as SVG; into DVC's own folder, if there is one, what `dvc plots show`
needs without a network, which is no output.
Params: about, data.path.
"""

from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

from textclf.core import files, stage
from textclf.core.about import About
from textclf.core.outputs import outputs
from textclf.core.settings import Param
from textclf.fetch import catalogue
from textclf.plot import figures
from textclf.plot.charts import CHARTS, columns_of

TEMPLATE = "tmp/plots.html"  # in .dvc; Git ignores it
MADE_FROM = ("dvc-render", "vl-convert-python")


def run(
    about: About,
    path: Annotated[str, Param("data.path")],
    *,
    raw: Path = Path("data/raw"),
    plots: Path = Path("plots"),
) -> None:
    """Draw the table of each figure."""
    names = catalogue.class_names(catalogue.corpora_at(Path(path), raw)) | about.class_names
    charts = {chart.figure: chart for chart in CHARTS.values() if chart.figure}
    tables = {
        name: files.read_csv(plots / f"{chart.table}.csv", columns_of(chart.table))
        for name, chart in charts.items()
    }
    with outputs(*(plots / f"{name}.svg" for name in charts)) as written:
        for (name, table), file in zip(tables.items(), written, strict=True):
            figures.draw(name, table, file, names)
    write_template(Path(".dvc"))


def write_template(folder: Path) -> None:
    """Write DVC's own template with Vega's scripts inside, and name it in DVC's local config.

    `folder` is .dvc. Nothing is written if it can't be, if another template is named, or if it was
    with these versions.
    """
    made_by = f"<!-- {', '.join(f'{name} {version(name)}' for name in MADE_FROM)} -->\n"
    with suppress(OSError):
        is_made = (folder / TEMPLATE).read_bytes().startswith(made_by.encode())
        if (
            is_made
            and f"html_template = {TEMPLATE}".encode() in (folder / "config.local").read_bytes()
        ):
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


if __name__ == "__main__":
    stage.main(run)
