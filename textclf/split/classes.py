"""The rule that both ways to split share: train and test rows of every class."""

from collections.abc import Collection, Mapping

from textclf.artifacts.room import MANY_CLASSES
from textclf.core.errors import UserError


def require_classes(counts: Mapping[str, Mapping[str, int]], advice: str, given: Collection[str] = frozenset()) -> None:
    """Raise `UserError` unless train and test have rows of every class; test rows that are given may lack some.

    `counts` has the number of rows by split and class; `advice` says how the user can change what is drawn; `given` are
    the splits that the table gives.
    """
    classes = {label for by_class in counts.values() for label, rows in by_class.items() if rows}
    for name, adjective, size in (("train", "training", "smaller"), ("test", "test", "larger")):
        if name == "test" and "test" in given:
            continue
        if missing := sorted(label for label in classes if not counts[name].get(label)):
            change = f"{advice}, or a {size} split.test_size"
            if name == "train" and given:
                change = "add some to the table, or leave out its rows in the other splits"
            if len(classes) > MANY_CLASSES:
                change = f"are the labels classes ({len(classes):,}), or texts or ids by mistake? Else {change}"
            raise UserError(
                f"the {adjective} rows must hold every class; class {missing[0]} has none of "
                f"{sum(counts[name].values())}: {change}"
            )
