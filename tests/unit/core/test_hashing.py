import mmh3
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textclf.core.hashing import fingerprints, normalize_text

# Letters, white space and line ends of all kinds, and NUL.
MIXED = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text(
    st.sampled_from("aB \t\n\x0b\x1c\x1f\0é\u3000\u0085"), max_size=6
)


@given(st.lists(MIXED, max_size=8), st.integers(0, 2**32 - 1))
def test_a_fingerprint_is_the_first_half_of_murmurhash3(texts: list[str], seed: int) -> None:
    expected = [int.from_bytes(mmh3.mmh3_x64_128_digest(text.encode(), seed)[:8], "little") for text in texts]
    assert (
        fingerprints(texts, seed).tolist() == fingerprints([text.encode() for text in texts], seed).tolist() == expected
    )
    assert fingerprints(texts).dtype == np.uint64


def test_fingerprints_never_change() -> None:
    # Written down: the splits of a corpus must be the same in every version and on every machine.
    assert fingerprints(["good", "é", ""]).tolist() == [12498419129940756094, 14490466646156927976, 0]


def test_a_normalized_text_has_no_case_no_forms_and_single_spaces() -> None:
    for text in ("Good food", "  Good\tfood\n", "Good\u00a0\u3000food", "\uff27\uff4f\uff4f\uff24 food"):
        assert normalize_text(text) == "good food"
    changed = {"Stra\u00dfe": "strasse", "\ufb01ne": "fine", "cafe\u0301": "caf\u00e9"}
    for text, expected in (changed | {same: same for same in ("good food.", "goodfood", "")}).items():
        assert normalize_text(text) == expected
