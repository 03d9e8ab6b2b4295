"""A session that is held: opened on a handshake, accepted, and run around its endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any, Final

from ..callables import AnyCallable
from ..dependencies import Plan
from ..messages import Codec
from ..websockets import ServedWebSocket
from .compiling import wire_of
from .conducting import conduct
from .contract import Contract
from .dispatch import Dispatcher
from .handlers import Handlers
from .handling import Handling
from .limits import DEFAULT_LIMITS, Limits
from .session import Session
from .wire import Wire

SENDS_KEY: Final = "wscontrollers.sends"
"""Where the ASGI scope tells what an endpoint declares to send, for tests and tools."""


class Holder:
    """Holds the sessions of one endpoint.

    Args:
        contract: What is declared of them.
        endpoint: The endpoint's function.
        limits: Those of the app.
        codecs: Those of the app; JSON where there are none.
    """

    def __init__(
        self, contract: Contract, endpoint: AnyCallable, *, limits: Limits = DEFAULT_LIMITS, codecs: Sequence[Codec] = ()
    ) -> None:
        self.contract = contract
        self.endpoint = endpoint
        self._limits = limits
        self._codecs = codecs
        self._handlers = contract.handlers or Handlers((), "")

    @cached_property
    def wire(self) -> Wire:
        """What the sessions speak; compiled when it is first asked for, which is at registration.

        Raises:
            DeclarationError: Something that is named as a message is none.
        """
        return wire_of(self.contract, self.endpoint, limits=self._limits, codecs=self._codecs)

    def open(self, websocket: ServedWebSocket) -> Session[Any, Any]:
        """A session on a handshake, for all that is resolved of it to have."""
        wire = self.wire
        if wire.sends:
            websocket.scope[SENDS_KEY] = wire.sends
        session: Session[Any, Any] = Session(websocket, wire)
        websocket.session_of_it = session
        return session

    async def hold(self, session: Session[Any, Any], plan: Plan, values: list[Any]) -> None:
        """Run an endpoint in its session.

        Args:
            session: The session, of a handshake whose dependencies are solved.
            plan: The plan that holds for it.
            values: What the plan made.

        Raises:
            Exception: What the endpoint raised, or a task of the session.
        """
        if self.contract.accept:
            await session.accept()
        if not plan.yields:
            await session.run(partial(session.interruptible, partial(plan.endpoint, values)))
            return
        controller: Any = None if plan.instance is None else values[plan.instance]
        around = getattr(controller, "around_message", None)
        dispatcher = Dispatcher(self._handlers, Handling(session, self._handlers.all, plan.handlers, values, around))
        await session.run(partial(conduct, session, plan.endpoint(values), dispatcher.run))
