"""What is declared of sessions that can be resumed."""

from __future__ import annotations

from typing import Any

import pytest

from wscontrollers import DeclarationError, Resume


@pytest.mark.parametrize(
    "given", [{"grace": 0}, {"grace": float("inf")}, {"frames": 0}, {"size": -1}, {"limit": 0}, {"secret": "short"}]
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any]) -> None:
    """Numbers above 0, and a secret that nobody guesses."""
    with pytest.raises(DeclarationError, match=rf"Resume\({next(iter(given))}=.*Fix: "):
        Resume(**given)


def test_tickets_are_shared_where_the_secret_is() -> None:
    """Text and bytes are the same secret; without one, nobody else can read a ticket."""
    assert Resume(secret="one secret for all").is_shared
    assert not Resume().is_shared
    assert repr(Resume(secret="one secret for all")) == "Resume(60, frames=1000, size=131072, limit=1000)"
    assert Resume(limit=None).limit is None
