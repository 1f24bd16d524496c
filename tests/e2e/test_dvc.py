"""What DVC makes of the pipeline: data from a remote, reruns, experiments, comparisons."""

import csv
import dataclasses
import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests import tiny_bert, verify
from tests.verify import Copy

EPOCHS = 2  # instead of 100


class Changed(NamedTuple):
    """A copy in which a parameter was changed and `dvc repro` ran, and what that printed."""

    copy: Copy
    printed: str


@pytest.fixture(scope="module")
def retrained(workshop: Callable[[], Copy]) -> Changed:
    copy = workshop()
    params = copy.folder / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(re.sub(r"epochs: \d+ ", f"epochs: {EPOCHS} ", text), encoding="utf-8")
    return Changed(copy, copy.dvc("repro"))


def experiments(copy: Copy) -> list[dict[str, str]]:
    """The rows of `dvc exp show --csv` that are experiments."""
    rows = csv.DictReader(io.StringIO(copy.dvc("exp", "show", "--csv")))
    return [row for row in rows if row["typ"].startswith("branch")]


def test_a_clone_has_what_a_pull_brings_and_runs_nothing(clone: Copy, pipeline: Copy) -> None:
    assert "up to date" in clone.dvc("status", "dvc.yaml")
    assert verify.stages_run(clone.dvc("repro")) == []
    assert verify.file_hashes(clone.folder) == verify.file_hashes(pipeline.folder)


def test_a_clone_whose_git_converts_line_ends_is_up_to_date(pipeline: Copy, tmp_path: Path) -> None:
    clone = dataclasses.replace(pipeline, folder=tmp_path / "textclf")
    convert = ("--config", "core.autocrlf=true", "--config", "core.eol=crlf")
    pipeline.run("git", "clone", "--quiet", *convert, str(pipeline.folder), str(clone.folder))
    shutil.copytree(pipeline.folder / ".dvc" / "cache", clone.folder / ".dvc" / "cache")
    clone.dvc("checkout")
    assert "up to date" in clone.dvc("status", "dvc.yaml")
    assert clone.run("git", "status", "--porcelain") == ""


def test_metrics_of_other_settings_and_edited_metrics_are_called_stale(
    workshop: Callable[[], Copy],
) -> None:
    copy = workshop()
    assert "warning" not in copy.run("textclf", "metrics")
    params, measured = (copy.folder / name for name in ("params.yaml", "metrics/evaluation.json"))
    params.write_text(
        re.sub(r"epochs: \d+ ", f"epochs: {EPOCHS} ", params.read_text(encoding="utf-8")),
        encoding="utf-8",
    )
    stages = "train@keras, export, report"  # the last two show all settings
    assert copy.run("textclf", "metrics").splitlines()[-1] == (
        f"warning: stale: dvc repro would run {stages} and what follows; "
        "changed since the last run: train.keras.epochs"
    )
    copy.run("git", "checkout", "--quiet", "params.yaml")
    measured.write_text(
        measured.read_text(encoding="utf-8").replace("0.8,", "0.99,"), encoding="utf-8"
    )
    assert copy.run("textclf", "metrics").splitlines()[-1] == (
        "warning: stale: dvc repro would run evaluate and what follows; "
        "changed since the last run: metrics/evaluation.json"
    )


def test_another_number_of_epochs_trains_only_the_network_again(retrained: Changed) -> None:
    # Among stages that do not depend on each other, DVC's order varies.
    ran = sorted(verify.stages_run(retrained.printed))
    assert ran == ["check", "evaluate", "export", "plot", "report", "train@keras"]


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        (
            "metrics diff",
            [
                r"models/keras\.json\s+epochs\s+100\s+2\b",
                r"models/keras\.json\s+test\.log_loss\s+0\.\d+\s+0\.\d+",
            ],
        ),
        ("params diff", [r"train\.keras\.epochs\s+100\s+2\b"]),
    ],
)
def test_a_change_is_compared_with_the_last_commit(
    retrained: Changed, command: str, lines: list[str]
) -> None:
    printed = retrained.copy.dvc(*command.split())
    assert [line for line in lines if not re.search(line, printed)] == []


@pytest.mark.parametrize(("command", "revisions"), [("plots show", 1), ("plots diff", 2)])
def test_every_plot_is_drawn(retrained: Changed, command: str, revisions: int) -> None:
    folder = command.replace(" ", "_")
    retrained.copy.dvc(*command.split(), "--out", folder)
    page = (retrained.copy.folder / folder / "index.html").read_text(encoding="utf-8")
    plots = yaml.safe_load((retrained.copy.folder / "dvc.yaml").read_bytes())["plots"]
    assert [title for plot in plots for title in plot if title not in page] == []
    assert "<DVC_METRIC" not in page
    assert page.count('"rev": "workspace"') > 0
    assert len(set(re.findall(r'"rev": "(\w+)"', page))) == revisions


def test_plots_are_drawn_without_a_network(retrained: Changed) -> None:
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="needs the browser, driven by playwright"
    )
    if (chromium := shutil.which("chromium")) is None:
        pytest.skip("needs the browser Chromium")
    retrained.copy.dvc("plots", "show", "--out", "offline")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_context(offline=True).new_page()
        page.goto((retrained.copy.folder / "offline" / "index.html").as_uri())
        plots = yaml.safe_load((retrained.copy.folder / "dvc.yaml").read_bytes())["plots"]
        page.locator(".vega-embed .marks").nth(len(plots) - 1).wait_for()
        assert page.locator(".vega-embed .marks").count() == len(plots)


@pytest.mark.slow
def test_an_experiment_with_another_corpus_and_fewer_models_gives_its_numbers(
    workshop: Callable[[], Copy],
) -> None:
    copy = workshop()
    stages = verify.read_lock(copy.folder).keys() - {"train@keras"}
    printed = copy.dvc("exp", "run", "-S", "fetch.corpus=imdb", "-S", "~train.keras")
    assert sorted(verify.stages_run(printed)) == sorted(stages)
    (row,) = experiments(copy)
    model = "metrics/models/logistic_regression.json"
    assert [row[f"{model}:{name}"] for name in ("rows", "features", "test.accuracy")] == [
        "750",
        "2576",
        "0.764",
    ]


def test_dvc_repro_refuses_a_file_of_own_weights_that_changed(tmp_path: Path) -> None:
    copy = verify.make_first_copy(tmp_path)
    own = copy.folder / "data" / "external" / "mine"
    tiny_bert.write_folder(own)
    named = f"pretrained: null, path: data/external/mine, sha256: {tiny_bert.checksum(own)}"
    sentences = f"vectorize.sentences={{method: encoder, {named}}}"
    verify.change_params(copy.folder / "params.yaml", [sentences])
    assert verify.stages_run(copy.dvc("repro", "check")) == ["check"]
    assert verify.stages_run(copy.dvc("repro", "check")) == []
    with (own / "config.json").open("a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(
        verify.VerifyError, match=r"data/external/mine: sha256 must be the checksum"
    ):
        copy.dvc("repro", "check")
