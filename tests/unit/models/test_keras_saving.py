import zipfile
from pathlib import Path

import pytest

from tests.unit.models import networks

# Of h5py, which reads and writes the weights.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


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
    assert networks.dense_probabilities(network, X) == pytest.approx(fitted.layers.predict_proba(X), abs=1e-6)
