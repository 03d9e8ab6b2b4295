"""A cable between a client and a server of this machine, which can be cut, frozen, muted and mended."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self


class Cable:
    """Forwards what comes to its own port.

    Args:
        target: The port that it leads to.

    Attributes:
        port: Its own.
        delay: Seconds that each piece of up to 64 KiB takes.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self.delay = 0.0
        self._target = target
        self._server: asyncio.Server | None = None
        self._flows: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing, self._answering = asyncio.Event(), asyncio.Event()
        self._flowing.set()
        self._answering.set()

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.cut()

    async def cut(self) -> None:
        """Break all connections, and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()
        for flow in self._flows:
            flow.cancel()
        if self._flows:
            await asyncio.wait(self._flows)

    async def mend(self) -> None:
        """Take connections again, at the same port."""
        self._flowing.set()
        self._answering.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def snap(self) -> None:
        """Break all connections; new ones are taken at once."""
        await self.cut()
        await self.mend()

    def freeze(self) -> None:
        """Forward nothing more, in either direction: the connections stay, and nothing comes."""
        self._flowing.clear()

    def mute(self) -> None:
        """Forward nothing more that the server says; what it is told gets through."""
        self._answering.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        for source, sink, is_open in ((reader, back, self._flowing), (there, writer, self._answering)):
            flow = asyncio.create_task(self._flow(source, sink, is_open))
            self._flows.add(flow)
            flow.add_done_callback(self._flows.discard)

    async def _flow(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, is_open: asyncio.Event) -> None:
        self._writers.add(sink)
        try:
            with suppress(OSError):
                while data := await source.read(65536):
                    await asyncio.sleep(self.delay)
                    await self._flowing.wait()
                    await is_open.wait()
                    sink.write(data)
                    await sink.drain()
        finally:
            self._writers.discard(sink)
            sink.transport.abort()
