"""The time of sessions."""

from __future__ import annotations

from wscontrollers.session.clock import MACHINE, SCOPE_KEY, Clock, clock_of


def test_a_handshake_may_carry_its_own_clock() -> None:
    """The machine's clock holds, which goes forward, unless the scope has another one."""
    own = Clock()
    assert clock_of({}) is MACHINE
    assert clock_of({SCOPE_KEY: own}) is own
    assert clock_of({SCOPE_KEY: "noon"}) is MACHINE
    assert MACHINE.now() <= MACHINE.now()
