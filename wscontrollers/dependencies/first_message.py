"""The first frame of a session as a source of parameters: `Annotated[Credentials, FirstMessage()]`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import anyio
from pydantic import ValidationError
from pydantic_core import from_json, to_json
from starlette.exceptions import WebSocketException
from starlette.status import WS_1008_POLICY_VIOLATION, WS_1009_MESSAGE_TOO_BIG
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..exceptions import DeclarationError
from ..markers import DEFAULT_TIMEOUT, FirstMessageParam
from ..messages import Message, MessageUnion
from ..messages.checking import fault_of, is_too_deep, suspicion
from ..messages.limits import DEFAULT_FIRST_MESSAGE_LIMITS, FirstMessageLimits
from ..websockets import ServedWebSocket
from .annotations import is_subclass, members_of_union, without_annotated
from .fields import ParamField
from .invoking import Values
from .parameters import FieldSet
from .received import MISSING
from .resolution import Resolution
from .steps import RUN, Step


class FirstMessageStep(Step):
    """Accepts, receives one frame within the time limit, validates it and fills the slots of all who asked for it.

    One parameter takes the whole message, as do several of one name; those of different names each take the field of theirs.
    Raw ones have the frame itself and do not count. A whole message of a `Message` class has its tag.

    Args:
        fields: By the slots of their values, the parameters.
        limits: What the message may be.

    Raises:
        DeclarationError: Two of the parameters say different timeouts.
    """

    __slots__ = ("_fields", "_limits", "_may_exceed", "_messages", "_set", "_timeout", "_whole")

    accepts = True

    def __init__(self, fields: Mapping[int, ParamField], limits: FirstMessageLimits = DEFAULT_FIRST_MESSAGE_LIMITS) -> None:
        super().__init__(RUN, min(fields), (), lambda values: None, "FirstMessage")
        self._limits = limits
        self._may_exceed = suspicion(limits.frame, of_infinity=True)
        self._timeout = _timeout(fields.values(), limits.seconds)
        self._fields = dict(fields)
        read = {slot: field for slot, field in fields.items() if not _marker(field).raw}
        self._whole = len({field.aliases for field in read.values()}) == 1
        self._messages = {slot: MessageUnion(field.info.annotation) for slot, field in read.items() if self._is_message(field)}
        self._set = FieldSet([field for slot, field in read.items() if slot not in self._messages])

    def _is_message(self, field: ParamField) -> bool:
        """Whether a parameter is a whole frame with a tag, and nothing else of it is to be validated."""
        classes = members_of_union(without_annotated(field.info.annotation))
        tagged = all(is_subclass(cls, Message) and cls is not Message for cls in classes)
        return self._whole and tagged and not field.info.metadata

    def leave_out(self, values: Values) -> None:
        for slot in self._fields:
            values[slot] = MISSING

    async def run(self, values: Values, resolution: Resolution) -> None:
        connection = resolution.connection
        frame = await self._received(connection)
        most = self._limits.size
        if most is not None and _size(frame) > most:
            raise WebSocketException(WS_1009_MESSAGE_TOO_BIG, f"first message: over {most} bytes")
        for slot, value in self._read(frame, getattr(connection, "decode", None)).items():
            values[slot] = value

    async def _received(self, connection: WebSocket) -> str | bytes:
        if isinstance(connection, ServedWebSocket):
            await connection.accept_early()
        try:
            with anyio.fail_after(self._timeout):
                message = await connection.receive()
        except TimeoutError:
            raise WebSocketException(WS_1008_POLICY_VIOLATION, "first message: none within the time limit") from None
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005), message.get("reason"))
        text: str | None = message.get("text")
        return text if text is not None else cast(bytes, message["bytes"])

    def _read(self, frame: str | bytes, decode: Callable[[str | bytes], Any] | None) -> dict[int, Any]:
        """The value of each slot."""
        parsed = bool(self._set.fields or self._messages)
        content = (self._parsed(frame) if decode is None else _decoded(frame, decode)) if parsed else None
        is_json = decode is None
        try:
            plain = iter(self._validated(frame, content, is_json=is_json) if self._set.fields else ())
            found: dict[int, Any] = {}
            for slot, field in self._fields.items():
                if _marker(field).raw:
                    found[slot] = _raw(field, frame)
                elif slot in self._messages:
                    found[slot] = _message(self._messages[slot], content, is_json=is_json)
                else:
                    found[slot] = next(plain)
            return found
        except ValidationError as error:
            raise WebSocketException(WS_1008_POLICY_VIOLATION, _short(error)) from error

    def _validated(self, frame: str | bytes, content: Any, *, is_json: bool) -> Iterable[Any]:
        if not is_json:
            return self._set.validated(self._by_key(content))
        if not self._whole:
            return self._set.validated_json(to_json(self._by_key(content)))
        # The frame itself, which is JSON as was just seen: nothing is written again.
        text = frame if isinstance(frame, str) else frame.decode()
        return self._set.validated_json(
            "{%s}" % ", ".join(f'"p{index}": {text}' for index in range(len(self._set.fields)))  # noqa: UP031 - braces
        )

    def _by_key(self, content: Any) -> dict[str, Any]:
        """What each parameter is read from, under its key."""
        if self._whole:
            return {f"p{index}": content for index in range(len(self._set.fields))}
        if not isinstance(content, dict):
            raise WebSocketException(WS_1008_POLICY_VIOLATION, "first message: not an object")
        given = cast("dict[str, Any]", content)
        named = ((f"p{index}", _named(field, given)) for index, field in enumerate(self._set.fields))
        return {key: value for key, value in named if value is not MISSING}

    def _parsed(self, frame: str | bytes) -> Any:
        if isinstance(frame, bytes):
            try:
                frame = frame.decode()
            except UnicodeDecodeError:
                raise WebSocketException(WS_1008_POLICY_VIOLATION, "first message: not UTF-8") from None
        limits = self._limits.frame
        if is_too_deep(frame, limits.depth):
            raise WebSocketException(WS_1008_POLICY_VIOLATION, f"first message: more than {limits.depth} levels")
        try:
            content = from_json(frame, allow_inf_nan=False)
        except ValueError:
            raise WebSocketException(WS_1008_POLICY_VIOLATION, "first message: not JSON") from None
        if self._may_exceed is not None and self._may_exceed(frame) and (fault := fault_of(content, limits)):
            raise WebSocketException(WS_1008_POLICY_VIOLATION, f"first message: {fault}")
        return content


def _size(frame: str | bytes) -> int:
    return len(frame if isinstance(frame, bytes) else frame.encode("utf-8", "surrogatepass"))


def _decoded(frame: str | bytes, decode: Callable[[str | bytes], Any]) -> Any:
    try:
        return decode(frame)
    except Exception:  # a codec may raise what it likes
        raise WebSocketException(WS_1008_POLICY_VIOLATION, "first message: not what the codec reads") from None


def _marker(field: ParamField) -> FirstMessageParam:
    return cast(FirstMessageParam, field.info)


def _timeout(fields: Iterable[ParamField], default: float | None) -> float | None:
    """How long the message is waited for: as long as a parameter says, else as long as the limits say."""
    said = [field for field in fields if _marker(field).timeout is not DEFAULT_TIMEOUT]
    for field in said[1:]:
        one, other = _marker(said[0]).timeout, _marker(field).timeout
        if one != other:
            raise DeclarationError.at(
                f"FirstMessage(), parameters {said[0].name!r} and {field.name!r}",
                f"they are of the same frame, and wait for it with the timeouts {one!r} and {other!r}",
                fix="give both the same timeout, or one of them none",
            )
    return _marker(said[0]).timeout if said else default


def _message(union: MessageUnion, content: Any, *, is_json: bool) -> Any:
    """The message that a frame with a tag is."""
    if not isinstance(content, dict):
        raise WebSocketException(WS_1008_POLICY_VIOLATION, "first message: not an object")
    given = cast("dict[str, Any]", content)
    tag = given.get("type")
    if not isinstance(tag, str) or tag not in union.tags:
        what = "missing" if tag is None else "unknown"
        raise WebSocketException(WS_1008_POLICY_VIOLATION, f"first message: type: {what}")
    fields, validator = union.fields_of(tag, given), union.alone[tag]
    try:
        return validator.validate_json(to_json(fields)) if is_json else validator.validate_python(fields)
    except ValidationError as error:
        raise WebSocketException(WS_1008_POLICY_VIOLATION, _short(error, below=0)) from error


def _raw(field: ParamField, frame: str | bytes) -> str | bytes:
    """The frame as it came; one that is annotated `str` or `bytes` gets no frame of the other kind."""
    wanted: Any = field.info.annotation
    if wanted in (str, bytes) and type(frame) is not wanted:
        kind = "text" if wanted is str else "binary"
        raise WebSocketException(WS_1008_POLICY_VIOLATION, f"first message: not a {kind} frame")
    return frame


def _named(field: ParamField, content: dict[str, Any]) -> Any:
    return next((content[alias] for alias in field.aliases if alias in content), MISSING)


def _short(error: ValidationError, *, below: int = 1) -> str:
    """The first fault, within the 123 bytes that a close frame's reason may have (RFC 6455, section 5.5).

    Args:
        error: What was found.
        below: How many items of a location are no name of the client's.
    """
    detail = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(item) for item in detail["loc"][below:])
    return f"first message: {where + ': ' if where else ''}{detail['type']}".encode()[:123].decode(errors="ignore")
