"""Presence of several workers that start, end, die and come back, driven at random and compared with a model."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.groups.presence.crowd import Crowd, Peer, Site
from tests.session.looping import Loop

pytestmark = pytest.mark.timeout(120)

MOST = 3
"""How many workers there are at once."""

USERS = st.sampled_from([None, "ann", "bob"])
NAMES = st.sampled_from(["here", "away", "busy"])

has_sites = precondition(lambda self: self.crowd.sites)
has_peers = precondition(lambda self: any(site.peers for site in self.crowd.sites))


class Workers(RuleBasedStateMachine):
    """The rules are what can happen to workers and their clients; when the bound has passed, all is as the model says."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = Loop()
        self.crowd = Crowd()

    @initialize(clients=st.lists(st.tuples(st.integers(0, MOST - 1), USERS, NAMES), min_size=3, max_size=8))
    def begin(self, clients: list[tuple[int, str | None, str]]) -> None:
        for _ in range(MOST):
            self.loop(self.crowd.start())
        for which, user, name in clients:
            self.loop(self.crowd.connect(self.crowd.sites[which], user, name))

    # Clients

    @has_sites
    @rule(data=st.data(), user=USERS, name=NAMES)
    def connect(self, data: st.DataObject, user: str | None, name: str) -> None:
        self.loop(self.crowd.connect(self.site(data), user, name))

    @has_peers
    @rule(data=st.data(), name=NAMES)
    def say(self, data: st.DataObject, name: str) -> None:
        self.act(self.peer(data)[1].say(name))

    @has_peers
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        self.act(self.peer(data)[1].leave())

    @has_peers
    @rule(data=st.data())
    def disconnect(self, data: st.DataObject) -> None:
        self.loop(self.crowd.disconnect(*self.peer(data)))

    # Workers, and the engine

    @precondition(lambda self: len(self.crowd.sites) < MOST)
    @rule()
    def start(self) -> None:
        self.loop(self.crowd.start())

    @has_sites
    @rule(data=st.data(), what=st.sampled_from(["kill", "stop", "miss", "shut down", "lose everything"]))
    def harm(self, data: st.DataObject, what: str) -> None:
        site, crowd = self.site(data), self.crowd
        if what == "lose everything":
            self.act(crowd.lose_everything())
        elif what == "miss":
            self.act(site.miss())
        elif what in ("kill", "stop"):
            self.act(crowd.stop(site, for_ever=what == "kill"))
        elif not site.is_cut:
            self.act(crowd.shut_down(site))

    @precondition(lambda self: any(site.is_cut for site in self.crowd.sites))
    @rule()
    def go_on(self) -> None:
        for site in self.crowd.sites:
            if site.is_cut:
                self.loop(self.crowd.go_on(site))

    # Time

    @rule(seconds=st.floats(0, 10))
    def wait(self, seconds: float) -> None:
        for site in self.crowd.sites:
            self.act(site.worker.client.clock.advance(seconds))

    @rule()
    def agrees(self) -> None:
        self.loop(self.crowd.pass_the_bound())
        self.loop(self.crowd.compare())

    def teardown(self) -> None:
        try:
            self.agrees()
        finally:
            try:
                self.loop(self.crowd.stack.aclose())
            finally:
                self.loop.close()

    def act(self, what: Coroutine[Any, Any, None]) -> None:
        self.loop(what)
        self.loop(self.crowd.rest())

    def site(self, data: st.DataObject) -> Site:
        return data.draw(st.sampled_from(self.crowd.sites))

    def peer(self, data: st.DataObject) -> tuple[Site, Peer]:
        return data.draw(st.sampled_from([(site, peer) for site in self.crowd.sites for peer in site.peers]))


Workers.TestCase.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
TestWorkers = Workers.TestCase
