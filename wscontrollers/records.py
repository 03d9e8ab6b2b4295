"""Records: plain data with named fields, for what is declared, read and planned."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn, dataclass_transform


@dataclass_transform(frozen_default=True)
class Record:
    """A base for classes whose annotated names are their fields, which type checkers take for a frozen dataclass.

    No code is generated for it: a dataclass costs an import 0.2 to 0.4 ms, a named tuple 0.05 ms, a record a tenth of that. What
    it costs to make one is nothing that a session pays, for records are made at registration.
    """

    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls.__match_args__ = (*cls.__match_args__, *cls.__annotations__)  # type: ignore[misc]  # mypy holds it for final

    def __init__(self, *values: Any, **named: Any) -> None:
        fields = self.__match_args__
        given = dict(zip(fields, values, strict=False)) | named
        if len(given) < len(values) + len(named) or not given.keys() <= set(fields):
            raise TypeError(f"{type(self).__name__}({', '.join(fields)}) takes no such fields: {values}, {named}")
        defaults = type(self)
        missing = [name for name in fields if name not in given and not hasattr(defaults, name)]
        if missing:
            raise TypeError(f"{type(self).__name__}() has no value for {', '.join(missing)}")
        vars(self).update({name: given[name] if name in given else getattr(defaults, name) for name in fields})

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} is set once, when the record is made")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__match_args__)})"
