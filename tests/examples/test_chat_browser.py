"""The page of the example `chat`, in a real browser."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Generator
from datetime import UTC, datetime
from os import killpg
from signal import SIGINT

import pytest

from examples.chat.app import make_app, page_routes
from examples.chat.messages import Said
from examples.chat.rooms import ROOMS
from tests.examples.browser import EXECUTABLE, Browser, Tab, browsing
from tests.groups.engines.servers import valkey_binary
from tests.serving import serving
from wscontrollers import App, Publisher, WebSocket
from wscontrollers.groups import MemoryEngine

pytestmark = [
    pytest.mark.skipif(EXECUTABLE is None, reason="there is no chromium on this machine; install it to try the chat's page"),
    pytest.mark.timeout(120),
]

ONLINE = 'document.querySelector("#state").dataset.state === "online"'
OFFLINE = 'document.querySelector("#state").dataset.state === "offline"'


@pytest.fixture(scope="module")
def running() -> Generator[Browser]:
    """One browser for all tests."""
    with browsing() as browser:
        yield browser


@pytest.fixture
def browser(running: Browser) -> Generator[Browser]:
    """The browser, whose tabs do not outlive the test."""
    yield running
    running.close_tabs()


def enter(browser: Browser, address: str, name: str) -> Tab:
    """A tab in the room `tea`."""
    tab = browser.tab(f"http://{address}/")
    tab.fill("#name", name)
    tab.fill("#room", "tea")
    tab.press_enter()
    tab.until(ONLINE)
    return tab


def say(tab: Tab, text: str) -> None:
    """Write a message and send it."""
    tab.fill("#text", text)
    tab.press_enter()


def shown(text: str) -> str:
    """The condition that a message is on the page."""
    return f"[...document.querySelectorAll('.message .text')].some(item => item.textContent === {text!r})"


def noted(text: str) -> str:
    """The condition that a note is on the page."""
    return f"[...document.querySelectorAll('.note')].some(item => item.textContent === {text!r})"


def members(*names: str) -> str:
    """The condition that these are the members on the page."""
    return f"[...document.querySelectorAll('#members li span:last-child')].map(i => i.textContent).join() === '{','.join(names)}'"


def test_two_tabs_chat(browser: Browser) -> None:
    """Two tabs see each other's messages and members, and what one writes stays text on the other."""
    with serving(make_app()) as address:
        ann, bob = enter(browser, address, "ann"), enter(browser, address, "bob")
        ann.until(members("ann", "bob"))
        bob.until(members("ann", "bob"))

        say(ann, "hello bob")
        bob.until(shown("hello bob"))
        say(bob, "<img src=x onerror=document.title=1>")
        ann.until(shown("<img src=x onerror=document.title=1>"))

        assert ann.run("document.querySelectorAll('.messages img').length") == 0
        assert ann.texts(".mine .text") == ["hello bob"]
        assert bob.texts(".mine .text") == ["<img src=x onerror=document.title=1>"]

        bob.fill("#newname", "rob")
        bob.press_enter()
        ann.until(members("ann", "rob"))

        bob.run("document.querySelector('#leave').click()")
        ann.until(members("ann"))
        assert ann.texts(".note") == ["You are in tea as ann.", "bob joined.", "bob is now rob.", "rob left."]


def test_who_types_is_shown_until_it_is_said(browser: Browser) -> None:
    """The others see who is typing, and no longer once the message is there."""
    with serving(make_app()) as address:
        ann, bob = enter(browser, address, "ann"), enter(browser, address, "bob")

        bob.fill("#text", "hello")
        ann.until("document.querySelector('#typing').textContent === 'bob is typing'")
        assert bob.texts("#typing") == [""]

        bob.press_enter()
        ann.until(shown("hello"))
        assert ann.texts("#typing") == [""]


def test_an_error_is_shown(browser: Browser) -> None:
    """What the server answers with an error stands among the messages, and what was written is not lost."""
    with serving(make_app()) as address:
        ann, bob = enter(browser, address, "ann"), enter(browser, address, "bob")

        bob.fill("#newname", "ann")
        bob.press_enter()
        bob.until(noted("somebody here is called ann"))
        assert bob.run("document.querySelector('#newname').value") == "ann"

        ann.run("document.querySelector('#text').maxLength = 999")
        say(ann, "x" * 501)
        ann.until(noted("text: String should have at most 500 characters"))
        assert ann.run("document.querySelector('#text').value.length") == 501


def test_what_was_said_before_is_fetched(browser: Browser) -> None:
    """Who comes later sees what is kept, in its order, once."""
    engine = MemoryEngine()
    texts = [f"number {number}" for number in range(1, 71)]
    with Publisher(engine, groups=ROOMS) as groups:
        for text in texts:
            groups.publish("room:tea", Said(name="eve", text=text, at=datetime(2026, 1, 1, 12, tzinfo=UTC)))
    with serving(make_app(engine=engine)) as address:
        ann = enter(browser, address, "ann")
        ann.until(shown("number 1"))
        assert ann.texts(".message .text") == texts
        assert ann.run("document.querySelector('#messages').lastChild.textContent") == "You are in tea as ann."


def test_a_page_comes_back(browser: Browser) -> None:
    """After a reload a tab is in its room again by itself; so it is after a restart of the server. Where the rooms are on an
    engine that stayed, it has what was said meanwhile, in its order and once."""
    engine = MemoryEngine()
    with serving(make_app(engine=engine)) as address:
        ann, bob = enter(browser, address, "ann"), enter(browser, address, "bob")
        say(ann, "before")
        bob.until(shown("before"))
        ann.reload()
        ann.until(ONLINE)
        ann.until(shown("before"))
    ann.until(OFFLINE)
    bob.until(OFFLINE)
    assert ann.run("document.querySelector('#send').disabled") is True
    with Publisher(engine, groups=ROOMS) as groups:
        groups.publish("room:tea", Said(name="eve", text="meanwhile", at=datetime(2026, 1, 1, 12, tzinfo=UTC)))

    with serving(make_app(engine=engine), port=int(address.rpartition(":")[2])):
        for tab in (ann, bob):
            tab.until(ONLINE)
            tab.until(members("ann", "bob"))
        say(bob, "welcome back")
        for tab in (ann, bob):
            tab.until(shown("welcome back"))
        assert ann.texts(".message .text") == bob.texts(".message .text") == ["before", "meanwhile", "welcome back"]


def test_what_is_lost_is_shown(browser: Browser) -> None:
    """When the server comes back without what was said, the page says so where it is missing, and shows what there is."""
    with serving(make_app()) as address:
        ann = enter(browser, address, "ann")
        say(ann, "before")
        ann.until(shown("before"))
    ann.until(OFFLINE)
    engine = MemoryEngine()
    with Publisher(engine, groups=ROOMS) as groups:
        groups.publish("room:tea", Said(name="eve", text="meanwhile", at=datetime(2026, 1, 1, 12, tzinfo=UTC)))

    with serving(make_app(engine=engine), port=int(address.rpartition(":")[2])):
        ann.until(shown("meanwhile"))
        lines = ann.texts("#messages > .note, #messages .text")
        assert lines == ["You are in tea as ann.", "before", "What was said meanwhile is not all here.", "meanwhile"]


def test_two_tabs_on_two_workers(browser: Browser) -> None:
    """`--engine redis` starts a Valkey and two processes; tabs hear each other, wherever each of them came to."""
    valkey_binary()  # skips the test where there is none
    command = [sys.executable, "-m", "examples.chat", "--engine", "redis"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        try:
            address = re.search(r"http://([\d.]+:\d+)/", process.stdout.readline())
            assert address is not None
            names = ["ann", "bob", "cat", "dan"]
            tabs = [enter(browser, address[1], name) for name in names]
            for tab in tabs:
                tab.until(" && ".join(f"document.querySelector('#members').textContent.includes('{name}')" for name in names))
            for name, tab in zip(names, tabs, strict=True):
                say(tab, f"{name} here")
                for other in tabs:
                    other.until(shown(f"{name} here"))
            for tab in tabs:
                assert tab.texts(".message .text") == [f"{name} here" for name in names]
        finally:
            killpg(process.pid, SIGINT)
            process.communicate(timeout=15)
    assert process.returncode == 0


def test_a_refusal_is_shown(browser: Browser) -> None:
    """What the server does not take as a name brings the form back, with the reason."""
    with serving(make_app()) as address:
        tab = browser.tab(f"http://{address}/")
        tab.run("document.querySelector('#name').maxLength = 99")
        tab.fill("#name", "x" * 30)
        tab.press_enter()

        tab.until("!document.querySelector('#entry').hidden && !document.querySelector('#refusal').hidden")
        assert tab.texts("#refusal") == ["name: String should have at most 24 characters"]


def test_a_gap_a_question_and_a_goodbye(browser: Browser) -> None:
    """A gap is shown, a question refused, and the page stays away for as long as it is told to."""
    app = App(routes=page_routes())
    refused: list[object] = []

    @app.websocket("/rooms/{room}")
    async def play(websocket: WebSocket) -> None:
        """A server that sends what the chat itself has no cause to send in a test."""
        await websocket.accept()
        await websocket.send_json({"type": "entered", "room": "tea", "you": "ann", "since": "here"})
        earlier = await websocket.receive_json()
        assert earlier == {"type": "earlier", "until": "here", "ref": earlier["ref"]}
        await websocket.send_json({"type": "end", "re": earlier["ref"]})
        await websocket.send_json({"type": "gap", "dropped": 1, "reason": "engine", "group": "typing:tea"})
        await websocket.send_json({"type": "gap", "dropped": 2, "reason": "trimmed", "group": "room:tea"})
        await websocket.send_json({"type": "question", "ref": 7})
        refused.append(await websocket.receive_json())
        await websocket.send_json({"type": "going_away", "reconnect_after": 30})
        await websocket.close(1012)

    with serving(app) as address:
        ann = browser.tab(f"http://{address}/")
        ann.fill("#name", "ann")
        ann.fill("#room", "tea")
        ann.press_enter()
        ann.until(OFFLINE)

        assert ann.texts(".note") == ["You are in tea as ann.", "Something that was said is not here."]
        assert ann.texts("#state") == ["the server restarts, trying again in 30 s"]
        assert refused == [{"type": "error", "code": "unknown_type", "message": "this page answers no questions", "re": 7}]
