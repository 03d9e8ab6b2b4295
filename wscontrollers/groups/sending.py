"""What may be published to the groups of one declaration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, NoReturn, Protocol, TypeAlias, cast, get_args, get_origin

from pydantic import BaseModel

from ..callables import name_of
from ..messages.members import member_of, sources_of
from .declaring import Group


class Fields(Protocol):
    """An instance of a data class."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


Publishable: TypeAlias = BaseModel | Fields | Mapping[str, object]
"""What can be published, as far as a type checker can tell: a `Message`, and instances of declared models, data classes and typed
dictionaries."""


class Sends:
    """The types that a declaration names; any, if it names none.

    Args:
        declared: The declaration.
    """

    __slots__ = ("_classes", "_declared", "_tags")

    def __init__(self, declared: Group) -> None:
        self._declared = declared
        self._classes = frozenset(_class_of(source) for each in declared.sends for source in sources_of(each))
        self._tags: frozenset[str] | None = None

    def require(self, message: Any, group: str) -> None:
        """See to it that a message is of one of them.

        Raises:
            TypeError: It is not: a client does not expect it, and who reads what is kept would not find it.
        """
        if not self._classes or message.__class__ in self._classes:
            return
        if isinstance(message, dict) and cast("dict[str, Any]", message).get("type") in self._dict_tags():
            return
        self._refuse(message, group)

    def _dict_tags(self) -> frozenset[str]:
        if self._tags is None:
            sources = [source for each in self._declared.sends for source in sources_of(each)]
            members = [member_of(source, repr(self._declared)) for source in sources]
            self._tags = frozenset(tag for member in members if member.kind == "typed dict" for tag in member.tags)
        return self._tags

    def _refuse(self, message: Any, group: str) -> NoReturn:
        name = name_of(message.__class__)
        raise TypeError(
            f"group {group!r}: {name} is not among the types that are published to it. Fix: add it to the declaration: "
            f"Group({self._declared.pattern!r}, sends=[..., {name}]), or publish it to another group."
        )


def _class_of(source: Any) -> Any:
    bare = get_args(source)[0] if get_origin(source) is Annotated else source
    return get_origin(bare) or bare
