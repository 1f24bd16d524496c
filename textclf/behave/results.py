"""Results of behavioural tests: numbers in metrics/behaviour/, cases in data/behaviour/.

The metrics of a file of tests have the checksum of its cases, so a stage that depends on the
metrics need not depend on the cases as well: metrics/behaviour always exists, data/behaviour does
not.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from textclf.core import result_files
from textclf.core.errors import UserError
from textclf.core.files import read_json, reading, sha256_of_file, write_json
from textclf.core.ownership import SCRATCH
from textclf.core.result_files import Count, Fraction, Positive, Result, check, parse
from textclf.core.settings import validate
from textclf.evaluate.results import Ends

# The name of a folder in the folder of metrics.
FOLDER = "behaviour"
SUFFIX = ".json"
# Keeps metrics/behaviour in Git while there is no test.
PLACEHOLDER = "README.md"


class Rate(Ends):
    """How many cases fail, with the interval of their share."""

    cases: Positive
    failures: Count
    failure_rate: Fraction


class Outcome(Rate):
    """What a model did in a test, by change too, and the numbers of failed cases, from 1."""

    changes: dict[str, Rate] = Field({})
    failed: list[Positive]


class Behaviour(Result):
    """The metrics of a file of tests by model and test, and the SHA-256 of the file of cases."""

    models: Annotated[dict[str, dict[str, Outcome]], Field(min_length=1)]
    sha256: str


class Said(Result):
    """What a model said of a case: class and probability of the text and of the changed text.

    The probability is that of the class decided or, in a test of direction, of the class in
    question. With several labels per text, `label` names all that were decided, and the probability
    is that of the least certain decision.
    """

    failed: bool
    label: str
    probability: Fraction
    changed_label: str | None = None
    changed_probability: Fraction | None = None


class RecordedCase(Result):
    """A case: its texts, what was expected or how the text was changed, and the models' answers."""

    text: str
    changed: str | None = None
    expected: str | None = None
    change: str | None = None
    models: dict[str, Said]


class RecordedTest(Result):
    """A test: its kind and subject, class and tolerance of a direction, and its cases in order."""

    kind: Literal["minimum_function", "invariance", "direction"]
    about: str
    must_not_rise: str | None = None
    must_not_fall: str | None = None
    tolerance: Fraction | None = None
    cases: list[RecordedCase]


class Results(NamedTuple):
    """The results of a file of tests: its metrics, and the tests with their cases by name."""

    metrics: Behaviour
    tests: dict[str, RecordedTest]


def write(
    metrics: Path,
    cases: Path,
    models: dict[str, dict[str, Outcome]],
    tests: Mapping[str, RecordedTest],
) -> None:
    """Write the metrics by model and test, and the tests with their cases, as JSON."""
    write_json(cases, {name: test.model_dump(exclude_none=True) for name, test in tests.items()})
    result_files.write(metrics, Behaviour(models=models, sha256=sha256_of_file(cases)))


def parse_metrics(data: bytes, where: str) -> Behaviour:
    """Return the metrics in bytes, in errors `where`; `UserError` for anything else."""
    metrics: Behaviour = check(Behaviour, parse(data, where), where)
    return metrics


def read_cases(path: Path, metrics: Behaviour) -> dict[str, RecordedTest]:
    """Return the tests with their cases by name; `UserError` unless the file is of the metrics."""
    with reading(path):
        if sha256_of_file(path) != metrics.sha256:
            raise ValueError(path)
        content = read_json(path)
    return dict(validate(dict[str, RecordedTest], content, str(path)))


def read(metrics: Path, cases: Path, name: str, models: Collection[str]) -> Results:
    """Return the results of a file of tests by its name, from the folders of metrics and cases.

    Raises `UserError` if a file is missing or damaged, or does not have every test of every model.
    """
    path = metrics / f"{name}{SUFFIX}"
    measured: Behaviour = result_files.read(path, Behaviour)
    tests = read_cases(cases / path.name, measured)
    complete = all(
        outcomes.keys() == tests.keys()
        and all(outcome.cases == len(tests[test].cases) for test, outcome in outcomes.items())
        for outcomes in measured.models.values()
    )
    if measured.models.keys() != set(models) or not complete:
        raise UserError(
            f"{path} must have the tests of the run's models ({', '.join(models)}); run dvc repro"
        )
    return Results(measured, tests)


def leftovers(metrics: Path, cases: Path, names: Collection[str]) -> list[Path]:
    """Return the files of tests that are no longer among `names`, which DVC leaves where they are.

    Raises `UserError` for any other file among the metrics.
    """
    dropped = []
    for path in sorted(metrics.glob("*")):
        if (
            path.name == PLACEHOLDER
            or path.suffix == SCRATCH
            or (path.suffix == SUFFIX and path.stem in names)
        ):
            continue
        if not _is_metrics(path):
            raise UserError(f"{path} belongs to no tests in behave.tests; remove it: rm -r {path}")
        dropped += [path, cases / path.name]
    return [path for path in dropped if path.exists()]


def _is_metrics(path: Path) -> bool:
    try:
        return path.suffix == SUFFIX and bool(result_files.read(path, Behaviour))
    except UserError:
        return False
