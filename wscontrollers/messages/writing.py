"""Writing frames: messages by their own serializers, with the envelope put in front."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from pydantic_core import to_json

from .encoding import Encoding, Encodings, control_fields, ref_json
from .frames import ControlFrame, Frame, Ref
from .union import MessageUnion


class Writer(Protocol):
    """Writes what one side sends; bound once for all sessions of a controller."""

    def message(self, message: Any, re: Ref | None = None, ref: Ref | None = None, mark: str | None = None) -> Frame:
        """A message as a frame.

        Args:
            message: An instance of any subclass of Message, or of the union's other types.
            re: What it answers.
            ref: What its answer has to carry.
            mark: Its place in the history of a group.

        Raises:
            TypeError: It is no message, or its serializer makes no object.
            PydanticSerializationError: A value cannot be written.
        """
        ...

    def control(self, frame: ControlFrame) -> Frame:
        """A control frame; fields that are None are left out."""
        ...


class JsonWriter:
    """Writes JSON text frames: `{"type": tag, "re": ref` goes in front of the object that the model's serializer wrote."""

    __slots__ = ("_encoding", "_encodings")

    def __init__(self, union: MessageUnion | None = None) -> None:
        self._encodings = Encodings(union)
        self._encoding: Callable[[Any], Encoding | None] = self._encodings.get

    def message(self, message: Any, re: Ref | None = None, ref: Ref | None = None, mark: str | None = None) -> str:
        """See `Writer.message`."""
        encoding = self._encoding(message.__class__) or self._encodings.of(message)
        fields = encoding.to_json(message).decode()
        if encoding.checks:
            encoding.check(message)
        head = encoding.head
        if re is not None:
            head += f'"re":{ref_json(re)},'
        if ref is not None:
            head += f'"ref":{ref_json(ref)},'
        if mark is not None:
            head += f'"mark":{ref_json(mark)},'
        # Quicker than to cut the brace off and to put two texts together.
        return fields.replace("{", head, 1) if len(fields) > 2 else head[:-1] + "}"

    def control(self, frame: ControlFrame) -> str:
        """See `Writer.control`."""
        return to_json(control_fields(frame)).decode()


class ObjectWriter:
    """Writes the frames of a codec that encodes objects, bytes among them.

    Args:
        dump: Encodes one object.
        union: What can be sent beside subclasses of Message.
    """

    __slots__ = ("_dump", "_encodings")

    def __init__(self, dump: Callable[[dict[str, Any]], Frame], union: MessageUnion | None = None) -> None:
        self._dump = dump
        self._encodings = Encodings(union)

    def message(self, message: Any, re: Ref | None = None, ref: Ref | None = None, mark: str | None = None) -> Frame:
        """See `Writer.message`."""
        encoding = self._encodings.of(message)
        fields = encoding.fields(message)
        head: dict[str, Any] = {} if encoding.tag is None else {"type": encoding.tag}
        envelope = {"re": re, "ref": ref, "mark": mark}
        return self._dump({**head, **fields, **{key: value for key, value in envelope.items() if value is not None}})

    def control(self, frame: ControlFrame) -> Frame:
        """See `Writer.control`."""
        return self._dump(control_fields(frame))
