"""The example `chat`: what goes over the wire. Its page is tried in `test_chat_browser.py`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from examples.chat.app import LIMITS, make_app
from examples.chat.clock import Clock
from examples.chat.messages import Accepted, Earlier, Entered, IsTyping, Rename, Said, Say, Typing
from examples.chat.rooms import Space
from tests.groups.engines.nats_server import nats_binary
from tests.groups.engines.servers import RedisServer, valkey_binary
from tests.serving import serving
from wscontrollers import Container, Groups, JsonCodec, Limits, MsgPackCodec
from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups import Engine, MemoryEngine
from wscontrollers.messages import Presence, Recovered
from wscontrollers.testing import AsyncTestClient, AsyncTestSession, ErrorAnswer, SessionClosed, TestClient

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server of its own for the tests of this file."""
    server = RedisServer(valkey_binary(), tmp_path_factory.mktemp("valkey"))
    server.start()
    try:
        yield server
    finally:
        server.kill()


class StoppedClock(Clock):
    """It is always twelve."""

    def now(self) -> datetime:
        """Noon."""
        return NOON


@asynccontextmanager
async def chatting(
    *, real: bool = False, limits: Limits = LIMITS, engine: Engine | str | None = None, **space: int
) -> AsyncGenerator[AsyncTestClient]:
    """A chat where it is always twelve."""
    app = make_app(Container(Space(**space)), engine=engine, limits=limits, codecs=[JsonCodec(), MsgPackCodec()])
    async with AsyncTestClient(app, real=real) as client:
        with client.container.override(Clock, StoppedClock):
            yield client


def key_of(name: str) -> str:
    """The secret of a member."""
    return f"a secret of {name}".ljust(16, ".")


def params(name: str, **more: str) -> dict[str, str]:
    """What a member's page puts into the URL."""
    return {"name": name, "key": key_of(name)} | more


def who(name: str, called: str | None = None) -> dict[str, Any]:
    """A member, as the others see it."""
    return {"user": sha256(key_of(name).encode()).hexdigest()[:16], "info": {"name": called or name}}


def came(*members: dict[str, Any]) -> Presence:
    """What the room `tea` says when members come, or have another name."""
    return Presence("room:tea", joined=list(members), left=[])


def went(*members: dict[str, Any]) -> Presence:
    """What the room `tea` says when members are gone."""
    return Presence("room:tea", joined=[], left=list(members))


@asynccontextmanager
async def entered(client: AsyncTestClient, name: str, room: str = "tea", **options: Any) -> AsyncGenerator[AsyncTestSession]:
    """A member, behind what it is told at first."""
    async with client.connect(f"/rooms/{room}", params=params(name), **options) as session:
        await session.expect(Presence)
        await session.expect(Entered)
        yield session


@asynccontextmanager
async def ann_and_bob(client: AsyncTestClient, **options: Any) -> AsyncGenerator[tuple[AsyncTestSession, AsyncTestSession]]:
    """Two members of a room; what they hear of each other's coming is expected here."""
    async with entered(client, "ann", **options) as ann, entered(client, "bob", **options) as bob:
        assert await ann.expect(Presence) == came(who("bob"))
        yield ann, bob


async def hear_all(session: AsyncTestSession) -> None:
    """Receive what is said until that raises."""
    while True:
        await session.expect(Said)


def said(name: str, text: str) -> Said:
    """What everyone hears at noon."""
    return Said(name=name, text=text, at=NOON)


OVER_MEMORY = [pytest.param("asyncio", False, id="asyncio"), pytest.param("trio", False, id="trio")]


@pytest.mark.anyio
@pytest.mark.parametrize("subprotocol", ["wsc.v1+json", "wsc.v1+msgpack"])
@pytest.mark.parametrize(("anyio_backend", "real"), [*OVER_MEMORY, pytest.param("asyncio", True, id="socket")])
async def test_everyone_hears_everyone(anyio_backend: str, real: bool, subprotocol: str) -> None:
    """A message goes to all members of the room, the speaker too, and to no other room: in JSON and in MessagePack, in memory
    and over a socket."""
    options: Any = {"subprotocols": [subprotocol]}
    async with (
        chatting(real=real) as client,
        entered(client, "cat", "milk", **options) as cat,
        ann_and_bob(client, **options) as (ann, bob),
    ):
        assert await ann.request(Say(text=" <b>hi</b> ")) == Accepted()
        assert await ann.expect(Said) == said("ann", "<b>hi</b>")
        assert await bob.expect(Said) == said("ann", "<b>hi</b>")
        await bob.expect_nothing()
        await cat.expect_nothing()

    assert cat.subprotocol == subprotocol


@pytest.mark.anyio
async def test_who_enters_is_told_who_is_there() -> None:
    """The first frames of a session are the list of the members and the place from which on everything is heard."""
    async with chatting() as client, entered(client, "ann") as ann:
        async with client.connect("/rooms/tea", params=params("bob")) as bob:
            assert await bob.expect(Presence) == came(who("ann"), who("bob"))
            state = await bob.expect(Entered)
            assert (state.room, state.you) == ("tea", "bob")
            assert await ann.expect(Presence) == came(who("bob"))

        async with client.connect("/rooms/tea", params=params("bob", recover=str(state.since))) as bob:
            assert (await bob.expect(Recovered)).complete
            await bob.expect(Presence)
            await bob.expect(Entered)


@pytest.mark.anyio
async def test_what_was_said_is_streamed() -> None:
    """The newest comes first, and nothing that is behind the mark: who enters has heard that already, or will."""
    async with chatting() as client, entered(client, "ann", allow_leftovers=True) as ann:
        for text in ("one", "two", "three"):
            await ann.request(Say(text=text))

        async with client.connect("/rooms/tea", params=params("bob")) as bob:
            await bob.expect(Presence)
            until = str((await bob.expect(Entered)).since)
            await ann.request(Say(text="four"))
            await bob.expect(Said)
            assert [item.text async for item in bob.stream(Earlier(until=until))] == ["three", "two", "one"]
            assert [item.text async for item in bob.stream(Earlier(until="nonsense"))] == []


@pytest.mark.anyio
async def test_who_comes_back_hears_what_was_missed() -> None:
    """With its last mark in the URL a member gets what was said meanwhile, once and in order, before anything newer; the others
    hear neither of its going nor of its coming."""
    async with chatting() as client, entered(client, "ann", allow_leftovers=True) as ann:
        async with entered(client, "bob") as bob:
            await ann.request(Say(text="one"))
            mark = (await bob.receive_json())["mark"]
            bob.reset()
        for text in ("two", "three"):
            await ann.request(Say(text=text))

        async with client.connect("/rooms/tea", params=params("bob", recover=mark)) as bob:
            assert (await bob.expect(Recovered)).complete
            assert [(await bob.expect(Said)).text for _ in range(2)] == ["two", "three"]
            await bob.expect(Presence)
            assert (await bob.expect(Entered)).you == "bob"
            await ann.request(Say(text="four"))
            assert await bob.expect(Said) == said("ann", "four")
        assert await ann.expect(Presence) == came(who("bob"))
        assert [(await ann.expect(Said)).text for _ in range(4)] == ["one", "two", "three", "four"]


@pytest.mark.anyio
async def test_what_is_lost_is_told() -> None:
    """Of a chat that began anew nothing can be recovered: the member is told so, and what is there can be had by the new mark."""
    async with chatting() as client, entered(client, "ann", allow_leftovers=True) as ann:
        await ann.request(Say(text="before"))
        mark = (await ann.receive_json())["mark"]
    async with chatting() as client, entered(client, "bob", allow_leftovers=True) as bob:
        await bob.request(Say(text="behind"))

        async with client.connect("/rooms/tea", params=params("ann", recover=mark)) as ann:
            recovered = await ann.expect(Recovered)
            assert not recovered.complete
            await ann.expect(Presence)
            await ann.expect(Entered)
            assert [item async for item in ann.stream(Earlier(until=str(recovered.mark)))] == [said("bob", "behind")]


@pytest.mark.anyio
async def test_coming_and_going_is_announced() -> None:
    """The others hear who came, and who left, politely or not, and did not come back within two seconds."""
    async with chatting() as client, entered(client, "ann") as ann:
        async with entered(client, "bob"):
            assert await ann.expect(Presence) == came(who("bob"))
        async with entered(client, "cat") as cat:
            assert await ann.expect(Presence) == came(who("cat"))
            cat.reset()
        await ann.expect_nothing()

        await client.clock.advance(1)
        await ann.expect_nothing()
        await client.clock.advance(1)
        gone = [await ann.expect(Presence)]
        if len(gone[0].left) == 1:
            gone.append(await ann.expect(Presence))
        assert [each for frame in gone for each in frame.left] == [who("bob"), who("cat")]


@pytest.mark.anyio
async def test_names_are_unique_in_a_room() -> None:
    """Who enters with a name that is taken gets the next one like it; who asks for one later is told that it is taken."""
    async with (
        chatting() as client,
        entered(client, "ann") as ann,
        client.connect("/rooms/tea", params=params("bob") | {"name": "ann"}) as second,
    ):
        await second.expect(Presence)
        assert (await second.expect(Entered)).you == "ann (2)"
        assert await ann.expect(Presence) == came(who("bob", "ann (2)"))

        with pytest.raises(ErrorAnswer) as refused:
            await second.request(Rename(name="ann"))
        assert (refused.value.error.code, refused.value.error.message) == ("name_taken", "somebody here is called ann")

        await second.send(Rename(name="bob"))
        assert await second.expect(Presence) == await ann.expect(Presence) == came(who("bob"))
        assert await second.request(Say(text="hi")) == Accepted()
        assert await second.expect(Said) == await ann.expect(Said) == said("bob", "hi")


@pytest.mark.anyio
async def test_who_comes_back_keeps_the_name() -> None:
    """A session that is not noticed to be lost yet does not take the name of its own member."""
    async with chatting() as client, entered(client, "ann") as ann, client.connect("/rooms/tea", params=params("ann")) as again:
        assert await again.expect(Presence) == came(who("ann"))
        assert (await again.expect(Entered)).you == "ann"
        await ann.expect_nothing()


@pytest.mark.anyio
async def test_workers_share_their_rooms() -> None:
    """Members of two applications on one engine are in the same room: they hear each other, see each other, and cannot have the
    same name."""
    engine = MemoryEngine()
    async with (
        chatting(engine=engine) as here,
        chatting(engine=engine) as there,
        entered(here, "ann") as ann,
        there.connect("/rooms/tea", params=params("bob") | {"name": "ann"}) as bob,
    ):
        assert await bob.expect(Presence) == came(who("ann"), who("bob", "ann (2)"))
        assert (await bob.expect(Entered)).you == "ann (2)"
        assert await ann.expect(Presence) == came(who("bob", "ann (2)"))

        assert await ann.request(Say(text="hi")) == Accepted()
        assert await ann.expect(Said) == await bob.expect(Said) == said("ann", "hi")
        await bob.send(Typing())
        assert await ann.expect(IsTyping) == IsTyping(name="ann (2)")


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_two_applications_on_a_valkey(anyio_backend: str, valkey: RedisServer) -> None:
    """One line makes the processes one chat: a member who loses the one comes back to the other, and has missed nothing."""
    async with (
        chatting(engine=valkey.url) as here,
        chatting(engine=valkey.url) as there,
        entered(here, "ann", allow_leftovers=True) as ann,
    ):
        async with entered(there, "bob") as bob:
            await ann.request(Say(text="one"))
            mark = (await bob.receive_json())["mark"]
            bob.reset()
        await ann.request(Say(text="two"))

        async with here.connect("/rooms/tea", params=params("bob", recover=mark)) as bob:
            assert (await bob.expect(Recovered)).complete
            assert await bob.expect(Said) == said("ann", "two")
            assert await bob.expect(Presence) == came(who("ann"), who("bob"))
            assert (await bob.expect(Entered)).you == "bob"


class Fallen(MemoryEngine):
    """One that can be away."""

    is_away = False

    def publish(self, *message: Any) -> Any:
        """Take a message, or fail."""
        self._answer()
        return super().publish(*message)

    def entries(self, space: str) -> Any:
        """What is noted, or fail."""
        self._answer()
        return super().entries(space)

    def _answer(self) -> None:
        if self.is_away:
            raise EngineDownError("it is away")


@pytest.mark.anyio
async def test_an_engine_that_is_away() -> None:
    """While the engine does not answer, members are told that it did not work, and who enters may try again later."""
    engine = Fallen()
    async with chatting(engine=engine) as client, entered(client, "ann") as ann:
        engine.is_away = True
        with pytest.raises(ErrorAnswer) as refused:
            await ann.request(Say(text="hi"))
        assert (refused.value.error.code, refused.value.error.message) == (
            "out_of_reach",
            "the rooms are out of reach, try again later",
        )
        await ann.send(Typing())
        await ann.expect_nothing()
        async with client.connect("/rooms/tea", params=params("bob")) as bob:
            assert await bob.expect_closed(1013) == "the rooms are out of reach"
        engine.is_away = False
        await ann.request(Say(text="hi"))
        assert await ann.expect(Said) == said("ann", "hi")


@pytest.mark.anyio
async def test_typing_is_heard_by_the_others() -> None:
    """Who types does not hear of it."""
    async with chatting() as client, ann_and_bob(client) as (ann, bob):
        await ann.send(Typing())

        assert await bob.expect(IsTyping) == IsTyping(name="ann")
        await ann.expect_nothing()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("frame", "code", "loc"),
    [
        ("tea", "invalid_json", None),
        ("[]", "invalid_frame", None),
        ('{"text": "hi"}', "invalid_frame", None),
        ('{"type": "shout", "text": "hi"}', "unknown_type", None),
        ('{"type": "said", "text": "hi"}', "unknown_type", None),
        ('{"type": "say"}', "validation", "text"),
        ('{"type": "say", "text": "  "}', "validation", "text"),
        ('{"type": "say", "text": "%s"}' % ("x" * 501), "validation", "text"),
        ('{"type": "rename", "name": "a\\u202eb"}', "validation", "name"),
        ('{"type": "earlier"}', "validation", "until"),
        (b"\xff", "invalid_frame", None),
    ],
)
async def test_a_bad_frame_is_answered(frame: str | bytes, code: str, loc: str | None) -> None:
    """A frame that cannot be used gets an error that says why, nobody else hears of it, and the session goes on."""
    async with chatting() as client, ann_and_bob(client) as (ann, bob):
        await ann.send(frame)
        error = await ann.expect_error(code)
        assert [detail["loc"] for detail in error.errors or ()] == ([] if loc is None else [[loc]])

        assert await ann.request(Say(text="still here")) == Accepted()
        assert await ann.expect(Said) == await bob.expect(Said) == said("ann", "still here")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("/rooms/tea?key=0123456789abcdef", "name: Field required"),
        ("/rooms/tea?name=ann", "key: Field required"),
        ("/rooms/tea?name=ann&key=short", "key: String should have at least 16 characters"),
        ("/rooms/tea?name=%20&key=0123456789abcdef", "name: String should have at least 1 character"),
        (f"/rooms/tea?name={'x' * 25}&key=0123456789abcdef", "name: String should have at most 24 characters"),
        ("/rooms/tea?name=a%E2%80%AEb&key=0123456789abcdef", "name: Value error, it has characters that cannot be seen"),
        ("/rooms/a%20b?name=ann&key=0123456789abcdef", r"room: String should match pattern '^[\w-]{1,32}$'"),
        (f"/rooms/{'x' * 33}?name=ann&key=0123456789abcdef", r"room: String should match pattern '^[\w-]{1,32}$'"),
    ],
)
async def test_a_bad_name_or_room_is_closed_with_its_reason(address: str, reason: str) -> None:
    """1008, and accepted before: a page can read why a session is closed, but not why a handshake is refused."""
    async with chatting() as client, client.connect(address) as session:
        assert await session.expect_closed(1008) == reason


@pytest.mark.anyio
async def test_a_full_room_is_closed() -> None:
    """There are no more members than there is space for; the next one is closed with 1013, and may try again later."""
    async with (
        chatting(members=1) as client,
        entered(client, "ann"),
        client.connect("/rooms/tea", params=params("bob")) as bob,
    ):
        assert await bob.expect_closed(1013) == "the room is full"


@pytest.mark.anyio
async def test_who_floods_is_closed() -> None:
    """Beyond the burst a sender is closed with 1008, before it makes the others fall behind."""
    async with chatting(limits=Limits(rate=1, burst=2)) as client, ann_and_bob(client) as (ann, bob):
        for number in range(4):
            await bob.send(Say(text=f"flood {number}"))

        for number in (0, 1):
            assert await ann.expect(Said) == await bob.expect(Said) == said("bob", f"flood {number}")
            await bob.expect(Accepted)
        await bob.expect_error("rate_limited")
        assert await bob.expect_closed(1008) == "too many messages"


@pytest.mark.anyio
async def test_a_slow_member_harms_nobody() -> None:
    """Who reads nothing is closed with 1013 once its outbox is full, while the others chat on without a wait."""
    async with (
        chatting(limits=Limits(rate=None, outbox=50)) as client,
        entered(client, "ann") as ann,
        entered(client, "bob", allow_leftovers=True) as bob,
    ):
        await ann.expect(Presence)
        bob.pause_reading()
        count = 0
        while await client.container.get(Groups).count("room:tea") == 2:
            assert count < 1_000, "bob is still there"
            await ann.request(Say(text=f"{count} ".ljust(500, "x")))
            assert (await ann.expect(Said)).text.startswith(f"{count} ")
            count += 1
        bob.resume_reading()
        with pytest.raises(SessionClosed) as closed:
            await hear_all(bob)

    assert (closed.value.code, closed.value.reason) == (1013, "too slow")


@contextmanager
def real_member(address: str, name: str) -> Generator[ClientConnection]:
    """A member on a real connection, behind what it is told at first."""
    with connect(f"ws://{address}/rooms/tea?{urlencode(params(name))}") as member:
        while '"entered"' not in str(member.recv(timeout=5)):
            pass
        yield member


def test_the_page_runs_nothing_but_its_own_files() -> None:
    """The page and its files are served, with a policy that keeps everything else out."""
    with TestClient(make_app()) as client:
        page = client.get("/")
        files = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)

        assert page.headers["content-security-policy"].startswith("default-src 'self'")
        assert files == ["/static/chat.css", "/static/chat.js"]
        scripts = [client.get(file).text for file in ("/static/chat.js", "/static/session.js")]
        assert all("innerHTML" not in script and "://" not in script for script in scripts)


def test_the_tutorial_quotes_the_page() -> None:
    """The JavaScript of the tutorial is the page's own, word for word."""
    root = Path(__file__).parents[2]
    script = "".join((root / f"examples/chat/static/{name}.js").read_text(encoding="utf-8") for name in ("session", "chat"))
    quoted = re.findall(r"```js\n(.+?)```", (root / "docs/tutorial/6-a-page.md").read_text(encoding="utf-8"), re.DOTALL)

    assert quoted
    assert [block for block in quoted if block not in script] == []


def hear_until_the_end(member: ClientConnection) -> None:
    """Receive until that raises."""
    while True:
        member.recv(timeout=5)


@pytest.mark.parametrize(
    ("engine", "options", "needs"),
    [
        pytest.param("memory", [], None, id="memory"),
        pytest.param("redis", ["--engine", "redis"], valkey_binary, id="redis"),
        pytest.param("nats", ["--engine", "nats"], nats_binary, id="nats"),
    ],
)
def test_control_c_ends_it_cleanly(engine: str, options: list[str], needs: Callable[[], object] | None) -> None:
    """`python -m examples.chat` prints its address; with another engine than memory it starts that and two processes. Ctrl-C
    tells the open pages (1012) and ends all of it without a traceback."""
    if needs is not None:
        needs()  # skips the test where there is no server
    command = [sys.executable, "-m", "examples.chat", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            told = process.stdout.readline()
            address = re.search(r"http://([\d.]+:\d+)/", told)
            assert address is not None
            assert ("in 2 processes" in told) is (engine != "memory")
            with real_member(address[1], "ann") as ann:
                ann.send('{"type": "say", "text": "hi"}')
                heard = {json.loads(ann.recv(timeout=5))["type"] for _ in range(2)}  # through the engine, in either order
                assert heard == {"said", "accepted"}
                os.killpg(process.pid, signal.SIGINT)  # as a terminal does
                with pytest.raises(ConnectionClosed) as closed:
                    hear_until_the_end(ann)
            output, errors = process.communicate(timeout=15)
        finally:
            process.kill()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert (process.returncode, output, errors) == (0, "The chat has ended.\n", "")


@pytest.mark.parametrize(("engine", "what"), [("kafka", "there is no such engine"), ("kafka://x", "is the scheme of no engine")])
def test_an_engine_that_is_none(engine: str, what: str) -> None:
    """It is told in one line."""
    command = [sys.executable, "-m", "examples.chat", "--engine", engine]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(rf"--engine.*{what}.* Fix: use .*\n", ended.stderr)


def test_a_port_that_is_taken() -> None:
    """A port that cannot be used is told in one line."""
    with serving(make_app()) as address:
        port = address.rpartition(":")[2]
        ended = subprocess.run(
            [sys.executable, "-m", "examples.chat", "--port", port], capture_output=True, text=True, timeout=10, check=False
        )

    assert ended.returncode == 1
    assert ended.stderr == f"--port {port}: it cannot be used: Address already in use. Fix: leave it out to get a free one.\n"
