"""Start the chat on this machine: `python -m examples.chat`, or with `--engine redis` in two processes."""

from __future__ import annotations

import argparse
import os
import socket

import uvicorn
from uvicorn.supervisors import Multiprocess

from examples.chat.app import from_environment
from examples.chat.engines import engine_url
from wscontrollers.exceptions import DeclarationError

APP = "examples.chat.app:from_environment"
MAX_FRAME = 64 * 1024
"""Bytes that a frame may have; a larger one closes the session with 1009."""


def main() -> None:
    """Serve until Ctrl-C; open pages are told with a close (1012), and reconnect when the server is back."""
    parser = argparse.ArgumentParser(prog="python -m examples.chat", description="A chat with rooms, in your browser.")
    parser.add_argument("--port", type=int, default=0, help="the port to listen on; a free one when left out")
    parser.add_argument("--engine", default="memory", help="memory, redis or nats, which are started for you, or a URL")
    parser.add_argument("--workers", type=int, help="processes; one with the memory engine, else two")
    options = parser.parse_args()
    workers = options.workers or (1 if options.engine in ("memory", "memory://") else 2)
    with listening(options.port) as listener, engine_url(options.engine) as os.environ["CHAT_ENGINE"]:
        checked()
        host, port = listener.getsockname()
        processes = "" if workers == 1 else f" in {workers} processes on {options.engine.partition('://')[0]}"
        print(f"The chat is at http://{host}:{port}/{processes} (open it in two tabs; Ctrl-C ends it)", flush=True)
        serve(listener, workers)
    print("The chat has ended.")


def checked() -> None:
    """Tell what is wrong with the engine here, and not in each process."""
    try:
        from_environment()
    except DeclarationError as error:
        raise SystemExit(f"--engine: {error}") from None


def serve(listener: socket.socket, workers: int) -> None:
    """Serve until Ctrl-C."""
    config = uvicorn.Config(
        APP, factory=True, workers=workers, log_level="warning", ws_max_size=MAX_FRAME, timeout_graceful_shutdown=3
    )
    if workers > 1:
        return Multiprocess(config, [listener]).run()
    try:
        return uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:  # uvicorn has shut down by then, and hands the signal on
        return None


def listening(port: int) -> socket.socket:
    """A socket on the loopback interface; port 0 takes a free one."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise SystemExit(f"--port {port}: it cannot be used: {reason}. Fix: leave it out to get a free one.") from None


if __name__ == "__main__":
    main()
