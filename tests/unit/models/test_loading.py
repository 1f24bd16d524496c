"""Models by their names."""

import pytest

from textclf.core.errors import UserError
from textclf.models.common.loading import load_model
from textclf.models.common.settings import ModelSettings
from textclf.models.settings import KINDS


@pytest.mark.parametrize("name", KINDS)
def test_every_model_that_params_may_name_has_what_a_model_package_must_offer(name: str) -> None:
    package = load_model(name)
    assert callable(package.fit)
    assert package.KIND
    assert issubclass(package.Settings, ModelSettings)


@pytest.mark.parametrize("name", ["common", "settings", "svm", "", "keras.build", "../keras"])
def test_an_unknown_name_is_refused_in_one_line_that_lists_the_models(name: str) -> None:
    with pytest.raises(UserError) as error:
        load_model(name)
    assert error.value.lines == (f"kind must be one of {', '.join(sorted(KINDS))}; got {name!r}",)
