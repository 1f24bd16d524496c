"""What a stage says of a params.yaml that breaks a rule, line by line."""

import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest

from tests.settings import TEXT, put

MODELS = "[majority, logistic_regression, keras]"
PATTERN = r"(?u)\b\w\w+\b "
FREQUENCY = "an integer from 1 (a number of rows) or a decimal from 0.0 to 1.0 (a share of the rows)"

STRENGTHS = "a number greater than 0, or a list of such numbers to choose from"
THRESHOLD = "a number between 0 and 1, or what to choose it by: accuracy, f1, precision"
KNOWN = "'majority', 'naive_bayes', 'logistic_regression', 'linear_svm', 'nb_svm' or 'keras'"
METRICS = "'accuracy', 'balanced_accuracy', 'brier', 'ece', 'f1', 'log_loss', 'mcc', 'precision', 'recall' or 'roc_auc'"
SECTIONS = "fetch, data, split, vectorize, train, evaluate, export, report, gate, crossvalidate"
CORPORA = "one of yelp, amazon, imdb, or a list of such, each once"
PATH = 'a path that can be printed, does not start with - and holds no ", $, ` or \\: a shell is handed it'
GLOB = "a glob of names below the folder, such as *.csv or **/*.jsonl"
DELIMITER = "one ASCII character that is no space, quote or line end, such as ; or |"
CLASSES = "null, or a list of two classes or more, each text, an integer or a boolean"
CLASS_WEIGHT = "null, balanced, or a mapping of each class to a number greater than 0"
KNOWN_MODELS = "'majority', 'naive_bayes', 'logistic_regression', 'linear_svm', 'nb_svm' or 'keras'"


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


def broken(content: bytes | str, *lines: str) -> tuple[bytes, tuple[str, ...]]:
    return content.encode() if isinstance(content, str) else content, lines


# Name: the content of params.yaml, and what follows "error: split: params.yaml" in each line on stderr.
KEYS = {
    "unknown key": broken(
        edit("lowercase: true", "lowercase: true\n  lowercsae: true"),
        ": vectorize.lowercsae is no setting; did you mean lowercase?",
    ),
    "unknown key like no other": broken(
        edit("majority: {}", "majority: {x: 1}"),
        ": train.majority.x is no setting; known here: none",
    ),
    "unknown section": broken(
        TEXT.encode() + b"serve: {}\n",
        f": serve is no setting; known here: {SECTIONS}",
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
        f": fetch.corpus must be {CORPORA}; got yelb",
    ),
    "null": broken(edit("corpus: yelp ", "corpus: "), f": fetch.corpus must be {CORPORA}; got null"),
    "long value": broken(
        edit("corpus: yelp", "corpus: " + "x" * 99),
        f": fetch.corpus must be {CORPORA}; got {'x' * 59}…",
    ),
    "half a surrogate pair": broken(
        edit("corpus: yelp", 'corpus: "\\uD800"'),
        f": fetch.corpus must be {CORPORA}; got '\\ud800'",
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
        f": train.models[1] must be one of {KNOWN_MODELS}; got svm",
    ),
    "model without a list": broken(edit(MODELS, "keras"), ": train.models must be a list; got keras"),
    "NaN": broken(
        put("train.logistic_regression.C", ".nan"), f": train.logistic_regression.C must be {STRENGTHS}; got .nan"
    ),
    "infinity": broken(
        put("train.logistic_regression.C", ".inf"), f": train.logistic_regression.C must be {STRENGTHS}; got .inf"
    ),
    "overflow": broken(
        put("train.logistic_regression.C", "1e999"), f": train.logistic_regression.C must be {STRENGTHS}; got .inf"
    ),
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
        put("train.keras.seed", "a")
        .replace("test_size: 0.25", "test_size: 2")
        .replace("C: 1.0                 # inverse strength of the regularisation; a", "c: 1.0  # a")
        .replace("epochs: 100", "epoch: 100"),
        ": split.test_size must be less than 1.0; got 2",
        ": train.logistic_regression.C is missing; it must be set",
        ": train.logistic_regression.c is no setting; known here: C, solver, max_iter, class_weight",
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
    "C of 0": broken(
        put("train.logistic_regression.C", "0"), f": train.logistic_regression.C must be {STRENGTHS}; got 0"
    ),
    "C that is true": broken(
        put("train.logistic_regression.C", "true"), f": train.logistic_regression.C must be {STRENGTHS}; got true"
    ),
    "no C": broken(
        put("train.logistic_regression.C", "[]"), f": train.logistic_regression.C must be {STRENGTHS}; got []"
    ),
    "one wrong C of several": broken(
        put("train.logistic_regression.C", "[0.1, -1]"),
        f": train.logistic_regression.C must be {STRENGTHS}; got [0.1, -1]",
    ),
    "text among several C": broken(
        put("train.logistic_regression.C", "[0.1, ten]"),
        f": train.logistic_regression.C must be {STRENGTHS}; got [0.1, ten]",
    ),
    "nested C": broken(
        put("train.logistic_regression.C", "[[1]]"), f": train.logistic_regression.C must be {STRENGTHS}; got [[1]]"
    ),
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
        put("evaluate.seed", f"{2**32}"),
        ": evaluate.seed must be at most 4294967295; got 4294967296",
    ),
    "one fold": broken(edit("folds: 4", "folds: 1"), ": crossvalidate.folds must be at least 2; got 1"),
    "no repeat": broken(edit("repeats: 3", "repeats: 0"), ": crossvalidate.repeats must be at least 1; got 0"),
    "no seed": broken(edit("seeds: 5", "seeds: 0"), ": crossvalidate.seeds must be at least 1; got 0"),
    "seed of the folds": broken(
        put("crossvalidate.seed", f"{2**31}"),
        ": crossvalidate.seed must be at most 2147483647; got 2147483648",
    ),
    "stratified by hash": broken(
        put("split.method", "hash", "split.stratify", "true"),
        ": split: stratify must be false with method hash, which looks at no other row; got true",
    ),
    "unknown way to split": broken(
        put("split.method", "time"), ": split.method must be one of 'random' or 'hash'; got time"
    ),
    "unknown solver": broken(
        put("train.logistic_regression.solver", "saga"),
        ": train.logistic_regression.solver must be one of 'auto', 'lbfgs' or 'sgd'; got saga",
    ),
    "export of a model that is not trained": broken(
        put("export.model", "nb_svm"),
        ": export.model must be in train.models (majority, logistic_regression, keras), or null; got nb_svm",
    ),
    "export of an unknown model": broken(
        put("export.model", "bert"),
        f": export.model must be one of {KNOWN}; got bert",
    ),
    "no terms": broken(put("export.terms", "0"), ": export.terms must be at least 1; got 0"),
    "no mistakes": broken(put("report.mistakes", "0"), ": report.mistakes must be at least 1; got 0"),
    "gate of an unknown model": broken(
        put("gate.minimum", "{bert: {test: {accuracy: 0.5}}}"),
        f": gate.minimum.bert must be one of {KNOWN}; got bert",
    ),
    "gate of an unknown split": broken(
        put("gate.minimum", "{keras: {dev: {accuracy: 0.5}}}"),
        ": gate.minimum.keras.dev must be one of 'train', 'validation' or 'test'; got dev",
    ),
    "gate of an unknown metric": broken(
        put("gate.minimum", "{keras: {test: {acc: 0.5}}}"),
        f": gate.minimum.keras.test.acc must be one of {METRICS}; got acc",
    ),
    "gate without numbers": broken(
        put("gate.minimum", "{keras: {test: {accuracy: high}}}"),
        ": gate.minimum.keras.test.accuracy must be a number; got high",
    ),
    "drop below 0": broken(
        put("gate.maximum_drop", "{keras: {test: {accuracy: -0.1}}}"),
        ": gate.maximum_drop.keras.test.accuracy must be at least 0.0; got -0.1",
    ),
    "missing sections": broken(
        TEXT[: TEXT.index("evaluate:\n")].encode(),
        ": evaluate is missing; it must be set",
        ": export is missing; it must be set",
        ": report is missing; it must be set",
        ": gate is missing; it must be set",
        ": crossvalidate is missing; it must be set",
    ),
}


def wrong(key: str, value: str, rule: str, got: str | None = None) -> tuple[bytes, tuple[str, ...]]:
    """A value that breaks the rule of its key, told as it stands, or as `got`."""
    return broken(put(key, value), f": {key} must be {rule}; got {value if got is None else got}")


ROWS = {
    "corpora without end": wrong("fetch.corpus", "[]", CORPORA),
    "corpus twice": wrong("fetch.corpus", "[yelp, imdb, yelp]", CORPORA),
    "unknown corpus of several": wrong("fetch.corpus", "[yelp, yelb]", CORPORA),
    "corpora in a list of lists": wrong("fetch.corpus", "[[yelp, imdb]]", CORPORA),
    "corpora as a mapping": wrong("fetch.corpus", "{yelp: true}", CORPORA),
    "no path": wrong("data.path", "null", "text"),
    "path of a number": wrong("data.path", "7", "text"),
    "empty path": wrong("data.path", "''", PATH),
    "path of spaces": wrong("data.path", "'  '", PATH),
    "path with a quote": wrong("data.path", """'a"b.csv'""", PATH, 'a"b.csv'),
    "path with a variable": wrong("data.path", "$HOME/rows.csv", PATH),
    "path with a command": wrong("data.path", "'`id`.csv'", PATH),
    "path of Windows": wrong("data.path", r"C:\rows.csv", PATH),
    "path of two lines": wrong("data.path", r'"a\nb.csv"', PATH, r"'a\nb.csv'"),
    "path like an option": wrong("data.path", "-rows.csv", PATH),
    "empty glob": wrong("data.files", "''", GLOB),
    "glob above the folder": wrong("data.files", "../*.csv", GLOB),
    "glob of the root": wrong("data.files", "/rows/*.csv", GLOB),
    "glob of a folder": wrong("data.files", "rows/", GLOB),
    "glob of two stars in a name": wrong("data.files", "'**.csv'", GLOB),
    "glob of two lines": wrong("data.files", r'"a\nb"', GLOB, r"'a\nb'"),
    "format of a spreadsheet": wrong("data.format", "xlsx", "one of 'auto', 'csv', 'jsonl', 'parquet', 'tsv' or 'txt'"),
    "format with a dot": wrong("data.format", ".csv", "one of 'auto', 'csv', 'jsonl', 'parquet', 'tsv' or 'txt'"),
    "no column of texts": wrong("data.text", "null", "text"),
    "column without a name": broken(put("data.label", "''"), ": data.label must be text that is not empty; got ''"),
    "column of a number": wrong("data.id", "0", "text"),
    "text that is the label": broken(
        put("data.text", "review", "data.label", "review"),
        ": data: label must be another column than text; got review for both",
    ),
    "one class": wrong("data.classes", "[spam]", CLASSES),
    "no class": wrong("data.classes", "[]", CLASSES),
    "classes without a list": wrong("data.classes", "ham", CLASSES),
    "class of a decimal": wrong("data.classes", "[1.5, 2]", CLASSES),
    "class of nothing": wrong("data.classes", "[ham, null]", CLASSES),
    "class without letters": wrong("data.classes", "[ham, '']", CLASSES),
    "class twice": wrong("data.classes", "[ham, spam, ham]", "a list without repetitions"),
    "class as a number and as text": wrong("data.classes", "[1, '1']", "a list without repetitions"),
    "class as a boolean and as text": wrong("data.classes", "[true, 'true']", "a list without repetitions"),
    "rows skipped": wrong("data.missing", "skip", "one of 'error' or 'drop'"),
    "unknown encoding": wrong("data.encoding", "utf-9", "an encoding that Python knows, such as utf-8 or cp1252"),
    "encoding of no text": wrong("data.encoding", "base64", "an encoding of text, such as utf-8 or cp1252"),
    "encoding with a NUL": wrong(
        "data.encoding", r'"utf-8\0"', "an encoding that Python knows, such as utf-8 or cp1252", got=r"'utf-8\x00'"
    ),
    "delimiter of two": wrong("data.delimiter", "'||'", DELIMITER),
    "delimiter of none": wrong("data.delimiter", "''", DELIMITER),
    "delimiter of a quote": wrong("data.delimiter", """'"'""", DELIMITER),
    "delimiter of a space": wrong("data.delimiter", "' '", DELIMITER),
    "delimiter of a line end": wrong("data.delimiter", r'"\n"', DELIMITER, r"'\n'"),
    "delimiter beyond ASCII": wrong("data.delimiter", "§", DELIMITER),
    "quoting by a word": wrong("data.quoting", "minimal", "true or false"),
}
TERMS = {
    "unknown analyzer": wrong(
        "vectorize.analyzer", "bytes", "one of 'word', 'char', 'char_wb', 'word+char' or 'word+char_wb'"
    ),
    "unknown weighting": wrong("vectorize.weighting", "idf", "one of 'counts', 'binary' or 'tfidf'"),
    "sublinear counts": broken(
        put("vectorize.sublinear_tf", "true"),
        ": vectorize: weighting must be tfidf for sublinear_tf; got counts",
    ),
    "reversed char_ngram_range": broken(
        put("vectorize.char_ngram_range", "[5, 2]"),
        ": vectorize: char_ngram_range must be [smallest, largest]; got [5, 2]",
    ),
    "char_ngram_range of 0": broken(
        put("vectorize.char_ngram_range", "[0, 2]"),
        ": vectorize.char_ngram_range[0] must be at least 1; got 0",
    ),
    "no columns to hash into": wrong("vectorize.hashing", "0", "at least 1"),
    "more columns than an int32 counts": wrong("vectorize.hashing", f"{2**31}", f"less than {2**31}"),
    "hashing that is true": wrong("vectorize.hashing", "true", "an integer"),
    "hashing by a power": wrong("vectorize.hashing", "2**18", "an integer"),
    **{
        f"hashing with {name} of {value}": broken(
            put("vectorize.hashing", "1024", f"vectorize.{name}", value),
            f": vectorize: {name} must be {default} with hashing, which keeps no vocabulary to choose terms from; "
            f"got {value}",
        )
        for name, value, default in (
            ("min_df", "2", "1"),
            ("min_df", "1.0", "1"),
            ("max_df", "0.5", "1.0"),
            ("max_df", "1", "1.0"),
            ("max_features", "100", "null"),
        )
    },
}
WEIGHTS = {
    **{
        f"class_weight {name}": wrong("train.logistic_regression.class_weight", value, CLASS_WEIGHT)
        for name, value in (
            ("of another word", "balance"),
            ("of true", "true"),
            ("of a list", "[1, 2]"),
            ("of no class", "{}"),
            ("of 0", "{ham: 0, spam: 1}"),
            ("below 0", "{ham: -1, spam: 1}"),
            ("of infinity", "{ham: .inf, spam: 1}"),
            ("of NaN", "{ham: .nan, spam: 1}"),
            ("of a word", "{ham: much, spam: 1}"),
            ("of a boolean", "{ham: true, spam: 1}"),
        )
    },
    **{
        f"class_weight of {model}": wrong(f"train.{model}.class_weight", "heavy", CLASS_WEIGHT)
        for model in ("naive_bayes", "linear_svm", "nb_svm", "keras")
    },
    "class_weight of the majority": broken(
        put("train.majority", "{class_weight: null}"), ": train.majority.class_weight is no setting; known here: none"
    ),
    "class_weight of a number": broken(
        put("train.naive_bayes.class_weight", "{0: 1, 1: 2}"),
        at("    class_weight: null") + ": key 0 must be text; put it in quotes; expected YAML",
    ),
    "no smoothing": wrong("train.naive_bayes.alpha", "0", "greater than 0.0"),
    "several C of an SVM": wrong("train.linear_svm.C", "[0.1, 1]", "a number"),
    "negative C of an SVM": wrong("train.nb_svm.C", "-1", "greater than 0.0"),
    "no smoothing of ratios": wrong("train.nb_svm.alpha", "0.0", "greater than 0.0"),
    "share above all": wrong("train.nb_svm.beta", "1.1", "at most 1.0"),
    "share below nothing": wrong("train.nb_svm.beta", "-0.1", "at least 0.0"),
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
        at("char_ngram_range") + ": expected ',' or ']', but got '<scalar>'; expected YAML",
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
    "number for a key": broken(
        TEXT.encode() + b"1: 2\n", f":{END}: key 1 must be text; put it in quotes; expected YAML"
    ),
    "recursion": broken(
        edit("majority: {}", "majority: &a {a: *a}"),
        at("majority: {}") + ": found unconstructable recursive node; expected YAML",
    ),
    "unknown alias": broken(
        edit("majority: {}", "majority: *a"),
        at("majority: {}") + ": found undefined alias 'a'; expected YAML",
    ),
    "python tag": broken(
        put("train.keras.seed", "!!python/object/apply:os.system [id]"),
        at("seed: 0                # of the weights")
        + ": could not determine a constructor for the tag 'tag:yaml.org,2002:python/object/apply:os.system'; "
        "expected YAML",
    ),
    "tag that the value is none of": broken(
        edit("lowercase: true", "lowercase: !!bool maybe"),
        ": a value must be of the kind that its tag (!!) names; expected YAML",
    ),
    "two documents": broken(TEXT.encode() + b"---\na: 1\n", f":{END}: but found another document; expected YAML"),
}
ALL = KEYS | VALUES | CHOICES | ROWS | TERMS | WEIGHTS | UNFOUNDED_CHOICES | FILES


@pytest.mark.parametrize("name", ALL)
def test_a_stage_refuses_params_that_break_a_rule(refuses: Callable[..., None], project: Path, name: str) -> None:
    content, lines = ALL[name]
    (project / "params.yaml").write_bytes(content)
    refuses("split", *(f"error: split: params.yaml{line}" for line in lines))


def test_a_number_with_an_exponent_is_accepted(project: Path) -> None:
    (project / "params.yaml").write_bytes(
        put("split.test_size", "5e-1", "train.logistic_regression.C", "1e-3").encode()
    )
    script = Path(__file__).parents[2] / "stages" / "split.py"
    done = subprocess.run(
        [sys.executable, script, "data/raw", "data/splits", "metrics/splits.json"],
        cwd=project,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "classes: '0' 20, '1' 20\ntrain: 20 rows\ntest: 20 rows\n",
        "",
    )


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
    "stage",
    ["fetch", "split", "vectorize", "train", "evaluate", "export", "plot", "report", "crossvalidate", "learning_curve"],
)
def test_every_stage_checks_all_params(refuses: Callable[..., None], project: Path, stage: str) -> None:
    (project / "params.yaml").write_bytes(edit("seed: 1000", "seed: a", "epochs: 100", "epochs: 0"))
    refuses(
        stage,
        f"error: {stage}: params.yaml: split.seed must be an integer; got a",
        f"error: {stage}: params.yaml: train.keras.epochs must be at least 1; got 0",
        through='exec "$@"',
    )
