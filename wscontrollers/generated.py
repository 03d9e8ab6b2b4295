"""Functions that are generated: what is decided at registration runs as if somebody had written it down."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from itertools import count
from typing import Any

_numbers = count(1)


class Generated:
    """The text of a function, and the objects that its names stand for.

    Nothing of the text was written by a user: whatever there is to be called has a name that is made here. Tracebacks and
    debuggers show the lines, for they ask the loader of a function's globals for them.

    Args:
        title: What it is, for tracebacks.
    """

    __slots__ = ("_known", "_names", "_title")

    def __init__(self, title: str) -> None:
        self._title = title
        self._names: dict[str, Any] = {}
        self._known: dict[int, str] = {}

    def name(self, thing: Any, like: str = "n") -> str:
        """The name of an object, the same one for each use of it.

        Args:
            thing: The object.
            like: What the name begins with; whatever cannot be in one is replaced.
        """
        known = self._known.get(id(thing))
        if known is None:
            known = self._known[id(thing)] = f"{re.sub('[^A-Za-z]+', '_', like)}_{len(self._known)}"
            self._names[known] = thing
        return known

    def function(self, text: str) -> Callable[..., Any]:
        """The function that a text defines; it ends what is generated here."""
        loader = _Lines(text)
        namespace: dict[str, Any] = {
            "__name__": __name__,
            "__loader__": loader,
            "__spec__": ModuleSpec(__name__, loader),  # type: ignore[arg-type]  # whoever looks for lines wants no more of it
            **self._names,
        }
        before = set(namespace)
        exec(compile(text, f"<wscontrollers {next(_numbers)}> {self._title}", "exec"), namespace)  # noqa: S102 - text of ours alone
        (made,) = namespace.keys() - before - {"__builtins__"}
        function: Callable[..., Any] = namespace[made]
        return function


class _Lines:
    """What linecache asks for the lines of a file that there is not."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def get_source(self, name: str) -> str:
        return self._text
