"""From declarations to a plan: each function once per session, however many edges lead to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from ..callables import AnyCallable, Kind
from ..container import Input
from ..markers import FirstMessageParam
from ..security import SecurityScopes
from .analysis import Framework, Supplier
from .dependant import Argument, Dependant, ServiceNeed, get_dependant
from .fields import ParamField
from .first_message import FirstMessageStep
from .invoking import invoker
from .parameters import Parameters
from .plan import CONNECTION, FIRST_FREE, SCOPE, Plan
from .steps import AWAIT, CALL, RUN, ContextStep, LimitedStep, Step, ThreadStep, in_thread, inline, limited

Overrides = Mapping[AnyCallable, AnyCallable]


def make_plan(
    dependant: Dependant, *, supplier: Supplier | None = None, overrides: Overrides | None = None, threads: bool = True
) -> Plan:
    """Compile what a dependant declares.

    Args:
        dependant: An endpoint with all that is below it.
        supplier: The container's graph, for the signatures of overrides.
        overrides: What is called in place of a dependency, at every depth.
        threads: Whether plain functions run in worker threads where nothing else is said.

    Raises:
        DeclarationError: An override cannot be filled.
    """
    return _Planner(supplier, overrides or {}, threads=threads).plan(dependant)


class _Planner:
    """Walks the dependants depth first, in the order of their parameters, and lays down steps.

    Until the number of parameters is known, their slots are written as negative numbers: -1 for the first.
    """

    def __init__(self, supplier: Supplier | None, overrides: Overrides, *, threads: bool) -> None:
        self.supplier = supplier
        self.overrides = overrides
        self.threads = threads
        self.fields: list[ParamField] = []
        self.messages: list[ParamField] = []
        self.drafts: list[_Draft] = []
        self.message_draft: _Draft | None = None
        self.shared: dict[Any, int] = {}
        self.fed: dict[Input, int] = {}
        self.cleans_up = False
        self.opens = False
        self.next = 0

    def plan(self, dependant: Dependant) -> Plan:
        first, names, slots = self._arguments(dependant)
        self._count_fields()
        resolved = [self._slot(slot) for slot in slots]
        steps = [draft.make(self._slot) for draft in self.drafts]
        return Plan(
            parameters=Parameters(self.fields, FIRST_FREE) if self.fields else None,
            steps=steps,
            endpoint=invoker(dependant.call, names, resolved, first=None if first is None else self._slot(first)),
            arguments=dict(zip(names, resolved, strict=True)),
            size=FIRST_FREE + len(self.fields) + self.next,
            cleans_up=self.cleans_up,
            opens=self.opens,
        )

    # Slots

    def _count_fields(self) -> None:
        self.base = FIRST_FREE + len(self.fields)

    def _slot(self, draft: int) -> int:
        """The final number of a slot: connection, scope, parameters, then what the steps make."""
        if draft < 0:
            return FIRST_FREE - draft - 1
        return draft if draft < FIRST_FREE else draft - FIRST_FREE + self.base

    def _new_slot(self) -> int:
        self.next += 1
        return FIRST_FREE + self.next - 1

    # Walking

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
                found[argument.name] = self._service(argument.source)
        for field in dependant.fields:
            found[field.name] = self._field(field)
        for argument in dependant.arguments:
            if isinstance(argument.source, Framework):
                found[argument.name] = self._framework(argument.source, dependant)
        names = [argument.name for argument in dependant.arguments]
        return first, names, [found[name] for name in names]

    def _value(self, declared: Dependant) -> int:
        key = _key(declared)
        if declared.use_cache and key in self.shared:
            return self.shared[key]
        dependant = self._overridden(declared)
        _, names, slots = self._arguments(dependant)
        slot = self._call(dependant, names, slots)
        self.shared.setdefault(key, slot)
        return slot

    def _overridden(self, declared: Dependant) -> Dependant:
        try:
            call = self.overrides.get(declared.call, declared.call)
        except TypeError:  # a callable object without a hash is no key of a mapping
            return declared
        if call is declared.call:
            return declared
        override = get_dependant(
            path=declared.path,
            call=call,
            name=declared.name,
            parent_scopes=declared.security_scopes,
            scope=declared.scope,
            supplier=self.supplier,
        )
        override.limit, override.thread = declared.limit, declared.thread
        return override

    def _field(self, field: ParamField) -> int:
        if not isinstance(field.info, FirstMessageParam):
            self.fields.append(field)
            return -len(self.fields)
        if self.message_draft is None:
            self.message_draft = _Draft((), lambda slots: FirstMessageStep(self.messages, slots))
            self.drafts.append(self.message_draft)
        self.messages.append(field)
        slot = self._new_slot()
        self.message_draft.slots += (slot,)
        return slot

    def _framework(self, value: Framework, dependant: Dependant) -> int:
        if value is Framework.CONNECTION:
            return CONNECTION
        scopes = dependant.security_scopes
        return self._lay_down((), lambda slot, reads: Step(CALL, slot, reads, lambda values: SecurityScopes(scopes), SecurityScopes))

    def _service(self, need: ServiceNeed) -> int:
        fed = [self._feed(argument) for argument in need.inputs]
        service = need.service
        self.cleans_up = self.cleans_up or service.cleans_up
        self.opens = True
        factory = service.factory
        mode = AWAIT if service.awaits else CALL
        return self._lay_down(fed, lambda slot, reads: Step(mode, slot, reads, lambda values: factory(values[SCOPE]), need.key))

    def _feed(self, argument: tuple[Input, Argument]) -> int:
        """Hand the container what it cannot know: a value of this handshake."""
        given, source = argument
        if given not in self.fed:
            carrier = Dependant(call=given.owner, path="", arguments=[source])
            _, _, (value,) = self._arguments(carrier)

            def make(slot: int, reads: tuple[int, ...]) -> Step:
                (read,) = reads
                return Step(CALL, slot, reads, lambda values: values[SCOPE].inputs.__setitem__(given, values[read]), given)

            self.fed[given] = self._lay_down((value,), make)
        return self.fed[given]

    def _call(self, dependant: Dependant, names: list[str], slots: list[int]) -> int:
        threaded = dependant.kind in (Kind.CALL, Kind.GENERATOR) and not dependant.inline and self._in_thread(dependant)
        self.cleans_up = self.cleans_up or dependant.kind.is_generator
        return self._lay_down(slots, lambda slot, reads: _step(dependant, names, slot, reads, threaded=threaded))

    def _in_thread(self, dependant: Dependant) -> bool:
        return self.threads if dependant.thread is None else dependant.thread

    def _lay_down(self, reads: Any, make: Callable[[int, tuple[int, ...]], Step]) -> int:
        slot = self._new_slot()
        self.drafts.append(_Draft((slot,), lambda slots: make(slots[0], slots[1:]), tuple(reads)))
        return slot


class _Draft:
    """A step whose slots are not final yet."""

    __slots__ = ("_make", "_reads", "slots")

    def __init__(self, slots: tuple[int, ...], make: Callable[[tuple[int, ...]], Step], reads: tuple[int, ...] = ()) -> None:
        self.slots = slots
        self._make = make
        self._reads = reads

    def make(self, final: Callable[[int], int]) -> Step:
        return self._make(tuple(final(slot) for slot in (*self.slots, *self._reads)))


def _key(dependant: Dependant) -> Any:
    """What makes two uses of a dependency one: the call, the security scopes if they matter below, and the clean-up's time."""
    scopes = tuple(sorted(set(dependant.security_scopes))) if dependant.uses_scopes else ()
    key = (dependant.call, scopes, dependant.computed_scope or "")
    try:
        hash(key)
    except TypeError:  # a callable object without a hash: itself only
        return (id(dependant.call), *key[1:])
    return key


def _step(dependant: Dependant, names: list[str], slot: int, reads: tuple[int, ...], *, threaded: bool) -> Step:
    call = dependant.call
    if dependant.kind.is_generator:
        manager = asynccontextmanager(call) if dependant.kind is Kind.ASYNC_GENERATOR else (in_thread if threaded else inline)(call)
        if dependant.limit is not None:
            manager = limited(manager, dependant.limit)
        return ContextStep(slot, reads, invoker(manager, names, reads, like=call), call, scope=dependant.scope)
    invoke = invoker(call, names, reads)
    if dependant.kind is Kind.AWAIT:
        step = Step(AWAIT, slot, reads, invoke, call)
    elif threaded:
        step = ThreadStep(RUN, slot, reads, invoke, call)
    else:
        step = Step(CALL, slot, reads, invoke, call)
    return step if dependant.limit is None else LimitedStep(step, dependant.limit)
