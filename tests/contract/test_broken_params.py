"""What a params.yaml that breaks a rule is refused with, sentence by sentence; a handful of them by a stage."""

import json
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import arguments, run_stage
from tests.settings import TEXT, models, put
from textclf.core.errors import UserError
from textclf.evaluate import registry
from textclf.models.settings import KINDS
from textclf.params import Params, load, parse
from textclf.tables.formats import TABLE_FORMATS

SECTIONS = (
    "fetch, data, about, split, vectorize, combine, train, average, evaluate, export, behave, report, gate, "
    "crossvalidate, search, audit"
)
ENTRY = f"a section of settings with a kind that is one of {', '.join(sorted(KINDS))}"
ONE = "the name of one representation; combine makes one of two"
ALL = put(*models(*KINDS))
NAMED = ", ".join(dict.fromkeys(("majority", "logistic_regression", "keras", *KINDS)))
FAMILIES = "class, words, negation, capitals, digits, unknown_words"
SLICES = f"the slices that are made of the texts ({FAMILIES})"
SLICE_METRICS = "precision, recall, f1, balanced_accuracy, mcc, log_loss, brier"
METRICS = ", ".join(registry.METRICS)
FREQUENCY = "an integer from 1 (a number of rows) or a decimal from 0.0 to 1.0 (a share of the rows)"
STRENGTHS = "a number greater than 0, or a list of such numbers to choose from"
THRESHOLD = "a number between 0 and 1, or what to choose it by: accuracy, f1, precision"
CORPORA = "one of yelp, amazon, imdb, or a list of such, each once"
PATH = "a printable path"
VARIABLE = "the name of an environment variable, such as DATABASE_URL, and not the URL with its password"
GLOB = "a glob of names below the folder, such as *.csv or **/*.jsonl"
GLOBS = f"{GLOB}; or such a glob for each split, as in {{train: train.csv, test: test.csv}}"
DELIMITER = "one ASCII character that is no space, quote or line end, such as ; or |"
CLASSES = "null, or a list of two classes or more, each text, an integer or a boolean"
CLASS_WEIGHT = "null, balanced, or a mapping of classes to numbers greater than 0"
FORMATS = f"one of 'auto', {', '.join(map(repr, TABLE_FORMATS[:-1]))} or {TABLE_FORMATS[-1]!r}"
ENCODING = "an encoding that Python knows, such as utf-8 or cp1252"
CALIBRATIONS = "one of 'none', 'platt' or 'temperature'"
UNIQUE = "a list without repetitions"
WITH_HASHING = "with hashing, which keeps no vocabulary to choose terms from"
NO_VALIDATION = "split.validation_size must be greater than 0 for"
ANY_SIZE = "(any size will do if the table gives validation rows)"

# By key: the rule, and values in YAML that break it; where an error shows a value in another way, a pair of both.
WRONG_VALUES: dict[str, list[tuple[str, list[str | tuple[str, str]]]]] = {
    "fetch.corpus": [
        (CORPORA, ["yelb", "null", "[]", "[yelp, imdb, yelp]", "[yelp, yelb]", "[[yelp, imdb]]", "{yelp: true}"]),
        (CORPORA, [("x" * 99, f"{'x' * 59}…"), ('"\\uD800"', r"'\ud800'")]),
    ],
    "fetch.database": [
        (VARIABLE, ["''", ("'A B'", "A B"), "1A", ("postgresql://reader:secret@host/help",) * 2]),
        ("text", ["7"]),
    ],
    "fetch.query": [("text", ["7"]), ("text that is not empty", ["''"])],
    "data.path": [
        ("text", ["null", "7"]),
        (PATH, ["''", "'  '", (r'"a\nb.csv"', r"'a\nb.csv'")]),
    ],
    "data.files": [
        (GLOB, ["''", "../*.csv", "/rows/*.csv", "rows/", ("'**.csv'", "'**.csv'"), (r'"a\nb"', r"'a\nb'")]),
        (GLOB, ["{train: a.csv, test: ../b.csv}"]),
        (GLOBS, ["null", "[a.csv, b.csv]", "{}", "{eval: a.csv}", "{dev: a.csv, valid: b.csv}", "{train: [a.csv]}"]),
    ],
    "data.format": [(FORMATS, ["xlsx", ".csv"])],
    "data.text": [("the name of a column, or a list of two or more", ["null", "''", "[title]", "[title, 1]"])],
    "data.text_separator": [("text that is not empty", ["''"])],
    "data.label": [("the name of a column, or a list of two or more", ["''", "[a]"])],
    "data.label_separator": [("text that is not empty", ["''"])],
    "data.task": [("one of 'multiclass' or 'multilabel'", ["binary"])],
    "data.id": [("text", ["0"])],
    "data.split": [("text", ["true"]), ("text that is not empty", ["''"])],
    "data.classes": [
        (CLASSES, ["[spam]", "[]", "ham", "[1.5, 2]", "[ham, null]", "[ham, '']"]),
        (UNIQUE, ["[ham, spam, ham]", "[1, '1']", "[true, 'true']"]),
    ],
    "data.missing": [("one of 'error' or 'drop'", ["skip"])],
    "data.encoding": [
        (ENCODING, ["utf-9", (r'"utf-8\0"', r"'utf-8\x00'")]),
        ("an encoding of text, such as utf-8 or cp1252", ["base64"]),
    ],
    "data.delimiter": [(DELIMITER, ["'||'", "''", """'"'""", "' '", (r'"\n"', r"'\n'"), "§"])],
    "data.quoting": [("true or false", ["minimal"])],
    "data.sheet": [("text", ["1"]), ("text that is not empty", ["''"])],
    "data.query": [("text", ["[SELECT]"]), ("text that is not empty", ["''"])],
    "split.method": [("one of 'random', 'hash' or 'time'", ["date"])],
    "split.test_size": [
        ("a number", ["'0.25'", "'1e-3'", "true"]),
        ("at least 0.0", ["-0.1"]),
        ("less than 1.0", ["1"]),
    ],
    "split.validation_size": [("at least 0.0", ["-0.1"])],
    "split.seed": [("at least 0", ["-1"]), ("at most 4294967295", [f"{2**32}", f"1{'0' * 30}"])],
    "split.stratify": [("true or false", [("yes", "yes"), ("no", "no")])],
    "split.group_duplicates": [("true or false", ["yes"])],
    "vectorize.words.analyzer": [("one of 'word', 'char', 'char_wb', 'word+char' or 'word+char_wb'", ["bytes"])],
    "vectorize.words.weighting": [("one of 'counts', 'binary' or 'tfidf'", ["idf"])],
    "vectorize.words.lowercase": [("true or false", ["1"])],
    "vectorize.words.token_pattern": [
        ("a regular expression (unterminated character set at position 0)", ["'['"]),
        ("a regular expression with at most one capturing group", ["(a)(b)"]),
        ("a regular expression (the repetition number is too large)", ["a{99999999999}"]),
    ],
    "vectorize.words.ngram_range": [("a list of 2", ["[1, 2, 3]"]), ("a list", ["1, 1"])],
    "vectorize.words.min_df": [(FREQUENCY, ["0"])],
    "vectorize.words.max_df": [(FREQUENCY, ["1.5", ".nan"])],
    "vectorize.words.max_features": [("at least 1", ["0"]), ("an integer", ["all"])],
    "vectorize.words.hashing": [
        ("at least 1", ["0"]),
        (f"less than {2**31}", [f"{2**31}"]),
        ("an integer", ["true", "2**18"]),
    ],
    "train": [("a section with at least one model", ["{}"]), ("a section of settings", ["null", "[keras]"])],
    "train.majority": [(ENTRY, ["null", "[1]", "{}", "{features: words}", "{kind: svm, features: words}"])],
    "train.keras.features": [(ONE, ["null", "[words, letters]", "''", "7"])],
    "vectorize": [("a section with at least one representation, such as {words: {}}", ["{}"])],
    "combine": [("a section of settings", ["null", "[words, letters]"])],
    "combine.both": [("a section of settings", ["null", "words"])],
    "train.naive_bayes.alpha": [("greater than 0.0", ["0"])],
    "train.logistic_regression.C": [
        (STRENGTHS, [".nan", ".inf", ("1e999", ".inf"), "0", "true", "[]", "[0.1, -1]", "[0.1, ten]", "[[1]]"]),
    ],
    "train.logistic_regression.solver": [("one of 'auto', 'lbfgs' or 'stream'", ["saga"])],
    "train.logistic_regression.class_weight": [
        (CLASS_WEIGHT, ["balance", "true", "[1, 2]", "{}", "{ham: 0, spam: 1}", "{ham: -1, spam: 1}"]),
        (CLASS_WEIGHT, [f"{{ham: {weight}, spam: 1}}" for weight in (".inf", ".nan", "much", "true")]),
    ],
    **{
        f"train.{model}.class_weight": [(CLASS_WEIGHT, ["heavy"])]
        for model in ("naive_bayes", "linear_svm", "nb_svm", "keras")
    },
    "train.linear_svm.C": [("a number", ["[0.1, 1]"])],
    "train.nb_svm.C": [("greater than 0.0", ["-1"])],
    "train.nb_svm.alpha": [("greater than 0.0", ["0.0"])],
    "train.nb_svm.beta": [("at most 1.0", ["1.1"]), ("at least 0.0", ["-0.1"])],
    "train.keras.units": [("a list", ["10"])],
    "train.keras.optimizer": [("one of 'adagrad', 'adam', 'adamw', 'nadam', 'rmsprop' or 'sgd'", ["adamm"])],
    "train.keras.learning_rate": [("greater than 0.0", ["0.0"])],
    "train.keras.epochs": [("an integer", [("1e2", "100.0")])],
    "train.keras.early_stopping": [("at least 1", ["0"]), ("an integer", ["false"])],
    "evaluate.threshold": [(THRESHOLD, ["0.0", "1", "recall", "true", ".nan", "[0.5]"])],
    "evaluate.target_precision": [("less than 1.0", ["1"])],
    "evaluate.calibration": [(CALIBRATIONS, ["isotonic", "null"])],
    "evaluate.coverage": [
        ("less than 1.0", ["1", "95"]),
        ("greater than 0.0", ["0", "-0.5"]),
        ("a number", ["high", "[0.9]", ("true", "true")]),
    ],
    "evaluate.coverage_by_class": [("true or false", ["null", "0.95"])],
    "evaluate.confidence": [("less than 1.0", ["95"]), ("greater than 0.0", ["0"])],
    "export.terms": [("at least 1", ["0"])],
    "report.mistakes": [("at least 1", ["0"])],
    "crossvalidate.folds": [("at least 2", ["1"])],
    "audit.folds": [("at least 2", ["1"])],
    "audit.rows": [("at least 1", ["0"])],
    "audit.models": [(UNIQUE, ["[keras, keras]"])],
    "crossvalidate.repeats": [("at least 1", ["0"])],
    "crossvalidate.seeds": [("at least 1", ["0"])],
    "crossvalidate.seed": [("at most 2147483647", [f"{2**31}"])],
}
# Settings, and what follows "params.yaml: " in each line.
WRONG_SETTINGS = [
    (
        ("split.test_size", "0.7", "split.validation_size", "0.3"),
        "split: test_size + validation_size must be less than 1; got 1",
    ),
    (
        ("split.method", "hash", "split.stratify", "true"),
        "split: stratify must be false with method hash, which looks at no other row; got true",
    ),
    (
        ("data.text", "review", "data.label", "review"),
        "data: label must be another column than text; got review for both",
    ),
    (("data.split", "text"), "data: split must be another column than text and label; got text"),
    (
        ("data.split", "fold", "data.files", "{train: a.csv, test: b.csv}"),
        "data: split must be auto if files names the files of each split; got fold",
    ),
    (("vectorize.words.ngram_range", "[2, 1]"), "vectorize.words: ngram_range must be [smallest, largest]; got [2, 1]"),
    (("vectorize.words.ngram_range", "[1]"), "vectorize.words.ngram_range[1] is missing; it must be set"),
    (("vectorize.words.ngram_range", "[0, 1]"), "vectorize.words.ngram_range[0] must be at least 1; got 0"),
    (
        ("vectorize.words.char_ngram_range", "[5, 2]"),
        "vectorize.words: char_ngram_range must be [smallest, largest]; got [5, 2]",
    ),
    (("vectorize.words.char_ngram_range", "[0, 2]"), "vectorize.words.char_ngram_range[0] must be at least 1; got 0"),
    (("vectorize.words.sublinear_tf", "true"), "vectorize.words: weighting must be tfidf for sublinear_tf; got counts"),
    *(
        (
            ("vectorize.words.hashing", "1024", f"vectorize.words.{name}", value),
            f"vectorize.words: {name} must be {default} {WITH_HASHING}; got {value}",
        )
        for name, value, default in (
            ("min_df", "2", "1"),
            ("min_df", "1.0", "1"),
            ("max_df", "0.5", "1.0"),
            ("max_df", "1", "1.0"),
            ("max_features", "100", "null"),
        )
    ),
    (("train.majority", "{kind: majority}"), "train.majority.features is missing; it must be set"),
    (
        ("train.majority", "{kind: majority, features: words, alpha: 1}"),
        "train.majority.alpha is no setting; known here: kind, features",
    ),
    (("combine.both", "{first: words}"), "combine.both.second is missing; it must be set"),
    (
        ("combine.both", "{first: words, second: letters}"),
        "combine.both.second must be a name in vectorize or combine; got letters; known here: words, both",
    ),
    (
        ("combine.words", "{first: words, second: letters}", "vectorize.letters", "{analyzer: char}"),
        "combine.words must not have the name of a representation of vectorize; choose another",
        "combine.words must not contain itself; got words and letters",
    ),
    (
        ("combine", "{a: {first: b, second: words}, b: {first: a, second: words}}"),
        "combine.a must not contain itself; got b and words",
        "combine.b must not contain itself; got a and words",
    ),
    (
        ("combine.both", "{first: words, second: words}"),
        "combine.both must contain each representation once; got words, words",
    ),
    (
        ("combine.both", "{first: words, second: ids}", "vectorize.ids", "{method: token_ids}"),
        "combine.both.second must be sparse or dense; got ids, whose features are tokens",
    ),
    (
        ("train.majority.features", "wrds"),
        "train.majority.features must name a representation of vectorize or combine; got wrds; did you mean words?",
    ),
    (
        ("average", "{mean: {first: kers, second: keras}, keras: {first: mean, second: mean}}"),
        "average.mean.first must be a model of train; got kers; did you mean keras?",
        "average.keras must not have a name that a model of train or textclf itself has; choose another",
        "average.keras.first must be a model of train; got mean; known here: majority, logistic_regression, keras",
        "average.keras.second must be a model of train; got mean; known here: majority, logistic_regression, keras",
        "average.keras must be of two models; got mean twice",
    ),
    (
        ("average.best", "{first: majority, second: keras}"),
        "average.best must not have a name that a model of train or textclf itself has; choose another",
    ),
    (("average.mean", "{first: keras}"), "average.mean.second is missing; it must be set"),
    (("train.keras.units", "[10, 0]"), "train.keras.units[1] must be at least 1; got 0"),
    (
        ("export.model", "nb_svm"),
        "export.model must be a model of train (majority, logistic_regression, keras), or null; got nb_svm",
    ),
    (
        ("split.validation_size", "0.2", "data.unknown", "oos", "evaluate.coverage", "0.9"),
        "evaluate.coverage must be null with data.unknown unless data.train_unknown is true; got 0.9",
    ),
    (
        ("data.unknown", "oos", "evaluate.unknown_score", "distance"),
        *(
            f"evaluate.unknown_score must be probability for {name}; got distance, which needs dense features"
            for name in ("majority", "logistic_regression", "keras")
        ),
    ),
    (
        ("data.unknown", "oos", "evaluate.unknown_score", "energy", "average.mean", "{first: majority, second: keras}"),
        (
            "evaluate.unknown_score must be probability for mean; got energy, which needs other models than "
            "average, transformer and naive_bayes"
        ),
    ),
    (
        ("data.unknown", "oos", "evaluate.unknown_score", "energy", "train.nb", "{kind: naive_bayes, features: words}"),
        (
            "evaluate.unknown_score must be probability for nb; got energy, which needs other models than "
            "average, transformer and naive_bayes"
        ),
    ),
    *(
        (
            ("evaluate.unknown_score", "energy", *others),
            (
                "evaluate.unknown_score must be probability unless data.unknown names texts of no class and "
                "data.train_unknown is false; got energy"
            ),
        )
        for others in ((), ("data.unknown", "oos", "data.train_unknown", "true"))
    ),
    (
        ("data.unknown", "oos", "evaluate.unknown_score", "energy", "evaluate.external", "{rules: mine.csv}"),
        "evaluate.unknown_score must be probability for rules; got energy, which predictions made elsewhere lack",
    ),
    (
        ("data.train_unknown", "true"),
        "data: train_unknown must be false without unknown, the label of texts of no class; got true",
    ),
    (
        ("data.unknown", "oos", "data.classes", "[a, oos]"),
        "data: unknown must not be in classes unless train_unknown is true; got oos",
    ),
    (
        ("evaluate.costs", "{ham: 3}"),
        "evaluate.costs must be numbers, as {actual: {predicted: cost}, abstain: cost}; got {ham: 3}",
    ),
    (
        ("evaluate.costs", "{ham: {spam: 3}}", "evaluate.threshold", "f1"),
        "evaluate: threshold must be 0.5 with costs, which decide instead; got f1",
    ),
    (
        ("evaluate.costs", "{ham: {spma: 3}}", "data.classes", "[ham, spam]"),
        "evaluate.costs must name classes; got spma; did you mean spam?",
    ),
    (("search.metric", "cost"), "search.metric must name another metric unless evaluate.costs is set; got cost"),
    (
        ("gate.minimum", "{keras: {test: {cost: 0.5}}}"),
        "gate.minimum.keras.test must name another metric unless evaluate.costs is set; got cost",
    ),
    (
        ("evaluate.external", "{keras: mine.csv}"),
        "evaluate.external.keras must not have the name of a model of train; choose another",
    ),
    (
        ("evaluate.external", "{best: mine.csv}"),
        (
            "evaluate.external.best must be a name of small letters, digits and _, other than best, choice, "
            "crossvalidation, guessing, protocol; got best"
        ),
    ),
    (("evaluate.external", "{gpt: ''}"), "evaluate.external.gpt must be text that is not empty; got ''"),
    (
        ("behave.tests", "{Mine: mine.yaml}"),
        "behave.tests: the name of a file of tests must be small letters, digits and _, at most 40; got Mine",
    ),
    (("behave.tests", "{mine: ''}"), "behave.tests.mine must be text that is not empty; got ''"),
    (("behave.tests", "[mine.yaml]"), "behave.tests must be a mapping; got [mine.yaml]"),
    (("gate.minimum", "{kera: {test: {accuracy: 0.5}}}"), "gate.minimum.kera is no model; did you mean keras?"),
    (("gate.maximum_drop", "{bert: {}}"), f"gate.maximum_drop.bert is no model; known here: {NAMED}"),
    (
        ("gate.behaviour", "{keras: {sentiment: {typos: 0.1}}}"),
        "gate.behaviour.keras.sentiment must be in behave.tests (none); add the file there",
    ),
    (("gate.behaviour", "{kera: {}}"), "gate.behaviour.kera is no model; did you mean keras?"),
    (
        ("gate.behaviour", "{gpt: {}}", "evaluate.external", "{gpt: gpt.csv}"),
        "gate.behaviour.gpt must be a model that is exported; predictions made elsewhere are not tested",
    ),
    (
        ("gate.behaviour", "{keras: {sentiment: {typos: 2.0}}}"),
        "gate.behaviour.keras.sentiment.typos must be at most 1.0; got 2.0",
    ),
    (
        ("gate.minimum", "{keras: {dev: {accuracy: 0.5}}}"),
        "gate.minimum.keras.dev must be one of train, validation, test; got dev",
    ),
    (("audit.models", "[kera]"), "audit.models[0] must be a model of train; got kera; did you mean keras?"),
    (
        ("audit.models", "[keras, majority]"),
        "audit.models[1] must be a model that tells texts apart; got majority, which predicts the same for all",
    ),
    (
        ("fetch.database", "DATABASE_URL"),
        "fetch: database and query must be set together, or both be null; got DATABASE_URL and null",
    ),
    (
        ("fetch.query", "SELECT 1"),
        "fetch: database and query must be set together, or both be null; got null and SELECT 1",
    ),
    (
        ("gate.minimum", "{keras: {test: {acc: 0.5}}}"),
        f"gate.minimum.keras.test.acc must be one of {METRICS}; got acc",
    ),
    (
        ("gate.minimum", "{keras: {test: {accuracy: high}}}"),
        "gate.minimum.keras.test.accuracy must be a number; got high",
    ),
    (
        ("gate.maximum_drop", "{keras: {test: {accuracy: -0.1}}}"),
        "gate.maximum_drop.keras.test.accuracy must be at least 0.0; got -0.1",
    ),
    (("data.label", "[a, b]"), "data: label must be one column unless task is multilabel; got [a, b]"),
    *(
        (
            ("data.label_separator", "'|'", *others),
            "data: label_separator must be null unless task is multilabel and label one column; got '|'",
        )
        for others in ((), ("data.task", "multilabel", "data.label", "[a, b]"))
    ),
    (("data.time", "text"), "data: time must be another column than text and label; got text"),
    (("split.method", "time"), "data.time must be a column of times with split.method time; got null"),
    *(
        (
            ("split.method", "time", "data.time", "opened", f"split.{name}", "true"),
            f"split: {name} must be false with method time, by which the latest rows test; got true",
        )
        for name in ("stratify", "group_duplicates")
    ),
    (("data.slices", "platform"), "data.slices must be a list; got platform"),
    (("data.slices", "[a, a]"), "data.slices must be a list without repetitions; got [a, a]"),
    (("data.slices", "[text]"), "data: slices must be other columns than text and label; got text"),
    (
        ("data.slices", "[platform, words]"),
        f"data.slices must have names without =, and other than {SLICES}; got words; rename the column",
    ),
    (
        ("data.slices", "[a=b]"),
        f"data.slices must have names without =, and other than {SLICES}; got a=b; rename the column",
    ),
    (("evaluate.slice_metric", "ece"), f"evaluate.slice_metric must be null or one of {SLICE_METRICS}; got ece"),
    (
        ("gate.minimum", "{keras: {test: {brier: 2, accuracy: 75}}}"),
        "gate.minimum.keras.test must be limits from 0 to 1 for accuracy, not percent; got {brier: 2, accuracy: 75}",
    ),
    (
        ("gate.maximum_drop", "{keras: {test: {f1: 2}}}"),
        "gate.maximum_drop.keras.test must be limits from 0 to 1 for f1, not percent; got {f1: 2}",
    ),
    (
        ("gate.slices", "{keras: {class=1: {accuracy: 70}}}"),
        "gate.slices.keras.class=1 must be limits from 0 to 1 for accuracy, not percent; got {accuracy: 70}",
    ),
    (
        ("gate.slices", "{majority: {class=1: {accuracy: 0.1}}}"),
        "gate.slices.majority must be a model that tells texts apart; got majority, which has no slices",
    ),
    (("gate.slices", "{kera: {class=1: {accuracy: 0.5}}}"), "gate.slices.kera is no model; did you mean keras?"),
    (
        ("gate.slices", "{keras: {platfrm=web: {accuracy: 0.5}}}", "data.slices", "[platform]"),
        (
            f"gate.slices.keras must have keys <column>=<value> with one of the columns {FAMILIES}, platform; "
            "got platfrm=web; did you mean platform?"
        ),
    ),
    (
        ("gate.slices", "{keras: {class=1: {f1: 0.5}}}"),
        "gate.slices.keras.class=1.f1 needs evaluate.slice_metric: f1; got null",
    ),
    (
        ("gate.slices", "{keras: {class=1: {ece: 0.5}}}"),
        f"gate.slices.keras.class=1.ece must be one of accuracy, {SLICE_METRICS}; got ece",
    ),
    *(
        (
            ("data.task", "multilabel", *settings, key, value),
            f"{key} must be {rule} for data.task multilabel; got {value}",
        )
        for key, value, rule, *settings in (
            ("evaluate.threshold", "accuracy", "a number, f1 or precision"),
            ("data.unknown", "oos", "null"),
            ("evaluate.calibration", "platt", "none"),
            ("evaluate.costs", "{ham: {spam: 3}}", "empty"),
            ("evaluate.calibration", "temperature", "none"),
            ("evaluate.coverage_by_class", "true", "false", "evaluate.coverage", "0.9", "split.validation_size", "0.2"),
            ("evaluate.slice_metric", "f1", "log_loss or brier"),
            ("evaluate.slice_metric", "mcc", "log_loss or brier"),
        )
    ),
    (
        (
            *("data.task", "multilabel", "gate.minimum", "{keras: {test: {f1: 0.5, mcc: 0.5}}}"),
            *(
                "gate.maximum_drop",
                "{mine: {validation: {balanced_accuracy: 0.1}}}",
                "evaluate.external",
                "{mine: a.csv}",
            ),
        ),
        "gate.minimum.keras.test must name a metric of data.task multilabel; got mcc",
        "gate.maximum_drop.mine.validation must name a metric of data.task multilabel; got balanced_accuracy",
    ),
    (
        ("data.task", "multilabel", "search.metric", "mcc"),
        "search.metric must name a metric of data.task multilabel; got mcc",
    ),
    (
        ("search.metric", "micro_f1", "gate.minimum", "{keras: {test: {micro_f1: 0.5}}}"),
        "search.metric must name a metric of data.task multiclass; got micro_f1",
        "gate.minimum.keras.test must name a metric of data.task multiclass; got micro_f1",
    ),
    # All mistakes at once, in the order of the settings.
    (
        ("split.test_size", "2", "train.keras.seed", "a", "train.keros", "{}", "report.mistakes", "0"),
        "split.test_size must be less than 1.0; got 2",
        "train.keras.seed must be an integer; got a",
        f"train.keros must be {ENTRY}; got {{}}",
        "report.mistakes must be at least 1; got 0",
    ),
    (
        ("export.model", "nb_svm", "gate.minimum", "{kera: {}}", "evaluate.coverage", "0.9"),
        "export.model must be a model of train (majority, logistic_regression, keras), or null; got nb_svm",
        "gate.minimum.kera is no model; did you mean keras?",
        f"{NO_VALIDATION} evaluate.coverage, since the test rows decide nothing; got 0 {ANY_SIZE}",
    ),
]
CHOICES = {
    "train.keras.early_stopping": "10",
    "evaluate.coverage": "0.95",
}


def at(text: str) -> int:
    """Return the number of the line of params.yaml on which a text first stands."""
    return 1 + TEXT[: TEXT.index(text)].count("\n")


END = 1 + TEXT.count("\n")
# Texts of params.yaml, and what follows "params.yaml" in the line.
WRONG_TEXTS = {
    "unknown key": (
        put("vectorize.words.lowercase", "true\n    lowercsae: true"),
        ": vectorize.words.lowercsae is no setting; did you mean lowercase?",
    ),
    "misspelt key": (
        TEXT.replace("test_size:", "test_sise:"),
        ": split.test_sise is no setting; did you mean test_size?",
    ),
    "unknown section": (TEXT + "serve: {}\n", f": serve is no setting; known here: {SECTIONS}"),
    "key of two lines": (TEXT + '"a\\nb": 1\n', f": 'a\\nb' is no setting; known here: {SECTIONS}"),
    "list": ("- fetch\n- split\n", " must be a mapping of sections; got [fetch, split]"),
    "scalar": ("yelp\n", " must be a mapping of sections; got yelp"),
    "empty file": ("", " must be a mapping of sections; got null"),
    "comments alone": ("# fetch:\n", " must be a mapping of sections; got null"),
    "control character": (
        "a: \0",
        (
            ': unacceptable character #x0000: special characters are not allowed in "<unicode string>", position 3; '
            "expected YAML"
        ),
    ),
    "open bracket": (
        put("vectorize.words.ngram_range", "[1, 1"),
        f":{at('    char_ngram_range')}: expected ',' or ']', but got ':'; expected YAML",
    ),
    "tab": (
        TEXT.replace("  seed: 1000", "\tseed: 1000"),
        f":{at('  seed: 1000')}: found character '\\t' that cannot start any token; expected YAML",
    ),
    "wrong indent": (
        TEXT.replace("  seed: 1000", " seed: 1000"),
        f":{at('  seed: 1000')}: expected <block end>, but found '<block mapping start>'; expected YAML",
    ),
    "repeated key": (
        TEXT.replace("stratify: false", "seed: 1"),
        f":{at('  stratify')}: key seed is repeated; expected YAML",
    ),
    "repeated section": (TEXT + "fetch: {corpus: imdb}\n", f":{END}: key fetch is repeated; expected YAML"),
    "number for a key": (TEXT + "1: 2\n", f":{END}: key 1 must be text; put it in quotes; expected YAML"),
    "number for a class": (
        put("train.logistic_regression.class_weight", "{0: 1, 1: 2}"),
        f":{at('    class_weight: null')}: key 0 must be text; put it in quotes; expected YAML",
    ),
    "recursion": (
        put("train.majority", "&a {a: *a}"),
        " must have at most 100,000 values and 50 levels of nesting, aliases written out",
    ),
    "unknown alias": (
        put("train.majority", "*a"),
        f":{at('  majority:')}: found undefined alias 'a'; expected YAML",
    ),
    "python tag": (
        put("split.seed", "!!python/object/apply:os.system [id]"),
        (
            f":{at('  seed: 1000')}: could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/object/apply:os.system'; expected YAML"
        ),
    ),
    "value that is not of its tag": (
        put("vectorize.words.lowercase", "!!bool maybe"),
        ": a value must be of the type that its tag (!!) names; expected YAML",
    ),
    "two documents": (TEXT + "---\na: 1\n", f":{END}: but found another document; expected YAML"),
    "number of 5001 digits": (
        put("split.seed", f"1{'0' * 5000}"),
        (
            ": Exceeds the limit (4300 digits) for integer string conversion: value has 5001 digits; "
            "use sys.set_int_max_str_digits() to increase the limit; expected YAML"
        ),
    ),
}


def refusal(text: str) -> list[str]:
    """Return the lines with which a text of params.yaml is refused."""
    with pytest.raises(UserError) as error:
        parse(text)
    return list(error.value.lines)


@pytest.mark.parametrize(
    ("key", "rule", "written", "shown"),
    [
        (key, rule, *((value, value) if isinstance(value, str) else value))
        for key, rules in WRONG_VALUES.items()
        for rule, values in rules
        for value in values
    ],
)
def test_a_value_that_breaks_the_rule_of_its_key_is_refused(key: str, rule: str, written: str, shown: str) -> None:
    text = ALL if key.startswith("train.") else TEXT
    assert refusal(put(key, written, text=text)) == [f"params.yaml: {key} must be {rule}; got {shown}"]


@pytest.mark.parametrize("case", WRONG_SETTINGS, ids=lambda case: " ".join(case[0]))
def test_settings_that_break_a_rule_are_refused(case: tuple[tuple[str, ...], *tuple[str, ...]]) -> None:
    settings, *sentences = case
    assert refusal(put(*settings)) == [f"params.yaml: {sentence}" for sentence in sentences]


def places(node: dict[str, Any], keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield the keys of every mapping in a JSON schema, `mine` where the user names them, and the mapping's schema."""
    node = SCHEMA["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    for choice in node.get("anyOf", ()):
        yield from places(choice, keys)
    if node.get("type") == "object":
        yield keys, node
        for key, inner in node.get("properties", {}).items():
            yield from places(inner, (*keys, key))
        if isinstance(inner := node.get("additionalProperties"), dict):
            yield from places(inner, (*keys, "mine"))


SCHEMA = Params.model_json_schema()
PLACES = list(places(SCHEMA))


def refusal_at(keys: tuple[str, ...], content: Any) -> list[str]:
    """Return the lines with which a mapping at this place of params.yaml is refused, none if it is accepted."""
    for key in reversed(keys):
        content = {key: content}
    try:
        parse(json.dumps(content))
    except UserError as error:
        return list(error.lines)
    return []


@pytest.mark.parametrize(
    "mistake",
    [
        {"a\nb": {"a\nb": {"a\nb": 1}}},
        {"": {"": None}},
        {"a\nb": [1]},
        {"low": {"low": 1, "hihg": 2}},
        {"x": {"y": {}}},
    ],
)
@pytest.mark.parametrize("keys", dict.fromkeys(keys for keys, _ in PLACES), ids=".".join)
def test_a_mistake_in_any_mapping_is_refused_in_whole_lines(keys: tuple[str, ...], mistake: dict[str, Any]) -> None:
    lines = refusal_at(keys, mistake)
    assert all(line.startswith("params.yaml: ") and line.isprintable() for line in lines)


@pytest.mark.parametrize(
    ("keys", "settings"),
    [(keys, node["properties"]) for keys, node in PLACES if node.get("additionalProperties") is False],
    ids=".".join,
)
def test_an_unknown_setting_is_named_in_every_section(keys: tuple[str, ...], settings: dict[str, Any]) -> None:
    needed = {name: setting["const"] for name, setting in settings.items() if "const" in setting}
    (line,) = [each for each in refusal_at(keys, needed | {"mistyped": 1}) if "mistyped" in each]
    assert line.startswith(f"params.yaml: {'.'.join((*keys, 'mistyped'))} is no setting; ")


@pytest.mark.parametrize("keys", [keys for count in (1, 2) for keys in combinations(CHOICES, count)])
def test_choices_without_validation_rows_are_refused(keys: tuple[str, ...]) -> None:
    settings = [part for key in keys for part in (key, CHOICES[key])]
    line = f"params.yaml: {NO_VALIDATION} {', '.join(keys)}, since the test rows decide nothing; got 0 {ANY_SIZE}"
    assert refusal(put(*settings)) == [line]


@pytest.mark.parametrize("name", WRONG_TEXTS)
def test_a_text_that_is_no_mapping_of_known_sections_is_refused(name: str) -> None:
    text, line = WRONG_TEXTS[name]
    assert refusal(text) == [f"params.yaml{line}"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"# \xe4", " must be UTF-8; got byte 0xe4 at offset 2"),
        (TEXT.encode("utf-16"), " must be UTF-8; got byte 0xff at offset 0"),
    ],
)
def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path, content: bytes, line: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        load(path)
    assert error.value.lines == (f"{path}{line}",)


# Through a stage


def test_check_refuses_all_mistakes_at_once(refuses: Callable[..., None], project: Path) -> None:
    text = put("split.seed", "a", "train.keras.epochs", "0") + "serve: {}\n"
    (project / "params.yaml").write_text(text)
    refuses(
        "check",
        "error: check: params.yaml: split.seed must be an integer; got a",
        "error: check: params.yaml: train.keras.epochs must be at least 1; got 0",
        f"error: check: params.yaml: serve is no setting; known here: {SECTIONS}",
        through='exec "$@"',
    )


@pytest.mark.parametrize(("key", "value"), [("data.path", "/dev/zero"), ("evaluate.external", "{rules: /dev/zero}")])
def test_check_refuses_a_device_or_named_pipe_for_whose_end_dvc_would_wait(
    refuses: Callable[..., None], project: Path, key: str, value: str
) -> None:
    (project / "params.yaml").write_text(put(key, value))
    refuses("check", "error: check: /dev/zero must be a file; got a named pipe or a device; save the rows to a file")


@pytest.mark.parametrize(
    ("stage", "key", "value", "rule"),
    [
        ("fetch", "fetch.corpus", "yelb", CORPORA),
        ("split", "data.text", "1", "the name of a column, or a list of two or more"),
        ("vectorize", "vectorize.words.min_df", "0", FREQUENCY),
        ("train", "train.majority", "[]", ENTRY),
        ("evaluate", "evaluate.confidence", "a", "a number"),
    ],
)
def test_a_stage_refuses_its_own_sections(
    refuses: Callable[..., None], project: Path, stage: str, key: str, value: str, rule: str
) -> None:
    (project / "params.yaml").write_text(put(key, value))
    refuses(stage, f"error: {stage}: params.yaml: {key} must be {rule}; got {value}")


def test_a_stage_reads_no_other_sections(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "params.yaml").write_text(put("train.keras.epochs", "0", "split.test_size", "5e-1"))
    assert run_stage(project, "split", *arguments("split")) == 0
    assert capfd.readouterr() == ("2 classes: 0 (20), 1 (20)\ntrain: 20 rows\ntest: 20 rows\n", "")


def test_a_folder_is_no_params(refuses: Callable[..., None], project: Path) -> None:
    (project / "params.yaml").unlink()
    (project / "params.yaml").mkdir()
    refuses("split", "error: split: params.yaml: Is a directory")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ("kind: keras, features: words, C: 1", "train.mine.C is no setting; known here: kind, features, units, "),
        ("kind: keras, features: words, epochs: 0", "train.mine.epochs must be at least 1; got 0"),
    ],
)
def test_a_model_of_another_name_has_the_settings_of_its_kind(settings: str, sentence: str) -> None:
    (line,) = refusal(f"train: {{mine: {{{settings}}}}}")
    assert line.startswith(f"params.yaml: {sentence}")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "vectorize: {analyzer: word}",
            "vectorize.analyzer must be a section of settings; got word",
        ),
        (
            "vectorize: {Words: {}}",
            "vectorize: the name of a representation must be small letters, digits and _, at most 40; got Words",
        ),
        (
            "vectorize: {train: {}}",
            "vectorize: the name of a representation must not be that of a split; got train",
        ),
        ("vectorize: {words: {method: bert}}", "vectorize.words must be a section with a method that is one of "),
        ("vectorize: {words: 3}", "vectorize.words must be a section of settings; got 3"),
        ("train: {a-b: {kind: keras}}", "train: the name of a model must be small letters, digits and _, at most 40;"),
        ("combine: {a-b: {}}", "combine: the name of a pair must be small letters, digits and _, at most 40; got a-b"),
    ],
)
def test_names_and_methods_that_break_a_rule_are_refused(text: str, sentence: str) -> None:
    (line,) = refusal(text)
    assert line.startswith(f"params.yaml: {sentence}")


@pytest.mark.parametrize("name", ["pretrained", "protocol", "guessing"])
def test_a_model_has_no_name_that_files_use(name: str) -> None:
    line = f"params.yaml: train: the name of a model must be one that textclf does not use itself; got {name}"
    assert refusal(f"train: {{{name}: {{kind: majority, features: words}}}}") == [line]


LETTERS = "vectorize: {letters: {}}\ntrain: {nb_svm: {kind: nb_svm, features: letters}}"


def test_a_search_and_limits_that_are_not_set_up_refuse_no_run() -> None:
    assert parse(LETTERS).train.names() == ["nb_svm"]
    assert parse(f"{LETTERS}\nsearch: {{trials: 3}}").search.model is None
    assert refusal(f"{LETTERS}\nsearch: {{model: keras}}") == [
        "params.yaml: search.model must be a model of train that tells texts apart; got keras; known here: nb_svm"
    ]
    none = "train: {majority: {kind: majority, features: words}}"
    assert parse(none).search.model is None
    assert refusal(f"{none}\nsearch: {{trials: 3}}") == [
        "params.yaml: search.model must be a model of train that tells texts apart; got majority; known here: none"
    ]
    start = TEXT.index("  keras:")
    dropped = TEXT[:start] + TEXT[TEXT.index("evaluate:") :]  # as -S ~train.keras leaves the gate
    assert parse(dropped).train.names() == ["majority", "logistic_regression"]


METHODS = """
vectorize:
  words: {}
  ids: {method: token_ids}
  more_ids: {method: token_ids}
  pieces: {method: wordpieces, window: mean}
  sentences: {method: encoder}
combine: {both: {first: words, second: sentences}}
train: {mine: {%s}}
"""


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        (
            "kind: naive_bayes, features: sentences",
            "features that are sparse; got sentences, which are dense (vectorize.sentences.method is encoder)",
        ),
        (
            "kind: keras, features: ids",
            "features that are sparse or dense; got ids, which are tokens (vectorize.ids.method is token_ids)",
        ),
        (
            "kind: naive_bayes, features: both",
            "features that are sparse; got sentences, which are dense (vectorize.sentences.method is encoder)",
        ),
        (
            "kind: cnn, features: words",
            "features that are tokens; got words, which are sparse (vectorize.words.method is terms)",
        ),
        (
            "kind: transformer, features: ids",
            "wordpieces of all-minilm-l6-v2, the weights that the model starts from; ",
        ),
        ("kind: embedding, features: ids, vectors: frozen", "a representation with pretrained vectors if vectors is "),
        ("kind: cnn, features: pieces", "word pieces whose window is first: the model transformer alone "),
    ],
)
def test_features_that_a_model_can_not_read_are_refused(settings: str, rule: str) -> None:
    (line,) = refusal(METHODS % settings)
    assert line.startswith(f"params.yaml: train.mine.features must name {rule}")


@pytest.mark.parametrize("features", ["words", "sentences", "both"])
def test_vectors_of_both_kinds_are_read_side_by_side(features: str) -> None:
    assert parse(METHODS % f"kind: logistic_regression, features: {features}").train.names() == ["mine"]
