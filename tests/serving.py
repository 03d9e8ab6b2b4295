"""A real uvicorn on a free loopback port, for what only a real peer can see."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


class _Started(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def serving(app: Any, *, port: int = 0, buffers: int | None = None, **options: Any) -> Iterator[str]:
    """Serve an ASGI application in a thread; the value is its address, `127.0.0.1:port`. Port 0 is a free one.

    `buffers` is how many bytes the kernel keeps for each connection, either way; by itself it takes megabytes.
    """
    with socket.create_server(("127.0.0.1", port), backlog=1024) as listening:
        if buffers is not None:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffers)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffers)
        server = _Started(uvicorn.Config(app, log_config=None, **options))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            assert server.ready.wait(10), "uvicorn did not start"
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
            assert not thread.is_alive(), "uvicorn did not stop"
