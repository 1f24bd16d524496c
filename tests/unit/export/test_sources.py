from tests.refusal import refusal
from textclf.core.about import About
from textclf.core.display import display_labels, labelled_names
from textclf.export.sources import (
    UNSTATED,
    Source,
    class_titles,
    combine_rights,
    list_sources,
    require_known_classes,
)
from textclf.fetch.catalogue import CORPORA

YELP, IMDB = CORPORA["yelp"], CORPORA["imdb"]
BUILT_IN = list_sources({YELP.file: YELP.sha256, IMDB.file: IMDB.sha256}, "data/raw")
OWN = Source("rows.csv", "0" * 64)


def test_a_built_in_corpus_is_recognised_by_its_checksum() -> None:
    assert BUILT_IN[0] == Source(
        f"data/raw/{YELP.file}", YELP.sha256, "yelp", YELP.licence, YELP.citation
    )
    assert list_sources({"mine.txt": YELP.sha256}, "mine.txt")[0].corpus == "yelp"


def test_another_file_has_no_rights() -> None:
    assert list_sources({"rows.csv": "0" * 64}, "data/rows.csv") == [
        Source("data/rows.csv", "0" * 64)
    ]
    assert list_sources({"a.csv": "1", "b/c.csv": "2"}, "data/") == [
        Source("data/a.csv", "1"),
        Source("data/b/c.csv", "2"),
    ]


def test_rights_of_several_files_are_combined() -> None:
    rights = combine_rights(BUILT_IN)
    assert (rights.licence, rights.citation, rights.language) == (
        YELP.licence,
        YELP.citation,
        "English",
    )
    assert rights.origin.startswith("yelp and imdb: ")
    own = combine_rights([OWN])
    assert (own.licence, own.citation, own.language, own.origin) == (
        UNSTATED,
        UNSTATED,
        UNSTATED,
        "your own file",
    )
    both = combine_rights([*BUILT_IN, OWN])
    assert (both.licence, both.language) == (f"{YELP.licence} and {UNSTATED}", UNSTATED)
    assert combine_rights([]) == own


def test_labels_of_built_in_corpora_have_names() -> None:
    titles = class_titles(BUILT_IN, About())
    assert titles == {"0": "negative", "1": "positive"}
    assert labelled_names(["0", "1"], titles) == {"0": "negative (0)", "1": "positive (1)"}
    assert display_labels(["imdb_labelled", "1"], titles) == {
        "imdb_labelled": "imdb_labelled",
        "1": "positive",
    }


def test_labels_of_other_rows_are_shown_as_they_are() -> None:
    for sources in ([OWN], [*BUILT_IN, OWN]):
        assert class_titles(sources, About()) == {}
    assert labelled_names(["0", "1"], {}) == {"0": "0", "1": "1"}
    assert display_labels(["a\u202eb"], {}) == {"a\u202eb": "a⟨U+202E⟩b"}


def test_a_name_for_a_class_without_rows_is_refused() -> None:
    require_known_classes(About(class_names={"1": "urgent"}), ["0", "1"])
    said = refusal(require_known_classes, About(class_names={"urgnt": "x"}), ["calm", "urgent"])
    assert (
        said
        == "params.yaml: about.class_names.urgnt must be a label of the data; did you mean urgent?"
    )
