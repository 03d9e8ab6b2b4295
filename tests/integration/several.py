"""An application that several workers serve; where its engine is, and for how long a lease lasts, stands in the environment."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

from pydantic import BaseModel

from wscontrollers import App, Controller, Groups, Message, Resume, Session, receive, websocket
from wscontrollers.groups import Group, History

WHERE = "SEVERAL_ENGINE"
LEASE = "SEVERAL_LEASE"


class Hello(Message):
    pid: int


class Say(Message):
    text: str


class Said(Message):
    who: str
    pid: int
    text: str


class Who(BaseModel):
    pid: int


class Tea(Controller):
    sends = (Hello, Said)

    def __init__(self, groups: Groups, session: Session) -> None:
        self.groups = groups
        self.session = session

    @websocket("/{who}")
    async def open(self, who: str) -> AsyncIterator[None]:
        await self.session.identify(who)
        await self.session.join("tea", presence=Who(pid=os.getpid()))
        await self.session.send(Hello(pid=os.getpid()))
        yield

    @receive
    async def say(self, message: Say, who: str) -> None:
        await self.groups.publish("tea", Said(who=who, pid=os.getpid(), text=message.text))


class Walk(Controller):
    """Counts steps; its sessions can be resumed in any worker."""

    prefix = "/walk"
    sends = (Hello, Said)
    resume = Resume(30, secret="one secret for all")

    def __init__(self, session: Session) -> None:
        self.session = session

    @websocket("/{who}")
    async def open(self, who: str) -> AsyncIterator[None]:
        await self.session.send(Hello(pid=os.getpid()))
        yield

    @receive
    async def say(self, message: Say, who: str) -> Said:
        await self.session.join("walkers")
        return Said(who=who, pid=os.getpid(), text=message.text)


tea = Group("tea", history=History(size=100), sends=[Said], presence=Who)
walkers = Group("walkers", history=History(size=100), sends=[Said])
app = App(
    controllers=[Tea, Walk],
    groups=Groups(os.environ.get(WHERE), [tea, walkers], lease=float(os.environ.get(LEASE, "15"))),
)
