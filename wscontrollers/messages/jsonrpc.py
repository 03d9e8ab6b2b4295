"""JSON-RPC 2.0 as a second framing of the same messages: the method is the tag, params are the fields.

Source: the JSON-RPC 2.0 specification, https://www.jsonrpc.org/specification.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias, cast

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from .checking import fault_of, is_too_deep, suspicion
from .encoding import Encodings, control_fields
from .errors import INTERNAL, INVALID_FRAME, INVALID_JSON, UNKNOWN_TYPE, VALIDATION, FrameError, FrameErrorCode
from .frames import MAX_INTEGER, MAX_REF_LENGTH, ControlFrame, ErrorDetail, ErrorFrame, Frame, Ref
from .limits import DEFAULT_FRAME_LIMITS, FrameLimits
from .message import Message
from .reading import details_of
from .union import MessageUnion

Id: TypeAlias = str | int | float | None
"""What correlates a response with its request; None is JSON's null, which the specification advises against."""

Params: TypeAlias = Sequence[Any] | Mapping[str, Any]

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
SERVER_ERROR: Final = -32000

_NOTIFIED: Final = frozenset({"cancel", "recover"})
"""The client's control frames that are notifications here; without streams there is no `credit`."""

_STANDARD: Final[Mapping[str, tuple[int, str]]] = {
    INVALID_JSON: (PARSE_ERROR, "Parse error"),
    INVALID_FRAME: (INVALID_REQUEST, "Invalid Request"),
    UNKNOWN_TYPE: (METHOD_NOT_FOUND, "Method not found"),
    VALIDATION: (INVALID_PARAMS, "Invalid params"),
    INTERNAL: (INTERNAL_ERROR, "Internal error"),
}


class Call(NamedTuple):
    """A request, or a notification: that one gets no response, not even an error."""

    message: Any
    method: str
    id: Id
    is_notification: bool


class Failure(NamedTuple):
    """A call that cannot be made, and whether its sender is told: a notification's never is."""

    error: FrameError
    id: Id
    is_notification: bool


class Response(NamedTuple):
    """The peer's response to a request of ours: its result, or its error object."""

    id: Id
    result: Any
    error: Mapping[str, Any] | None


class Batch(NamedTuple):
    """What one frame held, in its order; whether the responses to it go into one array."""

    items: tuple[Call | Failure | Response, ...]
    is_batch: bool


class JsonRpc:
    """JSON-RPC 2.0 on a controller: `protocol = JsonRpc()`. Its handlers are methods, by the tags of their messages.

    Args:
        max_batch: How many calls one batch may have; a longer one is refused as a whole, with "Invalid Request".
        subprotocol: Chosen where the client offers it (RFC 6455, section 1.9); None chooses none.

    Raises:
        ValueError: max_batch is below 1.
    """

    __slots__ = ("max_batch", "subprotocol")

    def __init__(self, *, max_batch: int = 100, subprotocol: str | None = None) -> None:
        if max_batch < 1:
            raise ValueError(f"JsonRpc(): max_batch is {max_batch!r}. Fix: give how many calls one batch may have.")
        self.max_batch = max_batch
        self.subprotocol = subprotocol

    def __repr__(self) -> str:
        return f"JsonRpc(max_batch={self.max_batch!r}, subprotocol={self.subprotocol!r})"

    def reader(self, union: MessageUnion, limits: FrameLimits = DEFAULT_FRAME_LIMITS) -> Callable[[Frame], Batch]:
        """A function that reads one frame, within the limits of what one may hold, and raises nothing, whatever it is."""
        return RpcReader(union, self.max_batch, limits).read

    def writer(self, union: MessageUnion | None = None) -> RpcWriter:
        """What writes responses, requests and notifications."""
        return RpcWriter(union)


class RpcReader:
    """Reads frames of JSON-RPC to messages of a union.

    Args:
        union: Its tags are the methods.
        max_batch: How many calls one batch may have.
        limits: What one frame may hold.
    """

    __slots__ = ("_limits", "_max_batch", "_may_exceed", "_positions", "_union")

    def __init__(self, union: MessageUnion, max_batch: int, limits: FrameLimits = DEFAULT_FRAME_LIMITS) -> None:
        self._union = union
        self._max_batch = max_batch
        self._limits = limits
        self._may_exceed = suspicion(limits, of_infinity=True)
        self._positions = {
            tag: tuple(field.read_as[0] for field in member.shape.fields if field.read_as and "type" not in field.read_as)
            for member in union.members
            for tag in member.tags
        }

    def read(self, frame: Frame) -> Batch:
        """The calls and responses in a frame."""
        if not isinstance(frame, str):
            return _failed(INVALID_FRAME, "a binary frame, where text is spoken")
        if is_too_deep(frame, self._limits.depth):
            return _failed(INVALID_JSON, f"more than {self._limits.depth} levels")
        try:
            value = from_json(frame, allow_inf_nan=False)
        except (ValueError, TypeError):  # a TypeError for a lone surrogate
            return _failed(INVALID_JSON, "not JSON")
        if self._may_exceed is not None and self._may_exceed(frame) and (beyond := fault_of(value, self._limits)):
            return _failed(INVALID_JSON, beyond)
        if not isinstance(value, list):
            return Batch((self._item(value),), False)
        calls = cast("Sequence[Any]", value)
        if not 0 < len(calls) <= self._max_batch:
            return _failed(INVALID_FRAME, f"a batch has 1 to {self._max_batch} calls")
        return Batch(tuple(self._item(call) for call in calls), True)

    def _item(self, value: Any) -> Call | Failure | Response:
        if not isinstance(value, dict):
            return _failure(INVALID_FRAME, "a call is an object")
        call = cast("dict[str, Any]", value)
        id_ = call.get("id")
        method: object = call.get("method")
        params: object = call.get("params", [])
        if call.get("jsonrpc") != "2.0" or not _is_id(id_):
            return _failure(INVALID_FRAME, "no JSON-RPC 2.0, or an id that is none")
        if "method" not in call and "id" in call and ("result" in call) is not ("error" in call):
            error = call.get("error")
            if "result" in call or isinstance(error, dict):
                return Response(id_, call.get("result"), cast("dict[str, Any] | None", error))
        if not isinstance(method, str) or not isinstance(params, list | dict):
            return _failure(INVALID_FRAME, "a method is a text, and params an array or object")
        is_notification = "id" not in call
        try:
            if method not in self._union.tags and not (is_notification and method in _NOTIFIED):
                raise FrameError(UNKNOWN_TYPE, "no such method")
            message = self._message(method, cast("Params", params))
        except FrameError as error:
            return Failure(error, id_, is_notification)
        return Call(message, method, id_, is_notification)

    def _message(self, method: str, params: Params) -> Any:
        fields = params if isinstance(params, Mapping) else self._named(method, params)
        if method in self._union.tags and not issubclass(self._union.tags[method], Message):
            fields = {**fields, "type": method}
        try:
            return self._union.alone[method].validate_json(to_json(fields, inf_nan_mode="constants"))
        except ValidationError as error:
            raise FrameError(VALIDATION, "the params are not those of the method", details_of(error, fields)) from None
        except Exception as error:
            raise FrameError(INTERNAL, "the params could not be read") from error

    def _named(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        names = self._positions.get(method, ())
        if len(params) > len(names):
            detail = ErrorDetail(loc=[len(names)], type="unexpected_positional_argument", msg="Unexpected positional argument")
            raise FrameError(VALIDATION, f"the method takes at most {len(names)} params", [detail])
        return dict(zip(names, params, strict=False))


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
        number, message = _STANDARD.get(code, (SERVER_ERROR, text))
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


def error_in(frame: Frame) -> ErrorFrame | None:
    """The error that a response tells, by our code for its number; None for any other frame."""
    batch = RpcReader(MessageUnion([]), 1).read(frame)
    response = batch.items[0]
    if batch.is_batch or not isinstance(response, Response) or response.error is None:
        return None
    number, data = response.error.get("code"), response.error.get("data")
    fields = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
    code = next((code for code, standard in _STANDARD.items() if standard[0] == number), str(number))
    re: Any = response.id
    return ErrorFrame(fields.get("code", code), str(response.error.get("message")), fields.get("errors"), re, fields.get("id"))


def _json(value: Any) -> str:
    written = to_json(value, bytes_mode="base64", inf_nan_mode="null")
    # A number that is none is a null here, and only a value with a null in it has to be looked at twice.
    if b"null" in written and to_json(value, bytes_mode="base64", inf_nan_mode="constants") != written:
        raise ValueError(
            "JSON has no NaN and no Infinity, and what is to be sent holds one. Fix: send None, or the number as a text."
        )
    return written.decode()


def _is_id(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_REF_LENGTH
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) <= MAX_INTEGER
    return value is None or (isinstance(value, float) and abs(value) <= MAX_INTEGER)


def _failure(code: FrameErrorCode, text: str) -> Failure:
    return Failure(FrameError(code, text), None, False)


def _failed(code: FrameErrorCode, text: str) -> Batch:
    return Batch((_failure(code, text),), False)
