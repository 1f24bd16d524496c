"""What a study prints of its results is the same when it is read from its outputs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stages import audit, crossvalidate, learning_curve, search
from tests.processes import Command
from tests.settings import models, put
from tests.unit.studies.audits import write_splits
from tests.unit.studies.samples import corpus
from textclf.core import files
from textclf.params import Params, load, parse
from textclf.project.outcomes import OUTCOMES
from textclf.studies.measure import Sections

SETTINGS = parse(
    put(
        *(*models("majority", "logistic_regression", "naive_bayes"), "data.path", "rows.csv"),
        *("export.model", "null", "gate.minimum", "{}", "gate.maximum_drop", "{}"),
        *("audit.folds", "2", "crossvalidate.folds", "2", "crossvalidate.repeats", "1"),
        *("search.trials", "3", "search.folds", "2", "search.sampler", "random"),
    )
)
STUDIES: dict[str, Callable[[Params, Sections], None]] = {
    "audit": lambda params, read: audit.run(params.about, params.audit, params.data, read),
    "crossvalidate": lambda params, read: crossvalidate.run(
        params.crossvalidate, params.data, read
    ),
    "learning-curve": lambda _, read: learning_curve.run(read),
    "search": lambda params, read: search.run(params.search, read),
}


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_prints_what_can_be_read_again(
    name: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_splits(here / "data" / "splits")
    files.write_csv(Path("rows.csv"), corpus(40))
    Path("corrections.csv").write_text("id,label\n")
    for folder in ("metrics", "plots", "reports"):
        Path(folder).mkdir()
    read = ("split", "vectorize", "combine", "train", "evaluate")
    STUDIES[name](SETTINGS, Sections(*(getattr(SETTINGS, section) for section in read)))
    printed = capsys.readouterr().out.splitlines()
    assert printed
    assert [*OUTCOMES[name].describe(SETTINGS)] == printed


def test_a_report_that_is_up_to_date_prints_the_lines_of_metrics(
    project: Path, monkeypatch: pytest.MonkeyPatch, command_line: Command
) -> None:
    monkeypatch.chdir(project)
    *lines, warning = command_line("metrics").lines
    assert warning.startswith("warning: ")
    assert lines[-1] == "report: reports/report.html"
    assert [*OUTCOMES["report"].describe(load())] == lines
