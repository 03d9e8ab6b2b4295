"""How an object of a class is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def constructor_of(cls: Any) -> Callable[..., Any]:
    """How injector makes an object: `__new__` without arguments, then `__init__`. The class itself where that is the same."""
    plain = type(cls).__call__ is type.__call__ and (cls.__new__ is object.__new__ or cls.__init__ is object.__init__)
    if plain:
        return cls  # type: ignore[no-any-return]

    def construct(*arguments: Any, **named: Any) -> Any:
        made = cls.__new__(cls)
        cls.__init__(made, *arguments, **named)
        return made

    return construct
