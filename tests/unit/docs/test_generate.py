"""Generated comments of params.yaml, types in docs/params.md, tables and links of pages."""

import json
import re
import runpy
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.processes import ROOT, git, run
from tests.refusal import refusal
from tests.settings import TEXT, put
from tests.unit.project.init.surveys import make_survey
from textclf.core.settings import load_yaml
from textclf.project.init.command import SETTINGS
from textclf.project.init.presets import choose_models

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OPTION = re.compile(r"-S\s+(?:'([^']+)'|([^\s`']+=[^\s`']*|~[^\s`']+))")
EXAMPLE = re.compile(r"\W*(KEY|key)=")  # of no setting
OF_LESSON = ("fetch.corpus", "train.", "vectorize.")  # a table has models of its own, and no corpus
LINKING = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def generate(tmp_path: Path) -> SimpleNamespace:
    """Return the functions of docs/generate.py, working on a folder with params.yaml."""
    (tmp_path / "params.yaml").write_text(TEXT, encoding="utf-8")
    names = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    names["params_table"].__globals__["ROOT"] = tmp_path
    return SimpleNamespace(**names, folder=tmp_path)


def test_a_table_is_between_its_markers_with_links(
    generate: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(generate.filled.__globals__, "ROOT", ROOT)
    page = generate.folder / "page.md"
    page.write_text("a\n<!-- stages -->\nan old row\n<!-- /stages -->\nb\n")
    text = generate.filled(page)
    assert text.startswith("a\n<!-- stages -->\n| Stage |")
    assert "[split](../stages/split.py)" in text
    assert "an old row" not in text
    assert text.endswith("<!-- /stages -->\nb\n")


def test_a_page_without_markers_stays_and_one_with_half_of_them_is_refused(
    generate: SimpleNamespace,
) -> None:
    page = generate.folder / "page.md"
    page.write_text("a\n")
    assert generate.filled(page) == "a\n"
    page.write_text("a\n<!-- stages -->\n")
    assert "page.md must have both <!-- stages --> and <!-- /stages -->" in refusal(
        generate.filled, page
    )


def write_metrics(folder: Path, models: Sequence[str]) -> None:
    """Write the metrics of a run of these models on 8 test rows, all with the same accuracy."""
    interval = {"test": {"accuracy": {"low": 0.25, "high": 1.0, "effective_rows": 8.0}}}
    splits = {"train": {"accuracy": 1.0}, "test": {"accuracy": 0.75}}
    shape = {"rows": 8, "features": 9, "nonzeros": 9}
    contents = {
        "features": {"words": {"train": shape, "test": shape}},
        "training": {name: {"parameters": 3, "epochs": 2, "best_epoch": 1} for name in models},
        "evaluation": dict.fromkeys(models, splits),
        "intervals": dict.fromkeys(models, interval),
    }
    (folder / "metrics").mkdir()
    for name, metrics in contents.items():
        (folder / "metrics" / f"{name}.json").write_text(json.dumps(metrics))


LESSONS_MODELS = ["majority", "logistic_regression", "keras"]


@pytest.mark.parametrize(
    ("models", "settings", "lesson"),
    [
        (LESSONS_MODELS, ["data.path", "tickets.csv"], False),
        (LESSONS_MODELS[:2], [], False),
        (LESSONS_MODELS, [], True),
    ],
)
def test_the_lessons_run_is_told_in_a_sentence_and_another_one_by_its_accuracies(
    generate: SimpleNamespace, models: list[str], settings: list[str], lesson: bool
) -> None:
    (generate.folder / "params.yaml").write_text(put(*settings), encoding="utf-8")
    write_metrics(generate.folder, models)
    lines = generate.numbers("../").splitlines()
    if lesson:
        assert lines[0].startswith(
            "The network has 100.0% of its training rows right and 75.0% of the test rows, "
        )
        assert lines[1].endswith("of 2: [claim by claim](../docs/lesson.md).")
        return
    assert lines == [
        "| Model | Accuracy on 8 test rows | 95% interval |",
        "|---|---|---|",
        *(f"| {name.replace('_', ' ')} | 75.0% | 25.0% to 100.0% |" for name in models),
    ]


@pytest.mark.parametrize(("settings", "stale"), [([], True), (["data.path", "tickets.csv"], False)])
def test_only_the_numbers_of_the_lesson_must_be_up_to_date(
    generate: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, settings: list[str], stale: bool
) -> None:
    # The numbers of the user's own rows change with every run.
    names = generate.main.__globals__
    for name in ("SCHEMA", "TABLE", "TEMPLATES"):
        monkeypatch.setitem(names, name, generate.folder / name)
    monkeypatch.setitem(names, "WORKFLOWS", {})
    monkeypatch.setattr(names["gallery"], "outdated", lambda _: False)
    page = generate.folder / "README.md"
    monkeypatch.setitem(names, "PAGES", (page,))
    (generate.folder / "params.yaml").write_text(put(*settings), encoding="utf-8")
    write_metrics(generate.folder, LESSONS_MODELS)
    page.write_text("<!-- numbers -->\n<!-- /numbers -->\n")
    (generate.folder / "TEMPLATES").mkdir()
    generate.main([])
    filled = page.read_text()
    assert "75.0%" in filled
    page.write_text(filled.replace("75.0%", "74.0%"))
    if stale:
        assert "README.md is out of date; run make docs" in refusal(generate.main, ["--check"])
    else:
        generate.main(["--check"])


def test_a_table_whose_result_is_missing_stays_and_is_named(
    generate: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.results.RESULTS", generate.folder)
    page = generate.folder / "page.md"
    page.write_text("a\n<!-- promises -->\nan old row\n<!-- /promises -->\n")
    assert generate.filled(page) == page.read_text()
    assert (
        "page.md: promises stays as it is, because benchmarks/results lacks intervals.json"
        in capsys.readouterr().err
    )


def options() -> dict[str, list[str]]:
    """Return the pages of each option -S."""
    result: dict[str, list[str]] = {}
    for page in PAGES:
        for quoted, plain in OPTION.findall(page.read_text(encoding="utf-8")):
            if not EXAMPLE.match(quoted or plain):
                result.setdefault(quoted or plain, []).append(page.name)
    return result


def has(path: Path, key: str) -> bool:
    content: Any = load_yaml(path)
    for name in key.split("."):
        if not isinstance(content, dict) or name not in content:
            return False
        content = content[name]
    return True


@pytest.mark.lesson
def test_an_option_sets_what_every_file_of_settings_has_or_adds_it_with_two_plus_signs() -> None:
    wrong = []
    for option, pages in options().items():
        mark, key = re.match(r"([+~]*)([^=]+)", option).groups()  # type: ignore[union-attr]
        if mark == "++":  # sets it, whether the file has it or not
            continue
        ours = key.startswith("train.embedding") or has(
            ROOT / "params.yaml", key
        )  # that of docs/course.md
        theirs = key.startswith(OF_LESSON) or has(SETTINGS, key)
        if mark == "+" or not ours or not theirs:
            wrong.append((option, pages))
    assert wrong == []


def test_an_option_sets_what_every_project_with_that_model_or_representation_has() -> None:
    wrong = set()
    for preset, unspaced in product(("fast", "good"), (0.0, 0.5, 1.0)):
        chosen = choose_models(preset, make_survey(unspaced=unspaced)).sections
        for option in options():
            section, _, rest = option.partition("=")[0].partition(".")
            entry, _, key = rest.partition(".")
            settings = chosen.get(section, {}).get(entry)
            if settings is not None and key not in settings:
                wrong.add(option)
    assert wrong == set()


def test_the_command_of_slices_runs_whatever_models_and_slices_there_are(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "slices.json").write_text('{"majority": {}}', encoding="utf-8")
    page = (ROOT / "docs" / "slices.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^\$ (.+)$", page, re.MULTILINE)
    assert run("sh", "-c", command, folder=tmp_path).status == 0


def headings(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", LINKING, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: Path) -> None:
    broken = []
    for path, anchor in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in headings(target)):
            broken.append(f"{path}#{anchor}")
    assert broken == []


def test_every_page_is_in_the_index() -> None:
    linked = {
        path for path, _ in LINK.findall((ROOT / "docs" / "index.md").read_text(encoding="utf-8"))
    }
    assert {page.name for page in LINKING[2:]} - {"index.md"} - linked == set()


def test_the_readme_is_read_in_a_few_minutes() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 600


def test_the_architecture_says_what_every_folder_is_for() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = page.partition("## What the repository holds")[2].splitlines()
    named = {name for row in rows for name in re.findall(r"`([\w.]+)/`", row.split(" | ")[0])}
    assert {
        name.partition("/")[0] for name in git("ls-files", folder=ROOT).splitlines() if "/" in name
    } - named == set()
