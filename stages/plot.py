"""Draw the figures of the run.

Reads: RAW, for the class names of the corpora in it; from PLOTS the tables of the charts as CSV.
Writes: into PLOTS the figures as SVG; into DVC's own folder, if there is one, what `dvc plots show` needs without a
network, which is no output.
Params: about, data.path.
"""

from pathlib import Path
from typing import Annotated

from textclf.core import files, stage
from textclf.core.about import About
from textclf.core.outputs import outputs
from textclf.core.settings import Param
from textclf.fetch import catalogue
from textclf.plot import figures
from textclf.plot.charts import CHARTS, columns_of
from textclf.plot.page import write_template


def run(about: About, path: Annotated[str, Param("data.path")], *, raw: Path, plots: Path) -> None:
    """Draw the table of each figure."""
    names = catalogue.class_names(catalogue.corpora_at(Path(path), raw)) | about.class_names
    charts = {chart.figure: chart for chart in CHARTS.values() if chart.figure}
    tables = {
        name: files.read_csv(plots / f"{chart.table}.csv", columns_of(chart.table)) for name, chart in charts.items()
    }
    with outputs(*(plots / f"{name}.svg" for name in charts)) as written:
        for (name, table), file in zip(tables.items(), written, strict=True):
            figures.draw(name, table, file, names)
    write_template(Path(".dvc"))


if __name__ == "__main__":
    stage.main(run)
