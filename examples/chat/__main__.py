"""Start the chat on this machine: `python -m examples.chat`."""

from __future__ import annotations

import argparse
import os
import socket

import uvicorn

from examples.chat.app import make_app

MAX_FRAME = 64 * 1024
"""Bytes that a frame may have; a larger one closes the session with 1009."""


def main() -> None:
    """Serve until Ctrl-C; open pages are told with a close (1012), and reconnect when the server is back."""
    parser = argparse.ArgumentParser(prog="python -m examples.chat", description="A chat with rooms, in your browser.")
    parser.add_argument("--port", type=int, default=0, help="the port to listen on; a free one when left out")
    listener = listening(parser.parse_args().port)
    host, port = listener.getsockname()
    print(f"The chat is at http://{host}:{port}/ (open it in two tabs; Ctrl-C ends it)", flush=True)
    config = uvicorn.Config(make_app(), log_level="warning", ws_max_size=MAX_FRAME, timeout_graceful_shutdown=3)
    try:
        uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:  # uvicorn has shut down by then, and hands the signal on
        print("The chat has ended.")


def listening(port: int) -> socket.socket:
    """A socket on the loopback interface; port 0 takes a free one."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise SystemExit(f"--port {port}: it cannot be used: {reason}. Fix: leave it out to get a free one.") from None


if __name__ == "__main__":
    main()
