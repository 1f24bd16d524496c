"""The network before it is trained, and what becomes of one that is."""

import gc
import sys
import zipfile
from pathlib import Path
from typing import get_args

import pytest

from tests import samples
from tests.unit.models import networks
from tests.unit.models.networks import TERMS
from textclf.core.errors import UserError
from textclf.models.common.networks import environment
from textclf.models.common.networks.settings import Activation
from textclf.models.keras import build

# Of h5py, which reads and writes the weights.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.mark.parametrize(
    ("classes", "output", "parameters"), [(2, (1, "sigmoid"), 17_161), (3, (3, "softmax"), 17_183)]
)
def test_the_network_is_that_of_the_lesson_and_ends_in_softmax_for_more_than_two_classes(
    classes: int, output: tuple[int, str], parameters: int
) -> None:
    network = build.build_network(1714, classes, networks.settings(units=[10]))
    assert [
        (layer.__class__.__name__, layer.units, layer.activation.__name__)
        for layer in network.layers
    ] == [
        ("Dense", 10, "relu"),
        ("Dense", *output),
    ]
    assert network.count_params() == parameters


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("activation", get_args(Activation))
def test_its_layers_predict_what_keras_predicts(
    tmp_path: Path, activation: str, classes: int
) -> None:
    network = build.build_network(TERMS, classes, networks.settings(activation=activation))
    for (
        layer
    ) in network.layers:  # larger than at the start, where all activations are nearly linear
        layer.set_weights([8 * weights + 0.1 for weights in layer.get_weights()])
    names = tuple(str(number) for number in range(classes))
    model = samples.write_and_read(build.layer_model(network, names), tmp_path)
    X = networks.rows().X
    probabilities = model.predict_proba(X)
    assert model.classes == names
    # Keras computes in float32, whose rounding such large weights make larger, in another way on
    # each kind of CPU.
    assert probabilities == pytest.approx(networks.dense_probabilities(network, X), abs=1e-4)
    assert probabilities.min() >= 0
    assert probabilities.sum(axis=1) == pytest.approx([1.0] * len(probabilities), abs=1e-15)


# The environment in which Keras is imported.

USERS = {
    "HOME": "/users/ada",
    "KERAS_BACKEND": "jax",
    "KERAS_MAX_EPOCHS": "1",
    "TF_CONFIG": "{}",
    "TF_CPP_MIN_LOG_LEVEL": "0",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2",
    "XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2",
}
OWN = {"KERAS_BACKEND": "tensorflow", "KERAS_HOME": "/dev/null"}
KEPT = {name: USERS[name] for name in ("HOME", "TF_CONFIG", "TF_CPP_MIN_LOG_LEVEL")}
AVX2 = {"XLA_FLAGS": "--xla_cpu_max_isa=AVX2"}


@pytest.mark.parametrize(
    ("users", "x86", "expected"),
    [
        (USERS, True, KEPT | OWN | AVX2),
        (USERS, False, KEPT | OWN),
        ({}, True, OWN | AVX2),
        (USERS | {"TEXTCLF_DEVICE": "cpu"}, True, KEPT | OWN | AVX2 | {"TEXTCLF_DEVICE": "cpu"}),
    ],
)
def test_variables_of_keras_and_tensorflow_are_set_whatever_the_user_has(
    users: dict[str, str], x86: bool, expected: dict[str, str]
) -> None:
    assert environment.keras_environment(users, x86) == expected


def test_on_a_gpu_the_variables_of_tensorflow_are_the_users() -> None:
    users = USERS | {"TEXTCLF_DEVICE": "gpu"}
    expected = {name: value for name, value in users.items() if not name.startswith("KERAS_")} | OWN
    assert environment.keras_environment(users, x86=True) == expected


def test_a_device_that_is_neither_cpu_nor_gpu_is_refused() -> None:
    with pytest.raises(UserError, match="TEXTCLF_DEVICE must be cpu or gpu; got 'GPU:0'"):
        environment.keras_environment({"TEXTCLF_DEVICE": "GPU:0"}, x86=True)


def test_no_garbage_is_collected_while_keras_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    class Finder:
        def find_spec(self, name: str, *_: object) -> None:
            collected.append((name, gc.isenabled()))

    collected: list[tuple[str, bool]] = []
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder()])
    with pytest.raises(ModuleNotFoundError):
        environment.import_keras()
    assert collected == [("keras", False)]
    assert gc.isenabled()


@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_saved_network_opens_without_custom_objects_and_predicts_as_the_layers(
    tmp_path: Path, early_stopping: bool
) -> None:
    from keras.saving import load_model

    fitted = networks.fit_stopping(40, 3) if early_stopping else networks.fit_deep()
    path = tmp_path / "model.keras"
    fitted.files["model.keras"](path)
    network = load_model(path, safe_mode=True)
    with zipfile.ZipFile(path) as archive:  # the same bytes at another time
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"shared_object_id" not in archive.read("config.json")
    assert network.__class__.__name__ == "Sequential"
    X = networks.rows().X
    assert networks.dense_probabilities(network, X) == pytest.approx(
        fitted.layers.predict_proba(X), abs=1e-6
    )
