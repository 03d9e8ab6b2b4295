"""Past a known server's `send`, `receive` and parser, where that comes to the same: whom we know, and how to write."""

from __future__ import annotations

import asyncio
import sys
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, Protocol, TypeVar

from ..logs import logger_of
from .owner import Frame
from .stepping import server_of

logger = logger_of("wscontrollers.session")

TESTED = ("0.54",)
"""The versions of uvicorn whose insides are known: the first two numbers."""

_USED = ("close_sent", "config", "conn", "disconnected", "handshake_complete", "transport", "writable")
"""What is used of uvicorn's protocols to write."""

_USED_TO_READ = ("loop", "queue", "read_paused", "transport")
"""What is used of them to read."""

TESTED_PARSERS = ("17.4",)
"""The versions of websockets whose parser is known: the first two numbers."""

_USED_TO_UNPACK = ("close_sent", "conn", "data_received", "transport")
_USED_OF_PARSERS = ("current_size", "max_fragment_size", "max_message_size", "parser", "state")
"""What is used of uvicorn's protocols and of websockets' to read frames."""

_USED_OF_BUFFERS = ("clear", "extend", "length", "max_length", "to_message")
"""What is used of the buffer in which uvicorn puts the parts of a message together for wsproto."""

_USED_TO_SHARE = ("data_received", "loop", "queue", "read_paused", "transport")
_USED_OF_TRANSPORTS = ("abort", "get_protocol", "is_closing", "pause_reading", "resume_reading", "set_protocol")
"""What is used of uvicorn's protocols and of transports to have connections share the event loop."""

_DEFLATE = "PerMessageDeflate"
"""The extension on whose connections a message may go uncompressed (RFC 7692, section 6)."""

_LOW = 16 * 1024
"""The low-water mark of transports, in bytes: with no more in its buffer, none holds its protocol back."""

PLAIN = 1024
"""Up to how many characters or bytes a session's own frame goes uncompressed where permessage-deflate was negotiated: it fits
into one packet either way, and compressing it costs more CPU time than all the rest of the way."""


class Addressee(Protocol):
    """Who gets a frame that goes to many: an outbox."""

    @property
    def direct(self) -> DirectWriter | None:
        """What writes to its transport."""
        ...

    @property
    def writing(self) -> bool:
        """Whether a write is under way."""
        ...

    @property
    def steps(self) -> bool:
        """Whether it is open, and its peer has been told of all that it lost."""
        ...


To = TypeVar("To", bound=Addressee)


class StandIn:
    """What of ours stands in for the `data_received` of a connection."""

    __slots__ = ()

    @property
    @abstractmethod
    def is_waiting(self) -> bool:
        """Whether something waits to be given to the parser: it comes before all that arrives."""


class DirectWriter:
    """Writes to the transport of one connection.

    Args:
        protocol: Uvicorn's, with the handshake done and nothing amiss (see `fault_of`).

    Attributes:
        plain: Frames of more characters or bytes are better compressed by the server.
        protocol: See the arguments.
        transport: Its transport.
        writable: The event that is set while the transport has room.
    """

    __slots__ = ("plain", "protocol", "transport", "writable")

    def __init__(self, protocol: Any) -> None:
        self.protocol: Any = protocol
        self.transport: Any = protocol.transport
        self.writable: Any = protocol.writable
        self.plain = PLAIN if _compresses(protocol) else sys.maxsize

    def write(self, packet: bytes) -> bool:
        """Write a frame, unless the server's own `send` would wait, fail or drop it.

        Args:
            packet: Its bytes on the wire.

        Returns:
            Whether it was written. If not, nothing was, and `send` tells what is the matter.

        Raises:
            OSError: The connection broke.
        """
        # The state of the connection need not be asked for: with each change of it uvicorn notes that a close was sent, or closes
        # the transport. A group's members are more than the caches hold, so what is touched of each counts here.
        protocol, transport = self.protocol, self.transport
        if (
            protocol.close_sent
            or protocol.disconnected
            or transport.is_closing()
            or (transport.get_write_buffer_size() > _LOW and not self.writable.is_set())
        ):
            return False
        transport.write(packet)
        return True


def write_to_each(addressees: Iterable[To], packet: bytes) -> Iterator[tuple[To, Exception | None]]:
    """Write a frame to each before whom nothing lies, as `DirectWriter.write` does.

    That is written out here, for a call for each takes a sixth of all that is done.

    Args:
        addressees: To whom.
        packet: Its bytes on the wire.

    Yields:
        Those to whom it was not written, with what was raised if anything was.
    """
    for addressee in addressees:
        direct = addressee.direct
        if direct is None or addressee.writing or not addressee.steps:
            yield addressee, None
            continue
        protocol, transport = direct.protocol, direct.transport
        try:
            if (
                protocol.close_sent
                or protocol.disconnected
                or transport.is_closing()
                or (transport.get_write_buffer_size() > _LOW and not direct.writable.is_set())
            ):
                fault = None
            else:
                transport.write(packet)
                continue
        except Exception as error:
            fault = error
        yield addressee, fault


def direct_writer(send: Callable[[Frame], Awaitable[None]]) -> DirectWriter | None:
    """What writes past an ASGI `send` whose handshake is accepted; None if it must not be passed by."""
    fault = fault_of(send)
    if fault is not None:
        logger.debug("frames go through the server's send: %s", fault)
        return None
    return DirectWriter(server_of(send))


def fault_of(send: Callable[[Frame], Awaitable[None]]) -> str | None:
    """Why an ASGI `send` must not be passed by; None if it may be."""
    protocol = server_of(send)
    return _fault_of_server(protocol, _USED) or _fault_of_connection(protocol)


def fault_of_reading(receive: Callable[[], Awaitable[Frame]]) -> str | None:
    """Why an ASGI `receive` must not be passed by; None if it may be."""
    protocol = server_of(receive)
    if fault := _fault_of_server(protocol, _USED_TO_READ):
        return fault
    queue = protocol.queue
    if (kind := queue.__class__) is not asyncio.Queue:
        return f"its queue is a {kind.__name__}"
    return "somebody else receives" if getattr(queue, "_getters", True) else None


def fault_of_unpacking(protocol: Any) -> str | None:
    """Why the parser of a known server's connection must not be passed by; None if it may be."""
    fault = _missing(protocol, _USED_TO_UNPACK) or _missing(protocol.transport, ("get_protocol", "set_protocol"))
    if fault:
        return fault
    if fault := _fault_of_parser(protocol.conn):
        return fault
    if not _is_free(protocol):
        return "somebody else stands before its parser"
    if getattr(protocol.conn, "debug", True):
        return "each frame is logged"
    return _fault_of_connection(protocol)


def _fault_of_parser(connection: object) -> str | None:
    cls = type(connection)
    if (cls.__module__, cls.__qualname__) != ("websockets.server", "ServerProtocol"):
        return f"its parser is a {cls.__qualname__}"
    return _untested("websockets", TESTED_PARSERS) or _missing(connection, _USED_OF_PARSERS)


def fault_of_bounds(protocol: Any) -> str | None:
    """Why a known server's parser cannot be told how big a message may be; None if it can."""
    return _fault_of_server(protocol, _USED_TO_UNPACK) or _fault_of_parser(protocol.conn)


def fault_of_buffer(protocol: Any) -> str | None:
    """Why it is not known how uvicorn puts the parts of a message together for its protocol; None if it is."""
    if fault := _fault_of_server(protocol, ("buffer",)):
        return fault
    return _missing(protocol.buffer, _USED_OF_BUFFERS)


def fault_of_sharing(protocol: Any) -> str | None:
    """Why nothing may stand before the parser of a known server's connection; None if it may."""
    transport: Any = protocol.transport
    kinds = (protocol.__class__, transport.__class__)
    if kinds not in _shared:  # what one of a class has, all of it have: this is asked for each session
        fault = _fault_of_server(protocol, _USED_TO_SHARE) or _missing(transport, _USED_OF_TRANSPORTS)
        if fault:
            return fault
        _shared.add(kinds)
    is_free = "data_received" not in vars(protocol) and transport.get_protocol() is protocol
    return None if is_free else "somebody else stands before its parser"


_shared: set[tuple[type[Any], type[Any]]] = set()
"""The classes of protocols and transports of which all is known."""


def _is_free(protocol: Any) -> bool:
    before: object = getattr(protocol.data_received, "__self__", None)
    return (before is protocol or isinstance(before, StandIn)) and protocol.transport.get_protocol() is protocol


def _fault_of_server(protocol: Any, used: tuple[str, ...]) -> str | None:
    if protocol is None:
        return "it is no known server's own, or a middleware stands around it"
    return _untested("uvicorn", TESTED) or _missing(protocol, used)


def _untested(package: str, tested: Sequence[str]) -> str | None:
    return _fault_of_version(package, getattr(sys.modules.get(package), "__version__", "?"), tested)


@cache
def _fault_of_version(package: str, version: object, tested: Sequence[str]) -> str | None:
    of_tested = ".".join(str(version).split(".")[:2]) in tested
    return None if of_tested else f"{package} {version} is none of {', '.join(tested)}"


def _missing(instance: object, used: tuple[str, ...]) -> str | None:
    try:
        _all_of(used)(instance)  # one call for all of them: they are looked for in each session
    except AttributeError:
        missing = [name for name in used if not hasattr(instance, name)]
        return f"{type(instance).__name__} has no {', '.join(missing)}"
    return None


@cache
def _all_of(used: tuple[str, ...]) -> Callable[[object], object]:
    return attrgetter(*used)


def _fault_of_connection(protocol: Any) -> str | None:
    connection = protocol.conn
    state = getattr(getattr(connection, "state", None), "_name_", None)  # `name` takes three times as long
    if not protocol.handshake_complete or state != "OPEN":
        return f"the connection is {state}"
    if getattr(connection, "expect_continuation_frame", False):
        return "a message is sent in fragments"
    # wsproto keeps its extensions to itself; uvicorn gives it this one alone.
    extensions = getattr(connection, "extensions", ())
    strange = extensions and {type(each).__name__ for each in extensions} - {_DEFLATE}
    return f"there are extensions: {', '.join(sorted(strange))}" if strange else None


def _compresses(protocol: Any) -> bool:
    # wsproto does not tell what was negotiated: there it may be.
    extensions: Any = getattr(protocol.conn, "extensions", None)
    return bool(protocol.config.ws_per_message_deflate if extensions is None else extensions)
