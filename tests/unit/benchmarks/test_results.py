"""The results of benchmarks: what they name, and their numbers as the tables show them."""

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks import lesson, project, results

STORED = sorted(path.stem for path in results.RESULTS.glob("*.json"))


@pytest.mark.parametrize("name", STORED)
def test_a_stored_result_names_commit_versions_and_machine(name: str) -> None:
    measured = results.read(name)["measured"]
    assert measured.keys() == {"commit", "load", "machine", "versions"}
    assert len(measured["commit"]) == 7
    assert {"dvc", "keras", "scikit-learn", "tensorflow"} <= measured["versions"].keys()
    assert measured["machine"] is None or measured["machine"].keys() == {"cores", "cpu", "memory_gb", "system"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    return tmp_path


def test_the_command_line_measures_what_it_names_and_prints_tables(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cases: dict[str, Any] = {"one": lambda: {"share": 1 / 3, "parts": [{"p": 2e-9 / 3}, 70 / 3, None]}, "two": dict}
    monkeypatch.setattr(sys, "argv", ["benchmark", "one"])
    results.main(cases, lambda content: f"share {content['share']}")
    assert [path.name for path in folder.iterdir()] == ["one.json"]
    content = results.read("one")
    assert (content["share"], content["parts"]) == (0.333333, [{"p": 6.66667e-10}, 23.333333, None])
    assert content["measured"]["machine"]["cores"] >= 1
    assert content["measured"]["versions"]["Python"] == sys.version.split()[0]
    assert results.measured_on(content).startswith(f"Measured at commit {content['measured']['commit']}: ")
    assert capsys.readouterr().out == "share 0.333333\n"
    monkeypatch.setattr(sys, "argv", ["benchmark"])
    results.main(cases)
    assert sorted(path.name for path in folder.iterdir()) == ["one.json", "two.json"]
    monkeypatch.setattr(sys, "argv", ["benchmark", "one", "three"])
    with pytest.raises(SystemExit):
        results.main(cases)
    assert "RESULT must be one of one, two; got three" in capsys.readouterr().err
    with pytest.raises(results.MissingResultError, match=r"^bench\.json$"):
        results.read("bench")


def test_the_params_of_a_copy_are_those_of_the_project_but_for_the_changes(tmp_path: Path) -> None:
    project.write_params(tmp_path, {"split.test_size": 0.5, "train": {}})
    project.write_params(tmp_path, {"split.seed": 7, "train.letters": {"C": 10.0}})
    expected = yaml.safe_load((results.ROOT / "params.yaml").read_text(encoding="utf-8"))
    expected["split"]["seed"], expected["train"]["letters"] = 7, {"C": 10.0}
    assert yaml.safe_load((tmp_path / "params.yaml").read_text(encoding="utf-8")) == expected


def test_a_spread_has_median_minimum_and_maximum() -> None:
    assert results.show(results.spread([3.0, 1.0, 2.0])) == "2.00 (1.00 to 3.00)"


def test_the_interval_of_a_mean_over_seeds_is_students() -> None:
    mean, sd, least, most, low, high = lesson.spread([1.0, 2.0, 3.0, None])
    assert (mean, sd, least, most) == (2.0, 1.0, 1.0, 3.0)
    assert (round(low, 4), round(high, 4)) == (-0.4841, 4.4841)  # 2 -+ 4.3027 / sqrt(3)
