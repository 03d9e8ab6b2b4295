"""What a server asked its client, until the answer is there."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from anyio import Event

from ..messages import Ref
from .framing import Read

UNANSWERED: Final = object()
"""Stands for the answer while none is there; None can be one."""


class Question:
    """One request that waits.

    Attributes:
        ref: What the answer carries as `re`.
        read: Reads the answer's frame.
        answered: Set when the answer is there, or when none will come.
        answer: What came; `UNANSWERED` while nothing did.
    """

    __slots__ = ("answer", "answered", "read", "ref")

    def __init__(self, ref: Ref, read: Read) -> None:
        self.ref = ref
        self.read = read
        self.answered = Event()
        self.answer: Any = UNANSWERED


class Questions:
    """The requests of one session that wait for their answers."""

    __slots__ = ("_last", "_replies", "_waiting")

    def __init__(self) -> None:
        self._last = self._replies = 0
        self._waiting: dict[Ref, Question] | None = None

    def reference(self) -> int:
        """A reference that no question of this session has."""
        self._last += 1
        return self._last

    @contextmanager
    def asked(self, read: Read) -> Generator[Question]:
        """A new question, while it waits."""
        if self._waiting is None:
            self._waiting = {}
        ref = self.reference()
        question = self._waiting[ref] = Question(ref, read)
        try:
            yield question
        finally:
            del self._waiting[question.ref]

    def get(self, ref: Ref | None) -> Question | None:
        """The question that an answer belongs to."""
        return None if ref is None or self._waiting is None else self._waiting.get(ref)

    def answer(self, ref: Ref | None, frame: str | bytes) -> None:
        """Hand an answer to who waits for it; one that came too late, or that nobody asked for, is nothing.

        Raises:
            FrameError: It is not what was asked for; who asked goes on waiting.
        """
        question = self.get(ref)
        if question is not None:
            question.answer = question.read(frame).message
            question.answered.set()

    def owes(self) -> bool:
        """Whether more was asked than was replied until now; each question is one for one reply, be it late or not."""
        owes = self._replies < self._last
        self._replies += owes
        return owes

    def end(self) -> None:
        """No answer comes any more: tell all who wait."""
        for question in (self._waiting or {}).values():
            question.answered.set()
