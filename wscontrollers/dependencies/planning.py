"""From declarations to a plan: each function once per session, however many edges lead to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.websockets import WebSocket

from .. import security
from ..callables import AnyCallable, Kind, name_of, place_of
from ..container import Input, Scope, Tier
from ..exceptions import DeclarationError, ScopeLeakError
from ..markers import FirstMessageParam
from ..messages.limits import DEFAULT_FIRST_MESSAGE_LIMITS, FirstMessageLimits
from .calls import step_of
from .dependant import Argument, Dependant, ServiceNeed
from .fields import ParamField
from .invoking import Invocation, invocation
from .parameters import Parameters
from .plan import Plan
from .reading import get_dependant
from .sources import Framework
from .steps import AWAIT, CALL, CONNECTION, FIRST_FREE, SCOPE, Step
from .surroundings import Supplier

if TYPE_CHECKING:
    from .drafts import MessageDraft
    from .message_plan import MessagePlan

Overrides = Mapping[AnyCallable, AnyCallable]


def make_plan(
    dependant: Dependant,
    *,
    supplier: Supplier | None = None,
    overrides: Overrides | None = None,
    threads: bool = True,
    first_message: FirstMessageLimits = DEFAULT_FIRST_MESSAGE_LIMITS,
) -> Plan:
    """Compile what a dependant declares.

    Args:
        dependant: An endpoint with all that is below it.
        supplier: The container's graph, for the signatures of overrides.
        overrides: What is called in place of a dependency, at every depth.
        threads: Whether plain functions run in worker threads where nothing else is said.
        first_message: What a first message may be, where one is asked for.

    Raises:
        DeclarationError: An override cannot be filled.
    """
    return _Planner(supplier, overrides or {}, threads=threads, first_message=first_message).plan(dependant)


class _Planner:
    """Walks the dependants depth first, in the order of their parameters, and lays down steps."""

    def __init__(
        self, supplier: Supplier | None, overrides: Overrides, *, threads: bool, first_message: FirstMessageLimits
    ) -> None:
        self.supplier = supplier
        self.overrides = overrides
        self.threads = threads
        self.first_message = first_message
        self.size = FIRST_FREE
        self.fields: dict[int, ParamField] = {}
        self.messages: dict[int, ParamField] = {}
        self.message_at = 0
        self.steps: list[Step] = []
        self.shared: dict[Any, int] = {}
        self.fed: dict[Input, int] = {}
        self.overriding: list[AnyCallable] = []
        self.cleans_up = False
        self.opens = False
        self.session: int | None = None
        self.message: MessageDraft | None = None

    def plan(self, dependant: Dependant) -> Plan:
        first, names, slots = self._arguments(dependant)
        handlers = [self._handler(handler, first) for handler in dependant.handlers]
        if self.messages:
            from .first_message import FirstMessageStep  # few ask for one, and it would be loaded for all

            # Only now all who want a part of the message are known; it is received where the first of them stands.
            self.steps.insert(self.message_at, FirstMessageStep(self.messages, self.first_message))
        return Plan(
            parameters=Parameters(self.fields) if self.fields else None,
            steps=self.steps,
            endpoint=invocation(dependant.call, names, slots, first=first),
            arguments=dict(zip(names, slots, strict=True)),
            size=self.size,
            cleans_up=self.cleans_up,
            opens=self.opens,
            wants_session=self.session is not None,
            yields=dependant.kind is Kind.ASYNC_GENERATOR,
            instance=first,
            handlers=handlers,
        )

    def _handler(self, dependant: Dependant, first: int | None) -> MessagePlan:
        """What is left to do for each message: its guards, what reads it or lives as long as it, and what needs one of these."""
        from .drafts import MessageDraft  # only handlers of typed messages need it

        self.message = draft = MessageDraft(self._new_slot(), dependant.message_types)
        for guard in dependant.guards:
            self._made(guard, message=True)
        _, names, slots = self._arguments(dependant.with_options(guards=[]))
        self.message = None
        return draft.plan(invocation(dependant.call, names, slots, first=first))

    def _new_slot(self) -> int:
        self.size += 1
        return self.size - 1

    def _lay_down(self, make: Callable[[int], Step], *, cleans_up: bool = False, message: bool = False) -> int:
        slot = self._new_slot()
        step = make(slot)
        if self.message is not None and (message or self.message.is_read_by(step)):
            self.message.add(step, cleans_up=cleans_up)
        else:
            self.steps.append(step)
            self.cleans_up = self.cleans_up or cleans_up
        return slot

    def _arguments(self, dependant: Dependant) -> tuple[int | None, list[str], list[int]]:
        """Everything a call needs: the slot of `self`, the names that are passed and their slots."""
        for guard in dependant.guards:
            self._value(guard)
        first = None if dependant.constructor is None else self._value(dependant.constructor)
        found: dict[str, int] = {}
        for argument in dependant.arguments:
            if isinstance(argument.source, Dependant):
                found[argument.name] = self._value(argument.source)
            elif isinstance(argument.source, ServiceNeed):
                found[argument.name] = self._service(argument.source, dependant)
        for field in dependant.fields:
            found[field.name] = self._field(field)
        for argument in dependant.arguments:
            if isinstance(argument.source, Framework):
                found[argument.name] = self._framework(argument.source, dependant)
        names = [argument.name for argument in dependant.arguments]
        return first, names, [found[name] for name in names]

    # Dependencies

    def _value(self, declared: Dependant) -> int:
        key = _key(declared)
        if declared.use_cache and key in self.shared:
            return self.shared[key]
        if self.message is not None and declared.use_cache and key in self.message.shared:
            return self.message.shared[key]
        slot = self._made(declared)
        # What was made for one use alone still serves those who come later and do not insist, as in FastAPI.
        shared = self.message.shared if self.message is not None and slot in self.message.slots else self.shared
        shared.setdefault(key, slot)
        return slot

    def _made(self, declared: Dependant, *, message: bool = False) -> int:
        call = self._override_of(declared.call)
        return self._called(declared, message=message) if call is None else self._overridden(declared, call, message=message)

    def _overridden(self, declared: Dependant, call: AnyCallable, *, message: bool) -> int:
        if any(above is declared.call for above in self.overriding):
            raise DeclarationError.at(
                place_of(call),
                f"it overrides {name_of(declared.call)} and depends on it, so it would have to run before itself",
                fix="call the original inside of the override instead of depending on it",
            )
        override = get_dependant(
            path=declared.path,
            call=call,
            name=declared.name,
            parent_scopes=declared.security_scopes,
            scope=declared.scope,
            supplier=self.supplier,
            message_types=None if self.message is None else self.message.types,
        )
        override.limit, override.thread = declared.limit, declared.thread
        self.overriding.append(declared.call)
        try:
            return self._called(override, message=message)
        finally:
            self.overriding.pop()

    def _override_of(self, call: AnyCallable) -> AnyCallable | None:
        try:
            override = self.overrides.get(call, call)
        except TypeError:  # a callable object without a hash is no key of a mapping
            return None
        return None if override is call else override

    def _called(self, dependant: Dependant, *, message: bool = False) -> int:
        _, names, slots = self._arguments(dependant)
        threads = self.threads if dependant.thread is None else dependant.thread
        threaded = threads and not dependant.inline and dependant.kind in (Kind.CALL, Kind.GENERATOR)
        return self._lay_down(
            lambda slot: step_of(dependant, names, slot, slots, threaded=threaded),
            cleans_up=dependant.kind.is_generator,
            message=message,
        )

    # What is no dependency

    def _field(self, field: ParamField) -> int:
        slot = self._new_slot()
        if not isinstance(field.info, FirstMessageParam):
            self.fields[slot] = field
            return slot
        if not self.messages:
            self.message_at = len(self.steps)
        self.messages[slot] = field
        return slot

    def _framework(self, value: Framework, dependant: Dependant) -> int:
        if value is Framework.CONNECTION:
            return CONNECTION
        if value is Framework.MESSAGE:
            assert self.message is not None
            return self.message.message
        if value is Framework.SESSION:
            if self.session is None:
                self.session = self._lay_down(lambda slot: Step(CALL, slot, (), Invocation(_session, (CONNECTION,)), "Session"))
            return self.session
        scopes = partial(security.SecurityScopes, dependant.security_scopes)
        return self._lay_down(lambda slot: Step(CALL, slot, (), Invocation(scopes), security.SecurityScopes))

    def _service(self, need: ServiceNeed, dependant: Dependant) -> int:
        if need.service.tier is Tier.MESSAGE and self.message is None:
            raise ScopeLeakError.at(
                place_of(dependant.call),
                f"it needs {name_of(need.key)}, which lives as long as one message, and there is none where it runs",
                fix="ask for it in a @receive method or in a dependency of one, or bind it session-scoped",
            )
        fed = [self._feed(given, source) for given, source in need.inputs]
        service = need.service
        for (given, _), slot in zip(need.inputs, fed, strict=True):
            if self.message is not None and slot in self.message.slots and given in service.session_inputs:
                raise ScopeLeakError.at(
                    place_of(dependant.call),
                    f'it needs {name_of(need.key)}, for which "{given}" of {name_of(given.owner)} is kept as long as the '
                    "session, and is new with each message",
                    fix="bind what keeps it message-scoped, or pass what is new to its methods",
                )
        self.opens = True
        factory = Invocation(service.factory, (SCOPE,))
        mode = AWAIT if service.awaits else CALL
        lives_with_message = self.message is not None and service.tier is Tier.MESSAGE
        if lives_with_message and self.message is not None:
            self.message.open_scope()
        return self._lay_down(
            lambda slot: Step(mode, slot, fed, factory, need.key),
            cleans_up=service.cleans_up,
            message=lives_with_message,
        )

    def _feed(self, given: Input, source: Argument) -> int:
        """Hand the container what it cannot know: a value of this handshake, or of this message."""
        if given in self.fed:
            return self.fed[given]
        draft = self.message
        if draft is not None and given in draft.fed:
            return draft.fed[given]
        _, _, (read,) = self._arguments(Dependant(call=given.owner, path="").with_options(arguments=[source]))

        def feed(scope: Scope, value: Any) -> None:
            scope.supply(given, value)

        slot = self._lay_down(lambda slot: Step(CALL, slot, (read,), Invocation(feed, (SCOPE, read)), given))
        if draft is not None and slot in draft.slots:
            draft.open_scope()  # other messages, handled at the same time, have other values
            draft.fed[given] = slot
        else:
            self.fed[given] = slot
        return slot


def _session(connection: WebSocket) -> Any:
    session = getattr(connection, "session_of_it", None)
    if session is None:
        raise RuntimeError(
            "Session: nobody holds one on this WebSocket. Fix: let a route of an App, an APIRouter or a Controller serve it."
        )
    return session


def _key(dependant: Dependant) -> Any:
    """What makes two uses of a dependency one: the call, the security scopes if they matter below, and the clean-up's time."""
    scopes = tuple(sorted(set(dependant.security_scopes))) if dependant.uses_scopes else ()
    key = (dependant.call, scopes, dependant.computed_scope or "")
    try:
        hash(key)
    except TypeError:  # a callable object without a hash: itself only
        return (id(dependant.call), *key[1:])
    return key
