"""How messages become frames: JSON, MessagePack, and a protocol for others."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol, cast

from ..callables import name_of
from ..exceptions import DeclarationError
from .checking import fault_of, may_exceed
from .errors import INVALID_FRAME, INVALID_JSON, FrameError
from .frames import Frame
from .limits import DEFAULT_FRAME_LIMITS, FrameLimits
from .reading import Reader, json_reader, object_reader
from .union import MessageUnion
from .writing import JsonWriter, ObjectWriter, Writer


class Codec(Protocol):
    """What stands between frames and messages. `ObjectCodec` is the short way to one.

    Attributes:
        subprotocol: The name by which a client asks for it (RFC 6455, section 1.9).
        binary: Whether its frames are binary.
    """

    @property
    def subprotocol(self) -> str: ...

    @property
    def binary(self) -> bool: ...

    def reader(self, union: MessageUnion, limits: FrameLimits) -> Reader:
        """A function that reads one frame to `Incoming`, and raises `FrameError` and nothing else.

        Args:
            union: The messages that may come in.
            limits: What one frame may hold.
        """
        ...

    def writer(self, union: MessageUnion | None = None) -> Writer:
        """What writes messages and control frames. The union is what may be sent beside subclasses of Message."""
        ...


class JsonCodec:
    """JSON in text frames, read and written by pydantic."""

    subprotocol: str = "wsc.v1+json"
    binary: bool = False

    def reader(self, union: MessageUnion, limits: FrameLimits = DEFAULT_FRAME_LIMITS) -> Reader:
        """See `Codec.reader`."""
        return json_reader(union, limits)

    def writer(self, union: MessageUnion | None = None) -> Writer:
        """See `Codec.writer`."""
        return JsonWriter(union)


class ObjectCodec(ABC):
    """A codec of two functions: `load` decodes a frame to an object, `dump` encodes one.

        class Cbor(ObjectCodec):
            subprotocol = "chat.v1+cbor"

            def load(self, frame): return cbor2.loads(frame)
            def dump(self, value): return cbor2.dumps(value)

    What goes to `dump` is made of JSON's types and bytes; `load` may return the same.
    """

    subprotocol: str
    binary: bool = True

    @abstractmethod
    def load(self, frame: Any) -> Any:
        """Decode one frame, which is of the right kind.

        Raises:
            Exception: Whatever it raises says that the frame is not the codec's.
        """

    @abstractmethod
    def dump(self, value: dict[str, Any]) -> Frame:
        """Encode one object."""

    def reader(self, union: MessageUnion, limits: FrameLimits = DEFAULT_FRAME_LIMITS) -> Reader:
        """See `Codec.reader`."""
        return object_reader(union, partial(self.decode, limits=limits))

    def writer(self, union: MessageUnion | None = None) -> Writer:
        """See `Codec.writer`."""
        return ObjectWriter(self.dump, union)

    def decode(self, frame: Frame, limits: FrameLimits = DEFAULT_FRAME_LIMITS) -> Any:
        """Decode one frame of any kind, within the limits of what one may hold.

        Raises:
            FrameError: It is of the wrong kind, has too many levels, too long an integer, or numbers that are none.
            Exception: What `load` raises.
        """
        if isinstance(frame, bytes) is not self.binary:
            kind, spoken = ("a text", "binary") if self.binary else ("a binary", "text")
            raise FrameError(INVALID_FRAME, f"{kind} frame, where {spoken} is spoken")
        value = self.load(frame)
        if self.may_exceed(frame, limits) and (fault := fault_of(value, limits)):
            raise FrameError(INVALID_JSON, fault)
        return value

    def may_exceed(self, frame: Frame, limits: FrameLimits) -> bool:
        """Whether a frame may hold more than the limits allow, or numbers that are none; only then is its value looked through.

        A codec whose frames tell it quickly says so here.
        """
        return True


class MsgPackCodec(ObjectCodec):
    """MessagePack in binary frames, by ormsgpack; bytes are bytes.

    Raises:
        DeclarationError: ormsgpack is not installed.
    """

    subprotocol: str = "wsc.v1+msgpack"

    def __init__(self) -> None:
        try:
            import ormsgpack
        except ImportError as error:
            raise DeclarationError.at(
                "MsgPackCodec()", "ormsgpack is not installed", fix="pip install wscontrollers[msgpack]"
            ) from error
        self._pack = ormsgpack.packb
        self._unpack = ormsgpack.unpackb
        # ormsgpack does not mind what follows the first value. An array of two, whose second nobody can guess, does.
        end = os.urandom(16)
        self._end = end
        self._tail = b"\xc4\x10" + end

    def load(self, frame: Any) -> Any:
        """Decode one frame.

        Raises:
            ValueError: It is no MessagePack, or something follows the value; extension types are refused.
        """
        value, end = cast("tuple[Any, Any]", self._unpack(b"\x92" + frame + self._tail))
        if end != self._end:
            raise ValueError("more than one value")
        return value

    def dump(self, value: dict[str, Any]) -> bytes:
        """Encode one object.

        Raises:
            TypeError: An integer of more than 64 bits, or a text with lone surrogates.
        """
        return self._pack(value)

    def may_exceed(self, frame: Frame, limits: FrameLimits) -> bool:
        """See `ObjectCodec.may_exceed`."""
        return may_exceed(cast(bytes, frame), limits)


def spoken_with(codecs: Sequence[Codec]) -> tuple[Codec, ...]:
    """What an application with these codecs speaks: JSON is always among it."""
    if any(codec.subprotocol == JsonCodec.subprotocol for codec in codecs):
        return tuple(codecs)
    return (JsonCodec(), *codecs)


def negotiated(offered: Sequence[str], spoken: Sequence[Codec]) -> tuple[Codec, str | None]:
    """The codec for a session, and the subprotocol to answer with.

    Args:
        offered: The subprotocols that the client offers, the one it likes best first.
        spoken: What `spoken_with` returned.

    Returns:
        The first offered codec; without one, JSON and no subprotocol.
    """
    by_name = {codec.subprotocol: codec for codec in spoken}
    for name in offered:
        if name in by_name:
            return by_name[name], name
    return by_name[JsonCodec.subprotocol], None


def check_codecs(codecs: Sequence[object], where: str) -> None:
    """Check what an application is given to be spoken.

    Raises:
        DeclarationError: Something is no codec, or two answer to one name.
    """
    names: dict[str, object] = {}
    for codec in codecs:
        if isinstance(codec, type):
            fix = f"make one: {name_of(codec)}()"
            raise DeclarationError.at(where, f"{name_of(codec)} is a class, and a codec is an instance", fix=fix)
        name: object = getattr(codec, "subprotocol", None)
        methods: list[object] = [getattr(codec, each, None) for each in ("reader", "writer")]
        if not (isinstance(name, str) and name and hasattr(codec, "binary") and all(map(callable, methods))):
            raise DeclarationError.at(
                where,
                f"{codec!r} is no codec: it has no subprotocol, binary, reader or writer",
                fix="use JsonCodec(), MsgPackCodec(), or a class derived from ObjectCodec",
            )
        other = names.setdefault(name, codec)
        if other is not codec or codecs.count(codec) > 1:
            raise DeclarationError.at(
                where,
                f"{name!r} is the subprotocol of two codecs, and a client can ask for only one by it",
                fix='give one of them another: subprotocol = "chat.v1+json"',
            )
