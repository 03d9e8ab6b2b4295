"""A session that is held: opened on a handshake, accepted, and run around its endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from functools import cached_property, partial
from typing import Any, Final

from ..callables import AnyCallable
from ..dependencies import Plan
from ..messages import Codec, ObjectCodec
from ..websockets import ServedWebSocket
from .compiling import wire_of
from .conducting import conduct
from .contract import Contract
from .dispatch import Dispatcher
from .framing import SPOKEN_KEY
from .handlers import Handlers
from .handling import Handling
from .life import Life
from .limits import DEFAULT_LIMITS, Limits
from .memberships import Enrol
from .session import Session, life_of
from .wire import Wire

SENDS_KEY: Final = "wscontrollers.sends"
"""Where the ASGI scope tells what an endpoint declares to send, for tests and tools."""

LINE_KEY: Final = "wscontrollers.line"
"""Where the ASGI scope of a session that can be resumed has its line."""


class Holder:
    """Holds the sessions of one endpoint.

    Args:
        contract: What is declared of them.
        endpoint: The endpoint's function.
        limits: Those of the app.
        codecs: Those of the app beside JSON.
        enrol: Lets a session into groups.
        direct: Whether frames may go past the server's `send` and `receive`, where that comes to the same.
    """

    def __init__(
        self,
        contract: Contract,
        endpoint: AnyCallable,
        *,
        limits: Limits = DEFAULT_LIMITS,
        codecs: Sequence[Codec] = (),
        enrol: Enrol | None = None,
        direct: bool = True,
    ) -> None:
        self.contract = contract
        self.endpoint = endpoint
        self._limits = limits
        self._codecs = codecs
        self._enrol = enrol
        self._direct = direct
        self._handlers = contract.handlers or Handlers((), "")

    @cached_property
    def wire(self) -> Wire:
        """What the sessions speak; compiled when it is first asked for, which is at registration.

        Raises:
            DeclarationError: Something that is named as a message is none.
        """
        return wire_of(self.contract, self.endpoint, limits=self._limits, codecs=self._codecs)

    @cached_property
    def _kind(self) -> type[Session[Any, Any]]:
        if self.contract.protocol is None:
            return Session
        from .called import CalledSession

        return CalledSession

    def open(self, websocket: ServedWebSocket) -> Session[Any, Any]:
        """A session on a handshake, for all that is resolved of it to have."""
        wire = self.wire
        # Who serves a session that can be resumed has put its line there.
        line = None if self.contract.resume is None else websocket.scope.get(LINE_KEY)
        life = Life(websocket, wire, self._enrol, direct=self._direct, line=line)
        if wire.sends:
            websocket.scope[SENDS_KEY] = wire.sends
            websocket.scope[SPOKEN_KEY] = life.framing
        if self._codecs:  # else JSON is spoken
            codec: object = getattr(life.framing, "codec", None)
            limits = wire.limits.of_frames
            websocket.decode = partial(codec.decode, limits=limits) if isinstance(codec, ObjectCodec) else None
        session = self._kind(life)
        websocket.session_of_it = session
        return session

    async def accept(self, session: Session[Any, Any]) -> None:
        """Accept a handshake whose dependencies are solved, unless that is left to the endpoint."""
        if self.contract.accept:
            await life_of(session).accept()
        else:
            life_of(session).leave_accept()

    def hold(self, session: Session[Any, Any], plan: Plan, values: list[Any]) -> Awaitable[None]:
        """Run an endpoint in its session; what is returned is awaited.

        Args:
            session: The session, of a handshake that is dealt with.
            plan: The plan that holds for it.
            values: What the plan made.

        Raises:
            Exception: From what is returned: what the endpoint raised, or a task of the session.
        """
        life = life_of(session)
        if not plan.yields:
            return life.run(life.interruptible, plan.endpoint, values)
        controller: Any = None if plan.instance is None else values[plan.instance]
        around = getattr(controller, "around_message", None)
        dispatcher = Dispatcher(self._handlers, Handling(life, self._handlers.all, plan.handlers, values, around))
        return life.run(conduct, life, plan.endpoint(values), dispatcher)

    def release(self, session: Session[Any, Any]) -> None:
        """Let go of a session that is over."""
        life = life_of(session)
        life.websocket.session_of_it = None
        life.release()
