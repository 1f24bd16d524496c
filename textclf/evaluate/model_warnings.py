"""Warnings about models that are worse than they should be, or chosen by few rows."""

from collections.abc import Collection, Mapping, Sequence

from textclf.core.formatting import count_noun, display_name, points
from textclf.core.quoting import quote_name
from textclf.evaluate.choose import FEWEST_TO_CHOOSE, NEVER
from textclf.evaluate.registry import METRICS, OF_SETS, deciding, format_value
from textclf.evaluate.results import Decisions, ModelDecision, Results
from textclf.evaluate.settings import EVEN, by_pair

# Mistakes on validation rows, below which a calibration is mostly chance.
FEW_MISTAKES = 10


def find_warnings(
    results: Results,
    models: Sequence[str],
    confidence: float,
    compared: Collection[str] | None = None,
) -> dict[str, list[str]]:
    """Return sentences on each model that is worse than another one, or calibrated by few rows.

    A model may also be worse than guessing. `models` are in order, `compared` those that are
    compared with the others, all by default; `confidence` is the level of the intervals. The
    sentences decide nothing.
    """
    warnings, decisions = {}, results.decisions
    for name in models:
        own, record = decisions[name], results.training[name]
        log_loss = results.evaluation[name]["test"]["log_loss"]
        sentences = _worse_than_guessing(name, log_loss, record, decisions)
        sentences += _calibrated_by_few(own, decisions.protocol.validation_rows > 0)
        if not own.decision.baseline:
            sentences += _not_chosen(own)
        for (actual, decided), cost in by_pair(own.unseen_cost).items():
            sentences.append(
                f"no test row of {quote_name(actual)} was decided as {quote_name(decided)}, "
                f"so the mean costs do not show that this mistake costs {cost:g}"
            )
        # The accuracy weighs neither costs nor distances.
        if name in (compared or models) and own.decision.matrix is None:
            sentences += _worse_than_another(name, models, results, confidence)
        if sentences:
            warnings[name] = sentences
    return warnings


def describe_baseline(results: Results) -> str:
    """Return the score on the test rows of the best single answer on the training rows."""
    answer, score = _baseline(results)
    return f"Giving every text {answer} {score}"


def below_baseline(results: Results, model: str) -> str:
    """Return a phrase on a model that is no better than the baseline on the test rows.

    It is "" for a better one. The mean cost decides, on a scale the mean absolute error, otherwise
    the accuracy.
    """
    own, guessing = results.evaluation[model]["test"], results.decisions.guessing
    answer, score = _baseline(results)
    if results.decisions[model].decision.baseline:
        return f"ignores the texts: it gives every text {answer}"
    metric = deciding(guessing)
    sign = 1 if metric.higher_is_better else -1
    if sign * own[metric.name] > sign * guessing[metric.name]:
        return ""
    return f"is no better than giving every text {answer}, which {score}"


def _baseline(results: Results) -> tuple[str, str]:
    """Return the answer of the baseline and its score, as phrases."""
    guessing = results.decisions.guessing
    if "cost" in guessing:
        cost = format_value("cost", guessing["cost"])
        return "the answer that costs least on the training rows", f"costs {cost} per test row"
    if "mae" in guessing:
        error = format_value("mae", guessing["mae"])
        return "the median class of the training rows", f"is off by {error} on average"
    score = f"is right on {format_value('accuracy', guessing['accuracy'])} of the test rows"
    if OF_SETS[0] not in guessing:
        return "the most frequent class of the training rows", score
    means = [f"{METRICS[key].titled(True)} {format_value(key, guessing[key])}" for key in OF_SETS]
    return "the most frequent set of labels of the training rows", f"{score} ({', '.join(means)})"


def _worse_than_guessing(
    name: str, log_loss: float, record: Mapping[str, float], decisions: Decisions
) -> list[str]:
    above = decisions[name].guessing
    if record.get("labels_only") or above is None or above.low <= 0:
        return []
    kind = "label" if decisions[name].decision.multilabel else "class"
    loss, guessed = (
        format_value("log_loss", value) for value in (log_loss, log_loss - above.difference)
    )
    sentence = (
        f"its probabilities cannot be trusted: on the test rows their log loss is {loss}, "
        f"and {guessed} if every text gets the {kind} shares of the training rows"
    )
    return ["; ".join(filter(None, [sentence, _remedy(name, record, decisions)]))]


def _remedy(name: str, record: Mapping[str, float], decisions: Decisions) -> str:
    """Return an unset setting that may make the probabilities better, without any test rows."""
    validated = decisions.protocol.validation_rows > 0
    epochs, best = (record.get(key, 0) for key in ("epochs", "best_epoch"))
    # Early stopping takes the weights of the best epoch.
    if best < epochs and "early_stopping" not in record:
        setting = f"train.{name}.early_stopping"
        if not validated:
            return f"set split.validation_size and {setting}"
        lowest = f"epoch {best:.0f} of {epochs:.0f}"
        return f"the loss on the validation rows was lowest at {lowest}: set {setting}"
    own = decisions[name]
    return "" if own.decision.calibration or own.calibrated else "set evaluate.calibration"


def _calibrated_by_few(own: ModelDecision, validated: bool) -> list[str]:
    if (
        own.decision.calibration is None
        or own.validation_mistakes is None
        or own.validation_mistakes >= FEW_MISTAKES
    ):
        return []
    mistakes = count_noun(own.validation_mistakes, "mistake")
    remedy = "; raise split.validation_size" if validated else ""
    learns = "calibration learns from a model's mistakes on held-out rows"
    return [f"its probabilities may be off: {learns}, and this one made {mistakes}{remedy}"]


def _not_chosen(own: ModelDecision) -> list[str]:
    """Return sentences on the labels for which evaluate.threshold chooses no threshold."""
    sentences = []
    if own.labels_of_few_rows:
        labels = count_noun(own.labels_of_few_rows, "label")
        sentences.append(
            f"the threshold of {labels} stays {EVEN}: "
            f"fewer than {FEWEST_TO_CHOOSE} of the rows that choose have the label"
        )
    if never := sum(threshold == NEVER for threshold in own.decision.thresholds or ()):
        labels = count_noun(never, "label")
        sentences.append(f"no threshold reaches the precision for {labels}, which no text gets")
    return sentences


def _worse_than_another(
    name: str, models: Sequence[str], results: Results, confidence: float
) -> list[str]:
    """Return a sentence on the model that is significantly better by the most, if there is one."""
    if results.decisions[name].decision.baseline:
        return []
    tests = {other: results.compare(other, name) for other in models if other != name}
    better = [
        other for other, test in tests.items() if test.p_holm <= 1 - confidence and test.low > 0
    ]
    if not better:
        return []
    other = max(better, key=lambda other: tests[other].difference)
    difference = points(tests[other].difference, signed=False)
    multilabel = results.decisions[name].decision.multilabel
    accuracy = "subset accuracy" if multilabel else "accuracy"
    return [
        (
            f"on the test rows its {accuracy} is {difference} points "
            f"below that of {display_name(other)}, more than chance explains"
        )
    ]
