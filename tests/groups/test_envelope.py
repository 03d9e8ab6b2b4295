"""What travels between processes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wscontrollers.groups.envelope import Envelope
from wscontrollers.session.delivery import Overflow

FRAMES = st.dictionaries(st.sampled_from(["wsc.v1+json", "wsc.v1+msgpack", "own"]), st.text() | st.binary(), max_size=3)
TEXTS = st.text(max_size=20)


@given(
    FRAMES,
    st.none() | st.sampled_from(Overflow),
    st.none() | TEXTS,
    st.frozensets(TEXTS, max_size=3),
    st.none() | TEXTS,
    st.none() | TEXTS,
)
def test_an_envelope_arrives_as_it_was_sent(
    frames: dict[str, str | bytes],
    overflow: Overflow | None,
    key: str | None,
    exclude: frozenset[str],
    to: str | None,
    name: str | None,
) -> None:
    """Texts stay texts and bytes bytes, whatever is in them."""
    envelope = Envelope(frames, overflow, key, exclude, to, name)
    assert Envelope.decode(envelope.encode()) == envelope


@pytest.mark.parametrize("data", [b"", b"\n", b"hello", b"[]\n", b"1\n", b'{"f":1', b"{}"])
def test_what_somebody_else_publishes_is_no_envelope(data: bytes) -> None:
    """A ValueError, and nothing else."""
    with pytest.raises(ValueError):  # noqa: PT011 - of which kind is all that is promised
        Envelope.decode(data)


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    """A foreign publisher can do no more harm than to be ignored."""
    for attempt in (data, b'{"f":[["a",3,false]]}\n' + data, b'{"f":' + data, b'{"o":"x"}\n' + data):
        try:
            Envelope.decode(attempt)
        except ValueError:
            pass
