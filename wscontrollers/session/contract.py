"""What is declared of an endpoint's sessions: plain data, of which `compiling` makes what they speak."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..records import Record
from .limits import Limits

if TYPE_CHECKING:
    from ..messages import JsonRpc, OutboxPolicy
    from .handlers import Handlers
    from .resuming.resume import Resume


class Contract(Record):
    """What is declared of an endpoint's sessions.

    Attributes:
        handlers: The handlers of its controller, for an endpoint that yields.
        limits: Those of the route over those of the controller.
        outbox: What happens to messages without room whose class says nothing.
        sends: Types that are sent outside of answers.
        accept: Whether the session is accepted before the endpoint runs.
        type_arguments: What stands for the type variables of a generic controller.
        constructor: The annotations of its constructor, which may be what holds the session.
        protocol: What is spoken in place of flat frames in a codec.
        resume: How they can be resumed; None where they end with their connection.
    """

    handlers: "Handlers | None" = None
    limits: Limits = Limits()
    outbox: "OutboxPolicy" = "close"
    sends: Sequence[Any] = ()
    accept: bool = True
    type_arguments: Mapping[Any, Any] = MappingProxyType({})
    constructor: Sequence[Any] = ()
    protocol: "JsonRpc | None" = None
    resume: "Resume | None" = None
