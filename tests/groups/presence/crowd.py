"""Workers and their members for a test at random, and the model of who is there."""

from __future__ import annotations

from contextlib import AsyncExitStack
from itertools import count
from typing import Any

from tests.groups.presence.workers import LEASE, Become, Leave, Moved, Who, Worker
from wscontrollers.groups import MemoryEngine, PresenceOf
from wscontrollers.groups.presence.places import channel_of

LINGER = 2.0
INTERVAL = 1.0
BEATS = 3
_words = count()


class Peer:
    """A client of a worker.

    Attributes:
        user: Whose session it is.
        says: What it last said of itself; None if it is not in the group.
        said: When that was.
        seen: Who is there, as it was told: a page keeps such a list.
    """

    def __init__(self, session: Any, user: str | None, name: str) -> None:
        self.session = session
        self.user = user
        self.says: str | None = name
        self.said = next(_words)
        self.seen: dict[str, str] = {}

    async def say(self, name: str) -> None:
        """Join, or say something else."""
        if self.says is None:
            self.seen.clear()
        self.says, self.said = name, next(_words)
        await self.session.send(Become(name=name))

    async def leave(self) -> None:
        """Leave the group."""
        self.says = None
        await self.session.send(Leave())

    async def hear(self) -> None:
        """Take what it was told; nobody comes twice with the same words, and nobody leaves who is not there."""
        while self.session._transport.arrivals.waiting():
            frame = await self.session.receive_json()
            if frame["type"] == "gap":  # it joined while the engine was away: whether it missed anything is not known
                assert (frame["dropped"], frame["reason"]) == (0, "engine")
                continue
            assert frame["type"] == "presence"
            for who in frame["joined"]:
                key, name = _key(who), who["info"]["name"]
                assert self.seen.get(key) != name, f"{key} comes a second time as {name}"
                self.seen[key] = name
            for who in frame["left"]:
                assert self.seen.pop(_key(who), None) is not None, f"{_key(who)} leaves a second time"


class Site:
    """A worker with its clients.

    Attributes:
        is_cut: Whether it is stopped, or cut off from the engine.
        is_deaf: Whether it missed what the engine would have brought.
    """

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.peers: list[Peer] = []
        self.is_cut = False
        self.is_deaf = False

    @property
    def members(self) -> list[Peer]:
        """Those that are in the group."""
        return [peer for peer in self.peers if peer.says is not None]

    async def miss(self) -> None:
        """Miss what the engine brings, until it says that it was interrupted."""
        self.is_deaf = True
        vars(self.worker.groups._hub())["arrived"] = lambda arrival: None

    async def hear_again(self) -> None:
        """The engine says where it goes on."""
        if self.is_deaf and not self.is_cut:
            self.is_deaf = False
            hub = self.worker.groups._hub()
            vars(hub).pop("arrived")
            channel = channel_of("tea")
            hub.resumed(channel, (await (await hub.open()).read(channel)).top)


class Crowd:
    """All workers, in one event loop and on one engine.

    Attributes:
        sites: Those that were not killed.
        is_lost: Whether the engine ever lost what it knew.
    """

    def __init__(self) -> None:
        self.clock = Moved()
        self.engine = MemoryEngine(clock=self.clock)
        self.sites: list[Site] = []
        self.is_lost = False
        self.stack = AsyncExitStack()

    async def start(self) -> None:
        """Start a worker."""
        worker = Worker(self.engine, PresenceOf(Who, linger=LINGER, interval=INTERVAL, burst=2))
        self.sites.append(Site(await self.stack.enter_async_context(worker)))

    async def connect(self, site: Site, user: str | None, name: str) -> None:
        """A client comes and joins."""
        parameters = {"name": name} | ({} if user is None else {"user": user})
        session = await self.stack.enter_async_context(site.worker.client.connect("/", params=parameters, allow_leftovers=True))
        site.peers.append(Peer(session, user, name))
        await self.rest()

    async def disconnect(self, site: Site, peer: Peer) -> None:
        """A client goes."""
        site.peers.remove(peer)
        await peer.session.close()
        await self.rest()

    async def stop(self, site: Site, *, for_ever: bool) -> None:
        """Kill a worker, or have it wait for a signal."""
        if not site.is_cut:
            await site.worker.groups.open()
            site.worker.stop()
            site.is_cut = True
        if for_ever:
            self.sites.remove(site)

    async def go_on(self, site: Site) -> None:
        """Let a worker that was stopped continue."""
        site.is_cut = False
        site.worker.go_on()
        await self.rest()

    async def shut_down(self, site: Site) -> None:
        """End a worker as it should be ended: its clients are told to go."""
        for peer in list(site.peers):
            await self.disconnect(site, peer)
        await site.worker.groups.close()
        self.sites.remove(site)

    async def lose_everything(self) -> None:
        """The engine is started anew."""
        self.is_lost = True
        self.engine._spaces.clear()
        self.engine._nodes.clear()

    async def rest(self) -> None:
        """Let everything that was begun come to its end, and every client hear what it was told."""
        for site in self.sites:
            await site.worker.client.clock.advance(0)
            for peer in site.peers:
                await peer.hear()

    async def pass_the_bound(self) -> None:
        """Let so much time pass that everybody has to know everything: a lease, and as long to be sure of it."""
        for _ in range(2 * BEATS + 1):
            self.clock.seconds += LEASE / BEATS
            for site in self.sites:
                await site.hear_again()
                if not site.is_cut:
                    await site.worker.beat()
            await self.rest()
        for site in self.sites:
            await site.worker.client.clock.advance(LINGER + 1)
        await self.rest()

    async def compare(self) -> None:
        """Behind the bound every worker that runs knows who is there, and so does each of its members."""
        sites = [site for site in self.sites if not site.is_cut]
        there = [peer for site in sites for peer in site.members]
        last: dict[str, Peer] = {}
        for peer in sorted((peer for peer in there if peer.user is not None), key=lambda peer: peer.said):
            last[f"user:{peer.user}"] = peer
        for site in sites:
            members = await site.worker.groups.members("tea")
            assert sorted(each.info.name for each in members) == sorted(str(peer.says) for peer in there)
            assert await site.worker.groups.count("tea") == len(there)
            nobodys = {f"session:{each.session}": each.info.name for each in members if each.user is None}
            for peer in site.members:
                assert peer.seen == {who: each.says for who, each in last.items()} | nobodys
        # What a worker put behind the loss of everything is never cleaned up if it dies before its next beat; nobody sees it.
        if sites and not there and len(sites) == len(self.sites) and not self.is_lost:
            for site in sites:
                await site.worker.beat()
            assert (self.engine._spaces, self.engine.alive()) == ({}, frozenset())


def _key(who: Any) -> str:
    return f"user:{who['user']}" if "user" in who else f"session:{who['session']}"
