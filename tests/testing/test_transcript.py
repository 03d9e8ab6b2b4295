"""How a failure shows what went over a session."""

from __future__ import annotations

from wscontrollers.testing.transcript import Transcript


def test_both_directions_stand_in_their_order() -> None:
    """Arrows say who sent it; what is no frame stands between."""
    transcript = Transcript()
    transcript.arrived({"type": "websocket.accept"})
    transcript.sent({"type": "websocket.receive", "text": "hi"})
    transcript.happened("the test stopped reading")
    transcript.arrived({"type": "websocket.send", "bytes": b"hi"})
    transcript.sent({"type": "websocket.disconnect", "code": 1000})

    assert str(transcript).splitlines()[1:] == [
        "  1. <- accept",
        "  2. -> text 'hi'",
        "  3. -- the test stopped reading",
        "  4. <- bytes b'hi'",
        "  5. -> disconnect 1000",
    ]


def test_an_empty_one_says_so() -> None:
    """Nothing is told apart from something."""
    assert str(Transcript()) == "Nothing has gone over this session."


def test_only_the_last_lines_are_kept() -> None:
    """A long session's failure stays readable, and its numbers true."""
    transcript = Transcript()
    for number in range(30):
        transcript.sent({"type": "websocket.receive", "text": str(number)})

    lines = str(transcript).splitlines()
    assert lines[1:3] == ["  ... 10 before these", "  11. -> text '10'"]
    assert len(lines) == 22
