"""Files of people that `textclf init` extends: a link, permissions and line ends stay."""

from pathlib import Path

import pytest

from tests.processes import Command as Run

EXTENDED = (".gitignore", ".gitattributes", ".dvcignore")
OWN = "*.tmp text\n\n\n"


FORMS = {
    "link": OWN.encode(),
    "mode 0600": OWN.encode(),
    "CRLF": OWN.replace("\n", "\r\n").encode(),
    "byte order mark": OWN.encode("utf-8-sig"),
    "cp1252": b"# caf\xe9\n" + OWN.encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_lines_are_added_to_each_file_in_its_form(init: Run, form: str) -> None:
    paths = [Path(name) for name in EXTENDED]
    for path in paths:
        if form == "link":
            path.symlink_to(f"mine{path}")
        path.write_bytes(FORMS[form])
        path.chmod(0o600 if form == "mode 0600" else 0o644)
    assert init().status == 0
    after = [path.read_bytes() for path in paths]
    for path, content in zip(paths, after, strict=True):
        assert content.startswith(FORMS[form])
        assert len(content) > len(FORMS[form])
        assert content.count(b"\r\n") == (content.count(b"\n") if form == "CRLF" else 0)
        assert path.is_symlink() == (form == "link")
        assert (path.stat().st_mode & 0o077 == 0) == (form == "mode 0600")
    Path(".textclf/project.json").unlink()
    assert init().status == 0
    assert [path.read_bytes() for path in paths] == after, "no line is added twice"


@pytest.mark.parametrize(
    ("encoding", "mode", "said"),
    [("utf-16", 0o644, "must be in UTF-8, which Git and DVC read"), ("utf-8", 0o444, "read-only")],
)
@pytest.mark.parametrize("name", EXTENDED)
def test_a_file_that_cannot_be_extended_is_refused_before_anything_is_written(
    init: Run,
    name: str,
    encoding: str,
    mode: int,
    said: str,
) -> None:
    Path(name).write_text(OWN, encoding=encoding)
    Path(name).chmod(mode)
    done = init()
    assert (done.status, done.err.count(said)) == (2, 1)
    assert f"{name} must be" in done.err
    assert [path.name for path in Path().iterdir()] == [name]
    assert Path(name).read_text(encoding) == OWN


def test_labelled_texts_stay_in_whatever_form(init: Run) -> None:
    content = "\ufeffid;text;label;chosen;round\r\n1;Käse;p;;1\r\n".encode()
    Path("labelled.csv").write_bytes(content)
    done = init()
    assert (done.status, "labelled.csv stays as it is" in done.out) == (0, True)
    assert Path("labelled.csv").read_bytes() == content


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_labelled_texts_in_another_encoding_are_a_line(init: Run, encoding: str) -> None:
    Path("labelled.csv").write_text("id,text,label,chosen,round\n1,Käse,p,,1\n", encoding)
    before = Path("labelled.csv").read_bytes()
    done = init()
    assert (done.status, "Traceback" in done.err) == (2, False)
    assert "labelled.csv" in done.err.splitlines()[0]
    assert Path("labelled.csv").read_bytes() == before
