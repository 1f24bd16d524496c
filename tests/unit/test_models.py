from typing import get_args

import pytest

from textclf import models, params


@pytest.mark.parametrize("name", get_args(params.Model))
def test_every_model_that_params_know_has_a_module_and_a_section(name: str) -> None:
    assert callable(models.module(name).fit)
    assert name in params.Train.model_fields
