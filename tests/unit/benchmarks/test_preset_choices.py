"""How the benchmark of settings for presets weighs held-out rows, and summarizes differences."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from benchmarks.preset_choices import means, rescale, summary


def test_held_out_rows_keep_their_length_without_unknown_columns() -> None:
    train = csr_array(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    test = csr_array(np.array([[0.6, 0.0, 0.8], [0.0, 0.0, 1.0]]))
    assert rescale(train, test).toarray() == pytest.approx(np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    dense = test.toarray()
    assert rescale(train.toarray(), dense) is dense


def test_differences_are_paired_by_row_and_averaged_over_corpora_but_the_pool() -> None:
    base = np.array([[1.0, 0.5], [0.0, 1.5], [1.0, 0.5], [0.0, 1.5]])
    settings = summary({"base": base, "other": base - [0.0, 0.25]}, "base")
    assert settings["other"]["accuracy"] == [0.5, 0.0]
    assert settings["other"]["log_loss"] == pytest.approx([0.75, -0.25])
    corpora = {name: {"settings": settings} for name in ("yelp", "imdb", "pool")}
    assert means(corpora)["other"]["corpora"] == 2
    assert means(corpora)["other"]["log_loss"] == pytest.approx([-0.25, -0.25, -0.25])
