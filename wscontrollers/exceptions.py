"""Every error of the package.

    Exception
    ├── DeclarationError (TypeError)          a programmer's mistake, found at import or registration
    │   ├── DependencyScopeError              a request-scope generator needs a function-scope dependency
    │   ├── RouteError (ValueError)           a path, prefix or name that cannot work
    │   └── ContainerError                    faults of the container's bindings, all at once
    │       ├── ScopeLeakError                a thing needs something that lives shorter than itself
    │       ├── AsyncBindingError             something that must be awaited was asked for synchronously
    │       └── OverrideError (ValueError)    an override of a key that nothing uses
    ├── ContainerClosedError (RuntimeError)   a container was asked for something after its end
    ├── EngineError                           what carries groups between processes refuses something
    │   └── EngineDownError                   it does not answer
    ├── RequestRefusedError                   a client answered a session's request with an error
    ├── WebSocketRequestValidationError       the handshake's parameters are not valid
    ├── WebSocketException                    close with a code and a reason (Starlette's)
    ├── WebSocketDisconnect                   the peer is gone (Starlette's)
    └── HTTPException                         refuse the handshake with an HTTP answer (Starlette's)
        └── Denied                            the same, by its name in this package

A programmer's mistake is told as *where: what. Fix: how to mend it*; `DeclarationError.faults` has the parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self, TypedDict, cast

from starlette.exceptions import HTTPException, WebSocketException
from starlette.websockets import WebSocketDisconnect

__all__ = [
    "AsyncBindingError",
    "ContainerClosedError",
    "ContainerError",
    "DeclarationError",
    "Denied",
    "DependencyScopeError",
    "EndpointContext",
    "EngineDownError",
    "EngineError",
    "Fault",
    "HTTPException",
    "OverrideError",
    "RequestRefusedError",
    "RouteError",
    "ScopeLeakError",
    "WebSocketDisconnect",
    "WebSocketException",
    "WebSocketRequestValidationError",
]


class Fault(NamedTuple):
    """One mistake: where it is, what it is, and how to mend it."""

    where: str
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. Fix: {self.fix}."


class DeclarationError(TypeError):
    """A mistake in the program's own declarations; raised at import or registration, never while a client waits."""

    def __init__(self, *faults: Fault) -> None:
        self.faults: tuple[Fault, ...] = faults
        super().__init__(_listed(faults))

    @classmethod
    def at(cls, where: str, what: str, *, fix: str) -> Self:
        """The error of a single fault."""
        return cls(Fault(where, what, fix))


def _listed(faults: Sequence[Fault]) -> str:
    if len(faults) == 1:
        return str(faults[0])
    return "\n".join([f"{len(faults)} faults:", *(f"  - {fault}" for fault in faults)])


class DependencyScopeError(DeclarationError):
    """A generator of scope "request" depends on one of scope "function", which is closed before it."""


class RouteError(DeclarationError, ValueError):
    """A path, a prefix or an inclusion that cannot work, or a route that can never be reached."""


class ContainerError(DeclarationError):
    """Faults of the container's bindings: missing ones, cycles, scope leaks, lazy access to async ones."""


class ScopeLeakError(ContainerError):
    """Something needs a thing that lives shorter than itself, or a session's thing was asked for outside a session."""


class AsyncBindingError(ContainerError):
    """A thing that must be awaited was asked for by synchronous, lazy access."""


class OverrideError(ContainerError, ValueError):
    """An override of a key that nothing in the container uses."""


class ContainerClosedError(RuntimeError):
    """A container, or the scope of a session, was asked for something after it had been closed."""


class Denied(HTTPException):
    """Refuse a handshake: before the accept the peer gets this as a true HTTP answer, afterwards a close with 1008.

    Args:
        status_code: The HTTP status, for example 401.
        detail: The text for the client; the phrase of the status when left out.
        headers: Headers of the answer, for example `WWW-Authenticate`.

    Raises:
        ValueError: The status refuses nothing: it is none from 300 to 599.

    Source: ASGI's "Websocket Denial Response" extension; RFC 6455, section 4.2.2.
    """

    def __init__(self, status_code: int, detail: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        if not isinstance(cast(object, status_code), int) or not 300 <= status_code <= 599:
            raise ValueError(
                f"Denied(): {status_code!r} refuses nothing. Fix: give an HTTP status from 300 to 599, 403 for example."
            )
        super().__init__(status_code, detail, headers)


class EndpointContext(TypedDict, total=False):
    """Where an endpoint stands: its function, file, line and path, for log lines and error texts."""

    function: str
    path: str
    file: str
    line: int


class EngineError(Exception):
    """What carries groups between processes refuses something: its text says what, and what to do about it."""


class EngineDownError(EngineError):
    """What carries groups between processes does not answer; what became of a message is not known then."""


class RequestRefusedError(Exception):
    """A client answered `session.request` with an error, or with no message where one was expected.

    Args:
        code: The code of its error frame.
        text: The text of it; what a client says is no secret of ours, and no truth either.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


class WebSocketRequestValidationError(Exception):
    """The parameters of a handshake are not valid; by default the session is closed with 1008 before its accept.

    Args:
        errors: One mapping an error, as pydantic writes them: `loc`, `type`, `msg`, `input` and, where there is one, `ctx`.
        endpoint_ctx: The endpoint that was asked for.
    """

    def __init__(self, errors: Sequence[Any], *, endpoint_ctx: EndpointContext | None = None) -> None:
        super().__init__(errors)
        self._errors = errors
        self.endpoint_ctx = endpoint_ctx
        context = endpoint_ctx or EndpointContext()
        self.endpoint_function = context.get("function")
        self.endpoint_path = context.get("path")
        self.endpoint_file = context.get("file")
        self.endpoint_line = context.get("line")

    def errors(self) -> Sequence[Any]:
        """The errors, in the order in which dependencies and parameters are met."""
        return self._errors

    def __str__(self) -> str:
        count = len(self._errors)
        lines = [f"{count} validation error{'' if count == 1 else 's'}:", *(f"  {error}" for error in self._errors)]
        if self.endpoint_file and self.endpoint_line and self.endpoint_function:
            lines.append(f'  File "{self.endpoint_file}", line {self.endpoint_line}, in {self.endpoint_function}')
            if self.endpoint_path:
                lines.append(f"    {self.endpoint_path}")
        elif self.endpoint_path:
            lines.append(f"  Endpoint: {self.endpoint_path}")
        return "\n".join(lines)
