"""What a stage says of a params.yaml that breaks a rule, line by line."""

import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8")
MODELS = "[majority, logistic_regression, keras]"
PATTERN = r"(?u)\b\w\w+\b "
FREQUENCY = "an integer from 1 (a number of rows) or a decimal from 0.0 to 1.0 (a share of the rows)"

STRENGTHS = "a number greater than 0, or a list of such numbers to choose from"
THRESHOLD = "a number between 0 and 1, or what to choose it by: accuracy, f1, precision"
SECTIONS = "fetch, split, vectorize, train, evaluate, crossvalidate"
# `seed: 0` stands three times; what it is of tells them apart.
KERAS_SEED = "seed: 0                # of the weights"
BOOTSTRAP_SEED = "seed: 0                  # of the bootstrap"
FOLDS_SEED = "seed: 0                  # of the folds"


def edit(*texts: str) -> bytes:
    """The bytes of params.yaml with each old text replaced by the new one that follows it."""
    text = TEXT
    for old, new in zip(texts[::2], texts[1::2], strict=True):
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text.encode()


def at(text: str) -> str:
    """The line of params.yaml on which a text stands, as an error names it."""
    return f":{1 + TEXT[: TEXT.index(text)].count(chr(10))}"


END = 1 + TEXT.count("\n")


def broken(content: bytes, *lines: str) -> tuple[bytes, tuple[str, ...]]:
    return content, lines


# Name: the content of params.yaml, and what follows "error: split: params.yaml" in each line on stderr.
KEYS = {
    "unknown key": broken(
        edit("binary: false", "binary: false\n  bianry: true"),
        ": vectorize.bianry is no setting; did you mean binary?",
    ),
    "unknown key like no other": broken(
        edit("majority: {}", "majority: {x: 1}"),
        ": train.majority.x is no setting; known here: none",
    ),
    "unknown section": broken(
        TEXT.encode() + b"report: {}\n",
        f": report is no setting; known here: {SECTIONS}",
    ),
    "key of two lines": broken(
        TEXT.encode() + b'"a\\nb": 1\n',
        f": 'a\\nb' is no setting; known here: {SECTIONS}",
    ),
    "missing key": broken(edit("  seed: 1000", "  # seed: 1000"), ": split.seed is missing; it must be set"),
    "misspelt key": broken(
        edit("test_size:", "test_sise:"),
        ": split.test_size is missing; it must be set",
        ": split.test_sise is no setting; did you mean test_size?",
    ),
    "missing section": broken(
        edit("fetch:\n  corpus: yelp", ""),
        ": fetch is missing; it must be set",
    ),
    "null section": broken(
        edit("majority: {}", "majority:"), ": train.majority must be a section of settings; got null"
    ),
    "section that is a list": broken(
        edit("majority: {}", "majority: [1]"),
        ": train.majority must be a section of settings; got [1]",
    ),
}
VALUES = {
    "unknown corpus": broken(
        edit("corpus: yelp", "corpus: yelb"),
        ": fetch.corpus must be one of 'yelp', 'amazon' or 'imdb'; got yelb",
    ),
    "null": broken(
        edit("corpus: yelp ", "corpus: "), ": fetch.corpus must be one of 'yelp', 'amazon' or 'imdb'; got null"
    ),
    "long value": broken(
        edit("corpus: yelp", "corpus: " + "x" * 99),
        f": fetch.corpus must be one of 'yelp', 'amazon' or 'imdb'; got {'x' * 59}…",
    ),
    "half a surrogate pair": broken(
        edit("corpus: yelp", 'corpus: "\\uD800"'),
        ': fetch.corpus must be text; got "\\uD800"',
    ),
    "quoted number": broken(
        edit("test_size: 0.25", "test_size: '0.25'"), ": split.test_size must be a number; got '0.25'"
    ),
    "quoted number with an exponent": broken(
        edit("test_size: 0.25", "test_size: '1e-3'"),
        ": split.test_size must be a number; got '1e-3'",
    ),
    "boolean for a number": broken(
        edit("test_size: 0.25", "test_size: true"),
        ": split.test_size must be a number; got true",
    ),
    "0": broken(edit("test_size: 0.25", "test_size: 0"), ": split.test_size must be greater than 0.0; got 0"),
    "1": broken(edit("test_size: 0.25", "test_size: 1"), ": split.test_size must be less than 1.0; got 1"),
    "negative": broken(
        edit("validation_size: 0.0", "validation_size: -0.1"),
        ": split.validation_size must be at least 0.0; got -0.1",
    ),
    "sizes that leave nothing": broken(
        edit("test_size: 0.25", "test_size: 0.7", "validation_size: 0.0", "validation_size: 0.3"),
        ": split: test_size + validation_size must be less than 1; got 1",
    ),
    "negative seed": broken(edit("seed: 1000", "seed: -1"), ": split.seed must be at least 0; got -1"),
    "seed beyond 32 bits": broken(
        edit("seed: 1000", f"seed: {2**32}"),
        ": split.seed must be at most 4294967295; got 4294967296",
    ),
    "seed of 31 digits": broken(
        edit("seed: 1000", f"seed: 1{'0' * 30}"),
        f": split.seed must be at most 4294967295; got 1{'0' * 30}",
    ),
    "seed of 5001 digits": broken(
        edit("seed: 1000", f"seed: 1{'0' * 5000}"),
        ": Exceeds the limit (4300 digits) for integer string conversion: value has 5001 digits; "
        "use sys.set_int_max_str_digits() to increase the limit; expected YAML",
    ),
    "yes": broken(edit("stratify: false", "stratify: yes"), ": split.stratify must be true or false; got 'yes'"),
    "no": broken(edit("stratify: false", "stratify: no"), ": split.stratify must be true or false; got 'no'"),
    "1 for true": broken(edit("lowercase: true", "lowercase: 1"), ": vectorize.lowercase must be true or false; got 1"),
    "reversed ngram_range": broken(
        edit("ngram_range: [1, 1]", "ngram_range: [2, 1]"),
        ": vectorize: ngram_range must be [smallest, largest]; got [2, 1]",
    ),
    "ngram_range of one": broken(
        edit("ngram_range: [1, 1]", "ngram_range: [1]"),
        ": vectorize.ngram_range[1] is missing; it must be set",
    ),
    "ngram_range of three": broken(
        edit("ngram_range: [1, 1]", "ngram_range: [1, 2, 3]"),
        ": vectorize.ngram_range must be a list of 2; got [1, 2, 3]",
    ),
    "ngram_range of 0": broken(
        edit("ngram_range: [1, 1]", "ngram_range: [0, 1]"),
        ": vectorize.ngram_range[0] must be at least 1; got 0",
    ),
    "ngram_range that is no list": broken(
        edit("ngram_range: [1, 1]", "ngram_range: 1, 1"),
        ": vectorize.ngram_range must be a list; got 1, 1",
    ),
    "min_df of 0": broken(edit("min_df: 1", "min_df: 0"), f": vectorize.min_df must be {FREQUENCY}; got 0"),
    "max_df above all": broken(edit("max_df: 1.0", "max_df: 1.5"), f": vectorize.max_df must be {FREQUENCY}; got 1.5"),
    "max_df of NaN": broken(edit("max_df: 1.0", "max_df: .nan"), f": vectorize.max_df must be {FREQUENCY}; got .nan"),
    "no features": broken(
        edit("max_features: null", "max_features: 0"),
        ": vectorize.max_features must be at least 1; got 0",
    ),
    "all features": broken(
        edit("max_features: null", "max_features: all"),
        ": vectorize.max_features must be an integer; got all",
    ),
    "bad regex": broken(
        edit(PATTERN, "'[' "),
        ": vectorize.token_pattern must be a regular expression (unterminated character set at position 0); got '['",
    ),
    "regex of two groups": broken(
        edit(PATTERN, "(a)(b) "),
        ": vectorize.token_pattern must be a regular expression with at most one capturing group; got (a)(b)",
    ),
    "regex that repeats too often": broken(
        edit(PATTERN, "a{99999999999} "),
        ": vectorize.token_pattern must be a regular expression (the repetition number is too large); "
        "got a{99999999999}",
    ),
    "no models": broken(edit(MODELS, "[]"), ": train.models must be a list of 1 or more; got []"),
    "repeated model": broken(
        edit(MODELS, "[keras, majority, keras]"),
        ": train.models must be a list without repetitions; got [keras, majority, keras]",
    ),
    "unknown model": broken(
        edit(MODELS, "[majority, svm]"),
        ": train.models[1] must be one of 'majority', 'logistic_regression' or 'keras'; got svm",
    ),
    "model without a list": broken(edit(MODELS, "keras"), ": train.models must be a list; got keras"),
    "NaN": broken(edit("C: 1.0", "C: .nan"), f": train.logistic_regression.C must be {STRENGTHS}; got .nan"),
    "infinity": broken(edit("C: 1.0", "C: .inf"), f": train.logistic_regression.C must be {STRENGTHS}; got .inf"),
    "overflow": broken(edit("C: 1.0", "C: 1e999"), f": train.logistic_regression.C must be {STRENGTHS}; got .inf"),
    "layer of no width": broken(
        edit("units: [10]", "units: [10, 0]"), ": train.keras.units[1] must be at least 1; got 0"
    ),
    "layers without a list": broken(edit("units: [10]", "units: 10"), ": train.keras.units must be a list; got 10"),
    "unknown optimizer": broken(
        edit("optimizer: adam ", "optimizer: adamm "),
        ": train.keras.optimizer must be one of 'adagrad', 'adam', 'adamw', 'nadam', 'rmsprop' or 'sgd'; got adamm",
    ),
    "no learning": broken(
        edit("learning_rate: 0.001", "learning_rate: 0.0"),
        ": train.keras.learning_rate must be greater than 0.0; got 0.0",
    ),
    "decimal for an integer": broken(
        edit("epochs: 100", "epochs: 1e2"),
        ": train.keras.epochs must be an integer; got 100.0",
    ),
    "YAML 1.1's numbers": broken(
        edit("epochs: 100", "epochs: 1_000"),
        ": train.keras.epochs must be an integer; got '1_000'",
    ),
    "several at once": broken(
        edit(
            "test_size: 0.25", "test_size: 2", "C: 1.0", "c: 1.0", "epochs: 100", "epoch: 100", KERAS_SEED, "seed: a  #"
        ),
        ": split.test_size must be less than 1.0; got 2",
        ": train.logistic_regression.C is missing; it must be set",
        ": train.logistic_regression.c is no setting; known here: C, max_iter",
        ": train.keras.epochs is missing; it must be set",
        ": train.keras.seed must be an integer; got a",
        ": train.keras.epoch is no setting; did you mean epochs?",
    ),
}
CHOICES = {
    "yes for group_duplicates": broken(
        edit("group_duplicates: false", "group_duplicates: yes"),
        ": split.group_duplicates must be true or false; got 'yes'",
    ),
    "C of 0": broken(edit("C: 1.0", "C: 0"), f": train.logistic_regression.C must be {STRENGTHS}; got 0"),
    "C that is true": broken(edit("C: 1.0", "C: true"), f": train.logistic_regression.C must be {STRENGTHS}; got true"),
    "no C": broken(edit("C: 1.0", "C: []"), f": train.logistic_regression.C must be {STRENGTHS}; got []"),
    "one wrong C of several": broken(
        edit("C: 1.0", "C: [0.1, -1]"),
        f": train.logistic_regression.C must be {STRENGTHS}; got [0.1, -1]",
    ),
    "text among several C": broken(
        edit("C: 1.0", "C: [0.1, ten]"),
        f": train.logistic_regression.C must be {STRENGTHS}; got [0.1, ten]",
    ),
    "nested C": broken(edit("C: 1.0", "C: [[1]]"), f": train.logistic_regression.C must be {STRENGTHS}; got [[1]]"),
    "patience of 0": broken(
        edit("early_stopping: null", "early_stopping: 0"),
        ": train.keras.early_stopping must be at least 1; got 0",
    ),
    "patience that is false": broken(
        edit("early_stopping: null", "early_stopping: false"),
        ": train.keras.early_stopping must be an integer; got false",
    ),
    "threshold of 0": broken(
        edit("threshold: 0.5", "threshold: 0.0"),
        f": evaluate.threshold must be {THRESHOLD}; got 0.0",
    ),
    "threshold of 1": broken(
        edit("threshold: 0.5", "threshold: 1"), f": evaluate.threshold must be {THRESHOLD}; got 1"
    ),
    "threshold by another rule": broken(
        edit("threshold: 0.5", "threshold: recall"),
        f": evaluate.threshold must be {THRESHOLD}; got recall",
    ),
    "threshold that is true": broken(
        edit("threshold: 0.5", "threshold: true"),
        f": evaluate.threshold must be {THRESHOLD}; got true",
    ),
    "threshold of NaN": broken(
        edit("threshold: 0.5", "threshold: .nan"),
        f": evaluate.threshold must be {THRESHOLD}; got .nan",
    ),
    "list of thresholds": broken(
        edit("threshold: 0.5", "threshold: [0.5]"),
        f": evaluate.threshold must be {THRESHOLD}; got [0.5]",
    ),
    "target_precision of 1": broken(
        edit("target_precision: 0.9", "target_precision: 1"),
        ": evaluate.target_precision must be less than 1.0; got 1",
    ),
    "unknown calibration": broken(
        edit("calibration: none", "calibration: isotonic"),
        ": evaluate.calibration must be one of 'none', 'platt' or 'temperature'; got isotonic",
    ),
    "null for none": broken(
        edit("calibration: none", "calibration: null"),
        ": evaluate.calibration must be one of 'none', 'platt' or 'temperature'; got null",
    ),
    "confidence in percent": broken(
        edit("confidence: 0.95", "confidence: 95"),
        ": evaluate.confidence must be less than 1.0; got 95",
    ),
    "confidence of 0": broken(
        edit("confidence: 0.95", "confidence: 0"),
        ": evaluate.confidence must be greater than 0.0; got 0",
    ),
    "too few resamples": broken(
        edit("resamples: 2000", "resamples: 99"),
        ": evaluate.resamples must be at least 100; got 99",
    ),
    "seed of the bootstrap": broken(
        edit(BOOTSTRAP_SEED, f"seed: {2**32}"),
        ": evaluate.seed must be at most 4294967295; got 4294967296",
    ),
    "one fold": broken(edit("folds: 4", "folds: 1"), ": crossvalidate.folds must be at least 2; got 1"),
    "no repeat": broken(edit("repeats: 3", "repeats: 0"), ": crossvalidate.repeats must be at least 1; got 0"),
    "no seed": broken(edit("seeds: 5", "seeds: 0"), ": crossvalidate.seeds must be at least 1; got 0"),
    "seed of the folds": broken(
        edit(FOLDS_SEED, f"seed: {2**31}"),
        ": crossvalidate.seed must be at most 2147483647; got 2147483648",
    ),
    "missing sections": broken(
        TEXT[: TEXT.index("evaluate:\n")].encode(),
        ": evaluate is missing; it must be set",
        ": crossvalidate is missing; it must be set",
    ),
}
UNFOUNDED = {  # choices that only validation rows can make, and what an error calls them
    "early stopping": ("early_stopping: null", "early_stopping: 10", "train.keras.early_stopping"),
    "threshold": ("threshold: 0.5", "threshold: f1", "evaluate.threshold"),
    "calibration": ("calibration: none", "calibration: platt", "evaluate.calibration"),
}
UNFOUNDED_CHOICES = {
    f"{' and '.join(names)} without validation rows": broken(
        edit(*(text for name in names for text in UNFOUNDED[name][:2])),
        f": split.validation_size must be greater than 0 for {', '.join(UNFOUNDED[name][2] for name in names)}, "
        "since the test rows decide nothing; got 0",
    )
    for count in (1, 2, 3)
    for names in combinations(UNFOUNDED, count)
}
FILES = {
    "list": broken(b"- fetch\n- split\n", " must be a mapping of sections; got [fetch, split]"),
    "scalar": broken(b"yelp\n", " must be a mapping of sections; got yelp"),
    "empty file": broken(b"", " must be a mapping of sections; got null"),
    "comments alone": broken(b"# fetch:\n", " must be a mapping of sections; got null"),
    "not UTF-8": broken(
        b"# \xe4",
        " must be UTF-8; got byte 0xe4 at offset 2",
    ),
    "UTF-16": broken(TEXT.encode("utf-16"), " must be UTF-8; got byte 0xff at offset 0"),
    "control character": broken(
        b"a: \0",
        ': unacceptable character #x0000: special characters are not allowed in "<unicode string>", position 3; '
        "expected YAML",
    ),
    "open bracket": broken(
        edit("[1, 1]", "[1, 1"),
        at("min_df") + ": expected ',' or ']', but got '<scalar>'; expected YAML",
    ),
    "tab": broken(
        edit("  seed: 1000", "\tseed: 1000"),
        at("  seed: 1000") + ": found character '\\t' that cannot start any token; expected YAML",
    ),
    "wrong indent": broken(
        edit("  seed: 1000", " seed: 1000"),
        at("  seed: 1000") + ": expected <block end>, but found '<block mapping start>'; expected YAML",
    ),
    "duplicate key": broken(edit("stratify: false", "seed: 1"), at("stratify") + ": seed stands twice; expected YAML"),
    "duplicate section": broken(
        TEXT.encode() + b"fetch: {corpus: imdb}\n", f":{END}: fetch stands twice; expected YAML"
    ),
    "number for a key": broken(TEXT.encode() + b"1: 2\n", f":{END}: key 1 must be a name; expected YAML"),
    "recursion": broken(
        edit("majority: {}", "majority: &a {a: *a}"),
        at("majority: {}") + ": found unconstructable recursive node; expected YAML",
    ),
    "unknown alias": broken(
        edit("majority: {}", "majority: *a"),
        at("majority: {}") + ": found undefined alias 'a'; expected YAML",
    ),
    "python tag": broken(
        edit(KERAS_SEED, "seed: !!python/object/apply:os.system [id]  #"),
        at(KERAS_SEED)
        + ": could not determine a constructor for the tag 'tag:yaml.org,2002:python/object/apply:os.system'; "
        "expected YAML",
    ),
    "tag that the value is none of": broken(
        edit("binary: false", "binary: !!bool maybe"),
        ": a value must be of the kind that its tag (!!) names; expected YAML",
    ),
    "two documents": broken(TEXT.encode() + b"---\na: 1\n", f":{END}: but found another document; expected YAML"),
}
ALL = KEYS | VALUES | CHOICES | UNFOUNDED_CHOICES | FILES


@pytest.mark.parametrize("name", ALL)
def test_a_stage_refuses_params_that_break_a_rule(refuses: Callable[..., None], project: Path, name: str) -> None:
    content, lines = ALL[name]
    (project / "params.yaml").write_bytes(content)
    refuses("split", *(f"error: split: params.yaml{line}" for line in lines))


def test_a_number_with_an_exponent_is_accepted(project: Path) -> None:
    (project / "params.yaml").write_bytes(edit("test_size: 0.25", "test_size: 5e-1", "C: 1.0", "C: 1e-3"))
    script = Path(__file__).parents[2] / "stages" / "split.py"
    done = subprocess.run(
        [sys.executable, script, "data/raw", "data/splits", "metrics/splits.json"],
        cwd=project,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "train: 20 rows\ntest: 20 rows\n", "")


def test_a_stage_refuses_to_run_without_params(refuses: Callable[..., None], project: Path) -> None:
    (project / "params.yaml").unlink()
    refuses(
        "split", "error: split: params.yaml not found; run in the folder that holds it, or git checkout params.yaml"
    )


def test_a_folder_is_no_params(refuses: Callable[..., None], project: Path) -> None:
    (project / "params.yaml").unlink()
    (project / "params.yaml").mkdir()
    refuses("split", "error: split: params.yaml: Is a directory")


@pytest.mark.parametrize(
    "stage", ["fetch", "split", "vectorize", "train", "evaluate", "plot", "crossvalidate", "learning_curve"]
)
def test_every_stage_checks_all_params(refuses: Callable[..., None], project: Path, stage: str) -> None:
    (project / "params.yaml").write_bytes(edit("seed: 1000", "seed: a", "epochs: 100", "epochs: 0"))
    refuses(
        stage,
        f"error: {stage}: params.yaml: split.seed must be an integer; got a",
        f"error: {stage}: params.yaml: train.keras.epochs must be at least 1; got 0",
        through='exec "$@"',
    )
