"""JSON-RPC 2.0 as a second framing of the same messages: the method is the tag, params are the fields.

Source: the JSON-RPC 2.0 specification, https://www.jsonrpc.org/specification.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias, cast

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from .checking import fault_of, is_too_deep, suspicion
from .errors import INTERNAL, INVALID_FRAME, INVALID_JSON, UNKNOWN_TYPE, VALIDATION, FrameError, FrameErrorCode
from .frames import MAX_INTEGER, MAX_REF_LENGTH, ErrorDetail, ErrorFrame, Frame
from .jsonrpc_writing import STANDARD, Id, RpcWriter
from .limits import DEFAULT_FRAME_LIMITS, FrameLimits
from .message import Message
from .reading import details_of
from .union import MessageUnion

Params: TypeAlias = Sequence[Any] | Mapping[str, Any]


_NOTIFIED: Final = frozenset({"cancel", "recover"})
"""The client's control frames that are notifications here; without streams there is no `credit`."""


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


def error_in(frame: Frame) -> ErrorFrame | None:
    """The error that a response tells, by our code for its number; None for any other frame."""
    batch = RpcReader(MessageUnion([]), 1).read(frame)
    response = batch.items[0]
    if batch.is_batch or not isinstance(response, Response) or response.error is None:
        return None
    number, data = response.error.get("code"), response.error.get("data")
    fields = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
    code = next((code for code, standard in STANDARD.items() if standard[0] == number), str(number))
    re: Any = response.id
    return ErrorFrame(fields.get("code", code), str(response.error.get("message")), fields.get("errors"), re, fields.get("id"))


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
