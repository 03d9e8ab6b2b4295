"""A real browser: Chromium without a window, spoken to in the DevTools protocol over one WebSocket."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from base64 import b64decode
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

EXECUTABLE = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-port=0"),
]
PATIENCE = 15.0
"""Seconds that anything in the browser may take."""

UNTIL = """new Promise((done, fail) => {
    const look = () => { if (%s) { observer.disconnect(); done(); } };
    const observer = new MutationObserver(look);
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    setTimeout(() => fail(new Error("still not: %s\\n" + document.body.innerText)), %d);
    look();
})"""


class Browser:
    """The connection to a running browser.

    Args:
        devtools: Its DevTools connection, the one for the whole browser.
    """

    def __init__(self, devtools: ClientConnection) -> None:
        self._devtools = devtools
        self._ids = count(1)
        self._events: list[tuple[Any, Any]] = []
        self._tabs: list[str] = []

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """What a DevTools command returns.

        Raises:
            AssertionError: The command failed.
            TimeoutError: There is no answer in time.
        """
        number = next(self._ids)
        self._devtools.send(
            json.dumps({"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {}))
        )
        while (message := self._received()).get("id") != number:
            pass
        assert "error" not in message, f"{method}: {message['error']}"
        result: dict[str, Any] = message["result"]
        return result

    def until(self, event: str, session: str) -> None:
        """Wait for an event of a tab, unless it has come since the last `until`."""
        while (event, session) not in self._events:
            self._received()
        self._events.clear()

    def _received(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._devtools.recv(timeout=PATIENCE))
        if "method" in message:
            self._events.append((message["method"], message.get("sessionId")))
        return message

    def tab(self, url: str) -> Tab:
        """Open a page in a tab of its own."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._tabs.append(target)
        tab = Tab(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        tab.open(url)
        return tab

    def close_tabs(self) -> None:
        """Close all tabs, and with them their connections."""
        while self._tabs:
            self.call("Target.closeTarget", targetId=self._tabs.pop())


class Tab:
    """One tab, with a page in it."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session
        self.call("Page.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """What a DevTools command returns."""
        return self._browser.call(method, self._session, **params)

    def open(self, url: str) -> None:
        """Go to a page, and wait until it is loaded."""
        self.call("Page.navigate", url=url)
        self._browser.until("Page.loadEventFired", self._session)

    def reload(self) -> None:
        """Load the page again, and wait until it is loaded."""
        self.call("Page.reload")
        self._browser.until("Page.loadEventFired", self._session)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression, awaited if it is a promise."""
        done = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"].get("exception", done["exceptionDetails"])
        return done["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait until a JavaScript expression is true; it is looked at whenever the page changes."""
        self.run(UNTIL % (condition, condition.replace("\\", "\\\\").replace('"', '\\"'), int(PATIENCE * 1000 - 1000)))

    def fill(self, selector: str, text: str) -> None:
        """Write into a field as a user does: the browser sees the input."""
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.run(f"document.querySelector({json.dumps(selector)}).select()")
        self.call("Input.insertText", text=text)

    def press_enter(self) -> None:
        """Press the Enter key in the field that has the focus."""
        for kind in ("keyDown", "keyUp"):
            key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13} | ({"text": "\r"} if kind == "keyDown" else {})
            self.call("Input.dispatchKeyEvent", type=kind, **key)

    def texts(self, selector: str) -> list[str]:
        """The text of each element that a selector finds."""
        found: list[str] = self.run(f"[...document.querySelectorAll({json.dumps(selector)})].map(item => item.textContent)")
        return found

    def picture(self, file: Path) -> None:
        """Write what is seen into a PNG file."""
        file.write_bytes(b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def browsing() -> Generator[Browser]:
    """A browser with a profile of its own for as long as the block runs."""
    assert EXECUTABLE is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [EXECUTABLE, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stderr is not None
                url = next(line.split()[-1] for line in process.stderr if line.startswith("DevTools listening on "))
                with connect(url, max_size=None, compression=None) as devtools:
                    browser = Browser(devtools)
                    yield browser
                    browser.call("Browser.close")
                process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
