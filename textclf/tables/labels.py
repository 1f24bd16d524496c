"""Labels as they are written and as they are probably meant, and other doubts about them."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping

from textclf.core.hashing import normalize_text
from textclf.core.settings import to_yaml
from textclf.tables.values import SEPARATORS

WHOLE = re.compile(r"^([+-]?\d+)[.,]0+$")  # an integer that was stored as a decimal


def look_alikes(classes: Mapping[str, int]) -> dict[str, str]:
    """Return labels that are probably written in another form than is meant, and the label that is: data.labels.

    Labels are alike if they differ in case, white space or Unicode form, or are an integer and a decimal, as 1 and 1.0.
    The most frequent one is meant, without white space around it, also if it is alone. `classes` has the rows of each.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for label in classes:
        groups[WHOLE.sub(r"\1", normalize_text(label))].append(label)
    most = [(max(group, key=lambda label: (classes[label], -len(label), label)), group) for group in groups.values()]
    meant = [(unicodedata.normalize("NFC", frequent.strip()), group) for frequent, group in most]
    return {label: name for name, group in meant for label in group if label != name}


def describe_look_alikes(classes: Mapping[str, int]) -> str:
    """Return each label that looks like another, or has white space around it, with the numbers of rows of both."""
    named = {each: repr(each) if unicodedata.is_normalized("NFC", each) else ascii(each) for each in classes}
    return ", ".join(
        f"{named[label]} ({classes[label]:,}) as {name!r} ({classes.get(name, 0):,})"
        for label, name in look_alikes(classes).items()
    )


def doubts(classes: Mapping[str, int], multilabel: bool) -> list[str]:
    """Return a line if labels look alike, and one if half of them contain a separator, so that each may be several.

    `classes` has the number of rows of each label; `multilabel`: a text has a set of them.
    """
    lines = []
    if alike := describe_look_alikes(classes):
        setting = f"data.labels: {to_yaml(look_alikes(classes))}"
        lines = [f"warning: labels that look alike: {alike}; if they are the same, set {setting}"]
    marks = [mark for mark in SEPARATORS if 2 * sum(mark in name for name in classes) >= len(classes)]
    told = "is in many labels; if it separates labels of a text, set data.task to multilabel and data.label_separator"
    return lines + [f"{mark!r} {told} to it" for mark in marks[:1] if not multilabel]
