"""The frames that a session sent last, by their numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wscontrollers.session.resuming.sent import Sent


def text(size: int) -> dict[str, object]:
    """A frame of so many bytes."""
    return {"type": "websocket.send", "text": "x" * size}


@given(frames=st.integers(1, 5), size=st.integers(1, 20), sizes=st.lists(st.integers(0, 12), max_size=20))
def test_the_last_ones_are_kept(frames: int, size: int, sizes: list[int]) -> None:
    """As many as there is room for, the last one always; each by its number."""
    sent = Sent(frames, size)
    made = [text(each) for each in sizes]
    for frame in made:
        sent.add(frame)

    kept = len(made) - sent.first + 1
    assert sent.last == len(made)
    assert [sent.get(number) for number in range(sent.first, sent.last + 1)] == made[len(made) - kept :]
    assert sent.get(sent.first - 1) is None is sent.get(sent.last + 1)
    assert kept <= frames
    assert kept <= 1 or sum(sizes[-kept:]) <= size
    assert kept == len(made) or kept == frames or sum(sizes[-kept - 1 :]) > size


def test_what_a_client_cannot_be_given_is_counted() -> None:
    """Those between the last one that it received and the oldest one that is kept."""
    sent = Sent(2, 100)
    for _ in range(5):
        sent.add(text(1))

    assert [sent.missing(received) for received in (0, 1, 2, 3, 4, 5)] == [3, 2, 1, 0, 0, 0]


def test_only_the_last_frame_is_taken_back() -> None:
    """One that was not sent after all gives its number to the next one; binary frames count too."""
    sent = Sent(10, 100)
    first, second = sent.add(text(1)), sent.add({"type": "websocket.send", "bytes": b"xx"})

    sent.take_back(first)
    assert sent.last == second
    sent.take_back(second)
    assert (sent.last, sent.get(first), sent.get(second)) == (first, text(1), None)
