"""What goes over the wire, both ways: each class is one frame, and its name in snake case is the frame's `type`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from wscontrollers import Message, latest


def printable(text: str) -> str:
    """The text, if nothing in it is invisible: no control characters, and none that turn the writing direction."""
    if not text.isprintable():
        raise ValueError("it has characters that cannot be seen")
    return text


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=24), AfterValidator(printable)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


# From the page


class Say(Message):
    """Something to be heard by everyone in the room; `Accepted` answers."""

    text: Text


class Rename(Message):
    """Another name from now on; the error `name_taken` answers if somebody has it."""

    name: Name


class Typing(Message):
    """Something is being written; to be repeated every few seconds for as long as it is."""


class Earlier(Message):
    """What was said up to a mark, the newest first: a stream of `Said`."""

    until: str


# To the page; who is there, comes and leaves is told by the group, in its `presence` frames


class Accepted(Message):
    """It was said."""


class Entered(Message):
    """Here you are; what is said behind the mark `since` is heard."""

    room: str
    you: str
    since: str | None


class Said(Message):
    """Someone said something."""

    name: str
    text: str
    at: datetime


class IsTyping(Message, outbox=latest(key="name")):
    """Someone is writing; a page that is slow hears it once for each of them, however often it is said."""

    name: str
