"""A run in plain words, for model card and report: how it was made and measured, its limits."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import NormalDist

import numpy as np

from textclf.artifacts.corrected import corrected_rows, rare_classes, uncorrected_test_rows
from textclf.artifacts.split_report import Corrected, SplitReport
from textclf.core.display import NO_ANSWER, visible
from textclf.core.formatting import (
    confidence_level,
    count_noun,
    display_name,
    join_names,
    percent,
    split_rows,
)
from textclf.evaluate.costs import cost_matrix
from textclf.evaluate.registry import format_value
from textclf.evaluate.settings import MICRO_F1, Evaluate, by_pair
from textclf.export.facts import Facts, Settings
from textclf.models.common.loading import load_model
from textclf.models.settings import Train
from textclf.split.settings import Split
from textclf.tables.settings import Data

# How a class of a scale is decided.
ORDERED = (
    "The classes are ordered (data.order): a text gets the class with the lowest expected distance "
    "from the actual one."
)
# Costs that are named.
NAMED = 6
# Metrics of a class with fewer test rows mean little.
FEW_TEST_ROWS = 20
# A larger ratio of the largest class to the smallest is worth a caveat.
UNBALANCED = 3
# An accuracy's interval of at most this half-width needs no caveat.
PRECISE = 0.02


def protocol(
    facts: Facts, classes: Mapping[str, str], models: Iterable[str], *, refitted: bool
) -> list[str]:
    """Return sentences on how the models were trained and measured.

    `classes` has what to show for each label, in order; `models` are the names of those to speak
    of, of which one is `refitted` if export.refit is set.
    """
    settings, report, evaluate = facts.settings, facts.results.splits, facts.settings.evaluate
    together = settings.split.group_duplicates and not report.given
    measured = " that were measured" if refitted and facts.measured_only is None else ""
    choosing = "the validation rows"
    if report.validation is None:
        choosing = "training rows that were left out of the fit"
    corrected = corrected_rows(report.corrections)
    clusters = facts.results.decisions.protocol.clusters
    sentences = [_splitting(settings.data, settings.split, report)]
    if corrected:
        sentences.append(f"Labels of {corrected} were corrected by hand.")
    if together:
        sentences.append(
            "Rows with the same text, apart from case and spaces, are in the same split."
        )
    sentences += [
        f"The representation and the models{measured} are fitted on the training rows alone.",
        *_training(settings.models, models),
        _calibration(evaluate, choosing),
    ]
    if evaluate.costs:
        sentences += _costs(evaluate, classes, report.rows_by_class)
    else:
        names = list(classes.values())
        rule = _decision_rule(evaluate, names, choosing, report.multilabel)
        sentences.append(ORDERED if settings.data.order else rule)
    sentences += [
        *_sets(evaluate, report.multilabel),
        *_unknown(settings.data, report, choosing),
        _intervals(evaluate),
    ]
    if "test" in clusters:
        sentences.append(_dependence(settings.data, report.sizes["test"], clusters["test"]))
    if refitted:
        sentences.append(_refit(facts.default[0], facts.measured_only, report.sizes))
    return sentences


def _training(train: Train, models: Iterable[str]) -> list[str]:
    """Return how models were trained: each sentence once, after its models' names if several."""
    noted: dict[str, list[str]] = {}
    for name in models:
        notes = getattr(load_model(train[name].kind), "notes", None)
        for note in notes(train[name]) if notes else ():
            noted.setdefault(note, []).append(display_name(name))
    if len({name for names in noted.values() for name in names}) < 2:
        return list(noted)
    named = [f"{join_names(names)}: {note}" for note, names in noted.items()]
    return [sentence[0].upper() + sentence[1:] for sentence in named]


def _splitting(data: Data, split: Split, report: SplitReport) -> str:
    sizes = report.sizes
    parts = [f"{count_noun(sizes['train'], 'row')} for training"]
    parts += [f"{sizes['validation']:,} for validation"] if "validation" in sizes else []
    parts += [f"{sizes['test']:,} for testing"]
    by_hash = f"assigned by a hash of their {'text' if data.group is None else 'group'}"
    method = f"{'drawn at random' if split.method == 'random' else by_hash} (seed {split.seed})"
    if split.method == "time":
        method = f"taken in the order of {visible(str(data.time))}"
    given = report.given
    if given:
        source = "its files"
        if data.split_column is not None:
            source = f"column {visible(data.split_column)}"
        drawn = join_names([split_rows(name) for name in sizes if name not in given])
        rest = f"; the {drawn} are {method} from the given training rows" if drawn else ""
        return f"{join_names(parts)}, as the table gives them by {source}{rest}."
    shares = "about the same share of each label" if report.multilabel else "the same class balance"
    balance = f", with {shares} in each split" if split.stratify else ""
    groups = ""
    if data.group is not None and split.method != "time":
        groups = f", all rows of one {visible(data.group)} in the same split"
    return f"{join_names(parts)}, {method}{balance}{groups}."


def _calibration(evaluate: Evaluate, choosing: str) -> str:
    if evaluate.calibration == "none":
        return "Probabilities are not calibrated after training."
    method = {"platt": "Platt scaling", "temperature": "temperature scaling"}[evaluate.calibration]
    return (
        f"Probabilities are calibrated by {method}, where it clearly lowers the log loss on "
        f"{choosing}."
    )


def _decision_rule(
    evaluate: Evaluate, classes: Sequence[str], choosing: str, multilabel: bool
) -> str:
    if len(classes) > 2 and not multilabel:
        return "A text gets the class with the highest probability."
    rule = f"A text gets class {classes[-1]} if the probability of this class is above"
    if multilabel:
        rule = "A text gets each label whose probability is above"
    if isinstance(evaluate.threshold, float):
        return f"{rule} {evaluate.threshold:g}."
    aims = {
        "accuracy": "the highest accuracy",
        "f1": "the highest F1",
        MICRO_F1: "the highest micro F1",
    }
    level = confidence_level(evaluate.confidence)
    aim = aims.get(
        evaluate.threshold,
        f"a precision of at least {percent(evaluate.target_precision)} at {level} confidence",
    )
    per = "label and model" if multilabel and evaluate.threshold != MICRO_F1 else "model"
    return f"{rule} a threshold, chosen per {per} for {aim} on {choosing}."


def _costs(
    evaluate: Evaluate, classes: Mapping[str, str], rows: Mapping[str, Mapping[str, int]]
) -> Iterator[str]:
    """Yield sentences on costs, decision rule, and cost of the cheapest constant decision."""
    names = [*classes.values(), NO_ANSWER]
    costs = np.array(cost_matrix(evaluate.costs, list(classes)) or ())
    named = [
        f"{cost:g} for {classes[actual]} decided as {classes[decided]}"
        for (actual, decided), cost in by_pair(evaluate.costs).items()
    ]
    if len(named) > NAMED:
        named[NAMED:] = [f"others for {count_noun(len(named) - NAMED, 'pair')} of classes"]
    named.append("1 for any other mistake")
    rule = "A text gets the class with the lowest expected cost"
    abstains = costs.shape[1] > len(costs)
    if abstains:
        named.append(f"{costs[0, -1]:g} for no answer")
        rule += ", or no answer if that costs less"
    yield f"Decisions cost {join_names(named)} (evaluate.costs)."
    if costs.shape == (2, 2):
        saved = costs[[0, 1], [1, 0]] - costs.diagonal()
        if min(saved) > 0:
            threshold = saved[0] / saved.sum()
            rule += f": {names[1]} if the probability of this class is above {threshold:.3g}"
    yield f"{rule}."
    if abstains:
        yield "The accuracy counts a text without an answer as wrong."
    train, test = (
        np.array([rows[split].get(label, 0) for label in classes]) for split in ("train", "test")
    )
    cheapest = int((train @ costs).argmin())
    cost = format_value("cost", float(test @ costs[:, cheapest] / test.sum()))
    yield (
        f"Deciding {names[cheapest]} for every text, which costs least on the training rows, "
        f"costs {cost} per test row."
    )


def _sets(evaluate: Evaluate, multilabel: bool) -> Iterator[str]:
    if evaluate.coverage is not None and multilabel:
        yield (
            f"Prediction sets are to contain {confidence_level(evaluate.coverage)} of the labels "
            "of the texts that have any, on average; their limit comes from the validation rows "
            "(conformal risk control)."
        )
    elif evaluate.coverage is not None:
        where = "of each class" if evaluate.coverage_by_class else "of all classes together"
        yield (
            "Prediction sets are to contain the actual class of "
            f"{confidence_level(evaluate.coverage)} of the texts {where}; their limits come from "
            "the validation rows (split conformal prediction)."
        )


def _unknown(data: Data, report: SplitReport, choosing: str) -> Iterator[str]:
    for label, rows in report.unknown.items():
        measured = (
            f"{count_noun(rows['test'], 'test row')} labelled {visible(label)} "
            "measure how texts of no class are found"
        )
        if data.train_unknown:
            yield f"{measured}; the models learn this label as a class of its own."
        else:
            yield (
                f"{measured}; those texts train no model, "
                f"and {choosing} choose the threshold of each model."
            )


def _intervals(evaluate: Evaluate) -> str:
    return (
        f"{confidence_level(evaluate.confidence)} intervals show how far a number would move with "
        "other test rows of the same kind, not with another training run or other kinds of text."
    )


def _dependence(data: Data, test_rows: int, clusters: int) -> str:
    kind = "text" if data.group is None else f"{visible(data.group)} or text"
    return (
        f"The {test_rows:,} test rows are {clusters:,} groups of rows with the same {kind}. "
        "Further rows of a group say little new, so the intervals are wider than those of as many "
        "single rows."
    )


def _refit(model: str, needed: str | None, sizes: Mapping[str, int]) -> str:
    if needed is not None:
        name = display_name(model)
        return (
            f"The exported {name} is the measured one, despite export.refit: "
            f"{needed} holds for no other."
        )
    return (
        f"All metrics of {display_name(model)} and its numbers of terms and parameters are of a "
        f"model fitted on the {sizes['train']:,} training rows. The exported model was fitted anew "
        f"on these and the {sizes['validation']:,} validation rows, with what they have chosen "
        "(export.refit): it is expected to be at least as good, and was not measured itself."
    )


def caveats(facts: Facts, classes: Mapping[str, str], watching: Sequence[str]) -> list[str]:
    """Return what a reader must know before trusting the metrics, the most important first.

    `classes` has what to show for each label, in order; `watching` are those of `facts.watching` to
    speak of.
    """
    report, decisions = facts.results.splits, facts.results.decisions
    rows, multilabel = report.rows_by_class["test"], report.multilabel
    independent = decisions.protocol.independent_rows.get("test")
    rare = visible(rare_classes(report))
    sentences = []
    if report.validation is None:
        sentences.append(_no_validation(watching, bool(decisions.crossvalidation)))
    sentences += filter(
        None,
        [
            _corrected_test_rows(report.corrections),
            _uncorrected_test_rows(report.corrections),
            _few_test_rows(report.sizes["test"], facts.settings.evaluate.confidence, independent),
            _leaks(
                report.leaks.normalised,
                remedied=facts.settings.split.parts_duplicates and not report.given,
            ),
            _shared_groups(report.leaks.group),
            _conflicts(report.label_conflicts.normalised, multilabel),
            _dropped(report.dropped.get("rows", 0)),
            f"{rare}." if rare else "",
            _unequal_classes(rows, classes, multilabel),
            _rare_classes(rows, classes, multilabel),
        ],
    )
    return sentences


def _no_validation(watching: Sequence[str], held_out: bool) -> str:
    watched = ""
    if watching:
        lesson = "" if held_out else ", as in the lesson"
        watched = (
            f"During training, {join_names([display_name(name) for name in watching])} watched the "
            f"test rows{lesson}: their curve is drawn and was used for nothing. "
        )
    choices, instead = "", "set split.validation_size before you choose any"
    if held_out:
        choices = "; training rows left out of the fit make the choices"
        instead = "choose by cross-validation (crossvalidation in metrics/decisions.json)"
    return (
        f"There are no validation rows{choices}. {watched}Settings chosen by looking at these test "
        f"numbers make them too optimistic; {instead}."
    )


def _corrected_test_rows(corrections: Corrected) -> str:
    """Return what corrected labels mean for the metrics, "" if no test row has one."""
    applied, skipped = corrections.applied.get("test", 0), corrections.skipped
    if applied:
        return (
            f"The labels of {count_noun(applied, 'test row')} were corrected by hand "
            "(data.correct_test_rows), so the metrics are not comparable with those of the labels "
            "of the table; if rows were looked at because a model was wrong on them, the metrics "
            "are too optimistic."
        )
    if skipped:
        was = "was" if skipped == 1 else "were"
        return (
            f"{count_noun(skipped, 'correction')} of test rows {was} not applied: the test rows "
            "have the labels of the table, which corrections.csv calls wrong there."
        )
    return ""


def _uncorrected_test_rows(corrections: Corrected) -> str:
    sentence = uncorrected_test_rows(corrections)
    return f"{sentence[0].upper()}{sentence[1:]}." if sentence else ""


def _few_test_rows(count: int, confidence: float, independent: float | None) -> str:
    # An accuracy of one half has the widest interval.
    deviation = math.sqrt(0.25 / (independent or count))
    half_width = NormalDist().inv_cdf((1 + confidence) / 2) * deviation
    if half_width <= PRECISE:
        return ""
    worth = "" if independent is None else f", worth at least {independent:,.0f} single ones"
    margin = f"likely within about {100 * min(half_width, 1):.0f} points of the measured one"
    return f"With {count_noun(count, 'test row')}{worth}, the true accuracy is {margin}."


def _leaks(counts: Mapping[str, int], *, remedied: bool) -> str:
    """Describe texts that occur in two splits; `remedied` if split.group_duplicates prevents it."""
    repeated = _shared("text", counts)
    if not repeated:
        return ""
    remedy = "; split.group_duplicates keeps their rows in one split" if remedied else ""
    return f"{repeated}, apart from case and spaces. A model can have memorised such texts{remedy}."


def _shared_groups(counts: Mapping[str, int]) -> str:
    shared = _shared("group", counts)
    if not shared:
        return ""
    return f"{shared}: the numbers are not those of groups that a model has never seen."


def _shared(what: str, counts: Mapping[str, int]) -> str:
    """Say how many rows share a text or group with another split; keys are as `test_in_train`."""
    repeated = []
    for pair, count in counts.items():
        if count:
            split, other = pair.split("_in_")
            rows, has = count_noun(count, f"{split} row"), "has" if count == 1 else "have"
            repeated.append(f"{rows} {has} the same {what} as a {split_rows(other)[:-1]}")
    return join_names(repeated)


def _conflicts(count: int, multilabel: bool) -> str:
    texts = f"{count_noun(count, 'text')} {'occurs' if count == 1 else 'occur'}"
    more = "different sets of labels" if multilabel else "more than one class"
    return f"{texts} with {more}, so no model can be right on all rows." if count else ""


def _dropped(count: int) -> str:
    rows = f"{count_noun(count, 'row')} without a text or a label"
    return f"{rows} {'was' if count == 1 else 'were'} left out." if count else ""


def _unequal_classes(rows: Mapping[str, int], classes: Mapping[str, str], multilabel: bool) -> str:
    sizes = {label: rows.get(label, 0) for label in classes}
    largest = max(sizes, key=lambda label: sizes[label])
    smallest = min(sizes, key=lambda label: sizes[label])
    if sizes[largest] <= UNBALANCED * sizes[smallest]:
        return ""
    what, metrics = "classes", "accuracy mostly reflects"
    if multilabel:
        what, metrics = "labels", "micro averages mostly reflect"
    return (
        f"The {what} differ in size among the test rows, from {count_noun(sizes[smallest], 'row')} "
        f"({classes[smallest]}) to {sizes[largest]:,} ({classes[largest]}): "
        f"{metrics} the large ones."
    )


def _rare_classes(rows: Mapping[str, int], classes: Mapping[str, str], multilabel: bool) -> str:
    rare = [name for label, name in classes.items() if rows.get(label, 0) < FEW_TEST_ROWS]
    if not rare:
        return ""
    one, many = ("label", "labels") if multilabel else ("class", "classes")
    which = f"{len(rare)} of {len(classes)} {many} have"
    if len(rare) == 1:
        which = f"{one.capitalize()} {rare[0]} has"
    return f"{which} fewer than {FEW_TEST_ROWS} test rows; metrics of such a {one} mean little."


def representation(settings: Settings, model: str, columns: Mapping[str, int]) -> str:
    """Return in a few words how a text becomes features; `columns` are by representation."""
    described = {}
    for member in settings.members(model):
        names = settings.representations(member)
        parts: list[str] = [settings.vectorize[name].describe(columns[name]) for name in names]
        described[member] = "; beside ".join(parts)
        if len(parts) > 1:
            described[member] += (
                "; the sides of each pair scaled "
                "so that training rows have a mean squared length of 1"
            )
    if len(set(described.values())) == 1:
        return next(iter(described.values()))
    return "; ".join(f"for {display_name(name)}, {text}" for name, text in described.items())


def limits(settings: Settings, model: str) -> list[str]:
    """Return a sentence per representation of a model on what it does not show of a text."""
    names, vectorize = settings.representations(model), settings.vectorize
    if len(names) == 1:
        return [f"The model {vectorize[names[0]].limits()}."]
    return [f"By {display_name(name)}, the model {vectorize[name].limits()}." for name in names]
