"""The bytes of a frame."""

from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode

from wscontrollers.session.packing import bytes_of, packed


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 70_000])
@pytest.mark.parametrize("kind", [str, bytes])
def test_the_bytes_are_those_that_a_server_writes(size: int, kind: type) -> None:
    """Header and payload, unmasked, whatever the size (RFC 6455, section 5.2); websockets writes the same."""
    text = ("é" * size).encode()[:size].decode(errors="ignore")
    text += "x" * (size - len(text.encode()))
    frame: str | bytes = text if kind is str else text.encode()
    opcode = Opcode.TEXT if kind is str else Opcode.BINARY
    assert packed(frame) == Frame(opcode, text.encode()).serialize(mask=False)


def test_a_text_that_is_none_is_refused() -> None:
    """A lone surrogate has no UTF-8; a server's `send` raises the same."""
    with pytest.raises(UnicodeEncodeError):
        packed("\ud800")


@pytest.mark.parametrize("frame", ["", "tea", "thé", "茶", "🍵🍵", b"", b"tea\xff", "\ud800"])
def test_the_bytes_of_a_frame_are_those_of_its_payload(frame: str | bytes) -> None:
    """Those of a text in UTF-8, also where it cannot be sent."""
    assert bytes_of(frame) == len(frame.encode("utf-8", "surrogatepass") if isinstance(frame, str) else frame)
