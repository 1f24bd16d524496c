"""What a model reads, put together from representations."""

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from textclf.artifacts import features, inputs
from textclf.artifacts.features import Features
from textclf.artifacts.inputs import Inputs, Shapes
from textclf.artifacts.plan import ModelPlan
from textclf.core.errors import UserError

COUNTS = np.array([[0, 2], [1, 0], [0, 2]])
VECTORS = np.array([[0.5], [0.25], [1.0]], dtype=np.float32)
IDS, Y, CLASSES = np.array(["a", "b", "c"]), np.array([0, 1, 0]), np.array(["no", "yes"])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Features of words and of sentences, the training rows in two shards."""
    for name, X in (("words", csr_array(COUNTS)), ("sentences", VECTORS)):
        (folder := tmp_path / name).mkdir()
        whole = Features(IDS, X, Y, CLASSES)
        for number, rows in (("train-00001", [0, 1]), ("train-00002", [2]), ("test", [1])):
            features.write(whole.take(np.array(rows)), folder / f"{number}.npz")
        inputs.write_shapes(Shapes(features.kind_of(X), X.shape[1], {}, {}), folder)
    return tmp_path


def combined(root: Path, *names: str) -> Inputs:
    return inputs.combine(ModelPlan("logistic_regression", names, "0" * 64), root)


def test_one_representation_is_read_as_it_is(root: Path) -> None:
    read = combined(root, "words")
    assert (read.names, read.columns, read.blocks[0].scale) == (("words",), 2, 1.0)
    parts = list(inputs.open_features(read, root)["train"])
    assert [part.X.toarray().tolist() for part in parts] == [[[0, 2], [1, 0]], [[0, 2]]]
    assert parts[0].X.dtype == np.int64


def test_several_stand_side_by_side_with_training_rows_of_mean_squared_length_1(root: Path) -> None:
    read = combined(root, "words", "sentences")
    assert read.columns == 3
    opened = inputs.open_features(read, root)
    train = features.concatenate(list(opened["train"]))
    scales = [(3 / 9) ** 0.5, (3 / 1.3125) ** 0.5]
    assert [block.scale for block in read.blocks] == pytest.approx(scales)
    assert train.X.toarray() == pytest.approx(np.hstack([COUNTS * scales[0], VECTORS * scales[1]]))
    for block in (train.X.toarray()[:, :2], train.X.toarray()[:, 2:]):
        assert (block**2).sum(axis=1).mean() == pytest.approx(1)
    assert train.ids.tolist() == ["a", "b", "c"]
    (test,) = opened["test"]
    assert test.X.toarray() == pytest.approx(np.array([[scales[0], 0, 0.25 * scales[1]]]))  # with the training rows'
    assert {path.parent.name for path in opened["train"].files} == {"words", "sentences"}


def test_inputs_read_back(root: Path, tmp_path: Path) -> None:
    read = combined(root, "words", "sentences")
    inputs.write(read, tmp_path / "model.json")
    assert inputs.read(tmp_path / "model.json") == read


@pytest.mark.parametrize("name", ["train-00002.npz", "shapes.json"])
def test_features_that_changed_since_are_refused(root: Path, name: str) -> None:
    read = combined(root, "words", "sentences")
    path = root / "sentences" / name
    path.write_bytes((root / "sentences" / "test.npz").read_bytes())
    with pytest.raises(UserError, match="sentences must be as the stage combine found it; run dvc repro"):
        inputs.open_features(read, root)


def test_rows_that_are_all_empty_have_the_scale_1() -> None:
    assert features.unit_scale(3, 0) == 1.0
