"""Running the Python blocks of a document, in order, as the parts of one module."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from sybil import Example, Sybil
from sybil.document import Document
from sybil.parsers.markdown import CodeBlockParser

_PLACE = re.compile(r" \([^()\s]+:(\d+|line)\)")


class Blocks:
    """The blocks of one document.

    A `python` block runs. One that raises has a `text` block behind it with the text of the error, in which the file and
    line of `(file:line)` do not count; a `text` block is that, and nothing else.

    Args:
        path: A Markdown file.
    """

    def __init__(self, path: Path) -> None:
        parsers = [CodeBlockParser("python", self._run), CodeBlockParser("text", self._compare)]
        self._document: Document = Sybil(parsers).parse(path)
        self._module = ModuleType(path.stem.replace("-", "_"))
        self._error: Exception | None = None

    def run(self) -> int:
        """Run them all.

        Returns:
            How many there are.

        Raises:
            AssertionError: An error has another text than the document says.
            Exception: What a block raises that has no text behind it.
        """
        sys.modules[self._module.__name__] = self._module  # where pydantic and typing look for the names of annotations
        try:
            examples = list(self._document.examples())
            for example in examples:
                example.evaluate()
            self._raise()
        finally:
            del sys.modules[self._module.__name__]
        return len(examples)

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _run(self, example: Example) -> None:
        self._raise()
        # The empty lines in front make the lines of a traceback those of the document.
        source = "\n" * (example.line + example.parsed.line_offset) + example.parsed
        code = compile(source, example.path, "exec", dont_inherit=True)
        try:
            exec(code, vars(self._module))  # noqa: S102 - the documents are ours
        except Exception as error:
            self._error = error

    def _compare(self, example: Example) -> None:
        error, self._error = self._error, None
        place = f"{example.path}:{example.line}"
        assert error is not None, f"{place}: the block before it raises nothing"
        assert placeless(str(error)) == placeless(str(example.parsed).strip()), place


def placeless(text: Any) -> str:
    """An error's text without files and lines."""
    return _PLACE.sub(" (...)", text)
