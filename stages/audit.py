"""Find rows whose label may be wrong, by models of other rows, and texts with different labels.

Reads: SPLITS, a folder with the rows of each split as Parquet, and the classes; all of them are
audited, those of test too; RAW, for the names of the corpora in it and of their classes;
PRETRAINED, the folder of pretrained weights; CORRECTIONS, for what people found when they reviewed
the rows of an audit.
Writes: SUMMARY, numbers as JSON; ISSUES, a line of CSV per row whose label is an issue; PAGE, their
texts as HTML, which is no output of the pipeline.
Params: about, audit, combine, data, evaluate, split, train, vectorize.
"""

from dataclasses import replace
from pathlib import Path

from textclf.artifacts import memory
from textclf.artifacts.checked import read_settings
from textclf.artifacts.splits import read_classes
from textclf.core import files, stage
from textclf.core.about import About
from textclf.core.display import labelled_names, visible
from textclf.core.formatting import join_names
from textclf.core.outputs import outputs
from textclf.core.unchanged import unchanged_file
from textclf.fetch import catalogue
from textclf.studies.audit import summary as results
from textclf.studies.audit.page import render
from textclf.studies.measure import Sections, Setup, sample_rows
from textclf.studies.readable import require_readable
from textclf.studies.settings import Audit
from textclf.tables.corrections import read as read_corrections
from textclf.tables.settings import Data

# The settings that the stage check has planned with, in the place of params.yaml.
PLANNED = Path("data/studies/audit.json")


def run(
    about: About,
    audit: Audit,
    data: Data,
    sections: Sections,
    *,
    splits: Path = Path("data/splits"),
    raw: Path = Path("data/raw"),
    pretrained: Path = Path("data/pretrained"),
    corrections: Path = Path("corrections.csv"),
    summary: Path = Path("metrics/audit.json"),
    issues: Path = Path("plots/audit.csv"),
    page: Path = Path("reports/audit.html"),
) -> None:
    """Audit the labels of all rows; no label is changed."""
    import cleanlab.filter  # noqa: F401 (before any training, if it is missing)

    setup = Setup(**vars(sections), pretrained=pretrained)
    models = results.choose_models(audit, setup.train)
    require_readable(models, setup.train, setup.vectorize, setup.combine)
    classes = read_classes(splits)
    rows, total = sample_rows(splits, audit.rows, audit.seed)
    memory.require_measuring(len(rows), len(classes), len(models), "audit")
    audit, fewer = results.fit_folds(rows, audit)
    for line in fewer:
        print(line)
    audited = results.audit(rows, total, classes, setup, audit)
    corpora = catalogue.corpora_at(Path(data.path), raw)
    names = labelled_names(classes, catalogue.class_names(corpora) | about.class_names)
    subject = visible(about.title or join_names([name for name in corpora if name]) or data.path)
    with unchanged_file(corrections):
        reviews = results.count_reviews(read_corrections(corrections, data.multilabel))
    audited = replace(audited, reviewed=reviews)
    content, table = results.summarize(audited), results.issue_table(audited)
    text = render(audited, audit, subject, names)
    with outputs(summary, issues, page) as (summary_file, issues_file, page_file):
        files.write_json(summary_file, content)
        files.write_csv(issues_file, table)
        page_file.write_text(text, encoding="utf-8", newline="\n")
    print(*results.describe(content, models, data.multilabel, page), sep="\n")


if __name__ == "__main__":
    stage.main(run, PLANNED, read_settings)
