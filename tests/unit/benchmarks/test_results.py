"""The results of benchmarks: what they name, and their numbers as the tables show them."""

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks import lesson, mutate, presets, project, results

STORED = sorted(path.stem for path in results.RESULTS.glob("*.json"))
SOURCE = '''"""Say é."""
LIMIT: int = 5000
def call(x: int = 1) -> bool:
    return f"{x + 1}" and not x < 2 or other("é", x)
'''
EDITS = {
    ("1", "(2)"),
    ("1", "(0)"),
    ("x < 2", "(x <= 2)"),
    ("2", "(3)"),
    ("2", "(1)"),
    ("not x < 2", "(x < 2)"),
    ('other("é", x)', "(other(x, 'é'))"),
    ('f"{x + 1}" and not x < 2', "(f'{x + 1}' or not x < 2)"),
    ('f"{x + 1}" and not x < 2', "(not x < 2)"),
    ('f"{x + 1}" and not x < 2', "(f'{x + 1}')"),
}


@pytest.mark.parametrize("name", STORED)
def test_a_stored_result_names_commit_versions_and_machine(name: str) -> None:
    measured = results.read(name)["measured"]
    assert measured.keys() == {"commit", "load", "machine", "versions"}
    assert len(measured["commit"]) == 7
    assert {"dvc", "keras", "scikit-learn", "tensorflow"} <= measured["versions"].keys()
    assert measured["machine"] is None or measured["machine"].keys() == {
        "cores",
        "cpu",
        "memory_gb",
        "system",
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    return tmp_path


def test_the_command_line_measures_what_it_names_and_prints_tables(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cases: dict[str, Any] = {
        "one": lambda: {"share": 1 / 3, "parts": [{"p": 2e-9 / 3}, 70 / 3, None]},
        "two": dict,
    }
    monkeypatch.setattr(sys, "argv", ["benchmark", "one"])
    results.main(cases, lambda content: f"share {content['share']}")
    assert [path.name for path in folder.iterdir()] == ["one.json"]
    content = results.read("one")
    assert (content["share"], content["parts"]) == (0.333333, [{"p": 6.66667e-10}, 23.333333, None])
    assert content["measured"]["machine"]["cores"] >= 1
    assert content["measured"]["versions"]["Python"] == sys.version.split()[0]
    assert results.measured_on(content).startswith(
        f"Measured at commit {content['measured']['commit']}: "
    )
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
    assert results.show(results.spread([3.0, 1.0, 2.0])) == "2.00 (1.00\N{EN DASH}3.00)"


def test_the_interval_of_a_mean_over_seeds_is_students() -> None:
    mean, sd, least, most, low, high = lesson.spread([1.0, 2.0, 3.0, None])
    assert (mean, sd, least, most) == (2.0, 1.0, 1.0, 3.0)
    assert (round(low, 4), round(high, 4)) == (-0.4841, 4.4841)  # 2 -+ 4.3027 / sqrt(3)


def test_the_plain_script_counts_what_it_has_right(tmp_path: Path) -> None:
    table = "text,label\n" + 4 * "a good soup,1\na bad soup,0\n"
    (tmp_path / "soups.train.csv").write_text(table)
    (tmp_path / "soups.test.csv").write_text(table + "good,0\n")
    measured = presets.measure_plain("soups", tmp_path)
    accuracy, low, high = measured["accuracy"]
    assert accuracy == 8 / 9
    assert low < accuracy < high
    assert 0 < measured["cpu_minutes"] < 1


def test_the_table_of_the_readme_compares_the_script_with_a_preset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = {"accuracy": [0.5, 0.4, 0.6], "cpu_minutes": 0.05}
    good = {"accuracy": [0.75, 0.7, 0.8], "cpu_minutes": 2, "rows": {"train": 3000, "test": 1000}}
    monkeypatch.setattr(
        results, "read", lambda _: {"corpora": {presets.EXAMPLE: {"plain": plain, "good": good}}}
    )
    assert presets.example().splitlines() == [
        "| 3,000 rows to learn, 1,000 to test | accuracy (95% interval) | CPU seconds |",
        "| --- | --- | --- |",
        "| a script of `TfidfVectorizer` and `LinearSVC` | 50.0% (40.0% to 60.0%) | 3 |",
        "| `textclf init`, `dvc repro`: sentence vectors too | 75.0% (70.0% to 80.0%) | 120 |",
    ]


def test_comparisons_conditions_numbers_and_arguments_are_edited_and_no_text_or_annotation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutate, "ROOT", tmp_path)
    (tmp_path / "module.py").write_text(SOURCE, encoding="utf-8")
    source = SOURCE.encode()
    result = [*mutate.edits(Path("module.py"))]
    both = {(source[edit.start : edit.end].decode(), edit.new) for edit in result}
    whole = {each for each in both if each[0].endswith('other("é", x)') and each[0].startswith("f")}
    assert both - whole == EDITS
    assert len(whole) == 3
    assert all(compile(edit.apply(source), "module.py", "exec") for edit in result)
