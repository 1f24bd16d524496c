"""Which settings suit a table: an honest protocol, and training in a bounded time."""

import math
from collections.abc import Collection, Iterator, Sequence

from textclf.core.errors import UserError
from textclf.core.formatting import count_noun
from textclf.core.quoting import list_names, quote_name
from textclf.models.transformer import CROSSVALIDATED
from textclf.project.init.columns import find_groups
from textclf.project.init.presets import LONG, Choice
from textclf.project.init.survey import TEST_SIZE, Survey
from textclf.tables.columns import Column
from textclf.tables.layout import NUMBER

# Share of the rows.
VALIDATION_SIZE = 0.15
# With fewer rows, or fewer per class, all rows train, and held-out training rows choose.
ROWS_TO_VALIDATE = 1_000
ROWS_PER_CLASS_TO_VALIDATE = 20
# Distinct texts of a class, so that a quarter of them is one text.
FEWEST_TEXTS = 4
# The same if the table gives the test rows, so that some can be drawn to validate; without a draw,
# a class needs one text to train on.
FEWEST_STRATIFIED = 2
# Texts of all classes that are too rare, from which on they are one class and not left out.
FEWEST_MERGED = 20
# Training rows by which a default model can be chosen.
FEWEST_TO_CHOOSE = 100
# Rows from which they are split by hash and streamed.
MANY_ROWS = 1_000_000
# Share of the smaller of two classes below which a threshold of 0.5 finds few of its rows.
RARE = 0.1
# A class of several is rare below this share of their mean size.
RARE_OF_MANY = 2 * RARE
# Rare classes and columns of groups that are named.
SHOWN = 3
# Why a gate is empty.
LIMITS = "limits of other rows; set your own after the first run"
NONE_CHOOSE = "no row chooses, since textclf suggest chose all that train"
# Words that are steps of a scale, by their place on it from 1 on.
RANKS = {
    "very low": 1,
    "low": 2,
    "medium": 3,
    "moderate": 3,
    "normal": 3,
    "high": 4,
    "very high": 5,
    "urgent": 5,
    "critical": 6,
}
# Steps of a scale that is proposed.
FEWEST_STEPS, MOST_STEPS = 3, 10
ORDERED = (
    "the classes look like steps of a scale, so that a near one is less wrong; "
    "false if they are only names"
)
# Rows of the positive class by which a threshold can be chosen.
FEWEST_POSITIVE = 10


def choose_settings(
    preset: str, survey: Survey, candidates: Sequence[str], by_time: bool = False
) -> list[Choice]:
    """Return the settings of split, decisions, export and gate for a table and a preset.

    `candidates` are the models of which one will be the default; `by_time`: the latest rows shall
    test. Raises `UserError` if fewer than two classes have texts enough to be learned and tested.
    """
    rare = list(_rare(preset, survey))
    is_united = any(choice.value == "merge" for choice in rare)
    has_others = is_united or survey.unknown or survey.sets is not None
    order = None if has_others else find_order(survey.classes)
    return [
        *rare,
        *_split(preset, survey, by_time),
        *_decisions(preset, survey, order),
        *_export(preset, survey, candidates),
        *(Choice(f"gate.{name}", {}, LIMITS) for name in ("minimum", "maximum_drop", "slices")),
    ]


def _rare(preset: str, survey: Survey) -> Iterator[Choice]:
    """Yield what becomes of classes that are too rare, if there may be some."""
    is_drawn = is_validated(preset, survey) and "validation" not in survey.given
    fewest = FEWEST_TEXTS
    if "test" in survey.given:
        fewest = FEWEST_STRATIFIED if is_drawn else 1
    small = {name: texts for name, texts in survey.distinct.items() if texts < fewest}
    counts = list_names([f"{quote_name(name)} ({texts})" for name, texts in small.items()])
    if len(survey.distinct) - len(small) < 2:
        advice = "give them more rows, or unite classes by data.labels"
        are_numbers = all(map(NUMBER.fullmatch, survey.distinct))
        if are_numbers and not all(map(str.isdecimal, survey.distinct)):
            advice = (
                "textclf predicts classes, not numbers: name ranges of them, such as low and high"
            )
        raise UserError(
            f"two classes must have at least {count_noun(fewest, 'different text')} each, "
            f"to be learned and tested; got too few of {counts}; {advice}"
        )
    if small:
        value, does = "drop", "leaves out"
        if sum(small.values()) >= FEWEST_MERGED:
            value, does = "merge", "unites"
        reason = (
            f"{does} classes too rare to be divided, "
            f"as those of fewer than {fewest} texts may be: {counts}"
        )
        if fewest == 1:
            reason = f"leaves out rows of classes without training rows: {list_names([*small])}"
        yield Choice("data.rare", value, reason)


def offer_settings(survey: Survey, columns: Sequence[Column]) -> Iterator[Choice]:
    """Yield settings that may suit a table, but need somebody who knows it.

    `columns` are those that are not yet used.
    """
    if survey.slices:
        yield Choice(
            "data.slices", list(survey.slices), "measures the test rows by columns of few values"
        )
    if survey.columns:
        beside = [name for name, tells in survey.columns.items() if not tells]
        telling = list_names([name for name, tells in survey.columns.items() if tells])
        reason = "what a model may read beside the text: docs/representations.md"
        if telling:
            reason += (
                f"; left out: {telling}, which tells the label, so that a new text may lack it"
            )
        yield Choice("data.columns", beside, reason)
    for column in find_groups(columns)[:SHOWN]:
        reason = (
            f"keeps rows of one of its {column.distinct:,} values in one split, "
            "if they depend on each other"
        )
        yield Choice("data.group", column.name, reason)
    limit = RARE_OF_MANY * (survey.untested / len(survey.classes))
    rare = [name for name, rows in survey.classes.items() if FEWEST_TEXTS <= rows < limit]
    if rare and survey.sets is None:
        more = f" and {len(rare) - SHOWN} more" if len(rare) > SHOWN else ""
        names = ", ".join(map(quote_name, rare[:SHOWN])) + more
        yield Choice(
            "train.logistic_regression.class_weight",
            "balanced",
            f"finds more rows of {names}, with probabilities that are not those of the data",
        )


def is_validated(preset: str, survey: Survey) -> bool:
    """Return whether there are validation rows.

    Either the table gives them, or has enough rows to set some apart for a slow model.
    """
    per_class = min(ROWS_PER_CLASS_TO_VALIDATE * len(survey.classes), CROSSVALIDATED)
    enough = survey.choosing >= max(ROWS_TO_VALIDATE, per_class)
    return "validation" in survey.given or (preset == "best" and enough)


def _split(preset: str, survey: Survey, by_time: bool) -> Iterator[Choice]:
    streamed = survey.rows >= MANY_ROWS and not by_time and not survey.unites
    method, reason = "random", "the rows fit into memory"
    if by_time:
        method, reason = "time", "the model is for later rows"
    elif streamed:
        method, reason = "hash", f"{MANY_ROWS:,} rows or more are streamed"
    yield Choice("split.method", method, reason)
    drawn = is_validated(preset, survey) and "validation" not in survey.given
    validation, purpose = 0.0, "all other rows train"
    if drawn:
        share = math.ceil(100 * len(survey.classes) / sum(survey.distinct.values())) / 100
        validation, purpose = max(VALIDATION_SIZE, share), "rows that make every choice"
    yield Choice("split.test_size", TEST_SIZE, "rows that decide nothing")
    yield Choice("split.validation_size", validation, purpose)
    splits = "every split that is drawn" if survey.given else "every split"
    balance = f"{splits} has each class in its share"
    if by_time:
        balance = "the latest rows are as they are"
    elif streamed:
        balance = "a hash looks at no other row"
    yield Choice("split.stratify", not streamed and not by_time, balance)
    together = "drawn rows" if survey.given else "rows"
    reason = f"{together} of the same text stay in one split"
    if by_time:
        reason = "repeated texts are counted, not moved"
    yield Choice("split.group_duplicates", not by_time, reason)


def find_order(labels: Collection[str]) -> list[str] | None:
    """Return the classes as steps of a scale: integers from 1 on, or known words; None for others.

    A scale has three steps or more. More integers than `MOST_STEPS` are more likely to be codes.
    """
    ranks = {label: RANKS.get(label.lower(), 0) for label in labels}
    if all(map(str.isdecimal, labels)) and len(labels) <= MOST_STEPS:
        ranks = {label: int(label) for label in labels}
        if sorted(ranks.values()) != list(range(1, len(labels) + 1)):
            return None
    if len(ranks) < FEWEST_STEPS or len({*ranks.values()} - {0}) < len(ranks):
        return None
    return sorted(ranks, key=lambda label: ranks[label])


def _decisions(preset: str, survey: Survey, steps: list[str] | None) -> Iterator[Choice]:
    """Yield the order of the classes, how the threshold of a rare one is chosen, and calibration.

    A threshold and a temperature are chosen on validation rows or, without them, on held-out
    training rows. `steps` are the classes if they are those of a scale.
    """
    order = steps
    threshold: float | str = 0.5
    reason = "the more probable class"
    share = min(survey.classes.values()) / survey.untested
    rows = _choosing_rows(preset, survey)
    if survey.sets is not None and not survey.choosing:
        reason = NONE_CHOOSE
    elif survey.sets is not None:
        threshold, reason = "micro_f1", f"one for all labels, with the highest micro F1 on {rows}"
    elif len(survey.classes) == 2 and share < RARE:
        order = sorted(survey.classes, key=lambda name: -survey.classes[name])
        chosen_by = float(survey.given.get("validation", survey.choosing))
        if is_validated(preset, survey) and "validation" not in survey.given:
            chosen_by *= VALIDATION_SIZE
        if share * chosen_by >= FEWEST_POSITIVE:
            threshold = "f1"
            reason = (
                f"{share:.1%} of the rows are {quote_name(order[1])}; 0.5 would miss most of them"
            )
        else:
            reason = f"too few rows of {quote_name(order[1])} to choose another by"
    positive = "sorted"
    scale = "the classes have no known order"
    if steps is not None:
        positive, scale = "in their order", ORDERED
    elif order is not None:
        positive = f"{quote_name(order[1])}, the rare one, is the positive class"
    yield Choice("data.classes", order, positive)
    yield Choice("data.order", steps is not None, scale)
    yield Choice("evaluate.threshold", threshold, reason)
    calibration = "temperature" if survey.sets is None else "platt"
    reason = f"kept only where it lowers log loss on {rows}"
    if not survey.choosing:
        calibration, reason = "none", NONE_CHOOSE
    yield Choice("evaluate.calibration", calibration, reason)
    yield Choice("evaluate.coverage", None, "no prediction sets")


def _choosing_rows(preset: str, survey: Survey) -> str:
    return (
        "validation rows" if is_validated(preset, survey) else "training rows left out of the fit"
    )


def _export(preset: str, survey: Survey, candidates: Sequence[str]) -> Iterator[Choice]:
    is_short_english = survey.language == "English" and survey.longest <= LONG
    if len(candidates) == 1:
        yield Choice("export.model", candidates[0], "the only model that reads the texts")
    elif (
        survey.trained < FEWEST_TO_CHOOSE and is_short_english and "validation" not in survey.given
    ):
        reason = (
            f"fewer than {FEWEST_TO_CHOOSE} rows can't choose; "
            "on so few rows it was the best: docs/presets.md"
        )
        is_tuned = "contrastive" in candidates
        yield Choice("export.model", "contrastive" if is_tuned else "sentence_vectors", reason)
    elif not survey.choosing:
        reason = f"{NONE_CHOOSE}; the best on most corpora: docs/presets.md"
        yield Choice("export.model", "combined", reason)
    else:
        reason = f"the best on {_choosing_rows(preset, survey)} is the default model"
        yield Choice("export.model", None, reason)
    streamed = survey.rows >= MANY_ROWS
    reason = "the default model learns from validation rows as well"
    if streamed:
        reason = "more rows than memory may hold"
    yield Choice("export.refit", not streamed, reason)
