"""The part of a split that is left to draw if the table gives some of the splits."""

from collections.abc import Collection

from textclf.core.errors import UserError
from textclf.core.formatting import join_names
from textclf.split.settings import Split

DRAWN = ("test", "validation")  # in the order in which they are taken from the training rows


def draw_the_rest(settings: Split, given: Collection[str]) -> Split:
    """Return the settings with size 0 for each split that the table gives; `given` are its splits, if any.

    Raises `UserError` if there would be no rows to train on or to test on.
    """
    if given and "train" not in given:
        raise UserError(
            f"the table must give rows to train on; got only {join_names(sorted(given))} rows: add training rows, "
            "or set data.split to null to split all rows anew"
        )
    if "test" not in given and not settings.test_size:
        raise UserError(
            "params.yaml: split.test_size must be greater than 0 unless the table gives test rows (data.split); got 0.0"
        )
    return settings.model_copy(update={f"{name}_size": 0.0 for name in DRAWN if name in given})
