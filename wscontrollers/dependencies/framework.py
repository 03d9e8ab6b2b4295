"""Rule 2 of who fills a parameter: the types that the framework itself gives, and those that a WebSocket has not."""

from typing import Any, get_origin

from starlette.background import BackgroundTasks
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from .. import messages, security
from ..callables import name_of
from ..exceptions import DeclarationError
from .annotations import is_subclass, members_of_union, without_none
from .sources import Framework
from .surroundings import Surroundings

_REFUSED = (
    (Request, "a WebSocket has no HTTP request", "annotate it with WebSocket or HTTPConnection"),
    (Response, "a WebSocket has no HTTP response", "raise Denied(status, text) to refuse, or pass headers to accept()"),
    (BackgroundTasks, "a WebSocket has no response to run tasks after", "await the work, or start it in a task of your own"),
)


def framework_value(name: str, annotation: Any, around: Surroundings) -> Framework | None:
    """What the framework gives to a parameter; None if another rule fills it.

    Args:
        name: The parameter's name, for error texts.
        annotation: Its type, without metadata.
        around: Where it stands.

    Raises:
        DeclarationError: A WebSocket has nothing of that type.
    """
    annotation = without_none(annotation)
    for refused, what, fix in _REFUSED:
        if is_subclass(annotation, refused):
            raise DeclarationError.at(around.place(name), what, fix=fix)
    if is_subclass(annotation, HTTPConnection):
        if not (issubclass(WebSocket, annotation) or issubclass(annotation, WebSocket)):
            raise DeclarationError.at(
                around.place(name), f"a session has no {name_of(annotation)}", fix="annotate it with WebSocket or HTTPConnection"
            )
        return Framework.CONNECTION
    if is_subclass(annotation, security.SecurityScopes):
        return Framework.SECURITY_SCOPES
    if getattr(get_origin(annotation) or annotation, "__session_type__", False) is True:
        return Framework.SESSION
    if around.message_types is not None and _is_message(annotation):
        _require_all(name, annotation, around.message_types, around)
        return Framework.MESSAGE
    return None


def _is_message(annotation: Any) -> bool:
    members = members_of_union(annotation)
    return bool(members) and all(is_subclass(member, messages.Message) for member in members)


def _require_all(name: str, annotation: Any, types: tuple[type, ...], around: Surroundings) -> None:
    """A dependency of a handler that takes its message has to take all that the handler takes."""
    taken = tuple(members_of_union(annotation))
    for cls in types:
        if not issubclass(cls, taken):
            raise DeclarationError.at(
                around.place(name),
                f"it takes {name_of(annotation)}, and its handler is given {name_of(cls)} too",
                fix=f"annotate it with a class above both, or with {name_of(annotation)} | {name_of(cls)}",
            )
