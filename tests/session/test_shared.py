"""A frame that goes to many sessions."""

from __future__ import annotations

from wscontrollers.session.shared import SharedFrame


def test_it_is_written_once() -> None:
    """All sessions are given the same bytes, and the same event."""
    shared = SharedFrame("tea")
    assert shared.packet is shared.packet
    assert shared.packet == b"\x81\x03tea"
    assert shared.event == {"type": "websocket.send", "text": "tea"}
    assert SharedFrame(b"tea").event == {"type": "websocket.send", "bytes": b"tea"}
    assert shared.size == 3
