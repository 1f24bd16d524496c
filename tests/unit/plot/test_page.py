"""The template of DVC's page of plots, which has the scripts inside."""

from pathlib import Path
from unittest import mock

import pytest
import vl_convert
from dvc.config import Config
from dvc_render.html import HTML

from stages.plot import TEMPLATE, write_template


@pytest.fixture(autouse=True)
def no_other_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "none"))


def named(folder: Path) -> str | None:
    """Return the template that DVC takes, by its configuration."""
    name: str | None = Config(str(folder))["plots"].get("html_template")
    return name


@pytest.mark.parametrize("local", ["", "['remote \"mine\"']\n    url = /x\n"])
def test_the_page_has_the_scripts_and_a_place_for_the_plots(tmp_path: Path, local: str) -> None:
    (tmp_path / "config.local").write_text(local)
    for _ in range(2):
        write_template(tmp_path)
        assert named(tmp_path) == TEMPLATE
        page = (
            HTML((tmp_path / TEMPLATE).read_text())
            .with_scripts("<script src=x>")
            .with_element("<p>plots")
            .embed()
        )
        assert "window.vegaEmbed" in page
        assert "<script src=" not in page
        assert page.count("<p>plots") == 1
    assert ("remote" in (tmp_path / "config.local").read_text()) is bool(local)


def test_the_page_is_made_once_per_version_and_if_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = mock.Mock(return_value="")
    monkeypatch.setattr(vl_convert, "javascript_bundle", bundle)
    for _ in range(2):
        write_template(tmp_path)
    assert bundle.call_count == 1
    (tmp_path / TEMPLATE).unlink()
    write_template(tmp_path)
    assert bundle.call_count == 2
    (tmp_path / "config.local").write_text("")
    write_template(tmp_path)
    assert named(tmp_path) == TEMPLATE
    assert bundle.call_count == 3
    monkeypatch.setattr("stages.plot.version", lambda name: f"another {name}")
    for _ in range(2):
        write_template(tmp_path)
    assert bundle.call_count == 4
    assert [path.name for path in (tmp_path / TEMPLATE).parent.glob("*.html")] == ["plots.html"]


@pytest.mark.parametrize("file", ["config", "config.local"])
def test_a_template_of_the_users_own_stays(tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_text("[plots]\n    html_template = mine.html\n")
    write_template(tmp_path)
    assert named(tmp_path) == "mine.html"
    assert not (tmp_path / TEMPLATE).exists()


@pytest.mark.parametrize(
    ("file", "text"), [("config", "[plots\n"), ("tmp", "a file, so that nothing can be in it")]
)
def test_what_can_not_be_read_or_written_is_no_reason_to_fail(
    tmp_path: Path, file: str, text: str
) -> None:
    (tmp_path / file).write_text(text)
    write_template(tmp_path)
    assert sorted(tmp_path.iterdir()) == [tmp_path / file]


def test_without_dvc_nothing_is_written(tmp_path: Path) -> None:
    write_template(tmp_path / ".dvc")
    assert list(tmp_path.iterdir()) == []
