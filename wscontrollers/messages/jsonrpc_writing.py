"""Writing JSON-RPC 2.0: responses, requests and notifications, and the numbers that errors have there.

Source: the JSON-RPC 2.0 specification, https://www.jsonrpc.org/specification.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from pydantic_core import from_json, to_json

from .encoding import Encodings, control_fields
from .errors import INTERNAL, INVALID_FRAME, INVALID_JSON, UNKNOWN_TYPE, VALIDATION
from .frames import ControlFrame, ErrorDetail, Ref
from .message import Message
from .union import MessageUnion

Id: TypeAlias = str | int | float | None
"""What correlates a response with its request; None is JSON's null, which the specification advises against."""

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
SERVER_ERROR: Final = -32000

STANDARD: Final[Mapping[str, tuple[int, str]]] = {
    INVALID_JSON: (PARSE_ERROR, "Parse error"),
    INVALID_FRAME: (INVALID_REQUEST, "Invalid Request"),
    UNKNOWN_TYPE: (METHOD_NOT_FOUND, "Method not found"),
    VALIDATION: (INVALID_PARAMS, "Invalid params"),
    INTERNAL: (INTERNAL_ERROR, "Internal error"),
}


class RpcWriter:
    """Writes frames of JSON-RPC; everything is a text.

    Args:
        union: What can be a request or notification beside subclasses of Message.
    """

    __slots__ = ("_encodings",)

    def __init__(self, union: MessageUnion | None = None) -> None:
        self._encodings = Encodings(union)

    def result(self, id: Id, value: Any = None) -> str:  # noqa: A002 - the name on the wire
        """The response with a result: a plain value, or the fields of a Message without its type.

        Raises:
            PydanticSerializationError: The value cannot be written.
        """
        return f'{{"jsonrpc":"2.0","result":{self._value(value)},"id":{_json(id)}}}'

    def error(
        self,
        id: Id,  # noqa: A002 - the name on the wire
        code: str,
        text: str,
        errors: Sequence[ErrorDetail] = (),
        incident: str | None = None,
    ) -> str:
        """The response with an error object.

        Args:
            id: The request's; None where it could not be found.
            code: One of ours. Those that the specification knows get its number and text; all others are -32000, with the code
                as `data.code`.
            text: The error for people, where the specification has no text.
            errors: The faults of single fields, as `data.errors`.
            incident: The id under which the log has the details, as `data.id`.
        """
        number, message = STANDARD.get(code, (SERVER_ERROR, text))
        data: dict[str, Any] = {"code": code} if number == SERVER_ERROR else {}
        data |= {key: value for key, value in (("errors", list(errors)), ("id", incident)) if value}
        error = {"code": number, "message": message} | ({"data": data} if data else {})
        return f'{{"jsonrpc":"2.0","error":{_json(error)},"id":{_json(id)}}}'

    def request(self, id: str | int, message: Any) -> str:  # noqa: A002 - the name on the wire
        """A request of ours: the message's tag is the method, its fields are the params, by name."""
        return f'{{"jsonrpc":"2.0",{self._call(message)},"id":{_json(id)}}}'

    def notification(self, message: Any) -> str:
        """A message that wants no response."""
        return f'{{"jsonrpc":"2.0",{self._call(message)}}}'

    def control(self, frame: ControlFrame) -> str:
        """What the framework itself says: a notification, with the frame's tag for its method and its fields by name."""
        fields = control_fields(frame)
        return self.call(fields.pop("type"), fields)

    def call(self, method: str, params: Mapping[str, Any], id: Ref | None = None) -> str:  # noqa: A002 - the name on the wire
        """A notification of its parts, or with an id a request."""
        end = "}" if id is None else f',"id":{_json(id)}}}'
        return f'{{"jsonrpc":"2.0","method":{_json(method)},"params":{_json(params)}{end}'

    def batch(self, responses: Sequence[str]) -> str | None:
        """The responses to a batch as one frame; None where there are none, for then nothing is sent."""
        return f"[{','.join(responses)}]" if responses else None

    def _call(self, message: Any) -> str:
        fields = self._encodings.of(message).fields_json(message)
        tag = self._encodings.of(message).tag
        if tag is None:
            params = cast("dict[str, Any]", from_json(fields))
            tag, fields = params.pop("type"), _json(params)
        return f'"method":{_json(tag)},"params":{fields}'

    def _value(self, value: Any) -> str:
        if isinstance(value, Message):
            return self._encodings.of(value).fields_json(value)
        return _json(value)


def _json(value: Any) -> str:
    written = to_json(value, bytes_mode="base64", inf_nan_mode="null")
    # A number that is none is a null here, and only a value with a null in it has to be looked at twice.
    if b"null" in written and to_json(value, bytes_mode="base64", inf_nan_mode="constants") != written:
        raise ValueError(
            "JSON has no NaN and no Infinity, and what is to be sent holds one. Fix: send None, or the number as a text."
        )
    return written.decode()
