"""What handlers are chosen, what they are given, and what is logged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
from pydantic import BaseModel
from starlette.responses import JSONResponse, PlainTextResponse

from wscontrollers import (
    App,
    Denied,
    Depends,
    HTTPException,
    Query,
    Session,
    WebSocket,
    WebSocketDisconnect,
    WebSocketException,
    WebSocketRequestValidationError,
    websocket_session,
)
from wscontrollers.routing.failures import handler_of, is_departure, meant
from wscontrollers.testing import TestClient, WebSocketDenialResponse


def failing(error: Exception, *, accept: bool = False, **options: Any) -> App:
    """An app whose only endpoint raises."""
    app = App(**options)

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, limit: int = 0) -> None:
        if accept:
            await websocket.accept()
        raise error

    return app


def denial(app: App, path: str = "/", **options: Any) -> WebSocketDenialResponse:
    with TestClient(app, **options) as client, pytest.raises(WebSocketDenialResponse) as caught:
        client.websocket_connect(path).__enter__()
    return caught.value


def close(app: App, path: str = "/", **options: Any) -> WebSocketDisconnect:
    with (
        TestClient(app, **options) as client,
        pytest.raises(WebSocketDisconnect) as caught,
        client.websocket_connect(path) as session,
    ):
        session.receive_text()
    return caught.value


class Teapot(Exception):
    pass


class BrownTeapot(Teapot):
    pass


class Search(BaseModel):
    model_config = {"extra": "forbid"}

    q: str = ""


def test_http_exception_is_an_answer_with_detail() -> None:
    """`HTTPException` before the accept is an HTTP answer with JSON, as FastAPI writes it."""
    response = denial(failing(HTTPException(418, "tea", {"x-a": "b"})))
    assert (response.status_code, response.json(), response.headers["x-a"]) == (418, {"detail": "tea"}, "b")


def test_denied_without_text_has_the_phrase_of_its_status() -> None:
    """`Denied(401)` says "Unauthorized"."""
    assert denial(failing(Denied(401))).json() == {"detail": "Unauthorized"}


def test_statuses_without_a_body_have_none() -> None:
    """An answer with a status that has no body gets none."""
    assert denial(failing(HTTPException(304))).content == b""


def test_websocket_exception_before_the_accept() -> None:
    """`WebSocketException` before the accept closes with its code and reason."""
    error = close(failing(WebSocketException(4000, "no")))
    assert (error.code, error.reason) == (4000, "no")


def test_websocket_exception_after_the_own_close() -> None:
    """A `WebSocketException` after the endpoint closed by itself changes nothing and is no error."""
    app = App()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close(4001)
        raise WebSocketException(4002)

    assert close(app).code == 4001


def test_the_nearest_class_has_the_handler() -> None:
    """The handler of the nearest class of the exception is chosen; statuses come before classes."""

    def one(websocket: Any, error: Any) -> None: ...
    def two(websocket: Any, error: Any) -> None: ...

    assert handler_of(BrownTeapot(), {Teapot: one, Exception: two}, {}) is one
    assert handler_of(HTTPException(404), {HTTPException: one}, {404: two}) is two
    assert handler_of(Teapot(), {}, {}) is None


@pytest.mark.parametrize("accept", [False, True])
def test_handlers_of_the_application(accept: bool) -> None:
    """A handler gets the endpoint's own WebSocket and the exception; it may be async or plain."""

    async def handle(websocket: WebSocket, error: Exception) -> None:
        await websocket.close(4000 + len(error.args))

    assert close(failing(BrownTeapot(1, 2), accept=accept, exception_handlers={Teapot: handle})).code == 4002


def test_a_plain_handler_returns_an_answer() -> None:
    """A plain function as handler may return a response; after the accept it becomes a close."""

    def handle(websocket: WebSocket, error: Exception) -> JSONResponse:
        return JSONResponse({"tea": True}, 418)

    handlers = {Teapot: handle}
    assert denial(failing(Teapot(), exception_handlers=handlers)).json() == {"tea": True}
    assert close(failing(Teapot(), accept=True, exception_handlers=handlers)).code == 1008


def test_a_handler_that_does_not_close() -> None:
    """A handler that leaves the session open leaves it to the frame, which closes with 1000."""

    async def handle(websocket: WebSocket, error: Exception) -> None: ...

    assert close(failing(Teapot(), accept=True, exception_handlers={Teapot: handle})).code == 1000


def test_a_handler_that_raises_reaches_the_outer_layer() -> None:
    """What a handler raises is handled by the handler of that exception."""

    async def turn(websocket: WebSocket, error: Exception) -> None:
        raise KeyError

    async def handle(websocket: WebSocket, error: Exception) -> None:
        await websocket.close(4010)

    assert close(failing(Teapot(), accept=True, exception_handlers={Teapot: turn, KeyError: handle})).code == 4010


def test_invalid_parameters_have_a_short_reason() -> None:
    """Invalid parameters close with 1008 and a text as the reason."""
    error = close(failing(Teapot()), "/?limit=x")
    assert (error.code, error.reason) == (1008, "Invalid parameters")


def test_the_handler_of_invalid_parameters_can_be_replaced() -> None:
    """An application says itself what invalid parameters are; the exception knows its endpoint."""
    app = failing(Teapot())

    @app.exception_handler(WebSocketRequestValidationError)
    async def handle(websocket: WebSocket, error: WebSocketRequestValidationError) -> PlainTextResponse:
        return PlainTextResponse(f"{error.endpoint_path} {error.endpoint_function} {error.errors()[0]['type']}", 400)

    assert denial(app, "/?limit=x").text == "WS / endpoint int_parsing"


def test_a_departure_is_no_failure() -> None:
    """That the peer left is the end of a session, also when the tasks of a group say it together."""
    gone = WebSocketDisconnect(1001)
    assert is_departure(gone)
    assert is_departure(ExceptionGroup("tasks", [gone, ExceptionGroup("more", [gone])]))
    assert not is_departure(ExceptionGroup("tasks", [gone, Teapot()]))


def test_an_exception_out_of_a_task_group_is_handled_as_itself() -> None:
    """The one exception of a task group has its handler, beside tasks that only say that the peer left."""
    error = close(failing(ExceptionGroup("tasks", [WebSocketException(4005, "enough"), WebSocketDisconnect(1001)]), accept=True))
    assert (error.code, error.reason) == (4005, "enough")
    both = ExceptionGroup("tasks", [Teapot(), KeyError()])
    assert meant(both) is both


def test_a_disconnect_that_leaves_the_endpoint_is_a_clean_end(caplog: pytest.LogCaptureFixture) -> None:
    """`WebSocketDisconnect` out of an endpoint is neither logged nor raised; clean-ups see it."""
    seen: list[int] = []
    app = App()

    async def watching() -> AsyncIterator[None]:
        try:
            yield
        except WebSocketDisconnect as error:
            seen.append(error.code)
            raise

    @app.websocket("/", dependencies=[Depends(watching)])
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_text()

    with TestClient(app, raise_server_exceptions=False) as client, client.websocket_connect("/") as session:
        session.close(4321)
    assert (seen, caplog.records) == ([4321], [])
    # A test client that raises shows it, as Starlette's does: tests that were written for that one go on to hold.
    with TestClient(app) as client, pytest.raises(WebSocketDisconnect), client.websocket_connect("/"):
        pass


def test_unhandled_exceptions_surface_in_tests() -> None:
    """Under a test client that raises, an unhandled exception is the test's, as it was raised."""
    with TestClient(failing(Teapot("own"), accept=True)) as client, pytest.raises(Teapot, match="own"):  # noqa: SIM117
        with client.websocket_connect("/") as session:
            session.receive_text()


@pytest.mark.parametrize("accept", [False, True])
def test_unhandled_exceptions_tell_the_peer_nothing(accept: bool, caplog: pytest.LogCaptureFixture) -> None:
    """In production the peer sees 500 or 1011 without detail; the log has the traceback once, and an id."""
    app = failing(Teapot("secret"), accept=accept)
    if accept:
        told: Any = close(app, raise_server_exceptions=False)
        assert (told.code, told.reason) == (1011, "Internal error")
    else:
        told = denial(app, raise_server_exceptions=False)
        assert (told.status_code, told.json()) == (500, {"detail": "Internal Server Error"})
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], Teapot)


@pytest.mark.parametrize("key", [Exception, 500])
@pytest.mark.parametrize("accept", [False, True])
def test_the_handler_for_exception_is_the_last_that_is_asked(key: Any, accept: bool, caplog: pytest.LogCaptureFixture) -> None:
    """For sessions as for HTTP requests: it tells the peer what it likes, and the exception is logged all the same."""
    app = failing(RuntimeError("secret"), accept=accept)

    @app.exception_handler(key)
    async def last(connection: Any, error: Exception) -> JSONResponse:
        assert str(error) == "secret"
        return JSONResponse({"sorry": connection.url.path}, 503)

    @app.exception_handler(Teapot)
    async def nearer(websocket: WebSocket, error: Teapot) -> None: ...

    app.router.add_route("/page", page)
    with caplog.at_level(logging.ERROR, "wscontrollers.session"):
        if accept:
            assert close(app, raise_server_exceptions=False).code == 1011
        else:
            refused = denial(app, raise_server_exceptions=False)
            assert (refused.status_code, refused.json()) == (503, {"sorry": "/"})
    assert [record.exc_info[1].args for record in caplog.records if record.exc_info and record.exc_info[1]] == [("secret",)]
    assert TestClient(app, raise_server_exceptions=False).get("/page").json() == {"sorry": "/page"}


async def page(request: Any) -> None:
    raise RuntimeError("secret")


def test_the_handler_for_exception_may_fail_or_do_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Then the peer is told what it is told without one."""
    app = failing(RuntimeError("secret"), accept=True, exception_handlers={Exception: lambda websocket, error: 1 / 0})
    assert close(app, raise_server_exceptions=False).code == 1011
    assert [type(each.exc_info[1]).__name__ for each in caplog.records if each.exc_info] == ["RuntimeError", "ZeroDivisionError"]
    app = failing(RuntimeError("secret"), exception_handlers={Exception: lambda websocket, error: None})
    assert denial(app, raise_server_exceptions=False).status_code == 500


def test_the_handler_for_exception_under_a_client_that_raises() -> None:
    """It is called, and the exception surfaces, as Starlette's does it; a peer that left is asked of nobody."""
    asked: list[Exception] = []
    for error in (RuntimeError("secret"), WebSocketDisconnect(1001)):
        app = failing(error, accept=True, exception_handlers={Exception: lambda websocket, error: asked.append(error)})
        with TestClient(app) as client, pytest.raises(type(error)), client.websocket_connect("/") as session:
            session.receive_text()
    assert [str(error) for error in asked] == ["secret"]


def test_the_innermost_handler_for_exception_is_asked() -> None:
    """That of a mounted application, if it has one."""

    def last(name: str) -> Any:
        return {Exception: lambda websocket, error: JSONResponse(name, 500)}

    for inner, expected in ((last("inner"), "inner"), ({}, "outer")):
        app = App(exception_handlers=last("outer"))
        app.mount("/m", failing(RuntimeError("secret"), exception_handlers=inner))
        assert denial(app, "/m/", raise_server_exceptions=False).json() == expected


def test_control_characters_of_a_path_are_escaped_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """What a client puts into its path cannot forge lines of the log, and the query is not there at all."""
    app = App()

    @app.websocket("/{rest:path}")
    async def endpoint(websocket: WebSocket, rest: str) -> None:
        raise Teapot

    denial(app, "/a%1b%7froot?token=secret", raise_server_exceptions=False)
    (line,) = [record.getMessage() for record in caplog.records]
    assert "/a\\x1b\\x7froot" in line
    assert "secret" not in line


def test_a_handshake_that_is_refused_is_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Of its path and of why, but of nothing that was sent."""
    app = failing(Denied(402, "pay first"))
    with caplog.at_level(logging.INFO, "wscontrollers.session"):
        denial(app, "/?token=secret")
        close(app, "/?limit=secret")
        denial(app, headers={"Origin": "https://secret.example"})
    assert [record.getMessage() for record in caplog.records] == [
        "session at '/': refused with 402",
        "session at '/': refused, its parameters are not valid: ['query.limit: int_parsing']",
        "session at '/': refused with 403, its origin is not allowed",
    ]


@pytest.mark.parametrize("invalid", ["close", "answer"])
def test_names_that_a_client_makes_up_are_cut_and_escaped(invalid: Any, caplog: pytest.LogCaptureFixture) -> None:
    """They are in the log where they are what is wrong, and can neither forge lines of it nor fill it."""
    app = App(invalid_parameters=invalid)

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, search: Annotated[Search, Query()]) -> None: ...

    caplog.set_level(logging.INFO, "wscontrollers.session")
    with TestClient(app) as client, pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)):
        client.websocket_connect("/?%0aroot" + "a" * 5000 + "=1").__enter__()
    (line,) = [record.getMessage() for record in caplog.records]
    assert "query.\\nrootaaa" in line
    assert len(line) < 300


@pytest.mark.parametrize("path", ["/plain", "/held", "/early", "/denied", "/closed", "/?limit=no"])
def test_a_peer_that_is_gone_before_it_has_an_answer_is_no_failure(path: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the answer would have been: clean-ups run, the session knows how it ended, and nothing is logged as an error."""
    app, ended = App(), list[Any]()

    async def cleaned_up() -> AsyncIterator[None]:
        try:
            yield
        finally:
            ended.append("cleaned up")

    @app.websocket("/plain", dependencies=[Depends(cleaned_up)])
    async def plain(websocket: WebSocket) -> None:
        await websocket.accept()

    @app.websocket("/held", dependencies=[Depends(cleaned_up)])
    async def held(session: Session) -> None: ...

    @app.websocket("/early", accept=False, dependencies=[Depends(cleaned_up)])
    async def early(session: Session) -> None:
        try:
            await session.accept()
        finally:
            assert session.ended is not None
            ended.append(session.ended.by)

    @app.websocket("/denied", dependencies=[Depends(cleaned_up)])
    async def denied(websocket: WebSocket) -> None:
        raise Denied(402)

    @app.websocket("/closed", dependencies=[Depends(cleaned_up)])
    async def closed(websocket: WebSocket) -> None:
        raise WebSocketException(1008)

    @app.websocket("/", dependencies=[Depends(cleaned_up)])
    async def parameter(websocket: WebSocket, limit: int) -> None: ...

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(event: Any) -> None:
        raise OSError("gone")

    async def main() -> None:
        route, _, query = path.partition("?")
        extensions = {"websocket.http.response": {}}
        scope = {"type": "websocket", "path": route, "query_string": query.encode(), "headers": [], "extensions": extensions}
        await app(scope, receive, send)

    asyncio.run(main())
    assert ended == {"/early": ["network", "cleaned up"]}.get(path, ["cleaned up"])
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_awaiting_what_was_cancelled_is_a_failure_of_the_session() -> None:
    """A cancellation of somebody else's task is no cancellation of the session: the peer sees 1011, never a broken connection."""
    app = App()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        other = asyncio.get_running_loop().create_future()
        other.cancel()
        await other

    assert close(app, raise_server_exceptions=False).code == 1011
    with pytest.raises(RuntimeError, match="Fix: catch CancelledError") as caught:
        close(app)
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)


def test_a_cancellation_of_the_session_goes_on() -> None:
    """Only so does the scope further out that asked for it learn of it, and clean-ups run on the way."""
    left: list[type[BaseException]] = []

    async def main() -> None:
        task = asyncio.create_task(websocket_session(endpoint)(scope, receive, send))
        await accepted.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def endpoint(websocket: WebSocket) -> None:
        try:
            accepted.set()
            await asyncio.Event().wait()
        except BaseException as error:
            left.append(type(error))
            raise

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        raise AssertionError("nobody is there any more")

    scope: dict[str, Any] = {"type": "websocket", "path": "/", "headers": [], "query_string": b""}
    accepted = asyncio.Event()
    asyncio.run(main())
    assert left == [asyncio.CancelledError]


def test_a_reason_that_is_too_long_is_cut() -> None:
    """A close frame holds 123 bytes of it (RFC 6455, section 5.5)."""
    error = close(failing(WebSocketException(1008, "x" * 200), accept=True))
    assert (error.code, error.reason) == (1008, "x" * 123)


def test_a_code_that_cannot_be_sent_closes_with_1011() -> None:
    """It is the application's mistake, so the log has it and the peer sees a close all the same."""
    assert close(failing(WebSocketException(1005), accept=True), raise_server_exceptions=False).code == 1011


def test_denied_after_the_accept_has_its_text_as_the_reason() -> None:
    """After the accept `Denied` closes with 1008 and its text."""
    error = close(failing(Denied(401, "Who are you?"), accept=True))
    assert (error.code, error.reason) == (1008, "Who are you?")
