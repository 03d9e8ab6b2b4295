"""JSON-RPC 2.0 as the framing of a session: each call with an id gets one response, those of a batch go together.

Source: the JSON-RPC 2.0 specification, https://www.jsonrpc.org/specification.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pydantic_core import from_json

from ..exceptions import DeclarationError
from ..messages import (
    Cancel,
    ControlFrame,
    ErrorFrame,
    FrameError,
    Heartbeat,
    Incoming,
    JsonCodec,
    JsonRpc,
    MessageUnion,
    Ref,
    Reply,
)
from ..messages.errors import CANCELLED
from ..messages.jsonrpc import Call, Failure, Response
from ..messages.jsonrpc_writing import Id
from ..messages.limits import DEFAULT_FRAME_LIMITS, FrameLimits
from .framing import RAW, Read, Several
from .packing import bytes_of
from .results import NOBODY, response_json, result_reader

TOO_BIG: Final = "too_big"
"""The code of a call of a batch whose response has no room beside the others, which wait for the last of them."""


class Rpc:
    """What an endpoint speaks as JSON-RPC, compiled once and shared by its sessions.

    Args:
        protocol: What its controller says of it.
        incoming: The messages that can be called; None where the endpoint reads the frames itself.
        outgoing: Types that may be notifications or requests beside subclasses of `Message`.
        limits: What one frame that comes in may hold.
        held: Bytes that the responses of one session may have together while they wait for others of their batch.

    Raises:
        DeclarationError: A method has a name that the specification keeps for itself (section 4).
    """

    __slots__ = ("_answers", "_subprotocol", "held", "read", "write")

    def __init__(
        self,
        protocol: JsonRpc,
        incoming: MessageUnion | None,
        outgoing: MessageUnion | None,
        *,
        limits: FrameLimits = DEFAULT_FRAME_LIMITS,
        held: int,
    ) -> None:
        if incoming is not None:
            _check_names(incoming)
        self.read = None if incoming is None else protocol.reader(incoming, limits)
        self.write = protocol.writer(outgoing)
        self.held = held
        self._subprotocol = protocol.subprotocol
        self._answers: dict[Any, Read] = {}

    def negotiate(self, offered: Sequence[str]) -> tuple[RpcFraming, str | None]:
        """The framing of a new session, and the subprotocol to accept with."""
        return RpcFraming(self), self._subprotocol if self._subprotocol in offered else None

    def answers(self, types: Any) -> Read:
        """Reads the results of a request; made once for each type."""
        read = self._answers.get(types)
        if read is None:
            read = self._answers[types] = result_reader(types)
        return read


class Batch:
    """A batch whose responses are not all there.

    Attributes:
        responses: In the order of the calls; empty texts for those that are missing.
        left: How many are missing.
        size: The bytes of those that are there.
    """

    __slots__ = ("left", "responses", "size")

    def __init__(self) -> None:
        self.responses: list[str] = []
        self.left = self.size = 0

    def expect(self) -> int:
        """Have one more response expected; returns its place."""
        self.responses.append("")
        self.left += 1
        return len(self.responses) - 1

    def put(self, place: int, response: str) -> None:
        """Put a response into its place."""
        self.responses[place] = response
        self.left -= 1
        self.size += bytes_of(response)


class Waiting(NamedTuple):
    """A call that waits for its response, with its batch and its place there if it came in one."""

    id: Id
    batch: Batch | None
    place: int


class RpcFraming:
    """The frames of one session in JSON-RPC.

    A call with an id is given a reference of its own, because a client may use an id twice. Whatever answers it first is its
    response; a notification has no reference and is never answered, not even with an error.

    Args:
        rpc: What all sessions of the endpoint share.
    """

    __slots__ = ("_calls", "_held", "_is_stopped", "_last", "_rpc")

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self._calls: dict[Ref, Waiting] = {}
        self._held = 0
        self._last = NOBODY
        self._is_stopped = False

    @property
    def dialect(self) -> str:
        """See `Framing.dialect`."""
        return "jsonrpc-2.0"

    @property
    def must_arrive(self) -> bool:
        """See `Framing.must_arrive`: each call has one response, and that of a batch is the response of other calls too."""
        return True

    # What comes in

    @property
    def read(self) -> Read | None:
        """See `Framing.read`; a batch is read to `Several`."""
        return None if self._rpc.read is None else self._read

    def _read(self, frame: str | bytes) -> Incoming:
        assert self._rpc.read is not None
        items, is_batch = self._rpc.read(frame)
        if is_batch:
            return Incoming(Several(tuple(self._read_batch(items))), "", None, None)
        item = self._incoming(items[0], None)
        if isinstance(item, FrameError):
            raise item
        return item

    def _read_batch(self, items: Sequence[Call | Failure | Response]) -> Iterator[Incoming | FrameError]:
        batch = Batch()
        for item in items:
            yield self._incoming(item, batch)

    def _incoming(self, item: Call | Failure | Response, batch: Batch | None) -> Incoming | FrameError:
        if isinstance(item, Response):
            # An id may be any number; one that is no integer is none of ours, and equal to none of them.
            re: Any = item.id
            return Incoming(Reply(response_json(item)), "", None, re)
        if isinstance(item, Failure):
            item.error.ref = NOBODY if item.is_notification else self._called(item.id, batch)
            return item.error
        if isinstance(item.message, Cancel):
            return Incoming(Cancel(self._reference(item.message.re)), item.method, None, None)
        return Incoming(item.message, item.method, None if item.is_notification else self._called(item.id, batch), None)

    def _called(self, id_: Id, batch: Batch | None) -> Ref:
        if self._is_stopped:
            return NOBODY
        self._last += 1
        self._calls[self._last] = Waiting(id_, batch, 0 if batch is None else batch.expect())
        return self._last

    def _reference(self, id_: Id) -> Ref:
        return next((ref for ref, call in self._calls.items() if call.id == id_), NOBODY)

    # What goes out

    def message(self, message: Any, ref: Ref | None = None) -> str:
        """See `Framing.message`: a notification, or with a `ref` a request.

        Raises:
            TypeError: It is text or bytes, which are no call.
        """
        if type(message) in RAW:
            raise TypeError(
                f"Session: {type(message).__name__} is no notification of JSON-RPC. Fix: send a Message; its tag is the method."
            )
        return self._rpc.write.notification(message) if ref is None else self._rpc.write.request(ref, message)

    def answer(self, value: Any, ref: Ref | None) -> str | None:
        """See `Framing.answer`: the result, any value that JSON has; None where it is not the last of its batch."""
        call = None if ref is None else self._calls.get(ref)
        if ref is None or call is None:
            return None
        return self._responded(ref, call, self._rpc.write.result(call.id, value))

    def error(self, error: ErrorFrame) -> str | None:
        """See `Framing.error`: the error object; None where it is not the last of its batch."""
        call = None if error.re is None else self._calls.get(error.re)
        if error.re is None or call is None:
            return None
        return self._responded(error.re, call, self._error(call.id, error))

    def control(self, frame: ControlFrame) -> str | None:
        """See `Framing.control`: an error of no call has the id null, a heartbeat is a request, all else a notification."""
        if isinstance(frame, Heartbeat):
            return self._rpc.write.call("heartbeat", {}, id=frame.ref)
        if not isinstance(frame, ErrorFrame):
            return self._rpc.write.control(frame)
        return self._error(None, frame) if frame.re is None else self.error(frame)

    def relayed(self, frames: Mapping[str, str | bytes], mark: str | None) -> str | None:
        """See `Framing.relayed`: a notification; the mark is one of its params."""
        frame = frames.get(JsonCodec.subprotocol)
        if frame is None:
            return None
        fields: dict[str, Any] = from_json(frame)
        return self._rpc.write.call(fields.pop("type"), fields if mark is None else {**fields, "mark": mark})

    def item(self, value: Any, ref: Ref | None) -> str:
        """Refused: a call has one response. Handlers that stream are an error at registration.

        Raises:
            TypeError: Always.
        """
        raise TypeError("JSON-RPC has no streams. Fix: return a list, or send the items as notifications.")

    def end(self, ref: Ref) -> str:
        """Refused, as `item` is."""
        return self.item(None, ref)

    def stop(self) -> None:
        """See `Framing.stop`: later calls are not kept, or a client could go on sending them while handlers have their grace."""
        self._is_stopped = True

    def unanswered(self) -> Sequence[str]:
        """See `Framing.unanswered`: calls that were not handled are cancelled, so that those of their batch are answered."""
        responses = [self.error(ErrorFrame(CANCELLED, "the session ends", re=ref)) for ref in tuple(self._calls)]
        return [response for response in responses if response is not None]

    def answers(self, types: Any) -> Read:
        """See `Framing.answers`: any type that pydantic knows; what does not fit is read as an error, for no other one comes."""
        return self._rpc.answers(types)

    def _error(self, id_: Id, error: ErrorFrame) -> str:
        return self._rpc.write.error(id_, error.code, error.message, error.errors or (), error.id)

    def _responded(self, ref: Ref, call: Waiting, response: str) -> str | None:
        del self._calls[ref]
        batch = call.batch
        if batch is None:
            return response
        if self._held and self._held + bytes_of(response) > self._rpc.held:
            response = self._rpc.write.error(call.id, TOO_BIG, "the responses to the batch are too big")
        self._held += bytes_of(response)
        batch.put(call.place, response)
        if batch.left:
            return None
        self._held -= batch.size
        return self._rpc.write.batch(batch.responses)


def _check_names(incoming: MessageUnion) -> None:
    for tag in incoming.tags:
        if tag.startswith("rpc."):
            raise DeclarationError.at(
                incoming.where,
                f"the method {tag!r} has a name that JSON-RPC keeps for itself",
                fix='give its message a tag that does not begin with "rpc."',
            )
