"""Values of params.yaml that a shell would run as commands, and tables that change, through the real DVC."""

import json
from pathlib import Path

import pytest

from tests import verify
from tests.settings import put
from tests.verify import DVC, Copy

COMMAND = "$(touch hacked)"
ROWS = "text,label\n" + "".join(f"good {number},1\nbad {number},0\n" for number in range(20))


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return verify.make_first_copy(tmp_path)


def change(copy: Copy, *settings: str) -> None:
    params = copy.folder / "params.yaml"
    params.write_text(put(*settings, text=params.read_text(encoding="utf-8")), encoding="utf-8")


@pytest.mark.parametrize(
    "options",
    [
        [],
        pytest.param(["--ignore-errors"], marks=pytest.mark.slow),
        pytest.param(["--single-item"], marks=pytest.mark.slow),
    ],
)
def test_a_command_in_data_path_is_only_the_name_of_a_file(copy: Copy, options: list[str]) -> None:
    name = f'{COMMAND} `touch hacked`;"touch hacked" & \'x.csv'
    (copy.folder / name).write_text(ROWS)
    change(copy, "data.path", json.dumps(name), "data.text", "text", "data.label", "label", "data.format", "csv")
    copy.dvc("repro", "check")
    assert "train: 30 rows" in copy.dvc("repro", *options, "split")
    assert not (copy.folder / "hacked").exists()


@pytest.mark.parametrize(
    "options",
    [
        [],
        pytest.param(["--ignore-errors"], marks=pytest.mark.slow),
        pytest.param(["--single-item", "--glob", "train@*"], marks=pytest.mark.slow),
    ],
)
def test_a_command_in_the_name_of_a_model_is_never_run(copy: Copy, options: list[str]) -> None:
    entry = {"kind": "majority", "features": "words"}
    change(copy, "train", json.dumps({"majority": entry, f"x; touch hacked; {COMMAND}": entry}))
    printed, _ = copy.run_anyway(*DVC, "repro", *options)
    assert "error: check: params.yaml: train" in printed or "ERROR" in printed
    assert not (copy.folder / "hacked").exists()


@pytest.mark.parametrize("options", [[], pytest.param(["--single-item", "--glob", "behave@*"], marks=pytest.mark.slow)])
def test_a_command_in_the_files_of_behavioural_tests_is_never_run(copy: Copy, options: list[str]) -> None:
    change(copy, "behave.tests", json.dumps({f"x;{COMMAND}": f"{COMMAND}.yaml", "mine": f'";{COMMAND}".yaml'}))
    copy.run_anyway(*DVC, "repro", *options)
    assert not (copy.folder / "hacked").exists()


@pytest.mark.parametrize(
    "options",
    [
        [],
        pytest.param(["--ignore-errors"], marks=pytest.mark.slow),
        pytest.param(["--single-item", "--glob", "external@*"], marks=pytest.mark.slow),
    ],
)
def test_a_command_in_the_predictions_made_elsewhere_is_never_run(copy: Copy, options: list[str]) -> None:
    change(copy, "evaluate.external", json.dumps({f"x;{COMMAND}": f"{COMMAND}.csv", "rules": f'";{COMMAND}".csv'}))
    copy.run_anyway(*DVC, "repro", *options)
    assert not (copy.folder / "hacked").exists()
