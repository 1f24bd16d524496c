"""Fine-tuning a tiny BERT: its network, its training, and what it predicts by onnxruntime."""

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import samples, tiny_bert
from tests.unit.models import berts
from textclf.artifacts.features import Features
from textclf.artifacts.onnx_classifier import OnnxClassifier
from textclf.core.errors import UserError
from textclf.core.settings import Section
from textclf.models import transformer
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.networks import checkpoint
from textclf.models.common.networks.environment import prepare_keras
from textclf.models.transformer import network, training
from textclf.models.transformer.batches import epoch_batches, learning_rate, pad, sorted_batches
from textclf.pretrained import bert
from textclf.vectorize.wordpieces.settings import Settings as Pieces


class Terms(Section):
    method: str = "terms"


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    return berts.folders(tmp_path, monkeypatch)


def bits(fitted: Fitted) -> list[bytes]:
    assert isinstance(fitted.layers, OnnxClassifier)
    assert fitted.history is not None
    return [fitted.layers.content, repr(fitted.history.to_dict("records")).encode()]


# The order of the rows


def test_every_epoch_has_each_row_once_in_an_order_of_its_own() -> None:
    lengths = np.random.default_rng(0).integers(1, 50, 203)
    first, second = (epoch_batches(lengths, 4, seed=3, epoch=epoch) for epoch in (0, 1))
    assert sorted(len(batch) for batch in first) == [3] + [4] * 50
    assert sorted(np.concatenate(first)) == sorted(np.concatenate(second)) == list(range(203))
    assert np.concatenate(first).tolist() != np.concatenate(second).tolist()
    for batch, again in zip(first, epoch_batches(lengths, 4, seed=3, epoch=0), strict=True):
        np.testing.assert_array_equal(batch, again)


def test_batches_are_of_similar_lengths_but_in_random_order() -> None:
    lengths = np.random.default_rng(0).integers(1, 50, 320)
    longest = np.array(
        [lengths[batch].max() for batch in epoch_batches(lengths, 4, seed=0, epoch=0)]
    )
    unsorted = lengths[np.random.default_rng(0).permutation(320)].reshape(80, 4).max(axis=1)
    assert longest.mean() < 0.8 * unsorted.mean()
    assert abs(np.corrcoef(np.arange(80), longest)[0, 1]) < 0.3


def test_rows_are_predicted_once_and_padded_little() -> None:
    tokens = berts.tokens(200)
    batches = list(sorted_batches(tokens))
    assert sorted(np.concatenate(batches)) == list(range(200))
    widths = [pad(tokens[batch]).shape[1] for batch in batches]
    assert widths == sorted(widths)
    assert widths[-1] == np.diff(tokens.starts).max()


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5])
def test_the_learning_rate_rises_in_the_warmup_and_falls_linearly_to_zero(warmup: float) -> None:
    rates = [learning_rate(step, 100, 2.0, warmup) for step in range(101)]
    top = int(np.argmax(rates))
    assert top == round(100 * warmup)
    assert rates[top] == 2.0
    assert rates[100] == 0.0
    np.testing.assert_allclose(np.diff(rates[top:]), -2.0 / (100 - top))
    assert all(earlier < later for earlier, later in itertools.pairwise(rates[: top + 1]))


# The network


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu"])
@pytest.mark.parametrize("kind", [{}, berts.MPNET])
def test_the_graph_gives_the_scores_of_the_network(
    tmp_path: Path, classes: int, pooling: str, activation: str, kind: dict[str, object]
) -> None:
    settings = berts.settings(pooling=pooling)
    prepare_keras(settings.seed)
    sizes = berts.config(tmp_path, hidden_act=activation, num_hidden_layers=2, **kind)
    trained = network.build_network(sizes, classes, settings)
    network.set_pretrained(trained, berts.arrays(sizes))
    names = tuple(f"class {number}" for number in range(classes))
    model = network.make_classifier(
        sizes, network.trained_arrays(trained), names, berts.LENGTH, settings
    )
    tokens = berts.tokens()
    scores = np.asarray(trained(pad(tokens)), dtype=np.float64)
    odds = np.hstack([np.zeros_like(scores), scores]) if classes == 2 else scores
    expected = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(tokens), expected, atol=1e-5)


def test_padding_of_another_id_and_token_0_change_places(folders: Folders) -> None:
    (folders.pretrained / berts.NAME / "config.json").write_text(
        json.dumps(berts.CONFIG | {"pad_token_id": 3})
    )
    source = training.read_source(folders.pretrained, berts.settings().chosen)
    words = berts.arrays(source.config)[bert.WORDS]
    expected = words[[3, 1, 2, 0, *range(4, len(words))]]
    np.testing.assert_array_equal(source.arrays[bert.WORDS], expected)


# Training


@pytest.mark.parametrize("classes", [2, 3])
def test_training_learns_the_rows(folders: Folders, classes: int) -> None:
    fitted = berts.fit(
        berts.rows(60, classes), berts.rows(9, classes, 1), berts.settings(epochs=12), folders
    )
    assert fitted.history is not None
    train = fitted.history[fitted.history["split"] == "train"]
    assert train["loss"].iloc[-1] < 0.5 * train["loss"].iloc[0]
    assert fitted.record["epochs"] == 12
    probabilities = fitted.layers.predict_proba(berts.rows(60, classes).X)
    assert (probabilities.argmax(axis=1) == berts.rows(60, classes).y).mean() > 0.9


def test_watched_rows_change_nothing_and_may_be_missing(folders: Folders) -> None:
    train, alone = berts.rows(20), Folders(folders.pretrained)
    fitted = [
        transformer.fit(samples.dataset(train), watched, berts.settings(), alone)
        for watched in (None, samples.dataset(berts.rows(9)))
    ]
    assert [set(each.history["split"]) for each in fitted if each.history is not None] == [
        {"train"},
        {"train", "watched"},
    ]
    first, second = (each.layers.predict_proba(train.X) for each in fitted)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("saved", "patience"),
    [
        pytest.param(2, None, id="within an epoch"),
        pytest.param(6, 1, id="early stopping", marks=pytest.mark.nightly),
    ],
)
def test_a_training_that_was_killed_ends_in_the_same_bytes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    folders: Folders,
    saved: int,
    patience: int | None,
) -> None:
    settings = berts.settings(early_stopping=patience, learning_rate=0.05)
    other = Folders(folders.pretrained, tmp_path / "other")
    undisturbed = bits(berts.fit(berts.rows(), berts.rows(9), settings, other))
    monkeypatch.setattr(checkpoint, "INTERVAL", 0.0)  # a checkpoint after every step
    calls = itertools.count(1)
    save = checkpoint.Checkpoint.save

    def killed(self: checkpoint.Checkpoint, state: checkpoint.State) -> None:
        save(self, state)
        if next(calls) == saved:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint.Checkpoint, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        berts.fit(berts.rows(), berts.rows(9), settings, folders)
    monkeypatch.setattr(checkpoint.Checkpoint, "save", save)
    steps = itertools.count()
    compile_steps = training.compile_steps

    def counted(*arguments: Any) -> Any:
        run_step, scores = compile_steps(*arguments)
        return lambda *batch: (next(steps), run_step(*batch))[1], scores

    monkeypatch.setattr(training, "compile_steps", counted)
    training.compile_network.cache_clear()
    resumed = berts.fit(berts.rows(), berts.rows(9), settings, folders)
    assert bits(resumed) == undisturbed
    assert next(steps) < 4 * int(
        resumed.record["epochs"]
    )  # of the 4 steps per epoch, some were not made again


def test_early_stopping_takes_the_weights_of_the_best_epoch(folders: Folders) -> None:
    train = berts.rows()
    wrong = Features(train.ids, train.X, 1 - train.y, train.classes)  # its loss can only rise
    stopped = berts.fit(train, wrong, berts.settings(early_stopping=1, epochs=9), folders)
    assert stopped.record["best_epoch"] < stopped.record["epochs"] < 9
    assert stopped.history is not None
    watched = stopped.history["loss"][stopped.history["split"] == "watched"]
    probabilities = stopped.layers.predict_proba(wrong.X)
    of_label = probabilities[np.arange(len(wrong.y)), wrong.y]
    assert -np.log(of_label).mean() == pytest.approx(watched.min(), abs=1e-5)


def test_a_token_that_is_repeated_takes_one_step_of_the_optimizer(tmp_path: Path) -> None:
    settings = berts.settings(dropout=0.0, weight_decay=0.0)
    prepare_keras(settings.seed)
    sizes = berts.config(tmp_path)
    trained = network.build_network(sizes, 2, settings)
    network.set_pretrained(trained, berts.arrays(sizes))
    run_step, _ = training.compile_steps(trained, training.build_optimizer(trained, settings))
    embedding = trained.get_layer("embeddings.word_embeddings").embeddings
    before = np.asarray(embedding).copy()
    run_step(np.full((1, 6), 7, np.int32), np.zeros(1, np.int64), np.ones(1, np.float32), 0.01)
    step = np.abs(np.asarray(embedding) - before)
    np.testing.assert_allclose(
        step[7], 0.01, rtol=0.01
    )  # AdamW's first step, whatever the gradient
    assert not np.delete(step, 7, axis=0).any()


def test_it_trains_on_the_first_window_of_each_row(tmp_path: Path, folders: Folders) -> None:
    first = berts.rows()
    pieces = [first.X[[row]].ids for row in range(30)]
    long = [
        np.append(piece, piece[:4]) if len(piece) == berts.LENGTH else piece for piece in pieces
    ]
    ids, starts = np.concatenate(long), np.cumsum([0, *map(len, long)])
    assert len(ids) > first.X.nnz
    in_windows = replace(first, X=replace(first.X, ids=ids, starts=starts))
    settings = berts.settings(epochs=1)
    fits = [
        berts.fit(rows, rows, settings, Folders(folders.pretrained, tmp_path / str(number)))
        for number, rows in enumerate((first, in_windows))
    ]
    assert bits(fits[0]) == bits(fits[1])


@pytest.mark.parametrize("kind", [{}, berts.MPNET])
def test_frozen_layers_keep_their_weights(tmp_path: Path, kind: dict[str, object]) -> None:
    settings = berts.settings(freeze=1)
    prepare_keras(settings.seed)
    sizes = berts.config(tmp_path, num_hidden_layers=2, **kind)
    trained = network.build_network(sizes, 2, settings)
    changed = {variable.path.split("/")[0] for variable in trained.trainable_variables}
    assert {name.removeprefix("encoder.layer.")[0] for name in changed} == {"1", "c"}
    assert "classifier" in changed


# What is refused


def test_tokens_of_another_tokenizer_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = berts.folders(tmp_path, monkeypatch, vocab_size=21)
    with pytest.raises(
        UserError, match=r": 21 ids, padded at the end \(post\); got 20 ids, padded by post$"
    ):
        berts.fit(berts.rows(), berts.rows(), berts.settings(), folders)


def test_rows_longer_than_the_positions_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = berts.folders(tmp_path, monkeypatch, max_position_embeddings=8)
    with pytest.raises(
        UserError, match=r"^the length of the features must be at most 8 for .*; got 9$"
    ):
        berts.fit(berts.rows(), berts.rows(), berts.settings(), folders)


def test_weights_of_your_own_must_have_their_checksum(tmp_path: Path, folders: Folders) -> None:
    own = folders.pretrained / berts.NAME
    right = tiny_bert.checksum(own)
    named = {"pretrained": None, "path": str(own), "epochs": 1}
    fitted = berts.fit(berts.rows(), berts.rows(9), berts.settings(**named, sha256=right), folders)
    same = berts.fit(
        berts.rows(),
        berts.rows(9),
        berts.settings(epochs=1),
        Folders(folders.pretrained, tmp_path / "other"),
    )
    assert bits(fitted) == bits(same)
    wrong = berts.settings(**named, sha256="0" * 64)
    with pytest.raises(UserError, match=f"; got {'0' * 64}; set it to {right} in params.yaml"):
        berts.fit(berts.rows(), berts.rows(9), wrong, folders)


@pytest.mark.parametrize(
    ("made", "got"),
    [
        (Pieces(), None),
        (Pieces(length=50), None),
        (Pieces(pretrained="all-minilm-l6-v2-int8"), "wordpieces of all-minilm-l6-v2-int8"),
        (Pieces(pretrained=None, path="mine", sha256="0" * 64), "wordpieces of mine"),
        (Terms(), "terms"),
    ],
)
def test_the_features_must_be_word_pieces_of_the_same_weights(
    made: Section, got: str | None
) -> None:
    rule = f"wordpieces of all-minilm-l6-v2, the weights that the model starts from; got {got}"
    assert berts.settings().features_rule(made) == (None if got is None else rule)


def test_a_learning_rate_at_which_the_loss_is_not_finite_is_named(folders: Folders) -> None:
    with pytest.raises(
        UserError,
        match=r"^the loss must stay finite; got nan in epoch \d; set a lower learning_rate$",
    ):
        berts.fit(berts.rows(), berts.rows(), berts.settings(learning_rate=1e30), folders)


def test_several_workers_are_refused(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}'
    monkeypatch.setenv("TF_CONFIG", cluster)
    with pytest.raises(UserError, match=r"^TF_CONFIG must name a single worker"):
        berts.fit(berts.rows(), berts.rows(), berts.settings(), folders)
