"""Several workers of one application in the event loop of a test, which can be killed, stopped and continued."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from pydantic import BaseModel

from wscontrollers import App, Message, Session
from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups import Engine, EngineState, Group, Groups
from wscontrollers.messages import Presence
from wscontrollers.session.clock import Clock
from wscontrollers.testing import AsyncTestClient

LEASE = 3600.0
"""So long that no beat comes by itself within a test."""


class Who(BaseModel):
    name: str


class Leave(Message): ...


class Become(Message):
    name: str


class Moved(Clock):
    """The engine's time."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds


class Nowhere:
    """What is left of an engine for a process that hears nothing of it and is not heard."""

    state = EngineState.DOWN

    async def unsubscribe(self, channel: str) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        async def fail(*arguments: Any) -> Any:
            raise EngineDownError(f"the test cut off {name}{arguments}")

        return fail


class Worker:
    """A process of an application with a group "tea" that has presence.

    Its sessions join as `/?name=Ann&user=ann`, leave with `Leave` and change their name with `Become`.

    Args:
        engine: The engine of all of them.
        presence: What the group declares.
    """

    def __init__(self, engine: Engine, presence: Any = Who) -> None:
        self.groups = Groups(engine, [Group("tea", presence=presence)], lease=LEASE, delivers_alone=True)
        self.app = App(groups=self.groups)
        self.app.add_api_websocket_route("/", _serve)
        self.client = AsyncTestClient(self.app)
        self._cut: Any = None

    async def __aenter__(self) -> Self:
        await self.client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.client.__aexit__(kind, error, traceback)

    def connect(self, name: str, user: str | None = None) -> Any:
        """A session that joins the group."""
        return self.client.connect("/", params={"name": name} | ({} if user is None else {"user": user}))

    async def beat(self) -> None:
        """Let a third of a lease pass, in which nobody dies."""
        await self.groups._hub().node.beat()

    async def names(self) -> list[str]:
        """Who is in the group, as this worker knows."""
        return [each.info.name for each in await self.groups.members("tea")]

    def stop(self) -> None:
        """Have it do nothing that others see: it was killed, or waits for a signal to continue."""
        hub = self.groups._hub()
        self._cut = connection = hub._connection
        vars(connection)["_post"] = lambda function: True
        hub._connection = Nowhere()  # type: ignore[assignment]

    def go_on(self) -> None:
        """Continue: what it did not hear meanwhile is delivered now."""
        hub = self.groups._hub()
        hub._connection = self._cut
        vars(self._cut)["_post"] = lambda function: function() is None
        self._cut.deliver()


async def _serve(session: Session[Leave | Become, Any], name: str, user: str | None = None) -> None:
    if user is not None:
        await session.identify(user)
    await session.join("tea", presence=Who(name=name))
    async for message in session:
        if isinstance(message, Become):
            await session.join("tea", presence=Who(name=message.name))
        else:
            await session.leave("tea")


def who(name: str, user: str | None = None) -> dict[str, Any]:
    """How members see a user."""
    return {"user": name.lower() if user is None else user, "info": {"name": name}}


def joined(*people: dict[str, Any]) -> Presence:
    """The frame for some who came."""
    return Presence("tea", list(people), [])


def left(*people: dict[str, Any]) -> Presence:
    """The frame for some who left."""
    return Presence("tea", [], list(people))
