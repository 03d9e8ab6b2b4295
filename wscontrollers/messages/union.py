"""The union of the messages that one side reads, compiled to one validator."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

from pydantic_core import SchemaValidator, core_schema

from .frames import CLIENT_CONTROLS, RESERVED_FIELDS, SERVER_CONTROLS
from .members import Member, adapter_of, adapter_with, members_of, validator_of
from .schemas import holds_anything

Side = Literal["server", "client"]


class MessageUnion:
    """What one side reads: the user's messages and the other side's control frames, told apart by `type`.

    Args:
        types: A list of types, or an annotation such as `Say | Rename`. A type is a subclass of `Message`, or a pydantic model,
            data class or TypedDict with a field `type` that is a `Literal` of one or more tags. It may be empty.
        where: Whose messages they are, for error texts.
        side: "server" reads what clients send: `cancel`, `credit` and `recover` are among it, and an answer (`re`) is handed over
            unread, as a `Reply`. "client" reads what servers send: `ok`, `end`, `error`, `gap` and the others are among it.

    Attributes:
        members: The user's types in their order.
        tags: The user's tags and the class of each; control frames are not among them.
        validator: Reads a whole frame; types that must not see all of it come out as the object they were.
        holds_anything: Whether a message may have numbers in it of which its type says nothing.
        alone: By tag, the validator of one type, control frames among them.

    Raises:
        DeclarationError: All faults at once: what is no message, types without a tag, tags that clash or are reserved.
    """

    __slots__ = ("alone", "controls", "holds_anything", "members", "side", "stripped", "tags", "validator", "where")

    def __init__(self, types: Any, *, where: str = "", side: Side = "server") -> None:
        self.where = where or "MessageUnion"
        self.side: Side = side
        self.members: tuple[Member, ...] = members_of(types, self.where)
        by_tag = {tag: member for member in self.members for tag in member.tags}
        self.tags: Mapping[str, type[Any]] = MappingProxyType({tag: member.cls for tag, member in by_tag.items()})
        self.controls: Mapping[str, type[Any]] = CLIENT_CONTROLS if side == "server" else SERVER_CONTROLS
        self.stripped: Mapping[str, frozenset[str]] = {
            tag: _frame_keys(member) for tag, member in by_tag.items() if member.shape.sees_all_keys
        }
        """By tag, the frame's own keys, for types that must not see them."""
        self.holds_anything = any(holds_anything(member.adapter.core_schema) for member in self.members)
        self.validator: SchemaValidator = self._compiled()
        self.alone: Mapping[str, SchemaValidator] = self._each_alone()

    @property
    def types(self) -> tuple[type[Any], ...]:
        """The user's classes."""
        return tuple(member.cls for member in self.members)

    @property
    def tag_names(self) -> dict[Any, str]:
        """By class, what the field of the tag is called in Python, where the messages have it themselves."""
        return {
            member.cls: field.name
            for member in self.members
            for field in member.shape.fields
            if member.kind in ("model", "dataclass") and "type" in field.read_as
        }

    @property
    def dict_tags(self) -> dict[str, dict[str, str]]:
        """The tags of typed dictionaries by the key under which they have them."""
        found: dict[str, dict[str, str]] = {}
        for member in self.members:
            for field in member.shape.fields:
                if member.kind == "typed dict" and "type" in field.read_as:
                    found.setdefault(field.name, {}).update({tag: tag for tag in member.tags})
        return found

    @property
    def sole_tags(self) -> dict[Any, str]:
        """The tag of each class whose instances tell it: those with one tag that the validator makes itself."""
        return {
            member.cls: member.tags[0]
            for member in self.members
            if len(member.tags) == 1 and member.kind != "typed dict" and member.tags[0] not in self.stripped
        }

    def fields_of(self, tag: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the type of a tag may see of an object: all of it, or without the frame's own keys if it would mind them."""
        hidden = self.stripped.get(tag)
        return value if hidden is None else {key: item for key, item in value.items() if key not in hidden}

    def _each_alone(self) -> dict[str, SchemaValidator]:
        validators = {tag: control_validator(tag) for tag in self.controls}
        for member in self.members:
            validators.update(dict.fromkeys(member.tags, validator_of(member.adapter)))
        return validators

    def _compiled(self) -> SchemaValidator:
        def build(handler: Any) -> core_schema.CoreSchema:
            choices: dict[str, core_schema.CoreSchema] = {}
            for tag, control in self.controls.items():
                choices[tag] = handler.generate_schema(control)
            for member in self.members:
                # What may not see the frame's own keys is read in two steps: as it is, then by its own validator.
                hidden = member.tags[0] in self.stripped
                schema = core_schema.any_schema() if hidden else handler.generate_schema(member.source)
                choices.update(dict.fromkeys(member.tags, schema))
            return core_schema.tagged_union_schema(choices, discriminator="type")

        return validator_of(adapter_with(build, self.where))


def tag_of_dict(message: Mapping[str, Any], tags: Mapping[str, Mapping[str, str]]) -> str:
    """The tag of a typed dictionary; none of it is "".

    Args:
        message: The dictionary, with its names of Python.
        tags: See `MessageUnion.dict_tags`.
    """
    for key, known in tags.items():
        given = message.get(key)
        if isinstance(given, str) and given in known:
            return known[given]
    return ""


@cache
def control_validator(tag: str) -> SchemaValidator:
    """The validator of one of the framework's own control frames."""
    return validator_of(adapter_of({**CLIENT_CONTROLS, **SERVER_CONTROLS}[tag], tag))


def _frame_keys(member: Member) -> frozenset[str]:
    return RESERVED_FIELDS if member.kind == "message" else RESERVED_FIELDS - {"type"}
