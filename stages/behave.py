"""Run a file of behavioural tests with every exported model.

Reads: the tests as YAML, in the file that behave.tests names; MODELS, a folder per model, and the
index with their names.
Writes: into METRICS <name>.json, the failure rates by model and test; into CASES <name>.json, the
texts of all cases and what each model said of them.
Params: behave, evaluate.
"""

from dataclasses import replace
from pathlib import Path

from textclf.artifacts.decisions import read_index
from textclf.behave import judge, results, suite
from textclf.behave.settings import Behave
from textclf.core.errors import UserError
from textclf.core.formatting import count_noun, percent
from textclf.core.outputs import outputs
from textclf.core.stage import main
from textclf.core.unchanged import unchanged_file
from textclf.evaluate.settings import Evaluate
from textclf.predict.predictor import load


def run(
    behave: Behave,
    evaluate: Evaluate,
    *,
    item: str,
    models: Path = Path("models"),
    metrics: Path = Path("metrics/behaviour"),
    cases: Path = Path("data/behaviour"),
) -> None:
    """Run the tests of ITEM with every model of MODELS.

    ITEM is sentiment in the stage behave@sentiment.
    """
    if item not in behave.tests:
        raise UserError(f"DVC_STAGE must name tests in behave.tests; got {item}")
    path = Path(behave.tests[item])
    default, exported = read_index(models)
    with unchanged_file(path):
        tests = suite.read(path, behave.seed, load(models / default).decision.multilabel)
        said, numbers = {}, {}
        for model in exported:
            predictor = load(models / model)
            judge.require_classes(tests, predictor.model.classes, str(path), model)
            said[model] = judge.judge(
                tests, replace(predictor, decision=predictor.decision.answering())
            )
            numbers[model] = judge.outcomes(tests, said[model], evaluate.confidence)
    file = f"{item}{results.SUFFIX}"
    with outputs(metrics / file, cases / file) as (written, texts):
        results.write(written, texts, numbers, judge.records(tests, said))
    number = sum(map(len, tests.cases.values()))
    print(f"{path}: {count_noun(len(tests.tests), 'test')}, {count_noun(number, 'case')}")
    for model, outcomes in numbers.items():
        failures = sum(outcome.failures for outcome in outcomes.values())
        worst = max(outcomes, key=lambda test: outcomes[test].failure_rate)
        rate = percent(outcomes[worst].failure_rate)
        share = percent(failures / number)
        print(
            f"{model}: {count_noun(failures, 'failure')} ({share}); highest rate in {worst}, {rate}"
        )


if __name__ == "__main__":
    main(run)
