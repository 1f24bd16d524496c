"""Warnings about models that are worse than they should be, or chosen by few rows, in terminal, report and cards."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from textclf.artifacts.decisions import SCALING, Measured
from textclf.core.formatting import confidence_level, count_noun, display_name, points
from textclf.core.quoting import quote_name
from textclf.evaluate.choose import FEWEST_TO_CHOOSE, NEVER
from textclf.evaluate.registry import FLOOR, compare_pair, format_interval, format_value
from textclf.evaluate.settings import EVEN, by_pair

FEW_MISTAKES = 10  # on validation rows, below which a calibration is mostly chance


def find_warnings(
    measured: Measured,
    comparisons: Mapping[str, Mapping[str, Any]],
    training: Mapping[str, Mapping[str, float]],
    decisions: Mapping[str, Any],
    models: Sequence[str],
    confidence: float,
    compared: Collection[str] | None = None,
) -> dict[str, list[str]]:
    """Return sentences on each model that is worse than guessing or than another model, or calibrated by few mistakes.

    `compared` are the models that are compared with the others, all by default.

    The arguments are the contents of evaluation.json, comparisons.json, training.json and decisions.json, the models in
    order, and the level of the intervals. The sentences decide nothing.
    """
    found = {
        name: [
            *_worse_than_guessing(name, measured[name]["test"]["log_loss"], training[name], decisions, confidence),
            *_calibrated_by_few(decisions[name], decisions["protocol"]["validation_rows"] > 0),
            *_not_chosen(decisions[name]),
            *(
                f"no test row shows the cost of {cost:g} for {quote_name(actual)} decided as {quote_name(decided)}, so "
                "intervals of differences in mean cost do not allow for it"
                for (actual, decided), cost in by_pair(decisions[name].get("unseen_cost", {})).items()
            ),
            *(
                _worse_than_another(name, models, comparisons, confidence, "thresholds" in decisions[name])
                if name in (compared or models) and "costs" not in decisions[name]  # which accuracy does not weigh
                else []
            ),
        ]
        for name in models
    }
    return {name: sentences for name, sentences in found.items() if sentences}


def _worse_than_guessing(
    name: str, log_loss: float, record: Mapping[str, float], decisions: Mapping[str, Any], confidence: float
) -> list[str]:
    above = decisions[name].get("guessing")
    if record.get("labels_only") or above is None or above["low"] <= 0:
        return []
    kind = "label" if "thresholds" in decisions[name] else "class"
    loss, difference = (format_value("log_loss", value) for value in (log_loss, above["difference"]))
    interval = format_interval("log_loss", above["low"], above["high"])
    sentence = (
        f"on the test rows its log loss of {loss} is {difference} ({confidence_level(confidence)} interval {interval}) "
        f"above that of guessing by the {kind} shares of the training rows, so its probabilities cannot be trusted"
    )
    return ["; ".join(filter(None, [sentence, _remedy(name, record, decisions)]))]


def _remedy(name: str, record: Mapping[str, float], decisions: Mapping[str, Any]) -> str:
    """Return what may make the probabilities better, of what is not set, without looking at test rows."""
    validated = decisions["protocol"]["validation_rows"] > 0
    epochs, best = (record.get(key, 0) for key in ("epochs", "best_epoch"))
    if best < epochs and "early_stopping" not in record:  # which takes the weights of the best epoch
        lowest = f"the loss on the validation rows was lowest at epoch {best:.0f} of {epochs:.0f}: set "
        return f"{lowest if validated else 'set split.validation_size and '}train.{name}.early_stopping"
    if any(key in decisions[name] for key in (*SCALING, "thresholds")):  # several labels have no calibration
        return ""
    return "set evaluate.calibration"


def _calibrated_by_few(decision: Mapping[str, Any], validated: bool) -> list[str]:
    if not any(key in decision for key in SCALING) or decision.get("validation_mistakes", FEW_MISTAKES) >= FEW_MISTAKES:
        return []
    mistakes = count_noun(decision["validation_mistakes"], "mistake")
    rows = "validation rows" if validated else "held-out training rows"
    remedy = "; raise split.validation_size" if validated else ""
    return [f"its calibration rests on only {mistakes} on {rows}, so it is uncertain{remedy}"]


def _not_chosen(decision: Mapping[str, Any]) -> list[str]:
    """Return sentences on the labels for which the rule of evaluate.threshold chooses no threshold."""
    sentences = []
    if few := decision.get("labels_of_few_rows"):
        labels = count_noun(few, "label")
        sentences.append(
            f"the threshold of {labels} stays {EVEN}: "
            f"fewer than {FEWEST_TO_CHOOSE} of the rows that choose have the label"
        )
    if never := sum(threshold == NEVER for threshold in decision.get("thresholds", ())):
        labels = count_noun(never, "label")
        sentences.append(f"no threshold reaches the precision for {labels}, which no text gets")
    return sentences


def _worse_than_another(
    name: str, models: Sequence[str], comparisons: Mapping[str, Mapping[str, Any]], confidence: float, several: bool
) -> list[str]:
    """Return a sentence on the model that is significantly better by the most, if there is one."""
    if name == FLOOR:
        return []
    worse = []
    for other in models:
        if other != name:
            test = compare_pair(comparisons, models, other, name)
            if test["p_holm"] <= 1 - confidence and test["low"] > 0:
                worse.append((test["difference"], test["low"], test["high"], other))
    if not worse:
        return []
    difference, low, high, other = max(worse, key=lambda entry: entry[0])
    sentence = (
        f"on the test rows its {'subset ' * several}accuracy is {points(difference, signed=False)} points "
        f"({points(low, signed=False)} to {points(high, signed=False)}) below that of {display_name(other)}, more than "
        "chance explains"
    )
    return [sentence]
