"""The rule that both ways to split share: train and test rows of every class."""

from collections.abc import Mapping

from textclf.core.errors import UserError


def require_classes(counts: Mapping[str, Mapping[str, int]], advice: str) -> None:
    """Raise `UserError` unless train and test have rows of every class.

    `counts` has the number of rows by split and class; `advice` says how the user can change the split.
    """
    classes = {label for by_class in counts.values() for label, rows in by_class.items() if rows}
    for name, adjective, size in (("train", "training", "smaller"), ("test", "test", "larger")):
        if missing := sorted(label for label in classes if not counts[name].get(label)):
            raise UserError(
                f"the {adjective} rows must hold every class; class {missing[0]} has none of "
                f"{sum(counts[name].values())}: {advice}, or a {size} split.test_size"
            )
