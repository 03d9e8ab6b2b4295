"""The application that the soak's workers serve: sessions join the groups that they name, and publish to them."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from wscontrollers import App, Controller, Groups, Message, Query, Session, receive, websocket
from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups import Engine, EngineState, Group, History
from wscontrollers.groups.hub import Hub
from wscontrollers.groups.local import LocalGroup
from wscontrollers.groups.member import Member
from wscontrollers.groups.memberships import SessionGroups
from wscontrollers.session.life import Life

TIMEOUT = 0.5
"""Seconds after which the workers give an engine up."""
COUNTED = (Life, SessionGroups, Member, LocalGroup)
"""What must be gone when all sessions are."""


class Say(Message):
    group: str
    n: int


class Said(Message):
    group: str
    who: str
    n: int


class Taken(Message):
    since: str | None


class Welcome(Message):
    group: str
    since: str | None


class Rooms(Controller):
    """A session of `/{who}?group=a&group=b` is in the groups a and b."""

    sends = (Said, Welcome)

    def __init__(self, groups: Groups, session: Session) -> None:
        self.groups = groups
        self.session = session

    @websocket("/{who}")
    async def open(self, group: Annotated[list[str], Query()]) -> AsyncIterator[None]:
        try:
            for name in group:
                joined = await self.session.join(name)
                if joined.recovered is None:
                    await self.session.send(Welcome(group=name, since=joined.mark))
        except EngineDownError:
            await self.session.close(1013, "the engine is away")
        yield

    @receive(raises=[EngineDownError])
    async def say(self, message: Say, who: str) -> Taken:
        published = await self.groups.publish(message.group, Said(group=message.group, who=who, n=message.n))
        return Taken(since=published.mark)


def engine_at(url: str) -> Engine | None:
    """The engine at a URL, which notices soon that its server is away."""
    if url.startswith("redis"):
        from wscontrollers.groups.engines.redis import RedisEngine

        return RedisEngine(url, timeout=TIMEOUT, required=False)
    if url.startswith("nats"):
        from wscontrollers.groups.engines.nats import NatsEngine

        return NatsEngine(url, timeout=TIMEOUT, required=False)
    return None


async def used(request: Request) -> JSONResponse:
    """What the worker holds at this moment."""
    gc.collect()
    objects = gc.get_objects()
    kinds = [type(each) for each in objects]
    hubs = [each for each in objects if type(each) is Hub]
    held = {kind.__name__: kinds.count(kind) for kind in COUNTED}
    held["is not up"] = request.app.groups.state is not EngineState.UP
    held["task"] = len(asyncio.all_tasks())
    held["detached task"] = sum(len(hub._detached._tasks) for hub in hubs)
    held["socket"] = sum(os.readlink(each).startswith("socket:") for each in _files())
    held["kilobytes"] = _resident()
    return JSONResponse(held)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def _files() -> list[str]:
    folder = "/proc/self/fd"
    return [path for name in os.listdir(folder) if os.path.lexists(path := f"{folder}/{name}")]


app = App(
    controllers=[Rooms],
    routes=[Route("/used", used)],
    engine=engine_at(os.environ.get("SOAK_ENGINE", "memory://")),
    groups=[
        Group("kept:{name}", history=History(size=1000), sends=[Said]),
        Group("brief:{name}", history=History(size=10), sends=[Said]),
    ],
)
