"""The client of an asynchronous test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

import anyio
from anyio.abc import TaskGroup
from starlette.types import ASGIApp

from ..logs import begin_anew
from ..messages import Codec
from .application import named
from .async_session import AsyncTestSession
from .clock import VirtualClock
from .connecting import Connecting
from .executors import executor_calls_noted
from .failures import Timeout
from .lifespan import Lifespan
from .memory import MemoryTransport
from .opening import Opening, Pairs, Params, opening
from .transport import Transport

if TYPE_CHECKING:
    # The client takes any ASGI application; one without a container needs no injector, and one in memory no server.
    from ..container import Container
    from .server import RealServer


class AsyncTestClient:
    """Any ASGI application in the event loop of the test: no threads, and no network unless it is asked for.

        async with AsyncTestClient(app) as client, client.connect("/chat/tea") as session:
            await session.send_text("hi")
            assert await session.receive_text() == "hi"

    Entering starts the application's lifespan, leaving ends it; what they raise is raised here. For the sessions time stands
    still until the test moves it: `await client.clock.advance(30)`.

    Args:
        app: The application.
        real: Whether a real uvicorn serves it on a free loopback port, and a `websockets` client connects; asyncio only.
        base_url: What scheme and host the handshakes name.
        timeout: Seconds that each wait may take; None waits for ever.
        client: The peer's address and port; over a real socket it is the true one.
        codecs: The codecs that typed messages are sent and expected in; where it is empty, JSON or MessagePack, as the
            subprotocol says.

    Attributes:
        clock: The time of the sessions: idle and life times, rates, stalls.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        real: bool = False,
        base_url: str = "http://testserver",
        timeout: float | None = 5.0,
        client: tuple[str, int] = ("testclient", 50000),
        codecs: Sequence[Codec] = (),
    ) -> None:
        self._application = app
        self._is_real = real
        self._base_url = base_url
        self._timeout = timeout
        self._client = client
        self._codecs = codecs
        self.clock = VirtualClock(timeout=timeout)
        self._noting = ExitStack()
        self._tasks: TaskGroup | None = None
        self._lifespan: Lifespan | None = None
        self._server: RealServer | None = None

    @property
    def container(self) -> Container:
        """The application's container: `client.container.override(Clock, StoppedClock())`.

        Raises:
            AttributeError: The application has none.
        """
        container: Container = named(self._application, "container", "AsyncTestClient")
        return container

    @property
    def dependency_overrides(self) -> MutableMapping[Callable[..., Any], Callable[..., Any]]:
        """The application's overrides of dependencies: `client.dependency_overrides[current_user] = lambda: ann`.

        Raises:
            AttributeError: The application has none.
        """
        overrides: MutableMapping[Callable[..., Any], Callable[..., Any]] = named(
            self._application, "dependency_overrides", "AsyncTestClient"
        )
        return overrides

    async def __aenter__(self) -> Self:
        """Start the application.

        Raises:
            RuntimeError: It is started already, or a real server is wanted on another loop than asyncio's.
            Exception: What its lifespan raised.
        """
        if self._tasks is not None:
            raise RuntimeError("AsyncTestClient: it is entered already. Fix: one `async with` at a time.")
        begin_anew()
        self._tasks = await anyio.create_task_group().__aenter__()
        self._noting.enter_context(executor_calls_noted())
        try:
            self._lifespan = Lifespan(self._application, timeout=self._timeout)
            await self._lifespan.start(self._tasks)
            if self._is_real:
                await self._serve(self._lifespan.state)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Shut the application down."""
        try:
            await self._stop()
        except Exception as problem:
            if error is None:
                raise
            error.add_note(f"AsyncTestClient: behind this, at shutdown, {type(problem).__name__}: {problem}")
        finally:
            await self._end()

    def connect(
        self,
        path: str,
        *,
        params: Params | None = None,
        headers: Pairs | None = None,
        cookies: Mapping[str, str] | None = None,
        subprotocols: Sequence[str] = (),
        timeout: float | Timeout | None = Timeout.CLIENT,
        allow_leftovers: bool = False,
        resume: AsyncTestSession | None = None,
    ) -> Connecting:
        """A handshake: `async with` opens the session, `await ….expect_refused(401)` expects a refusal.

        Args:
            path: Path and query.
            params: More query parameters; a list repeats its name.
            headers: Headers, as a mapping or as pairs, to repeat one.
            cookies: Cookies.
            subprotocols: What to offer.
            timeout: Seconds that each wait of this session may take; None waits for ever; the client's when left out.
            allow_leftovers: Whether the test may leave frames that it never received.
            resume: A session of this test whose connection is lost: with its last ticket, and the number of the frames that it
                received.

        Raises:
            RuntimeError: The client was not entered; or the session to resume has no ticket.
            ValueError: The path does not start with a slash.
        """
        if resume is not None:
            path += ("&" if "?" in path else "?") + urlencode(resume.resumption.params)
        request = opening(self._base_url, path, params=params, headers=headers, cookies=cookies, subprotocols=subprotocols)
        return Connecting(
            self._transport(request),
            # The path without its query, which may hold a token.
            where=f"WebSocket {request.path}",
            timeout=self._timeout if isinstance(timeout, Timeout) else timeout,
            allow_leftovers=allow_leftovers,
            codecs=self._codecs,
            before=resume,
        )

    def _transport(self, request: Opening) -> Transport:
        if self._lifespan is None:
            raise RuntimeError(
                "AsyncTestClient.connect(): the application was not started. Fix: async with AsyncTestClient(app) as client."
            )
        if self._server is not None:
            return self._server.transport(request, self.clock)
        return MemoryTransport(self._application, request.scope(self._client, self._lifespan.state), self.clock)

    async def _serve(self, state: Mapping[str, Any]) -> None:
        from .server import RealServer  # a test without a socket pays for no server

        self._server = RealServer(self._application)
        await self._server.start(state)

    async def _stop(self) -> None:
        try:
            if self._server is not None:
                await self._server.stop()
        finally:
            if self._lifespan is not None:
                await self._lifespan.stop()

    async def _end(self) -> None:
        assert self._tasks is not None
        tasks, self._tasks = self._tasks, None
        self._noting.close()
        self._lifespan = self._server = None
        tasks.cancel_scope.cancel()
        # Never the test's own exception: a task group would wrap it.
        await tasks.__aexit__(None, None, None)
