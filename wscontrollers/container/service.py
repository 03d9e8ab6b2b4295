"""What a graph answers for a key."""

from collections.abc import Callable
from typing import Any

from wscontrollers.container.inputs import Input
from wscontrollers.container.keys import Key
from wscontrollers.container.scopes import Scope, Tier
from wscontrollers.exceptions import Fault
from wscontrollers.records import Record


class Service(Record):
    """A compiled key.

    Attributes:
        tier: The tier that it needs: a new-each-time thing that needs a session's thing has `Tier.SESSION`.
        awaits: Whether `factory` returns an awaitable.
        factory: Gives the thing for a running scope.
        inputs: Everything that the handshake must have supplied before, in order of need, also what is needed lazily.
        session_inputs: Those of them that are for something that is kept as long as the session.
        faults: Why it cannot work; then `factory` raises them.
        cleans_up: Whether it may leave a clean-up with the scope of a session or message.
    """

    key: Key
    tier: Tier
    awaits: bool
    factory: Callable[[Scope], Any]
    inputs: tuple[Input, ...]
    session_inputs: frozenset[Input]
    faults: tuple[Fault, ...]
    cleans_up: bool
