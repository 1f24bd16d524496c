"""What a stage prints of its results, from its outputs: for a stage that is up to date."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from textclf.core.files import read_csv, read_json
from textclf.core.ownership import noted_at
from textclf.params import Params, searched
from textclf.project import metrics

AUDITED = Path("reports/audit.html")
CURVE = Path("plots/learning_curve.svg")


def _of_audit(settings: Params) -> Iterator[str]:
    from textclf.studies.audit import summary

    models = summary.choose_models(settings.audit, settings.train)
    content = read_json(OUTCOMES["audit"].output)
    return summary.describe(content, models, settings.data.multilabel, AUDITED)


def _of_crossvalidation(settings: Params) -> Iterator[str]:
    from textclf.studies import crossvalidation

    content = read_json(OUTCOMES["crossvalidate"].output)
    confidence, several = settings.evaluate.confidence, settings.data.multilabel
    return crossvalidation.describe(content, settings.train, confidence, several)


def _of_curve(_: Params) -> Iterator[str]:
    yield f"learning curve: {CURVE}"


def _of_search(settings: Params) -> Iterator[str]:
    from textclf.studies.search import space, summary

    read = settings.train, settings.vectorize, settings.combine
    search = space.complete(searched(settings), *read)
    columns = ["trial", *(["expected"] if search.sampler == "random" else [])]
    table = read_csv(Path("plots/search.csv"), columns)
    content = read_json(OUTCOMES["search"].output)
    several = settings.data.multilabel
    return summary.describe(content, table, space.dimensions(search, *read), several)


def _of_run(settings: Params) -> Iterator[str]:
    sections = {name: getattr(settings, name) for name in metrics.READ}
    yield from metrics.describe(sections)


class Outcome(NamedTuple):
    """An output of the stage of a command, and what the stage prints of its results."""

    output: Path
    describe: Callable[[Params], Iterator[str]]

    def made(self) -> int:
        """Return when a run last made the output, in nanoseconds; 0 if none of this folder has."""
        return noted_at(self.output)


OUTCOMES = {
    "audit": Outcome(Path("metrics/audit.json"), _of_audit),
    "crossvalidate": Outcome(Path("metrics/crossvalidation.json"), _of_crossvalidation),
    "learning-curve": Outcome(Path("plots/learning_curve.csv"), _of_curve),
    "report": Outcome(metrics.PAGE, _of_run),
    "search": Outcome(Path("metrics/search.json"), _of_search),
}
