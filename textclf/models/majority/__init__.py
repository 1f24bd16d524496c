"""The floor: every text gets the shares of the classes among the training rows."""

import numpy as np
import scipy

from textclf.artifacts import layers
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.layers import SIGMOIDS
from textclf.core.quoting import list_classes
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.settings import ModelSettings

KIND = "the share of each class among the training rows, whatever the text says"
ACCEPTS = ("sparse", "dense", "tokens")


class Settings(ModelSettings):
    """The share of each class: the floor that a model has to beat; nothing to set."""

    takes_class_texts = False


def fit(train: Dataset, _watched: Dataset | None, _settings: Settings, _folders: Folders) -> Fitted:
    """Return a layer that ignores the text.

    Its bias is the logarithms of class shares, or the log odds of labels.
    """
    shares = train.counts / train.rows
    if train.multilabel:
        bias, activation = scipy.special.logit(shares), SIGMOIDS
    else:
        bias, activation = np.log(shares), "softmax"
    model = layers.linear(train.classes, np.empty((len(shares), 0)), bias, activation)
    by_class = list_classes(dict(zip(train.classes, shares.tolist(), strict=True)), ".3f", unit="")
    summary = f"share of each {'label' if train.multilabel else 'class'}: {by_class}"
    # Of classes, the last share follows from the others.
    free = len(shares) if train.multilabel else len(shares) - 1
    return Fitted(model, {"parameters": free}, summary=summary)
