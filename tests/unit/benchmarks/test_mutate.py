"""The edits that benchmarks.mutate makes."""

from pathlib import Path

import pytest

from benchmarks import mutate

SOURCE = '''"""Say é."""
LIMIT: int = 5000
def call(x: int = 1) -> bool:
    return f"{x + 1}" and not x < 2 or other("é", x)
'''
EDITS = {
    ("1", "(2)"),
    ("1", "(0)"),
    ("x < 2", "(x <= 2)"),
    ("2", "(3)"),
    ("2", "(1)"),
    ("not x < 2", "(x < 2)"),
    ('other("é", x)', "(other(x, 'é'))"),
    ('f"{x + 1}" and not x < 2', "(f'{x + 1}' or not x < 2)"),
    ('f"{x + 1}" and not x < 2', "(not x < 2)"),
    ('f"{x + 1}" and not x < 2', "(f'{x + 1}')"),
}


def test_comparisons_conditions_numbers_and_arguments_are_edited_and_no_text_or_annotation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutate, "ROOT", tmp_path)
    (tmp_path / "module.py").write_text(SOURCE, encoding="utf-8")
    source = SOURCE.encode()
    found = [*mutate.edits(Path("module.py"))]
    both = {(source[edit.start : edit.end].decode(), edit.new) for edit in found}
    whole = {each for each in both if each[0].endswith('other("é", x)') and each[0].startswith("f")}
    assert both - whole == EDITS
    assert len(whole) == 3
    assert all(compile(edit.apply(source), "module.py", "exec") for edit in found)
