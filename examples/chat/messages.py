"""What goes over the wire, both ways: a frame is one JSON object, and its `type` says what it is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter


def printable(text: str) -> str:
    """The text, if nothing in it is invisible: no control characters, and none that turn the writing direction."""
    if not text.isprintable():
        raise ValueError("it has characters that cannot be seen")
    return text


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=24), AfterValidator(printable)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class Frame(BaseModel):
    """The base of all: unknown fields are refused, so that a typing error in a page is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# From the page


class Join(Frame):
    """The first frame of a session: who is coming."""

    type: Literal["join"]
    name: Name


class Say(Frame):
    """Something to be heard by everyone in the room."""

    type: Literal["say"]
    text: Text


class Rename(Frame):
    """Another name from now on."""

    type: Literal["rename"]
    name: Name


Incoming = Annotated[Say | Rename, Field(discriminator="type")]
INCOMING: TypeAdapter[Say | Rename] = TypeAdapter(Incoming)
"""Reads every frame behind the first."""


# To the page


class Said(Frame):
    """Someone said something."""

    type: Literal["said"] = "said"
    name: str
    text: str
    at: datetime


class Welcome(Frame):
    """The answer to a join: the name that was free, who is there, and what was said lately."""

    type: Literal["welcome"] = "welcome"
    room: str
    you: str
    members: list[str]
    history: list[Said]


class Joined(Frame):
    """Someone came."""

    type: Literal["joined"] = "joined"
    name: str


class Left(Frame):
    """Someone went."""

    type: Literal["left"] = "left"
    name: str


class Renamed(Frame):
    """Someone has another name."""

    type: Literal["renamed"] = "renamed"
    name: str
    was: str


class Problem(Frame):
    """A frame could not be used; the session goes on."""

    type: Literal["error"] = "error"
    code: Literal["invalid_json", "invalid_frame", "unknown_type", "validation"]
    message: str
