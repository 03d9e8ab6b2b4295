"""A server process: `python -m benchmarks.serving benchmarks.apps.raw` prints its port and serves until its input ends."""

from __future__ import annotations

import importlib
import os
import socket
import sys
import threading

import uvicorn


def main(module: str) -> None:
    """Serve the `app` of a module on a free loopback port, with uvicorn's defaults: uvloop, httptools, websockets-sansio."""
    app = importlib.import_module(module).app
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=_end_with_input, daemon=True).start()
    uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, backlog=4096)).run(sockets=[listener])


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)  # whoever started the process ends or is gone; sessions that are open now are of no interest


if __name__ == "__main__":
    main(sys.argv[1])
