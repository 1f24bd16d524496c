"""Shell commands as values of params.yaml, and changing tables, through the real DVC."""

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


def test_a_command_in_data_path_is_only_the_name_of_a_file(copy: Copy) -> None:
    name = f'{COMMAND} `touch hacked`;"touch hacked" & \'x.csv'
    (copy.folder / name).write_text(ROWS)
    change(
        copy,
        "data.path",
        json.dumps(name),
        "data.text",
        "text",
        "data.label",
        "label",
        "data.format",
        "csv",
    )
    for options in ([], ["--force", "--single-item"]):
        assert "train: 30 rows" in copy.dvc("repro", *options, "split")
    assert not (copy.folder / "hacked").exists()


@pytest.mark.slow
def test_a_command_in_the_name_of_a_model_or_in_a_file_that_is_named_is_never_run(
    copy: Copy,
) -> None:
    entry = {"kind": "majority", "features": "words"}
    models = {"majority": entry, f"x; touch hacked; {COMMAND}": entry}
    tests = {f"x;{COMMAND}": f"{COMMAND}.yaml", "mine": f'";{COMMAND}".yaml'}
    elsewhere = {f"x;{COMMAND}": f"{COMMAND}.csv", "rules": f'";{COMMAND}".csv'}
    keys = ("train", models), ("behave.tests", tests), ("evaluate.external", elsewhere)
    change(copy, *(part for key, value in keys for part in (key, json.dumps(value))))
    printed, _ = copy.run_anyway(
        *DVC, "repro", "--ignore-errors"
    )  # so that stages run though check fails
    assert "error: check: params.yaml: train" in printed or "ERROR" in printed
    assert not (copy.folder / "hacked").exists()
