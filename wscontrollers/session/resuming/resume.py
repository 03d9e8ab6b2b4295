"""What is declared of sessions that can be resumed."""

from __future__ import annotations

from math import inf

from ...exceptions import DeclarationError
from .tickets import LEAST_SECRET, Tickets


class Resume:
    """Sessions that outlive their connection, where a controller says so: `resume = Resume()`.

    A session whose connection is lost is kept for a while, with its controller, its handlers, its groups and what it has to say.
    Its client comes back with a ticket, and goes on in the same session; what it missed is sent first.

    Args:
        grace: Seconds that a session without a connection is kept.
        secret: What tickets are signed with, at least 16 characters or bytes. Where several processes serve the application,
            all of them need the same one; without one, each process makes its own, and takes no other's tickets.
        frames: How many of the last frames that were sent are kept, for a client that may not have got them.
        size: How many bytes of them are kept.
        limit: How many sessions of this declaration may wait for their clients at once, in one process; where more do, the one
            that has waited longest ends. None, which has to be written, bounds nothing.

    Attributes:
        grace: The same.
        frames: The same.
        size: The same.
        limit: The same.
        tickets: Signs tickets, and reads them.
        is_shared: Whether other processes can read the tickets, as they have the same secret.

    Raises:
        DeclarationError: A number is not above 0, or the secret is too short.
    """

    __slots__ = ("frames", "grace", "is_shared", "limit", "size", "tickets")

    def __init__(
        self,
        grace: float = 60.0,
        *,
        secret: str | bytes | None = None,
        frames: int = 1000,
        size: int = 128 * 1024,
        limit: int | None = 1000,
    ) -> None:
        for name, value in (("grace", grace), ("frames", frames), ("size", size), ("limit", 1 if limit is None else limit)):
            if not 0 < value < inf:
                raise DeclarationError.at(f"Resume({name}={value!r})", "it is not above 0, or without end", fix="give a number")
        if secret is not None and len(secret) < LEAST_SECRET:
            raise DeclarationError.at(
                "Resume(secret=...)",
                f"it has less than {LEAST_SECRET} characters",
                fix='make one, python -c "import secrets; print(secrets.token_urlsafe())", and keep it out of the code',
            )
        self.grace = grace
        self.frames = frames
        self.size = size
        self.limit = limit
        self.is_shared = secret is not None
        self.tickets = Tickets(secret.encode() if isinstance(secret, str) else secret)

    def __repr__(self) -> str:
        return f"Resume({self.grace:g}, frames={self.frames}, size={self.size}, limit={self.limit})"
