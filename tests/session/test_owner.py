"""What an outbox asks of its session, and what stands in for one that is over."""

from __future__ import annotations

from wscontrollers.session.owner import NOBODY


async def test_nobody_hears_of_everything_and_does_nothing() -> None:
    """A closed outbox lets its session go; whatever it would have told changes nothing."""

    async def writer() -> None: ...

    NOBODY.start(writer)
    NOBODY.overflown()
    NOBODY.lost()
    assert (NOBODY.gap(3), NOBODY.is_connecting) == (None, False)
