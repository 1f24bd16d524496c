"""Sentences about a run, approved in protocol.txt, caveats.txt and representations.txt."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests import approved
from tests.results import facts
from textclf.artifacts.split_report import SplitReport
from textclf.core.settings import parse_yaml
from textclf.export import description
from textclf.models.settings import LESSON
from textclf.vectorize.terms.settings import UNITS, WEIGHTS, Terms

CLASSES = {"0": "negative (0)", "1": "positive (1)"}
REPORT: dict[str, Any] = {
    "train": {"classes": {"0": 500, "1": 500}},
    "validation": {"classes": {"0": 50, "1": 50}},
    "test": {"classes": {"0": 5000, "1": 5000}},
    "leaks": {
        "normalised": {"validation_in_train": 0, "test_in_train": 0, "test_in_validation": 0}
    },
    "duplicates": {"normalised": {"train": 0, "validation": 0, "test": 0}},
    "label_conflicts": {"normalised": 0},
    "dropped": {"rows": 0, "label": 0, "text": 0},
}


def protocol(
    models: Sequence[str] = (),
    classes: Collection[str] = (),
    clusters: Mapping[str, int] | None = None,
    refitted: str | None = None,
    report: Mapping[str, Any] | None = None,
    **sections: Any,
) -> list[str]:
    """Return the protocol of a run with these sections and changes (`report`) of splits.json."""
    train = LESSON | {
        name: LESSON[model["kind"]] | model for name, model in sections.get("train", {}).items()
    }
    sections = {"export": {"model": refitted}, **sections, "train": train}
    decisions = {"protocol": {"clusters": clusters or {}}}
    titles = dict(zip(classes, classes, strict=True)) or CLASSES
    run = facts(
        [*titles], sections=sections, splits=REPORT | dict(report or {}), decisions=decisions
    )
    return description.protocol(run, titles, models, refitted=refitted is not None)


def caveats(
    watching: Sequence[str] = (),
    independent: Mapping[str, float] | None = None,
    held_out: Sequence[str] = (),
    split: Mapping[str, Any] | None = None,
    **report: Any,
) -> list[str]:
    """Return the caveats of a run; `split` is the section, `report` what differs in splits.json."""
    scores = {"rows": 1, "folds": 2, "accuracy": 0.5, "log_loss": 0.7}
    decisions = {
        "protocol": {"independent_rows": independent or {}},
        "crossvalidation": dict.fromkeys(held_out, scores),
    }
    sections = {"split": split or {}}
    run = facts(
        [*CLASSES],
        watching=watching,
        sections=sections,
        splits=REPORT | report,
        decisions=decisions,
    )
    return description.caveats(run, CLASSES, watching)


def given(case: str) -> dict[str, Any]:
    content: dict[str, Any] = parse_yaml(case if case == "{}" else f"{{{case}}}", "case")
    return content


def test_the_protocol_of_each_run_is_as_it_was_approved() -> None:
    usual = protocol()
    cases = Path(__file__).with_name("protocol.txt")
    approved.check_cases(
        cases, lambda case: approved.changed([] if case == "{}" else usual, protocol(**given(case)))
    )


def test_the_caveats_of_each_run_are_as_they_were_approved() -> None:
    approved.check_cases(
        Path(__file__).with_name("caveats.txt"), lambda case: caveats(**given(case))
    )


def test_each_representation_is_described_as_approved() -> None:
    def say(case: str) -> list[str]:
        settings = facts(sections={"vectorize": {"words": given(case)}}).settings
        return [description.representation(settings, "keras", {"words": 1714})]

    approved.check_cases(Path(__file__).with_name("representations.txt"), say)


def test_every_analyzer_and_weighting_is_described() -> None:
    properties = Terms.model_json_schema()["properties"]
    assert set(UNITS) == set(properties["analyzer"]["enum"])
    assert set(WEIGHTS) == set(properties["weighting"]["enum"])


def test_rows_with_several_labels_are_counted_once() -> None:
    report = REPORT | {"test": {"classes": {"0": 70, "1": 60}, "rows": 100, "without_labels": 0}}
    assert SplitReport.model_validate(report).sizes == {
        "train": 1000,
        "validation": 100,
        "test": 100,
    }
