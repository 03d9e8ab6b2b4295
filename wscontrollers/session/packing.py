"""A frame as a server puts it on the wire: unmasked and not compressed (RFC 6455, section 5.2)."""

from __future__ import annotations

from struct import Struct

_TEXT, _BINARY = 0x81, 0x82
"""The first byte of a message that is one text frame, or one binary frame, without an extension's bits."""

_SHORT = 126
"""From how many bytes on the size does not stand in the second byte."""

_MEDIUM, _LONG = Struct("!BBH"), Struct("!BBQ")

_TEXTS = tuple(bytes((_TEXT, size)) for size in range(_SHORT))
_BINARIES = tuple(bytes((_BINARY, size)) for size in range(_SHORT))
"""The headers of short frames; most are."""


def packed(frame: str | bytes) -> bytes:
    """The bytes of a text frame's text, or of a binary frame's bytes: header and payload.

    Raises:
        UnicodeEncodeError: There are lone surrogates in the text.
    """
    if isinstance(frame, str):
        payload = frame.encode()
        size = len(payload)
        return _TEXTS[size] + payload if size < _SHORT else _long(_TEXT, size) + payload
    size = len(frame)
    return _BINARIES[size] + frame if size < _SHORT else _long(_BINARY, size) + frame


def bytes_of(frame: str | bytes) -> int:
    """How many bytes the payload of a frame is: a text's in UTF-8. Of a text in ASCII they are not counted, it knows."""
    if isinstance(frame, str) and not frame.isascii():
        return len(frame.encode("utf-8", "surrogatepass"))
    return len(frame)


def _long(kind: int, size: int) -> bytes:
    return _MEDIUM.pack(kind, 126, size) if size < 65_536 else _LONG.pack(kind, 127, size)
