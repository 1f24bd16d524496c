"""The settings that all networks share."""

from typing import Annotated, Literal, Protocol

from pydantic import Field

from textclf.core import resources
from textclf.core.formatting import count_noun
from textclf.core.settings import Seed
from textclf.models.common.settings import CLASS_WEIGHT, ClassWeight, ModelSettings

ADDRESS_SPACE = 5 * resources.GIB  # what TensorFlow reserves; measured: 4.0 GB
Activation = Literal["elu", "gelu", "leaky_relu", "linear", "relu", "selu", "sigmoid", "softplus", "tanh"]
Optimizer = Literal["adagrad", "adam", "adamw", "nadam", "rmsprop", "sgd"]
Units = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(strict=False)]  # a YAML list may fill a tuple


class EpochSettings(Protocol):
    """What every training in epochs reads of its settings."""

    @property
    def seed(self) -> int:
        """The seed of all random numbers."""

    @property
    def epochs(self) -> int:
        """How many epochs there are at most."""

    @property
    def early_stopping(self) -> int | None:
        """After how many epochs without a lower validation loss the training stops; None if it does not."""


class NetworkSettings(ModelSettings):
    """Base of the settings of a network that Keras trains."""

    units: Units = Field((10,), description="width of each hidden layer; [] is logistic regression, [64, 32] is deeper")
    activation: Activation = Field("relu", description="activation of the hidden layers")
    optimizer: Optimizer = Field("adam", description="adagrad, adam, adamw, nadam, rmsprop or sgd")
    learning_rate: Annotated[float, Field(gt=0)] = Field(
        0.001, description="learning rate of the optimizer; 0.001 is Keras's default for adam"
    )
    epochs: Annotated[int, Field(ge=1)] = Field(
        100, description="passes over the training rows; beyond about 25 this network only overfits"
    )
    batch_size: Annotated[int, Field(ge=1)] = Field(10, description="rows per step; larger is faster and smoother")
    seed: Seed = Field(0, description="seed of the initial weights and of the order of the rows")
    early_stopping: Annotated[int, Field(ge=1)] | None = Field(
        None, description="epochs without a lower validation loss before training stops; 10 is usual, null never stops"
    )
    class_weight: ClassWeight = Field(None, description=CLASS_WEIGHT)

    def validation_choices(self) -> list[str]:
        """Return early_stopping if it is set: it chooses the epoch on validation rows."""
        return [] if self.early_stopping is None else ["early_stopping"]


def notes(settings: NetworkSettings) -> list[str]:
    """Return for how long the network trained, and which epoch was taken."""
    epochs, patience = count_noun(settings.epochs, "epoch"), settings.early_stopping
    if patience is None:
        return [f"The network trained for all of its {epochs}."]
    return [
        (
            f"The network trained for {epochs} at most, or until {count_noun(patience, 'epoch')} brought no lower loss "
            "on the validation rows; the weights are those of the epoch with the lowest."
        )
    ]
