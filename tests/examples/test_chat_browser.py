"""The page of the example `chat`, in a real browser."""

from __future__ import annotations

import pytest

from examples.chat.app import make_app
from tests.examples.browser import EXECUTABLE, Browser, Tab, browsing
from tests.serving import serving

pytestmark = [
    pytest.mark.skipif(EXECUTABLE is None, reason="there is no chromium on this machine; install it to try the chat's page"),
    pytest.mark.timeout(120),
]

ONLINE = 'document.querySelector("#state").dataset.state === "online"'


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


def members(*names: str) -> str:
    """The condition that these are the members on the page."""
    return f"[...document.querySelectorAll('#members li span:last-child')].map(i => i.textContent).join() === '{','.join(names)}'"


def test_two_tabs_chat() -> None:
    """Two tabs see each other's messages and members, and what one writes stays text on the other."""
    with serving(make_app()) as address, browsing() as browser:
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


def test_a_page_comes_back() -> None:
    """After a reload, and after a restart of the server on the same port, a tab is in its room again by itself."""
    with browsing() as browser:
        with serving(make_app()) as address:
            ann = enter(browser, address, "ann")
            say(ann, "before")
            ann.until(shown("before"))
            ann.reload()
            ann.until(ONLINE)
            ann.until(shown("before"))
        ann.until('document.querySelector("#state").dataset.state === "offline"')
        assert ann.run("document.querySelector('#send').disabled") is True

        with serving(make_app(), port=int(address.rpartition(":")[2])):
            ann.until(ONLINE)
            bob = enter(browser, address, "bob")
            say(bob, "welcome back")
            ann.until(shown("welcome back"))


def test_a_refusal_is_shown() -> None:
    """What the server refuses in the first message brings the form back, with the reason."""
    with serving(make_app()) as address, browsing() as browser:
        tab = browser.tab(f"http://{address}/")
        tab.run("document.querySelector('#name').maxLength = 99")
        tab.fill("#name", "x" * 30)
        tab.press_enter()

        tab.until("!document.querySelector('#entry').hidden && !document.querySelector('#refusal').hidden")
        assert tab.texts("#refusal") == ["first message: name: string_too_long"]
