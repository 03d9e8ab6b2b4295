"""Tickets: signed texts by which clients take up a session again."""

from __future__ import annotations

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from secrets import token_bytes
from time import time
from typing import Final, NamedTuple

LEAST_SECRET: Final = 16
"""Characters, or bytes, of a secret."""

_PURPOSE: Final = b"wscontrollers.resume.1:"
"""Signed with each ticket, so that a secret that signs other things too signs no ticket by accident."""
_SESSION, _NUMBER, _UNTIL, _SIGNATURE = 8, 4, 5, 16
"""Bytes of the parts of a ticket."""
_LENGTH: Final = (_SESSION + _NUMBER + _UNTIL + _SIGNATURE) * 8 // 6
_SKEW: Final = 300.0
"""Seconds by which the clocks of machines may differ."""


class Ticket(NamedTuple):
    """What a ticket says.

    Attributes:
        session: The session's id.
        number: Which of the session's tickets it is.
        until: Until when it can be good at all, in whole seconds since 1970. What counts is what its session knows; by this,
            nobody is asked for a session that cannot be there any more.
    """

    session: str
    number: int
    until: int


class Tickets:
    """Signs tickets, and reads those that it signed (HMAC with SHA-256, RFC 2104, the first 128 bits of it).

    A ticket holds no secret of the session.

    Args:
        secret: The key; a random one where it is left out.
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes | None = None) -> None:
        self._secret = secret or token_bytes(32)

    def sign(self, ticket: Ticket) -> str:
        """A ticket as a text of letters, digits, "-" and "_"."""
        said = bytes.fromhex(ticket.session) + ticket.number.to_bytes(_NUMBER, "big") + ticket.until.to_bytes(_UNTIL, "big")
        return urlsafe_b64encode(said + self._signature(said)).rstrip(b"=").decode()

    def read(self, text: str) -> Ticket | None:
        """The ticket in a text; None if it is none, was signed by somebody else, or is too old."""
        if len(text) != _LENGTH:
            return None
        try:
            data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        except (ValueError, binascii.Error):
            return None
        said, signature = data[:-_SIGNATURE], data[-_SIGNATURE:]
        if not hmac.compare_digest(self._signature(said), signature):
            return None
        number, until = (int.from_bytes(part, "big") for part in (said[_SESSION:-_UNTIL], said[-_UNTIL:]))
        return None if time() > until + _SKEW else Ticket(said[:_SESSION].hex(), number, until)

    def _signature(self, said: bytes) -> bytes:
        return hmac.digest(self._secret, _PURPOSE + said, "sha256")[:_SIGNATURE]
