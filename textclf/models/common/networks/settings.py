"""The settings that all networks share."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from textclf.core import resources
from textclf.core.formatting import count_noun
from textclf.core.settings import Name, Section, Seed
from textclf.models.common.settings import (
    CLASS_WEIGHT,
    TEACHER,
    ClassWeight,
    ModelSettings,
    teacher_notes,
)

# What TensorFlow reserves; measured: 4.0 GB.
ADDRESS_SPACE = 5 * resources.GIB
Activation = Literal[
    "elu", "gelu", "leaky_relu", "linear", "relu", "selu", "sigmoid", "softplus", "tanh"
]
Optimizer = Literal["adagrad", "adam", "adamw", "nadam", "rmsprop", "sgd"]
# A YAML list may fill a tuple.
Units = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(strict=False)]


class NetworkSettings(ModelSettings):
    """Base of the settings of a network that Keras trains."""

    network: ClassVar = True  # whose results depend on the type of the machine
    packages: ClassVar = ("keras", "tensorflow")

    units: Units = Field(
        (10,),
        description="width of each hidden layer; [] is logistic regression, [64, 32] is deeper",
    )
    activation: Activation = Field("relu", description="activation of the hidden layers")
    optimizer: Optimizer = Field("adam", description="adagrad, adam, adamw, nadam, rmsprop or sgd")
    learning_rate: Annotated[float, Field(gt=0)] = Field(
        0.001, description="learning rate of the optimizer; 0.001 is Keras's default for adam"
    )
    epochs: Annotated[int, Field(ge=1)] = Field(
        100, description="passes over the training rows; beyond about 25 this network only overfits"
    )
    batch_size: Annotated[int, Field(ge=1)] = Field(
        10, description="rows per step; larger is faster and smoother"
    )
    seed: Seed = Field(0, description="seed of the initial weights and of the order of the rows")
    early_stopping: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="epochs without a lower validation loss before training stops; "
        "10 is usual, null never stops",
    )
    class_weight: ClassWeight = Field(None, description=CLASS_WEIGHT)
    teacher: Name | None = Field(None, description=TEACHER)

    def validation_choices(self) -> list[str]:
        """Return early_stopping if it is set: it chooses the epoch on validation rows."""
        return [] if self.early_stopping is None else ["early_stopping"]


class SequenceSettings(NetworkSettings):
    """Base of the settings of a network over token ids."""

    dimensions: Annotated[int, Field(ge=1)] = Field(
        50, description="length of the vector of each token"
    )
    vectors: Literal["frozen", "trained"] | None = Field(
        None,
        description="frozen or trained: start from the representation's pretrained vectors; "
        "null: from the seed",
    )

    def features_rule(self, representation: Section) -> str | None:
        """Return the rule, if broken, that texts are no windows or that the vectors exist."""
        if getattr(representation, "window", "first") != "first":
            return (
                "word pieces whose window is first: the model transformer alone predicts several "
                "windows of a text"
            )
        if self.vectors is None or getattr(representation, "vectors", None) is not None:
            return None
        return (
            f"a representation with pretrained vectors if vectors is {self.vectors}; "
            "set its own setting vectors"
        )


def notes(settings: NetworkSettings) -> list[str]:
    """Return how long the network trained, which epoch was taken, and the teacher, if any."""
    return [
        f"The network {duration(settings.epochs, settings.early_stopping)}.",
        *teacher_notes(settings),
    ]


def duration(epochs: int, patience: int | None) -> str:
    """Return how long a network trained.

    With `patience` it stops after so many epochs without a lower validation loss.
    """
    most = count_noun(epochs, "epoch")
    if patience is None:
        return f"trained for all of its {most}"
    return (
        f"trained for {most} at most, or until {count_noun(patience, 'epoch')} brought no lower "
        "loss on the validation rows; the weights are those of the epoch with the lowest"
    )
