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

from ..markers import FirstMessageParam
from ..messages.limits import MAX_DEPTH, is_too_deep
from ..websockets import ServedWebSocket
from .fields import ParamField
from .invoking import Values
from .parameters import FieldSet
from .received import MISSING
from .resolution import Resolution
from .steps import RUN, Step

MAX_BYTES = 64 * 1024
"""The size of a first message, in bytes, beyond which the session is closed with 1009."""


class FirstMessageStep(Step):
    """Accepts, receives one frame within the time limit, validates it and fills the slots of all who asked for it.

    One parameter takes the whole message, as do several of one name; those of different names each take the field of theirs.
    """

    __slots__ = ("_fields", "_set", "_timeout", "_whole")

    accepts = True

    def __init__(self, fields: Mapping[int, ParamField]) -> None:
        super().__init__(RUN, min(fields), (), lambda values: None, "FirstMessage")
        limits = [_marker(field).timeout for field in fields.values()]
        self._timeout = min((limit for limit in limits if limit is not None), default=None)
        self._fields = dict(fields)
        self._set = FieldSet([field for field in fields.values() if not _marker(field).raw])
        self._whole = len({field.aliases for field in self._set.fields}) == 1

    def leave_out(self, values: Values) -> None:
        for slot in self._fields:
            values[slot] = MISSING

    async def run(self, values: Values, resolution: Resolution) -> None:
        connection = resolution.connection
        frame = await self._received(connection)
        size = len(frame) if isinstance(frame, bytes) else len(frame.encode("utf-8", "surrogatepass"))
        if size > MAX_BYTES:
            raise WebSocketException(WS_1009_MESSAGE_TOO_BIG, f"first message: over {MAX_BYTES} bytes")
        read = iter(self._validated(frame, getattr(connection, "decode", None)) if self._set.fields else ())
        for slot, field in self._fields.items():
            values[slot] = _raw(field, frame) if _marker(field).raw else next(read)

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

    def _validated(self, frame: str | bytes, decode: Callable[[str | bytes], Any] | None) -> list[Any]:
        try:
            return list(self._read_json(frame) if decode is None else self._read_object(_decoded(frame, decode)))
        except ValidationError as error:
            raise WebSocketException(WS_1008_POLICY_VIOLATION, _short(error)) from error

    def _read_object(self, content: Any) -> Iterable[Any]:
        return self._set.validated(self._by_key(content))

    def _by_key(self, content: Any) -> dict[str, Any]:
        """What each parameter is read from, under its key."""
        if self._whole:
            return {f"p{index}": content for index in range(len(self._set.fields))}
        if not isinstance(content, dict):
            raise WebSocketException(WS_1008_POLICY_VIOLATION, "first message: not an object")
        given = cast("dict[str, Any]", content)
        named = ((f"p{index}", _named(field, given)) for index, field in enumerate(self._set.fields))
        return {key: value for key, value in named if value is not MISSING}

    def _read_json(self, frame: str | bytes) -> Iterable[Any]:
        content = self._parsed(frame)
        if self._whole:
            # The frame itself, which is JSON as was just seen: nothing is written again.
            text = frame if isinstance(frame, str) else frame.decode()
            data: str | bytes = "{%s}" % ", ".join(f'"p{index}": {text}' for index in range(len(self._set.fields)))  # noqa: UP031 - braces
        else:
            data = to_json(self._by_key(content))
        return self._set.validated_json(data)

    def _parsed(self, frame: str | bytes) -> Any:
        if isinstance(frame, bytes):
            try:
                frame = frame.decode()
            except UnicodeDecodeError:
                raise WebSocketException(WS_1008_POLICY_VIOLATION, "first message: not UTF-8") from None
        if is_too_deep(frame):
            raise WebSocketException(WS_1008_POLICY_VIOLATION, f"first message: over {MAX_DEPTH} levels")
        try:
            return from_json(frame, allow_inf_nan=False)
        except ValueError:
            raise WebSocketException(WS_1008_POLICY_VIOLATION, "first message: not JSON") from None


def _decoded(frame: str | bytes, decode: Callable[[str | bytes], Any]) -> Any:
    try:
        return decode(frame)
    except Exception:  # a codec may raise what it likes
        raise WebSocketException(WS_1008_POLICY_VIOLATION, "first message: not what the codec reads") from None


def _marker(field: ParamField) -> FirstMessageParam:
    return cast(FirstMessageParam, field.info)


def _raw(field: ParamField, frame: str | bytes) -> str | bytes:
    """The frame as it came; one that is annotated `str` or `bytes` gets no frame of the other kind."""
    wanted: Any = field.info.annotation
    if wanted in (str, bytes) and type(frame) is not wanted:
        kind = "text" if wanted is str else "binary"
        raise WebSocketException(WS_1008_POLICY_VIOLATION, f"first message: not a {kind} frame")
    return frame


def _named(field: ParamField, content: dict[str, Any]) -> Any:
    return next((content[alias] for alias in field.aliases if alias in content), MISSING)


def _short(error: ValidationError) -> str:
    """The first fault, within the 123 bytes that a close frame's reason may have (RFC 6455, section 5.5)."""
    detail = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(item) for item in detail["loc"][1:])
    return f"first message: {where + ': ' if where else ''}{detail['type']}".encode()[:123].decode(errors="ignore")
