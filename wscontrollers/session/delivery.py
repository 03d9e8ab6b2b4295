"""What becomes of a message that is sent, and what happens when there is no room for it."""

from __future__ import annotations

from enum import Enum


class Delivery(Enum):
    """What became of a message, as far as this side knows."""

    SENT = "sent"
    """It was handed to the connection."""
    QUEUED = "queued"
    """It waits behind others for the peer."""
    DISPLACED = "displaced"
    """It waits like one that is queued, and messages that waited before it were dropped to make room."""
    DROPPED = "dropped"
    """There was no room, and the policy is to drop it."""
    CLOSED = "closed"
    """The session has ended."""


class Overflow(Enum):
    """What happens to a message for which there is no room."""

    CLOSE = "close"
    DROP_OLDEST = "drop_oldest"
    DROP_NEWEST = "drop_newest"
