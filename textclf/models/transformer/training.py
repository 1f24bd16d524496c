"""Fine-tuning with AdamW, with a checkpoint every minute."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.dataset import Dataset
from textclf.artifacts.features import Features
from textclf.artifacts.label_sets import of_actual
from textclf.artifacts.layers import OUTPUT, SIGMOIDS
from textclf.artifacts.tokens import PADDING, Tokens
from textclf.core import progress, resources
from textclf.core.errors import UserError
from textclf.models.common import workers
from textclf.models.common.class_weights import row_weights
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.networks.checkpoint import Checkpoint, State
from textclf.models.common.networks.environment import prepare_keras
from textclf.models.common.networks.output_layers import history_table
from textclf.models.transformer import CONTRASTIVE, contrastive
from textclf.models.transformer.batches import (
    class_batches,
    epoch_batches,
    learning_rate,
    pad,
    sorted_batches,
)
from textclf.models.transformer.network import (
    Arrays,
    build_network,
    drawn,
    make_classifier,
    set_pretrained,
    trained_arrays,
)
from textclf.pretrained import bert, catalogue
from textclf.pretrained.bert import Config
from textclf.pretrained.weights import Chosen, read_safetensors

if TYPE_CHECKING:
    import keras

    from textclf.models.transformer import Settings

# Smallest probability that a loss takes the logarithm of, as in Keras.
SMALLEST = 1e-7
# Arrays without weight decay, as in BERT's own training.
NOT_DECAYED = ("beta", "bias", "gamma")
# Copies of the weights on disk: a checkpoint has four (the weights, two moments, the best), and a
# new checkpoint is written beside the last one.
COPIES = 8

Step = Callable[..., Any]


@dataclass(frozen=True)
class Source:
    """Pretrained weights: their name, the sizes of the encoder, and its arrays by their names."""

    name: str
    config: Config
    arrays: Mapping[str, NDArray[np.float32]]


def read_source(folder: Path, chosen: Chosen) -> Source:
    """Return the pretrained weights in `folder` that settings name.

    Raises `UserError` if they are missing or damaged.
    """
    config = bert.read_config(chosen.require(folder, catalogue.CONFIG))
    path = chosen.require(folder, catalogue.WEIGHTS)
    stored = bert.select_weights(read_safetensors(path), config, path)
    arrays = {name: array.astype(np.float32, copy=False) for name, array in stored.items()}
    if config.padding != PADDING:  # the tokens change places, as in the word pieces
        words = arrays[bert.WORDS].copy()
        words[[PADDING, config.padding]] = words[[config.padding, PADDING]]
        arrays[bert.WORDS] = words
    return Source(chosen.name, config, arrays)


def tokens_of(part: Features, source: Source) -> Tokens:
    """Return the first window of each row.

    Raises `UserError` unless its tokens can be of the tokenizer of these weights.
    """
    X: Tokens = part.X
    config = source.config
    rule = f"features must name features of the method wordpieces, made for {source.name}"
    if (X.vocabulary, X.padding) != (config.vocabulary, "post"):
        raise UserError(
            f"{rule}: {config.vocabulary:,} ids, padded at the end (post); "
            f"got {X.vocabulary:,} ids, padded by {X.padding}"
        )
    if X.length > config.positions:
        raise UserError(
            f"the length of the features must be at most {config.positions} for {source.name}; "
            f"got {X.length}"
        )
    windows, first = X.windows()
    return windows[first]


@dataclass(frozen=True)
class Rows:
    """Rows to train on or to watch."""

    tokens: Tokens
    y: NDArray[np.int64]  # (rows,), or (rows, labels)
    weights: NDArray[np.float32]  # in the shape of `y`

    @classmethod
    def of(cls, part: Features, source: Source, settings: "Settings") -> "Rows":
        """Return the rows of a split; `UserError` if its features are not for these weights."""
        weights = row_weights(part, settings.class_weight)
        weights = np.ones(part.y.shape) if weights is None else weights
        return cls(tokens_of(part, source), part.y.astype(np.int64), weights.astype(np.float32))


@dataclass(frozen=True)
class Compiled:
    """A network, its optimizer, and the two functions of `compile_steps`."""

    network: "keras.Model"
    optimizer: "keras.Optimizer"
    run_step: Step
    scores: Step
    # Variables that are not pretrained, with their first values.
    drawn: tuple[tuple[Any, NDArray[Any]], ...]

    def reset(self, arrays: Arrays) -> None:
        """Set all variables as if the network had just been built with these pretrained weights."""
        for variable, value in self.drawn:
            variable.assign(value)
        for variable in self.optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))
        set_pretrained(self.network, arrays)


@lru_cache(maxsize=1)
def compile_network(
    config: Config, classes: int, settings: "Settings", multilabel: bool
) -> Compiled:
    """Return the network of the settings, with random weights, and what trains it.

    Compiling takes as long as a dozen steps, so the last network is kept for the folds of a
    cross-validation.
    """
    network = build_network(config, classes, settings, multilabel)
    objective: Step = classify
    if settings.objective == CONTRASTIVE:
        network, objective = contrastive.without_head(network), contrastive.objective
    optimizer = build_optimizer(network, settings)
    labels = (classes,) if multilabel else ()
    run_step, scores = compile_steps(network, optimizer, objective, labels)
    return Compiled(network, optimizer, run_step, scores, drawn(network))


def fit(train: Dataset, watched: Dataset | None, settings: "Settings", folders: Folders) -> Fitted:
    """Return the network trained on the training rows.

    Its history has the loss on the watched rows, if any. With early stopping the weights are those
    of the epoch with the lowest loss on the watched rows. A training that was killed resumes from
    the scratch folder and ends with the same network. Raises `UserError` if the tokens are not
    those of the pretrained weights, or a loss is not finite.
    """
    if workers.worker_index()[1] > 1:
        raise UserError(
            "TF_CONFIG must name a single worker for the transformer, which trains on one; unset it"
        )
    source = read_source(folders.pretrained, settings.chosen)
    rows = Rows.of(train.all("transformer"), source, settings)
    watched_rows = None
    if watched is not None:
        watched_rows = Rows.of(watched.all("transformer"), source, settings)
    prepare_keras(settings.seed)
    classes = tuple(train.classes.tolist())
    compiled = compile_network(source.config, len(classes), settings, train.multilabel)
    compiled.reset(source.arrays)
    network, is_contrastive = compiled.network, settings.objective == CONTRASTIVE
    if folders.scratch is not None:
        size = COPIES * 4 * network.count_params()
        resources.require_disk(folders.scratch, size, "the checkpoint of the transformer")
    strategy = workers.make_strategy(len(train))
    checkpoint = Checkpoint(network, compiled.optimizer, folders.scratch, settings, strategy)
    state = checkpoint.restore()
    measured = None if is_contrastive else watched_rows
    run_training(compiled, rows, measured, settings, checkpoint, state)
    arrays, length = trained_arrays(network), rows.tokens.length
    if is_contrastive:
        arrays |= contrastive.fit_head(network, rows.tokens, rows.y, rows.weights)
    model = make_classifier(source.config, arrays, classes, length, settings, train.multilabel)
    parameters = sum(array.size for array in arrays.values())
    record = {
        "parameters": parameters,
        "epochs": state.epoch,
        "best_epoch": state.best_epoch or state.epoch,
    }
    # The contrastive loss is of pairs of rows: no loss of the model that is exported.
    return Fitted(model, record, None if is_contrastive else history_table(state.history))


def build_optimizer(network: "keras.Model", settings: "Settings") -> "keras.Optimizer":
    """Return AdamW, built for the network's trainable variables."""
    import keras

    optimizer = keras.optimizers.AdamW(settings.learning_rate, weight_decay=settings.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=list(NOT_DECAYED))
    optimizer.build(network.trainable_variables)
    return optimizer


def run_training(
    compiled: Compiled,
    train: Rows,
    watched: Rows | None,
    settings: "Settings",
    checkpoint: Checkpoint,
    state: State,
) -> None:
    """Train the network from the state on.

    With early stopping the weights become those of the best epoch.
    """
    size, lengths = settings.batch_size, np.diff(train.tokens.starts)
    rows_left = len(train.y) * (settings.epochs - state.epoch) - state.batch * size
    with closing(progress.bar("train", rows_left)) as bar:
        while not state.is_done(settings.epochs, settings.early_stopping):
            if settings.objective == CONTRASTIVE:
                batches = class_batches(train.y, size, settings.seed, state.epoch)
            else:
                batches = epoch_batches(lengths, size, settings.seed, state.epoch)
            steps = settings.epochs * len(batches)
            for batch in batches[state.batch :]:
                step = state.epoch * len(batches) + state.batch
                rate = learning_rate(step, steps, settings.learning_rate, settings.warmup)
                ids = pad(train.tokens[batch])
                loss, correct = compiled.run_step(ids, train.y[batch], train.weights[batch], rate)
                state.add(loss, correct)
                state.batch += 1
                mean = f"{loss / len(batch):.3f}"
                bar.set_postfix(epoch=state.epoch + 1, loss=mean, refresh=False)
                bar.update(len(batch))
                checkpoint.save(state)
            measured = None if watched is None else evaluate(compiled.scores, watched)
            state.end_epoch(len(train.y), measured)
            if settings.early_stopping is not None and state.best_epoch == state.epoch:
                checkpoint.best_weights = compiled.network.get_weights()
    if checkpoint.best_weights is not None:
        compiled.network.set_weights(checkpoint.best_weights)


def classify(scores: Any, y: Any) -> tuple[Any, Any]:
    """Return the cross-entropy of each row or of each of its labels, and which rows are correct."""
    import tensorflow as tf

    if len(y.shape) == 2:
        losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(y, scores.dtype), scores)
        return losses / y.shape[1], tf.reduce_all(tf.cast(scores > 0, y.dtype) == y, axis=1)
    if scores.shape[1] == 1:
        losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(y, scores.dtype), scores[:, 0])
        return losses, tf.cast(scores[:, 0] > 0, y.dtype) == y
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, scores)
    return losses, tf.argmax(scores, axis=1, output_type=y.dtype) == y


def compile_steps(
    network: "keras.Model",
    optimizer: "keras.Optimizer",
    objective: Step = classify,
    labels: tuple[int, ...] = (),
) -> tuple[Step, Step]:
    """Return two functions: one that trains on a batch, and one that returns scores.

    The scores are the outputs of the network, (rows, units) float32. The first takes padded ids
    (rows, tokens), labels and weights (rows, *labels), and the learning rate. It returns the summed
    weighted loss of the rows, before the step, and how many of them are correct, both by the
    `objective`.
    """
    import tensorflow as tf

    variables = network.trainable_variables
    ids = tf.TensorSpec([None, None], tf.int32)
    rows = [tf.TensorSpec([None, *labels], kind) for kind in (tf.int64, tf.float32)]

    @tf.function(input_signature=[ids, *rows])  # one graph for all lengths
    def step(ids: Any, y: Any, weights: Any) -> Any:
        with tf.GradientTape() as tape:
            losses, correct = objective(network(ids, training=True), y)
            loss = tf.reduce_sum(losses * weights)
            mean = loss / tf.cast(tf.shape(ids)[0], loss.dtype)
        gradients = tape.gradient(mean, variables)
        # Of the embeddings it is sparse, a part per token; AdamW would square the parts of a
        # repeated token one by one.
        optimizer.apply([tf.convert_to_tensor(gradient) for gradient in gradients], variables)
        return loss, tf.reduce_sum(tf.cast(correct, tf.int64))

    def run_step(ids: Any, y: Any, weights: Any, rate: float) -> tuple[float, float]:
        optimizer.learning_rate = rate
        loss, correct = step(tf.constant(ids), tf.constant(y), tf.constant(weights))
        return float(loss), float(correct)

    @tf.function(input_signature=[ids])
    def scores(ids: Any) -> Any:
        return network(ids, training=False)

    return run_step, lambda ids: scores(tf.constant(ids)).numpy()


def evaluate(scores: Step, watched: Rows) -> tuple[float, float]:
    """Return mean loss and accuracy over the rows; of several labels a row must have all right."""
    losses, correct, multilabel = 0.0, 0, watched.y.ndim == 2
    for batch in sorted_batches(watched.tokens):
        outputs, y = scores(pad(watched.tokens[batch])).astype(np.float64), watched.y[batch]
        activation = "sigmoid" if outputs.shape[1] == 1 else "softmax"
        probabilities = OUTPUT[SIGMOIDS if multilabel else activation](outputs)
        logarithms = np.log(np.clip(of_actual(probabilities, y), SMALLEST, 1 - SMALLEST))
        losses -= float(logarithms.sum()) / logarithms[0].size
        if multilabel:
            is_correct = ((probabilities > 0.5) == y).all(axis=1)
        else:
            is_correct = probabilities.argmax(axis=1) == y
        correct += int(is_correct.sum())
    return losses / len(watched.y), correct / len(watched.y)
