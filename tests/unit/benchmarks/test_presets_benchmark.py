"""The plain script of the benchmark of presets, and the table of README.md."""

from pathlib import Path

import pytest

from benchmarks import presets, results


def test_the_plain_script_counts_what_it_has_right(tmp_path: Path) -> None:
    table = "text,label\n" + 4 * "a good soup,1\na bad soup,0\n"
    (tmp_path / "soups.train.csv").write_text(table)
    (tmp_path / "soups.test.csv").write_text(table + "good,0\n")
    measured = presets.measure_plain("soups", tmp_path)
    accuracy, low, high = measured["accuracy"]
    assert accuracy == 8 / 9
    assert low < accuracy < high
    assert 0 < measured["cpu_minutes"] < 1


def test_the_table_of_the_readme_compares_the_script_with_a_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = {"accuracy": [0.5, 0.4, 0.6], "cpu_minutes": 0.05}
    good = {"accuracy": [0.75, 0.7, 0.8], "cpu_minutes": 2, "rows": {"train": 3000, "test": 1000}}
    monkeypatch.setattr(results, "read", lambda _: {"corpora": {presets.EXAMPLE: {"plain": plain, "good": good}}})
    assert presets.example().splitlines() == [
        "| 3,000 rows to learn, 1,000 to test | accuracy (95% interval) | CPU seconds |",
        "| --- | --- | --- |",
        "| a script of `TfidfVectorizer` and `LinearSVC` | 50.0% (40.0% to 60.0%) | 3 |",
        "| `textclf init`, `dvc repro`: sentence vectors too | 75.0% (70.0% to 80.0%) | 120 |",
    ]
