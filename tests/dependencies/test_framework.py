"""Rule 2: the types that the framework itself gives, and those that a WebSocket has not."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from starlette.background import BackgroundTasks
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.dependencies.sessions import sending, sent
from wscontrollers import App, DeclarationError, Header, HTTPConnection, Message, Session, WebSocket
from wscontrollers.dependencies.framework import framework_value
from wscontrollers.dependencies.sources import Framework
from wscontrollers.dependencies.surroundings import Surroundings
from wscontrollers.security import SecurityScopes


class Say(Message):
    text: str


class Shout(Say):
    pass


class Other(Message):
    pass


class Legacy(HTTPConnection):
    pass


class Special(WebSocket):
    pass


def given(annotation: Any, *messages: type) -> Framework | None:
    """What is given to a parameter, below a handler of these messages."""
    around = Surroundings("where", "/", frozenset(), True, None, message_types=messages or None)
    return framework_value("thing", annotation, around)


def fault(annotation: Any, *messages: type) -> str:
    with pytest.raises(DeclarationError) as raised:
        given(annotation, *messages)
    return str(raised.value)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (WebSocket, Framework.CONNECTION),
        (HTTPConnection, Framework.CONNECTION),
        (Special, Framework.CONNECTION),
        (WebSocket | None, Framework.CONNECTION),
        (SecurityScopes, Framework.SECURITY_SCOPES),
        (Session, Framework.SESSION),
        (Session[Say, Any], Framework.SESSION),
        (str, None),
        (Any, None),
        (Say, None),
    ],
)
def test_a_type_that_the_framework_gives(annotation: Any, value: Framework | None) -> None:
    """By its class; a message is given only below a handler."""
    assert given(annotation) is value


def test_a_framework_type_is_told_by_its_class_and_not_by_its_name() -> None:
    """`WebSocket` and `HTTPConnection` are the same session, whatever the parameters are called."""

    def found(a: WebSocket, b: HTTPConnection, c: WebSocket | None, d: SecurityScopes) -> Any:
        return [a is b, a is c, d.scopes]

    assert sent(sending(found)) == [True, True, []]


@pytest.mark.parametrize(
    ("annotation", "what", "fix"),
    [
        (Request, "a WebSocket has no HTTP request", "annotate it with WebSocket or HTTPConnection"),
        (Response, "a WebSocket has no HTTP response", "raise Denied(status, text) to refuse, or pass headers to accept()"),
        (JSONResponse, "a WebSocket has no HTTP response", "raise Denied(status, text) to refuse, or pass headers to accept()"),
        (BackgroundTasks, "a WebSocket has no response to run tasks after", "await the work, or start it in a task of your own"),
        (Legacy, "a session has no Legacy", "annotate it with WebSocket or HTTPConnection"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_only_http_has(annotation: Any, what: str, fix: str) -> None:
    """A request, a response or background tasks are refused, also where they are optional."""
    assert fault(annotation) == fault(annotation | None) == f"where, parameter 'thing': {what}. Fix: {fix}."


def test_what_only_http_has_is_refused_though_it_has_a_default_or_a_marker() -> None:
    """A WebSocket never has it, whoever is asked."""

    async def default(websocket: WebSocket, thing: Request | None = None) -> None: ...

    async def marked(websocket: WebSocket, thing: Annotated[Request, Header()]) -> None: ...

    functions: list[Callable[..., Any]] = [default, marked]
    for function in functions:
        with pytest.raises(DeclarationError, match="parameter 'thing': a WebSocket has no HTTP request"):
            App().add_api_websocket_route("/", function)


def test_below_a_handler_its_message_is_given() -> None:
    """To whoever takes all that the handler takes."""
    assert given(Say, Say) is Framework.MESSAGE
    assert given(Say, Shout) is Framework.MESSAGE
    assert given(Say | Other, Say, Other) is Framework.MESSAGE
    assert given(Message, Say, Other) is Framework.MESSAGE
    assert given(str, Say) is None


def test_who_takes_less_than_the_handler_is_refused() -> None:
    """It would be given what it cannot take."""
    assert fault(Say, Say, Other) == (
        "where, parameter 'thing': it takes Say, and its handler is given Other too. "
        "Fix: annotate it with a class above both, or with Say | Other."
    )
