"""The files of a network whose weights differ from those made again."""

from pathlib import Path
from types import ModuleType

import pytest

from tests.unit.models.test_sequences import each_kind, fit
from textclf.models.common.fitted import Fitted
from textclf.verify import rederive


# Of h5py, which writes the weights.
@each_kind
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_network_is_right_if_it_has_the_weights_beside_it(
    package: ModuleType, own: dict[str, object], tmp_path: Path
) -> None:
    folders = []
    for seed in (0, 1):
        fitted: Fitted = fit(package, **own, seed=seed)
        folders.append(tmp_path / str(seed))
        folders[-1].mkdir()
        fitted.write(folders[-1])
    model, made = folders
    name = rederive.NETWORK
    assert (model / name).read_bytes() != (made / name).read_bytes()
    assert rederive._agrees(model, made, name, 1e-3)
    third = fit(package, **own, seed=2)
    third.files[name](model / name)
    assert not rederive._agrees(model, made, name, 1e-3)
    (model / name).write_bytes(b"garbage")
    assert not rederive._agrees(model, made, name, 1e-3)
