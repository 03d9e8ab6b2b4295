"""How each message class is written: its own serializer and its tag, bound once."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, cast

from pydantic_core import to_json

from ..callables import name_of
from ..exceptions import DeclarationError
from .frames import CLIENT_CONTROLS, RESERVED_FIELDS, SERVER_CONTROLS, ControlFrame
from .members import Member, member_of, objects_serializer_of, serializer_of
from .union import MessageUnion, tag_of_dict


class Encoding(NamedTuple):
    """How messages of one class are written.

    Attributes:
        name: The class's name, for error texts.
        tag: None where the message itself has its tag, as a field.
        head: What comes before the fields in JSON: an open object with the tag in it.
        to_json: The fields as a JSON object, in bytes.
        to_python: The fields as an object of JSON's types.
        to_objects: The same with bytes as they are; None where there are none.
        checks: Whether what its serializer makes has to be looked at: it is the user's own, or writes extra keys.
    """

    name: str
    tag: str | None
    head: str
    to_json: Callable[[Any], bytes]
    to_python: Callable[[Any], Any]
    to_objects: Callable[[Any], Any] | None
    checks: bool

    def fields(self, message: Any) -> dict[str, Any]:
        """The fields as an object of JSON's types, save that bytes stay bytes.

        Raises:
            TypeError: See `check`.
            PydanticSerializationError: A value cannot be written.
        """
        fields: dict[str, Any] = self.to_python(message)
        if self.checks:
            self.check(message)
        return fields if self.to_objects is None else cast("dict[str, Any]", with_bytes(self.to_objects(message), fields))

    def fields_json(self, message: Any) -> str:
        """The fields as a JSON object; it raises as `fields` does."""
        body = self.to_json(message)
        if self.checks:
            self.check(message)
        return body.decode()

    def check(self, message: Any) -> None:
        """Refuse what cannot be told from the class.

        Raises:
            TypeError: The message's own serializer makes no object, or one with keys that belong to the frame.
        """
        fields = self.to_python(message)
        if not isinstance(fields, dict):
            raise TypeError(f"{self.name}: its serializer makes no object. Fix: let model_serializer return a dict.")
        reserved = RESERVED_FIELDS if self.tag is not None else RESERVED_FIELDS - {"type"}
        taken = sorted(reserved & cast("dict[str, Any]", fields).keys())
        if taken:
            raise TypeError(f"{self.name}: the key {taken[0]!r} belongs to the frame. Fix: leave it out, or name it otherwise.")


def with_bytes(plain: Any, jsonable: Any) -> Any:
    """The JSON form of a value, with each text that stands for bytes put back to them."""
    if isinstance(plain, bytes | bytearray):
        return bytes(plain) if jsonable in _texts_of(plain) else jsonable
    if isinstance(plain, dict) and isinstance(jsonable, dict):
        fields = cast("Mapping[str, Any]", jsonable)
        values = cast("Mapping[Any, Any]", plain)
        if len(values) != len(fields):
            return fields
        return {key: with_bytes(value, field) for value, (key, field) in zip(values.values(), fields.items(), strict=True)}
    if isinstance(plain, set | frozenset) and isinstance(jsonable, list):
        # Two copies of one set can have different orders.
        members = cast("Collection[Any]", plain)
        stands_for = {text: item for item in members if isinstance(item, bytes) for text in _texts_of(item) - set(members)}
        texts = cast("Sequence[Any]", jsonable)
        return [stands_for.get(text, text) if isinstance(text, str) else text for text in texts]
    if isinstance(plain, list | tuple | deque) and isinstance(jsonable, list):
        items = cast("Collection[Any]", plain)
        others = cast("Sequence[Any]", jsonable)
        if len(items) != len(others):
            return others
        return [with_bytes(item, other) for item, other in zip(items, others, strict=True)]
    return jsonable


def _texts_of(value: bytes | bytearray) -> set[str]:
    """The texts that pydantic writes for bytes, by `ser_json_bytes`."""
    texts = {urlsafe_b64encode(value).decode(), value.hex()}
    with suppress(UnicodeDecodeError):
        texts.add(value.decode())
    return texts


class Encodings(dict[Any, Encoding]):
    """The encodings of message classes; one that was not declared is bound when it is first sent.

    Args:
        union: Its data classes, models and typed dictionaries can be sent; subclasses of Message always can.
    """

    def __init__(self, union: MessageUnion | None = None) -> None:
        super().__init__()
        self._typed_dicts: dict[str, Encoding] = {}
        self._dict_tags = union.dict_tags if union is not None else {}
        for member in union.members if union is not None else ():
            encoding = _encoding(member)
            if member.kind == "typed dict":
                self._typed_dicts.update(dict.fromkeys(member.tags, encoding))
            else:
                self[member.cls] = encoding

    def of(self, message: Any) -> Encoding:
        """How a message is written.

        Raises:
            DeclarationError: It is no message.
        """
        if isinstance(message, dict):
            found = self._typed_dicts.get(tag_of_dict(cast("dict[str, Any]", message), self._dict_tags))
            if found is None:
                raise DeclarationError.at(
                    "a dict", "it has the type of no declared TypedDict", fix="declare it: Session[In, YourTypedDict]"
                )
            return found
        return self[message.__class__]

    def __missing__(self, cls: type[Any]) -> Encoding:
        encoding = self[cls] = _encoding(member_of(cls, name_of(cls)))
        return encoding


def _encoding(member: Member) -> Encoding:
    serializer, objects = serializer_of(member), objects_serializer_of(member)
    # Aliases are for the wire; who wants names there says serialize_by_alias=False.
    by_alias = True if member.shape.writes_by_alias is None else None
    tag = member.tags[0] if member.kind == "message" else None
    return Encoding(
        name=member.name,
        tag=tag,
        head="{" if tag is None else f'{{"type":{to_json(tag).decode()},',
        to_json=partial(serializer.to_json, by_alias=True) if by_alias else serializer.to_json,
        to_python=partial(serializer.to_python, mode="json", by_alias=by_alias),
        to_objects=None if objects is None else partial(objects.to_python, by_alias=by_alias),
        checks=member.shape.keeps_extras or member.shape.has_serializer,
    )


_TAGS: dict[type[Any], str] = {control: tag for tag, control in {**CLIENT_CONTROLS, **SERVER_CONTROLS}.items()}


def control_fields(frame: ControlFrame) -> dict[str, Any]:
    """A control frame as an object: its tag and the fields that it has."""
    fields: dict[str, Any] = {"type": _TAGS[type(frame)]}
    for name in frame.__slots__:
        value = getattr(frame, name)
        if value is not None:
            fields[name] = value
    return fields


def ref_json(ref: str | int) -> str:
    """A reference as JSON."""
    return str(ref) if type(ref) is int else to_json(ref).decode()
