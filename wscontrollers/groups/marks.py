"""Marks: the places in a group's history that clients keep, as texts that mean nothing to them."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from .engines.engine import Position

MAX_LENGTH = 1024
"""Characters of a mark."""


class Mark(NamedTuple):
    """A place in the history of a group."""

    group: str
    position: Position

    def __str__(self) -> str:
        epoch, offset = self.position
        return urlsafe_b64encode(f"{epoch}:{offset}:{self.group}".encode()).rstrip(b"=").decode()

    @classmethod
    def read(cls, text: str) -> Mark:
        """The mark in a text.

        Raises:
            ValueError: It is none. Nothing in it is to be trusted: it only says what its client would like to have.
        """
        if len(text) > MAX_LENGTH:
            raise ValueError("a mark is too long")
        try:
            decoded = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode()
        except (ValueError, binascii.Error):
            raise ValueError("not a mark") from None
        epoch, _, rest = decoded.partition(":")
        offset, _, group = rest.partition(":")
        if not (epoch.isalnum() and offset.isascii() and offset.isdigit() and len(offset) <= 18 and group):
            raise ValueError("not a mark")
        return cls(group, Position(epoch, int(offset)))
