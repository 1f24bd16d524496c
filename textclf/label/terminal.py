"""Rows answered in a terminal."""

from collections.abc import Sequence

from textclf.core.errors import UserError
from textclf.core.failures import complain, lines_of
from textclf.core.labels import visible
from textclf.core.quoting import list_names, quote_value
from textclf.label.session import Label, Session

HELP = (
    "type the number, name or beginning of a label{several}, or +name for a new one; Enter takes the {default} label; "
    "d {discards}, s skips it, u undoes, q quits"
)
SEVERAL = " (several with commas between, - for none)"


def ask(session: Session) -> None:
    """Print one text after the other and store the answers, until all have one or the input ends."""
    several = session.answers.multilabel
    answered: list[str] = []
    skipped: list[str] = []
    listed: list[Label] | None = None
    row = session.row()
    while row is not None:
        seen, opened = session.see(row), ""
        if listed != (listed := session.labels()):
            print(*(f"{label.key:>4} {label.shown}" for label in listed), sep="\n")
            default, discards = ("given", "is unclear") if row.given else ("suggested", "discards the text")
            print(HELP.format(several=SEVERAL * several, default=default, discards=discards))
        facts = "; ".join(f"{name}: {fact}" for name, fact in seen["facts"].items())
        print("", visible(row.text), facts, sep="\n")
        try:
            match said := input("> ").strip():
                case "q":
                    return
                case "s":
                    skipped = [*(each for each in skipped if each != row.id), row.id]
                case "u":
                    for last in answered[-1:]:
                        session.answers.undo(last)
                        opened = answered.pop()
                case _:
                    session.answer(row.id, None if said == "d" else _labels(said, listed, seen["default"], several))
                    answered.append(row.id)
        except EOFError:
            print()
            return
        except (ValueError, UserError, OSError) as error:
            complain("; ".join(lines_of(error) or [str(error)]))
        row = session.row(skipped, opened)


def _labels(said: str, labels: Sequence[Label], default: list[str], several: bool) -> list[str]:
    """Return the labels that a line names, the default ones if it is empty; `ValueError` if it names none."""
    if not said and (default or several):
        return default
    if several and said == "-":
        return []
    return [_label(part.strip(), labels) for part in (said.split(",") if several else [said])]


def _label(said: str, labels: Sequence[Label]) -> str:
    if said.startswith("+"):
        return said[1:]
    start = said.casefold()
    begun = [each for each in labels if start and start in (text.casefold()[: len(start)] for text in each[:2])]
    found = [each.name for each in labels if said in (each.key, each.name)] or [each.name for each in begun]
    if len(found) != 1:
        several = f", with which {list_names(found)} begin" if found else ""
        raise ValueError(f"this must be one of the labels; got {quote_value(said)}{several}")
    return found[0]
