"""Starlette's test client with an end to every wait."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urljoin
from weakref import WeakSet

import starlette.testclient
from starlette.types import ASGIApp

from ..logs import begin_anew
from .application import named
from .failures import Timeout
from .loops import abandoned
from .session import WebSocketTestSession

if TYPE_CHECKING:
    # The client takes any ASGI application; one without a container needs no injector.
    from ..container import Container


class TestClient(starlette.testclient.TestClient):
    """Any ASGI application in a test, without a server: HTTP requests, lifespan and WebSockets.

        with TestClient(app) as client, client.websocket_connect("/chat/tea") as session:
            session.send_json({"type": "say", "text": "hi"})
            assert session.receive_json() == {"type": "said", "text": "hi"}

    All that Starlette's client does holds; in addition every wait of a WebSocket has a time-out, and the application's
    exceptions surface at the line that waits.

    Args:
        app: The application.
        base_url: What scheme and host the requests and handshakes name.
        raise_server_exceptions: Whether the application's exceptions are raised in the test; otherwise the test sees what a
            peer sees: HTTP 500, or a close.
        root_path: The ASGI root path.
        backend: The event loop.
        backend_options: Its options, as for `anyio.run`.
        cookies: Cookies of all requests and handshakes.
        headers: Headers of all requests and handshakes.
        follow_redirects: Whether HTTP redirects are followed.
        client: The peer's address and port.
        timeout: Seconds that a wait of a WebSocket may take; None waits for ever.

    Source: Starlette's `TestClient`.
    """

    __test__ = False

    def __init__(
        self,
        app: ASGIApp,
        base_url: str = "http://testserver",
        raise_server_exceptions: bool = True,
        root_path: str = "",
        backend: Literal["asyncio", "trio"] = "asyncio",
        backend_options: dict[str, Any] | None = None,
        cookies: dict[str, str] | list[tuple[str, str]] | CookieJar | None = None,
        headers: dict[str, str] | None = None,
        follow_redirects: bool = True,
        client: tuple[str, int] = ("testclient", 50000),
        *,
        timeout: float | None = 5.0,
    ) -> None:
        super().__init__(
            app,
            base_url=base_url,
            raise_server_exceptions=raise_server_exceptions,
            root_path=root_path,
            backend=backend,
            backend_options=backend_options,
            cookies=cookies,
            headers=dict(headers or {}),
            follow_redirects=follow_redirects,
            client=client,
        )
        self.raise_server_exceptions = raise_server_exceptions
        self.session_timeout = timeout
        self._application = app
        self._sessions: WeakSet[WebSocketTestSession] = WeakSet()
        begin_anew()

    @property
    def container(self) -> Container:
        """The application's container: `client.container.override(Clock, StoppedClock())`.

        Raises:
            AttributeError: the application has none.
        """
        container: Container = named(self._application, "container", "TestClient")
        return container

    @property
    def dependency_overrides(self) -> MutableMapping[Callable[..., Any], Callable[..., Any]]:
        """The application's overrides of dependencies: `client.dependency_overrides[current_user] = lambda: ann`.

        Raises:
            AttributeError: the application has none.
        """
        overrides: MutableMapping[Callable[..., Any], Callable[..., Any]] = named(
            self._application, "dependency_overrides", "TestClient"
        )
        return overrides

    def websocket_connect(
        self,
        url: str,
        subprotocols: Sequence[str] | None = None,
        *,
        timeout: float | Timeout | None = Timeout.CLIENT,
        **kwargs: Any,
    ) -> WebSocketTestSession:
        """A session with the endpoint at `url`, opened by `with`.

        Args:
            url: Path and query, or a whole `ws://` or `wss://` URL.
            subprotocols: The subprotocols to offer.
            timeout: Seconds that each wait of this session may take; None waits for ever; the client's when left out.
            kwargs: What a request takes too: `headers` (also as pairs, to repeat one), `cookies`, `params`, `auth`.
        """
        base = self.base_url.copy_with(scheme="wss" if self.base_url.scheme == "https" else "ws")
        # A copy: Starlette adds the handshake's headers to what it is given.
        kwargs["headers"] = headers = type(self.headers)(kwargs.get("headers"))
        own_cookies = kwargs.pop("cookies", None)
        if own_cookies:
            # Not as cookies of the request, which are deprecated because a client keeps them; these are the handshake's alone.
            cookies = {**dict(self.cookies), **dict(own_cookies)}
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        opened = super().websocket_connect(urljoin(str(base), url), subprotocols, **kwargs)
        opened.scope["wscontrollers.raise_exceptions"] = self.raise_server_exceptions
        session = WebSocketTestSession(
            opened.app,
            opened.scope,
            opened.portal_factory,
            timeout=self.session_timeout if timeout is Timeout.CLIENT else timeout,
        )
        self._sessions.add(session)
        return session

    def __exit__(self, *args: Any) -> None:
        """Shut the application down; the loop of an endpoint that does not end is left to itself."""
        if any(session.is_stuck for session in self._sessions):
            abandoned(lambda: super(TestClient, self).__exit__(*args), within=1.0)
        else:
            super().__exit__(*args)
