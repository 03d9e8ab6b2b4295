"""The documents say what is true: their Python runs, their links lead somewhere, and no error is without its heading."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import wscontrollers
from tests.docs.blocks import Blocks

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ERRORS = ROOT / "docs" / "errors.md"


def named(path: Path) -> str:
    """A document's name among the tests."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_the_blocks_run(path: Path) -> None:
    """Each Python block runs behind the ones before it, and raises what the text behind it says."""
    Blocks(path).run()


@pytest.mark.parametrize(
    ("text", "raised"),
    [
        ("```python\nassert 1 == 2\n```\n", AssertionError),
        ("```python\nx = 1\n```\n```python\nassert x == 2\n```\n", AssertionError),
        ('```python\nraise ValueError("tea")\n```\n```text\nmilk\n```\n', AssertionError),
        ("```python\nx = 1\n```\n```text\nmilk\n```\n", AssertionError),
        ('```python\nraise ValueError("tea")\n```\n```python\nx = 1\n```\n', ValueError),
    ],
)
def test_a_block_that_is_wrong_is_found(tmp_path: Path, text: str, raised: type[Exception]) -> None:
    """A failing block fails, also when others follow; so does an error with another text, and one that is not raised."""
    document = tmp_path / "wrong.md"
    document.write_text(text)

    with pytest.raises(raised):
        Blocks(document).run()


def test_an_error_is_compared_without_its_place(tmp_path: Path) -> None:
    """The file and the line in an error's text are those of whoever reads it."""
    document = tmp_path / "right.md"
    document.write_text(
        '```python\nraise ValueError("chat.say (/here/chat.py:3): no")\n```\n```text\nchat.say (file:line): no\n```\n'
    )

    assert Blocks(document).run() == 2


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_links_lead_somewhere(path: Path) -> None:
    """Every relative link names a file, and its anchor a heading of that file."""
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file) if file else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def anchors(path: Path) -> set[str]:
    """The anchors that a Markdown reader makes of a file's headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_document_is_linked() -> None:
    """A reader who starts at docs/README.md finds every other document."""
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")

    assert [
        named(path)
        for path in DOCUMENTS[1:]
        if path.name != "README.md" and f"({path.relative_to(ROOT / 'docs').as_posix()})" not in index
    ] == []


def test_every_public_name_is_in_the_reference() -> None:
    """`docs/reference/names.md` has every name that `wscontrollers` exports, and no other in its tables' first column."""
    text = (ROOT / "docs" / "reference" / "names.md").read_text(encoding="utf-8")
    section = text.partition("## `wscontrollers`")[2].partition("\n## ")[0]
    listed = {name for row in re.findall(r"^\| (.+?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}

    assert listed == set(wscontrollers.__all__)


def test_the_readme_is_short() -> None:
    """It has fewer than 150 lines."""
    assert len(DOCUMENTS[0].read_text(encoding="utf-8").splitlines()) < 150


def texts_of_faults() -> Iterator[tuple[str, str]]:
    """What each fault of the package says, as far as it is written in one place: its longest piece without a value in it."""
    for file in sorted((ROOT / "wscontrollers").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (what := what_of(node)) is not None:
                pieces = [part.value for part in ast.walk(what) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
                if pieces:
                    yield f"{named(file)}:{node.lineno}", max(pieces, key=len).strip(" :,'")


def what_of(call: ast.Call) -> ast.expr | None:
    """The argument of a call that says what is wrong."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name in ("at", "Fault", "LeakFault", "AsyncFault") and len(call.args) >= 2:
        return call.args[1]
    if name == "Unfit":
        return call.args[0]
    if name == "_fault" and call.args:
        return call.args[0] if len(call.args) == 2 else call.args[1]
    return None


def test_every_error_has_its_place_in_the_list() -> None:
    """`docs/errors.md` has the text of every fault that the package can find."""
    listed = ERRORS.read_text(encoding="utf-8")

    assert [f"{place}: {text}" for place, text in texts_of_faults() if text not in listed] == []
