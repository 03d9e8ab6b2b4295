"""One session in a group, as processes tell each other of it."""

from __future__ import annotations

import pytest

from wscontrollers.groups.presence.entry import Entry, Notice, entries_in, notice_in

ANN = Entry("1", "n", {"name": "Ann"}, 1.0, 2.0, "ann")
SOMEBODY = Entry("2", "n", None, 1.0, 2.0)


def test_whom_members_see() -> None:
    """A user, or a session that is nobody's; of a user's session not the id."""
    assert (ANN.who, ANN.shown) == ("user:ann", {"user": "ann", "info": {"name": "Ann"}})
    assert (SOMEBODY.who, SOMEBODY.shown) == ("session:2", {"session": "2", "info": None})


def test_entries_are_bytes_in_the_engine() -> None:
    """They are read as they were written."""
    assert entries_in({"1": ANN.encode(), "2": SOMEBODY.encode()}) == [ANN, SOMEBODY]


def test_notices_are_bytes_on_their_way() -> None:
    """They are read as they were written."""
    notice = Notice("n", [ANN, SOMEBODY], ["3"])
    assert notice_in(notice.encode()) == notice


@pytest.mark.parametrize("data", [b"", b"junk", b"[]", b'{"session": 1}', b"\xff"])
def test_what_somebody_else_put_there_harms_nobody(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """It is left out, and logged."""
    assert entries_in({"1": ANN.encode(), "?": data}) == [ANN]
    assert notice_in(data) is None
    assert [record.message for record in caplog.records] == [
        "presence: what is kept for session '?' was not understood",
        "presence: what another process tells was not understood",
    ]
