"""Splits that the table gives, through the whole pipeline: a folder of the shape of SST-2."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests import verify
from tests.verify import Copy
from textclf.artifacts import splits

SIZES = {"train": 400, "dev": 87, "test": 182}
CHANGES = ("data.path=sst2", "data.text=sentence", "~train.logistic_regression", "~train.keras", "export.model=null")
SETTINGS = tuple(word for change in CHANGES for word in ("-S", change))


def write_sst2(folder: Path) -> dict[str, list[str]]:
    """Write the files and return the texts of each split."""
    folder.mkdir()
    texts = {}
    for name, size in SIZES.items():
        texts[name] = [f"a film {name} {'good' if number % 2 else 'bad'} {number}" for number in range(size)]
        rows = pd.DataFrame({"sentence": texts[name], "label": [number % 2 for number in range(size)]})
        rows.to_csv(folder / f"{name}.tsv", sep="\t", index=False)
    return texts


def written(copy: Copy) -> dict[str, list[str]]:
    return {name: sorted(rows["text"]) for name, rows in splits.read(copy.folder / "data/splits").items()}


@pytest.mark.slow
def test_a_folder_of_train_dev_and_test_keeps_its_splits_and_is_tracked(workshop: Callable[[], Copy]) -> None:
    copy = workshop()
    texts = write_sst2(copy.folder / "sst2")
    given = {"train": sorted(texts["train"]), "validation": sorted(texts["dev"]), "test": sorted(texts["test"])}
    printed = copy.dvc("exp", "run", *SETTINGS)
    assert "splits as given by files: train from train.tsv, validation from dev.tsv, test from test.tsv" in printed
    assert "test: 182 rows, as given; split.test_size is not used" in printed
    assert written(copy) == given
    report = json.loads((copy.folder / "metrics/splits.json").read_text())
    assert report["given"] == {"train": 400, "validation": 87, "test": 182}
    sentence = "400 rows for training, 87 for validation and 182 for testing, as the table gives them by its files."
    for page in ("reports/report.html", "models/majority/README.md"):
        assert sentence in (copy.folder / page).read_text(encoding="utf-8")
    # The files of all splits are inputs: a change of the test set runs the stages that read it.
    with (copy.folder / "sst2/test.tsv").open("a", encoding="utf-8") as file:
        file.write("a film that is new\t1\n")
    assert "split" in verify.stages_run(copy.dvc("repro", "split"))
    assert len(written(copy)["test"]) == 183
    # The test file has no labels worth testing on: the development rows are the test set.
    printed = copy.dvc("exp", "run", "-S", "data.files={train: train.tsv, test: dev.tsv}", "split")
    assert "splits as given by files: train from train.tsv, test from dev.tsv\n" in printed
    assert written(copy) == {"train": given["train"], "test": given["validation"]}
