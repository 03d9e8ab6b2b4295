"""What a Redis says of itself before it is used."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from ...exceptions import EngineDownError
from .redis_scripts import PLACE


class Facts(NamedTuple):
    """What a server says of itself."""

    version: tuple[int, ...]
    is_master: bool
    is_cluster: bool


async def greeted(connection: Any, timeout: float) -> Facts:  # noqa: ASYNC109
    """Connect, and ask a server what it is; it knows the script then.

    Args:
        connection: One of redis-py's, not connected.
        timeout: Seconds.

    Raises:
        RedisError: redis-py's: it is not there, or it refuses.
        TimeoutError: It does not answer.
    """
    commands = (("INFO", "server"), ("INFO", "replication"), ("SCRIPT LOAD", PLACE.text))
    async with asyncio.timeout(timeout):
        await connection.connect()
        await connection.send_packed_command(connection.pack_commands(commands))
        texts: list[str] = [bytes(await connection.read_response()).decode() for _ in commands]
    facts = dict(line.split(":", 1) for text in texts[:2] for line in text.split("\r\n") if ":" in line)
    return Facts(
        tuple(int(part) for part in facts.get("redis_version", "").split(".") if part.isdecimal()),
        facts.get("role", "master") == "master",
        "cluster" in (facts.get("redis_mode"), facts.get("server_mode")),  # Valkey has the other name
    )


def require_master(name: str, facts: Facts) -> None:
    """A server that is written to is no replica.

    Raises:
        EngineDownError: It is one.
    """
    if not facts.is_master:
        raise EngineDownError(f"{name}: it is a replica. Fix: wait for it, or let the URL lead to the master.")
