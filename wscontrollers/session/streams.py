"""A stream of answers: how many items its reader takes."""

from __future__ import annotations

from anyio import Event


class Stream:
    """The flow of one stream: free until the client's first credit, then exactly as credited."""

    __slots__ = ("_granted", "credit")

    def __init__(self) -> None:
        self.credit: int | None = None
        self._granted: Event | None = None

    def grant(self, items: int) -> None:
        """Let so many more items through."""
        self.credit = (self.credit or 0) + items
        if self._granted is not None:
            self._granted.set()
            self._granted = None

    async def turn(self) -> None:
        """Wait until the next item may go out."""
        while self.credit is not None:
            if self.credit:
                self.credit -= 1
                return
            if self._granted is None:
                self._granted = Event()
            await self._granted.wait()
