"""A pretrained BERT with a classification layer, fine-tuned on the training rows with Keras.

Read on in this order: `network` (the network, and its weights as those of the pretrained files),
`batches` (the order of the rows), `training`, `contrastive`.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from textclf.artifacts.dataset import Dataset
from textclf.core import resources
from textclf.core.extras import EXTRAS
from textclf.core.settings import Positive, Section, Seed, relation
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.networks.settings import duration
from textclf.models.common.settings import CLASS_WEIGHT, ClassWeight, ModelSettings
from textclf.pretrained.settings import CHECKSUM, Checksum, NamesWeights, OwnPath

KIND = "a pretrained transformer fine-tuned with Keras"
ACCEPTS = ("tokens",)
CONTRASTIVE = "contrastive"
# Most training rows with which it is cross-validated: with more, each training takes minutes.
CROSSVALIDATED = 3_000
# What TensorFlow reserves, with room for the weights, their gradients and moments.
ADDRESS_SPACE = 6 * resources.GIB


class Settings(ModelSettings, NamesWeights):
    """A pretrained BERT with a classification layer, fine-tuned with Keras."""

    network: ClassVar = True  # whose results depend on the type of the machine
    packages: ClassVar = EXTRAS["pretrained"]

    pretrained: Literal["all-minilm-l6-v2", "all-mpnet-base-v2"] | None = Field(
        "all-minilm-l6-v2",
        description="weights to start from, as of the features; null for your own at path",
    )
    path: OwnPath | None = Field(
        None,
        description="your own folder in data/external with config.json and model.safetensors "
        "of a BERT or MPNet",
    )
    sha256: Checksum | None = Field(None, description=CHECKSUM)
    objective: Literal["classify", "contrastive"] = Field(
        "classify",
        description="classify trains all together; contrastive, for few rows, the encoder, then "
        "logistic regression",
    )
    pooling: Literal["cls", "mean"] = Field(
        "mean",
        description="what stands for the text: the mean over its tokens, or its first token, cls",
    )
    learning_rate: Positive = Field(
        5e-5, description="highest learning rate of AdamW; it falls linearly to 0"
    )
    warmup: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.1, description="share of the steps in which the learning rate rises from 0"
    )
    weight_decay: Annotated[float, Field(ge=0)] = Field(
        0.01, description="weight decay of AdamW, of all matrices"
    )
    batch_size: Annotated[int, Field(ge=1)] = Field(16, description="rows per step")
    epochs: Annotated[int, Field(ge=1)] = Field(
        4, description="passes over the training rows; 3 to 5 are usual"
    )
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.1, description="dropout rate of the pooled vector"
    )
    freeze: Annotated[int, Field(ge=0)] = Field(
        0,
        description="lowest layers, with the embeddings, that keep their pretrained weights; "
        "0 trains everything",
    )
    seed: Seed = Field(
        0, description="seed of the new layer, of dropout and of the order of the rows"
    )
    early_stopping: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="epochs without a lower validation loss before training stops; "
        "null never stops",
    )
    class_weight: ClassWeight = Field(None, description=CLASS_WEIGHT)

    @model_validator(mode="after")
    def _stops_by_a_loss(self) -> "Settings":
        if self.objective == CONTRASTIVE and self.early_stopping is not None:
            raise relation(
                f"early_stopping must be null with objective {CONTRASTIVE}; "
                f"got {self.early_stopping}"
            )
        return self

    def features_rule(self, representation: Section) -> str | None:
        """Return the rule, if it is broken, that the features are word pieces for the weights."""
        method = getattr(representation, "method", None)
        pretrained = getattr(representation, "pretrained", None)
        path = getattr(representation, "path", None)
        if (method, pretrained, path) == ("wordpieces", self.pretrained, self.path):
            return None
        weights, other_weights = self.pretrained or self.path, pretrained or path
        actual = f"{method} of {other_weights}" if other_weights else f"{method}"
        return f"wordpieces of {weights}, the weights that the model starts from; got {actual}"

    def validation_choices(self) -> list[str]:
        """Return early_stopping if it is set: it chooses the epoch on validation rows."""
        return [] if self.early_stopping is None else ["early_stopping"]


def notes(settings: Settings) -> list[str]:
    """Return what the model started from, how long it trained, and where its bytes are the same."""
    trained = duration(settings.epochs, settings.early_stopping)
    if settings.objective == CONTRASTIVE:
        trained += (
            " to bring the vectors of texts of a class together; logistic regression reads these "
            "vectors"
        )
    weights = settings.pretrained or settings.path
    return [
        f"The network started from the pretrained weights {weights} and {trained}.",
        (
            "Training gives the same bytes on machines of the same type only; other CPUs round "
            "differently."
        ),
    ]


def fit(train: Dataset, watched: Dataset | None, settings: Settings, folders: Folders) -> Fitted:
    """Return the network trained on the training rows: see `training.fit`."""
    resources.require_address_space(ADDRESS_SPACE, KIND)
    from textclf.models.transformer import training

    return training.fit(train, watched, settings, folders)
