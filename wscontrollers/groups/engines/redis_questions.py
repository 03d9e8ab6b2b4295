"""Where channels stand: what was asked of a Redis, and has no answer yet."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from .redis_calls import Word
from .redis_scripts import PLACE
from .redis_subscriptions import Keys

Answered = Callable[[bytes | Exception], None]
"""Takes where a channel stands, or why nobody knows."""


class Questions:
    """Calls of `PLACE` over a connection that brings messages too; a token tells which answer belongs to which.

    Args:
        seconds: How long the numbering of a channel lives without being used.
    """

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._tokens = count()
        self._open: dict[bytes, tuple[Keys, Answered]] = {}

    def add(self, keys: Keys, answered: Answered) -> tuple[Word, ...]:
        """Note a question; the command that asks it."""
        token = b"%d" % next(self._tokens)
        self._open[token] = keys, answered
        return self._command(keys, token)

    def again(self) -> list[tuple[Word, ...]]:
        """The commands that ask all of them again."""
        return [self._command(keys, token) for token, (keys, _) in self._open.items()]

    def answer(self, token: bytes, place: bytes) -> None:
        """Hand an answer to whom it belongs; one that came before already is left out."""
        if (found := self._open.pop(token, None)) is not None:
            found[1](place)

    def fail(self, error: Exception) -> None:
        """Give all of them up."""
        given_up, self._open = self._open, {}
        for _, answered in given_up.values():
            answered(error)

    def _command(self, keys: Keys, token: bytes) -> tuple[Word, ...]:
        return ("EVALSHA", PLACE.digest, len(keys), *keys, self._seconds, token)
