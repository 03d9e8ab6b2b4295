"""An application with presence over Redis, for workers that are processes of their own: its address is in REDIS_URL."""

from __future__ import annotations

import os
from typing import Any

from tests.groups.presence.workers import Leave, Who
from wscontrollers import App, Session
from wscontrollers.groups import Group, Groups
from wscontrollers.groups.engines.redis import RedisEngine

LEASE = 1.5

app = App(
    groups=Groups(RedisEngine(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")), [Group("tea", presence=Who)], lease=LEASE)
)


@app.websocket("/{name}")
async def member(session: Session[Leave, Any], name: str) -> None:
    await session.identify(name.lower())
    await session.join("tea", presence=Who(name=name))
    async for _ in session:
        pass
