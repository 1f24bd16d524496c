from textclf.core.labels import cut, display_labels, visible


def test_invisible_and_reordering_characters_are_replaced() -> None:
    assert visible("a\u202eb\x00c\x1b[0m\u2028\u200b") == "a⟨U+202E⟩b⟨U+0000⟩c⟨U+001B⟩[0m⟨U+2028⟩⟨U+200B⟩"
    assert visible("ünï \N{FAMILY}\u200d\n\t") == "ünï \N{FAMILY}\u200d\n\t"


def test_a_text_is_cut_by_its_width() -> None:
    assert [cut(text, 24) for text in ("y" * 24, "y" * 25)] == ["y" * 24, "y" * 23 + "…"]
    assert [cut("中" * count, 24) for count in (12, 13)] == ["中" * 12, "中" * 11 + "…"]
    assert cut("a" + "中" * 12, 24) == "a" + "中" * 11 + "…"


def test_labels_are_short_visible_and_unique() -> None:
    names = ["a" * 99, "a" * 98, " ", "", "b\nc", "\u202e", *(f"{'d' * 20}{n}" for n in range(120))]
    shown = display_labels(names, limit=12)
    assert list(shown) == names
    assert len(set(shown.values())) == len(shown)
    assert all(0 < len(label) <= 12 for label in shown.values())
    assert shown["\u202e"] == "⟨U+202E⟩"


def test_a_title_is_shown_instead_of_a_name() -> None:
    assert display_labels(["0", "1", "2"], {"0": "no", "1": "no"}) == {"0": "no", "1": "no (2)", "2": "2"}
