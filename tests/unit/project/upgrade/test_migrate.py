"""A params.yaml of an older textclf becomes one of this version."""

import pytest

from textclf.core.errors import UserError
from textclf.core.settings import parse_yaml
from textclf.params import parse
from textclf.project.upgrade.migrate import migrate
from textclf.vectorize.settings import leaves

OLD = """\
# our tickets
data: {path: tickets.csv}  # the rows
vectorize:  # of two kinds
  words: {weighting: "tfidf"}  # kept

  # letters, for typing errors
  letters: {analyzer: char}
  # no run reads it
  unread: {analyzer: char_wb}

# chosen in spring
train:
  # which to train
  models: [majority, keras, mine]  # in this order

  # best on validation rows
  mine:
    # as in scikit-learn
    model: logistic_regression  # fast
    C: 10.0  # less regularised
    features:
      - words
      - letters
    # end of mine
  naive_bayes: {alpha: 0.5}  # once tried

  majority: {features: words}  # the floor
  # the network
  keras:
    epochs: 7  # a week

# how sure
evaluate:
  confidence: 0.9  # of all
  resamples: 500  # slow

# the model of the product
export: {model: mine}
# the end
"""

NEW = """\
# our tickets
data: {path: tickets.csv}  # the rows
vectorize:  # of two kinds
  words: {weighting: "tfidf"}  # kept

  # letters, for typing errors
  letters: {analyzer: char}
combine:
  words_letters:
    first: words
    second: letters

# chosen in spring
train:

  majority: {kind: majority, features: words} # the floor
  # the network
  keras:
    kind: keras
    features: words
    epochs: 7  # a week

  # best on validation rows
  mine:
    # as in scikit-learn
    kind: logistic_regression   # fast
    C: 10.0  # less regularised
    features: words_letters

# how sure
evaluate:
  confidence: 0.9  # of all

# the model of the product
export: {model: mine}
# the end
"""


def test_models_become_entries_and_several_representations_a_pair_and_comments_stay() -> None:
    text, sentences = migrate(OLD)
    assert text == NEW
    assert sentences == [
        "train has majority, keras, mine, each with its kind and features",
        "combine.words_letters: words and letters side by side",
        "left out of train, because no run used them: naive_bayes",
        "left out of vectorize, because no run used them: unread",
        "left out of evaluate, because no interval needs it any more: resamples",
    ]
    assert parse(text).train.names() == ["majority", "keras", "mine"]


def test_what_is_migrated_stays_as_it_is() -> None:
    for text in (NEW, "train: # none\n", "train:   {one: {kind: majority,   features: words}}\n"):
        assert migrate(text) == (text, [])


def test_pairs_have_names_that_are_free_and_are_made_once() -> None:
    long = ["a" * 30 + "_1", "b" * 30, "a" * 30 + "_2"]
    train = {"one": [long[0], long[1]], "two": [long[2], long[1]], "three": [long[0], long[1]], "all": [*long]}
    entries = (f"  {name}: {{model: logistic_regression, features: {features}}}" for name, features in train.items())
    vectorize = ", ".join(f"{name}: {{}}" for name in long)
    text, sentences = migrate(
        "\n".join([f"vectorize: {{{vectorize}}}", "train:", f"  models: [{', '.join(train)}]", *entries, ""])
    )
    assert sentences[-1] == "a pair within a pair weighs as much as the other side, so numbers change"
    params = parse(text)
    read = {name: leaves(params.train[name].features, params.combine) for name in train}
    assert read == train
    assert params.train["one"].features == params.train["three"].features


def test_models_without_settings_read_what_their_kind_read() -> None:
    text, _ = migrate("vectorize: {sequences: {method: token_ids}}\ntrain: {models: [cnn]}\n")
    assert parse(text).train["cnn"].features == "sequences"


def test_without_representations_models_read_the_words() -> None:
    assert parse(migrate("train: {models: [keras]}\n")[0]).train["keras"].features == "words"


def test_of_a_file_that_lists_models_as_today_resamples_are_dropped() -> None:
    now = "vectorize:\n  words: {}\n  unread: {}\ntrain:\n  one: {kind: majority, features: words}\n"
    text, sentences = migrate(f"{now}evaluate:\n  resamples: 500\nexport: {{model: one}}\n")
    assert text == f"{now}evaluate: {{}}\nexport: {{model: one}}\n"
    assert sentences == ["left out of evaluate, because no interval needs it any more: resamples"]


def test_comments_in_lists_and_on_long_texts_stay_where_they_are() -> None:
    rest = """\
fetch:
  query: |
    SELECT text
    FROM rows
  # of the shop
  database: SHOP
data:
  # in this order
  slices:
  # first
  - shop # one
  # second
  - stars
  # of the file
  path: x.csv
behave:
  tests:
  - name: a
    # within an item
    kind: b
  # below the list
"""
    text, _ = migrate(f"{rest}evaluate:\n  resamples: 1\n")
    assert text == f"{rest}evaluate: {{}}\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        *(
            (f"train: {{models: {models}}}", f"train.models must be a list of names of models; got {models}")
            for models in ("null", "keras", "[]")
        ),
        *(
            (
                f"vectorize: {value}\ntrain: {{models: [keras]}}",
                f"vectorize must have settings below the name of a representation, such as words; got {value}",
            )
            for value in ("1", "{min_df: 2}")
        ),
        ("train: {models: [[a]]}", "train.models must be names of models, each with a section; got [a]"),
        ("train: {models: [a], a: [1]}", "train.models must be names of models, each with a section; got a"),
        ("train: [", "params.yaml:"),
    ],
)
def test_what_can_not_be_told_is_refused(text: str, line: str) -> None:
    with pytest.raises(UserError, match=r"params\.yaml") as error:
        migrate(text)
    assert line in error.value.lines[0]


def test_values_of_other_sections_stay() -> None:
    text, _ = migrate(OLD)
    before, after = (parse_yaml(each, "") for each in (OLD, text))
    assert {key: after[key] for key in ("data", "export")} == {key: before[key] for key in ("data", "export")}
