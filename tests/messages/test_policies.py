"""What happens to a message when an outbox is full: the declaration of it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from wscontrollers.exceptions import DeclarationError
from wscontrollers.messages import Latest, latest, outbox_policy


class Price(BaseModel):
    symbol: str
    value: float


def test_the_key_is_a_field_or_a_function() -> None:
    """The key of a message is the value of a field, or what a function makes of the message."""
    price = Price(symbol="ACME", value=1.5)

    assert latest(key="symbol").of(price) == "ACME"
    assert latest(key=lambda message: (message.symbol, message.value)).of(price) == ("ACME", 1.5)
    assert latest(key="symbol").of({"type": "price", "symbol": "ACME"}) == "ACME"


@pytest.mark.parametrize("key", ["", None, 3])
def test_keys_that_are_none(key: Any) -> None:
    """A key that is neither is refused where it is written."""
    with pytest.raises(DeclarationError, match=r"latest\(\): the key is .* Fix: give the name of a field"):
        latest(key=key)


def test_a_key_has_a_hash() -> None:
    """One that has none is told at once, and not only when messages have to wait."""
    with pytest.raises(TypeError, match=r"the key of a Price is a list, which has no hash\. Fix: "):
        latest(key=lambda message: [message.symbol]).of(Price(symbol="ACME", value=1.5))


@pytest.mark.parametrize("policy", ["close", "drop_oldest", "drop_newest", Latest("symbol")])
def test_the_policies(policy: Any) -> None:
    """The four policies are what they are."""
    assert outbox_policy(policy, "class Rooms") == policy


def test_anything_else_is_refused() -> None:
    """Another value is an error that says where it stands."""
    with pytest.raises(DeclarationError, match=r"^class Rooms: 'drop' is no outbox policy\. Fix: use \"close\""):
        outbox_policy("drop", "class Rooms")
