"""The benchmark that compares the times of a machine with those of the last time."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import machines
from textclf.core import files

BENCH = {
    "commit": "1234567",
    "machine": "one core",
    "ratios": {"whole": {"median": 0.5}},
    "rows": 1000,
    "seconds": {"split": {"median": 0.4}, "nothing to do": {"median": 0.7}},
    "stages": ["split"],
}


def scale(rows: int, seconds: float, machine: str = "one core") -> dict[str, Any]:
    return {
        "machine": machine,
        "others": [{"name": "plain", "seconds": 2.0}],
        "parts": [{"name": "split", "seconds": seconds}],
        "ratios": {"plain": {"median": seconds / 2}},
        "rows": rows,
    }


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, *contents: dict[str, Any]) -> dict[str, Any]:
    """Run the command with these results and return the content of its file."""
    names = ("bench", "scale-100000", "scale-1000000")
    for name, content in zip(names, contents, strict=True):
        files.write_json(folder / f"{name}.json", content)
    monkeypatch.setattr(machines, "RESULTS", folder)
    monkeypatch.setattr(sys, "argv", ["machines", "--result", str(folder / "machines.json")])
    machines.main()
    written: dict[str, Any] = json.loads((folder / "machines.json").read_text(encoding="utf-8"))
    return written


def test_the_next_run_on_a_machine_says_what_got_slower(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = run(tmp_path, monkeypatch, BENCH, scale(100_000, 2.0), scale(1_000_000, 9.0))
    assert first["one core"]["times"]["100,000 rows"] == {machines.RATIO: 1.0, "split": 2.0}
    assert "slower" not in capsys.readouterr().out
    second = run(tmp_path, monkeypatch, BENCH, scale(100_000, 2.5), scale(1_000_000, 4.0))
    printed = capsys.readouterr().out
    assert "| split | 2.00 | 2.50 | slower |" in printed
    assert "| split | 9.00 | 4.00 | faster |" in printed
    assert "| split | 0.40 | 0.40 |  |" in printed
    assert second["one core"]["times"]["100,000 rows"]["split"] == 2.5


def test_other_machines_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write_json(tmp_path / "machines.json", {"many cores": {"commit": "7654321", "times": {}}})
    written = run(tmp_path, monkeypatch, BENCH, scale(100_000, 2.0), scale(1_000_000, 9.0))
    assert sorted(written) == ["many cores", "one core"]


def test_results_of_two_machines_are_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit):
        run(tmp_path, monkeypatch, BENCH, scale(100_000, 2.0), scale(1_000_000, 9.0, "two cores"))


@pytest.mark.parametrize(
    ("value", "last", "expected"),
    [(1.0, None, ""), (1.1, 1.0, ""), (1.2, 1.0, "slower"), (0.05, 0.01, ""), (1.0, 1.2, "faster")],
)
def test_small_differences_are_chance(value: float, last: float | None, expected: str) -> None:
    assert machines.verdict(value, last) == expected
