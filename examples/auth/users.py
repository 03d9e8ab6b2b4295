"""Who has which token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest


@dataclass(frozen=True)
class User:
    """Someone who may come in."""

    name: str


class Users:
    """Finds the user of a token. Only hashes of tokens are kept.

    Args:
        hashes: The SHA-256 of each user's token, in hexadecimal digits.
    """

    def __init__(self, hashes: Mapping[str, str]) -> None:
        self._hashes = hashes

    def of(self, token: str) -> User | None:
        """The user of a token, or None. All are compared, each in constant time: the duration tells nothing."""
        sent = sha256(token.encode()).hexdigest()
        found = [name for name, known in self._hashes.items() if compare_digest(sent, known)]
        return User(found[0]) if found else None
