"""A frame that goes to many sessions."""

from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode

from wscontrollers.session.shared import SharedFrame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 70_000])
@pytest.mark.parametrize("kind", [str, bytes])
def test_its_bytes_are_those_that_a_server_writes(size: int, kind: type) -> None:
    """Header and payload, unmasked, whatever the size (RFC 6455, section 5.2); websockets writes the same."""
    text = ("é" * size).encode()[:size].decode(errors="ignore")
    text += "x" * (size - len(text.encode()))
    frame: str | bytes = text if kind is str else text.encode()
    opcode = Opcode.TEXT if kind is str else Opcode.BINARY
    assert SharedFrame(frame).packet == Frame(opcode, text.encode()).serialize(mask=False)


def test_it_is_written_once() -> None:
    """All sessions are given the same bytes, and the same event."""
    shared = SharedFrame("tea")
    assert shared.packet is shared.packet
    assert shared.event == {"type": "websocket.send", "text": "tea"}
    assert SharedFrame(b"tea").event == {"type": "websocket.send", "bytes": b"tea"}
    assert shared.size == 3
